//! What a resource is: created, changed and dropped. Its row is read and counted on in `resources`.

use super::resources::{Calendar, Kind, ResourceStatus};
use super::statement::{Argument, Session, statement};
use crate::rules::pool::Contention;
use crate::shared_memory::generations;
use pgrx::pg_sys;
use uuid::Uuid;

/// What a resource is created with.
pub struct NewResource<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub capacity: i64,
    pub overbooking: i64,
    pub contention: Contention,
    pub max_per_holder: Option<i64>,
    pub sections: Option<&'a [&'a str]>,
    pub calendar: Option<Calendar>,
    /// Whether those who wait may pass by one who needs more than is free.
    pub skip: bool,
    pub metadata: Option<pg_sys::Datum>,
}

statement!(CREATE (TEXTOID, TEXTOID, INT8OID, INT8OID, UUIDOID, INT8OID, TEXTARRAYOID, JSONBOID, TIMESTAMPTZOID,
                   TEXTOID, INTERVALOID, TIMEOID, TIMEOID, BOOLOID)
    "insert into booking.resources as resources
         (name, kind, capacity, overbooking, escrow, contention, max_per_holder, sections, metadata, created_at,
          time_zone, buffer, check_in, check_out, resized, skip)
     values ($1, $2::booking.resource_kind, $3, $4, $5,
             case when $5 is null then 'locked'::booking.contention else 'escrow' end, $6, $7, $8, $9, $10, $11, $12, $13,
             case when $2 = 'calendar' then false end, $14)
     on conflict (name) do nothing
     returning resources");

/// Creates a resource and returns its row. None where the name is taken.
pub fn create(session: &Session, resource: &NewResource) -> Option<pg_sys::Datum> {
    generations::changed(resource.name);
    let calendar = resource.calendar.as_ref();
    let arguments = [
        Argument::Text(Some(resource.name)),
        Argument::Text(Some(resource.kind.name())),
        Argument::Bigint(Some(resource.capacity)),
        Argument::Bigint(Some(resource.overbooking)),
        Argument::Uuid((resource.contention == Contention::Escrow).then(Uuid::now_v7)),
        Argument::Bigint(resource.max_per_holder),
        Argument::Texts(resource.sections),
        Argument::Jsonb(resource.metadata),
        Argument::Time(Some(crate::server::clock::now())),
        Argument::Text(calendar.map(|calendar| calendar.zone.name())),
        Argument::Span(calendar.map(|calendar| calendar.buffer)),
        Argument::Clock(calendar.map(|calendar| calendar.check_in)),
        Argument::Clock(calendar.map(|calendar| calendar.check_out)),
        Argument::Boolean(resource.skip),
    ];
    CREATE.with(|statement| statement.run(session, &arguments).first()?.copy_datum(1))
}

statement!(SET_CAPACITY (TEXTOID, INT8OID)
    "update booking.resources
     set capacity = $2, version = version + 1, resized = case when kind = 'calendar' then true end
     where name = $1 and taken <= $2 + overbooking
     returning version, case when kind = 'pool' then capacity + overbooking - taken end, waiting > 0");

/// Sets the capacity of a pool. None where what is taken would not fit.
pub fn set_capacity(session: &Session, name: &str, capacity: i64) -> Option<ResourceStatus> {
    generations::changed(name);
    let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(capacity))];
    SET_CAPACITY
        .with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)))
}

statement!(ADD_CAPACITY (TEXTOID, INT8OID)
    "update booking.resources
     set capacity = capacity + $2, version = version + 1
     where name = $1
     returning version, null::bigint, waiting > 0");

/// Says how many seats more, or less, there are to be had. None where the resource is gone.
pub fn add_capacity(session: &Session, name: &str, seats: i64) -> Option<ResourceStatus> {
    generations::changed(name);
    let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(seats))];
    ADD_CAPACITY
        .with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)))
}

statement!(SET_OPEN (TEXTOID, BOOLOID)
    "update booking.resources
     set open = $2, version = version + 1
     where name = $1
     returning version, case when kind = 'pool' then capacity + overbooking - taken end, waiting > 0");

/// Opens or closes a resource for new holds. None where it is gone.
pub fn set_open(session: &Session, name: &str, open: bool) -> Option<ResourceStatus> {
    generations::changed(name);
    let arguments = [Argument::Text(Some(name)), Argument::Boolean(open)];
    SET_OPEN
        .with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)))
}

statement!(SET_ESCROW (TEXTOID, UUIDOID, INT8OID)
    "update booking.resources
     set escrow = $2, contention = case when $2 is null then 'locked'::booking.contention else 'escrow' end,
         taken = case when $2 is null then $3 else 0 end, version = version + 1
     where name = $1
     returning version, capacity + overbooking - $3, waiting > 0");

/// Has a pool counted in escrow, under an id, or in its row. None where it is gone.
pub fn set_escrow(session: &Session, name: &str, escrow: Option<Uuid>, taken: i64) -> Option<ResourceStatus> {
    generations::changed(name);
    let arguments = [Argument::Text(Some(name)), Argument::Uuid(escrow), Argument::Bigint(Some(taken))];
    SET_ESCROW
        .with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)))
}

statement!(SET_HOURS (TEXTOID, TEXTARRAYOID)
    "update booking.resources
     set hours = $2, version = version + 1
     where name = $1
     returning version, null::bigint, waiting > 0");

/// Sets the hours beyond which nothing new is held; none: always open. None where the resource is gone.
pub fn set_hours(session: &Session, name: &str, hours: Option<&[&str]>) -> Option<ResourceStatus> {
    generations::changed(name);
    let arguments = [Argument::Text(Some(name)), Argument::Texts(hours)];
    SET_HOURS
        .with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)))
}

statement!(DROP (TEXTOID)
    "delete from booking.resources where name = $1 and taken = 0 returning version, null::bigint, false");

/// Deletes a resource of which nothing is taken. None where something is, as far as its row says.
pub fn drop(session: &Session, name: &str) -> Option<ResourceStatus> {
    generations::changed(name);
    DROP.with(|statement| {
        statement.run(session, &[Argument::Text(Some(name))]).first().map(|row| ResourceStatus::read(&row))
    })
}
