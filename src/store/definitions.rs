//! The definitions of resources: they are created, changed and dropped here. The code that reads them is in
//! `resources`, and what is taken of a pool is counted in `pools`.

use super::resources::{Calendar, Kind, ResourceStatus};
use super::statement::{Argument, Session, Statement, statement};
use crate::rules::pool::Contention;
use crate::shared_memory::generations;
use pgrx::pg_sys;
use std::thread::LocalKey;
use uuid::Uuid;

/// A resource that is to be created.
pub struct NewResource<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub capacity: i64,
    pub overbooking: i64,
    pub contention: Contention,
    pub max_per_holder: Option<i64>,
    pub sections: Option<&'a [&'a str]>,
    pub calendar: Option<Calendar>,
    /// Whether entries of the waitlist may be served before an earlier one that needs more than is free.
    pub skip: bool,
    pub metadata: Option<pg_sys::Datum>,
    /// Whether a resource of this name that is alike will do.
    pub if_not_exists: bool,
}

statement!(CREATE (TEXTOID, TEXTOID, INT8OID, INT8OID, UUIDOID, INT8OID, TEXTARRAYOID, JSONBOID, TIMESTAMPTZOID,
                   TEXTOID, INTERVALOID, TIMEOID, TIMEOID, BOOLOID, TEXTOID)
    "insert into booking.resources as resources
         (name, kind, capacity, overbooking, escrow, contention, max_per_holder, sections, metadata, created_at,
          time_zone, buffer, check_in, check_out, resized, skip)
     values ($1, $2::booking.resource_kind, $3, $4, $5,
             $15::booking.contention, $6, $7, $8, $9, $10, $11, $12, $13,
             case when $2 = 'calendar' then false end, $14)
     on conflict (name) do nothing
     returning resources");

/// Creates a resource and returns its row. Returns `None` if another resource has the name.
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
        Argument::Text(Some(resource.contention.name())),
    ];
    CREATE.with(|statement| statement.run(session, &arguments).first()?.copy_datum(1))
}

/// A resource that was there before it could be created.
pub struct Existing {
    /// What of it is not as it was to be created, in words: `capacity is 60, not 50`.
    pub differences: Vec<String>,
    /// Its row of `booking.resources`.
    pub row: Option<pg_sys::Datum>,
}

statement!(COMPARE (TEXTOID, TEXTOID, INT8OID, INT8OID, TEXTOID, INT8OID, JSONBOID, TEXTOID, INTERVALOID, TIMEOID,
                    TIMEOID, BOOLOID)
    "select case when kind::text <> $2 then array[format('kind is %s, not %s', kind, $2)]
            else array_remove(array[
                case when kind <> 'seats' and capacity <> $3 then format('capacity is %s, not %s', capacity, $3) end,
                case when overbooking <> $4 then format('overbooking is %s, not %s', overbooking, $4) end,
                case when $5 <> 'auto' and contention::text <> $5 then format('contention is %s, not %s', contention, $5) end,
                case when max_per_holder is distinct from $6 then
                    format('max_per_holder is %s, not %s', coalesce(max_per_holder::text, 'null'), coalesce($6::text, 'null'))
                end,
                case when $7 is not null and metadata is distinct from $7 then 'metadata is other' end,
                case when time_zone <> $8 then format('time_zone is %s, not %s', time_zone, $8) end,
                case when buffer <> $9 then format('buffer is %s, not %s', buffer, $9) end,
                case when check_in <> $10 then format('check_in is %s, not %s', check_in, $10) end,
                case when check_out <> $11 then format('check_out is %s, not %s', check_out, $11) end,
                case when skip <> $12 then format('skip is %s, not %s', skip, $12) end], null)
            end,
            resources
     from booking.resources as resources
     where name = $1");

/// Compares a resource that is there with one that was to be created. Metadata is compared only if some are given. With
/// the contention `auto`, which is the default, the caller has no wish, so every other one is alike.
pub fn compare(session: &Session, resource: &NewResource) -> Option<Existing> {
    let calendar = resource.calendar.as_ref();
    let arguments = [
        Argument::Text(Some(resource.name)),
        Argument::Text(Some(resource.kind.name())),
        Argument::Bigint(Some(resource.capacity)),
        Argument::Bigint(Some(resource.overbooking)),
        Argument::Text(Some(resource.contention.name())),
        Argument::Bigint(resource.max_per_holder),
        Argument::Jsonb(resource.metadata),
        Argument::Text(calendar.map(|calendar| calendar.zone.name())),
        Argument::Span(calendar.map(|calendar| calendar.buffer)),
        Argument::Clock(calendar.map(|calendar| calendar.check_in)),
        Argument::Clock(calendar.map(|calendar| calendar.check_out)),
        Argument::Boolean(resource.skip),
    ];
    COMPARE.with(|statement| {
        let row = statement.run(session, &arguments).first()?;
        Some(Existing { differences: row.need(1), row: row.copy_datum(2) })
    })
}

/// Runs a statement that changes a resource, so that no session goes on with what it remembers of it.
fn change(
    statement: &'static LocalKey<Statement>,
    session: &Session,
    name: &str,
    arguments: &[Argument],
) -> Option<ResourceStatus> {
    generations::changed(name);
    statement
        .with(|statement| statement.run(session, arguments).first().map(|row| ResourceStatus::read(&row)))
}

statement!(SET_CAPACITY (TEXTOID, INT8OID)
    "update booking.resources
     set capacity = $2, version = version + 1, resized = case when kind = 'calendar' then true end
     where name = $1 and taken <= $2 + overbooking
     returning version, case when kind = 'pool' then capacity + overbooking - taken end, waiting > 0");

/// Sets the capacity of a pool or of a calendar. Returns `None` if more of a locked pool is taken than would fit.
pub fn set_capacity(session: &Session, name: &str, capacity: i64) -> Option<ResourceStatus> {
    change(&SET_CAPACITY, session, name, &[Argument::Text(Some(name)), Argument::Bigint(Some(capacity))])
}

statement!(ADD_CAPACITY (TEXTOID, INT8OID)
    "update booking.resources
     set capacity = capacity + $2, version = version + 1
     where name = $1
     returning version, null::bigint, waiting > 0");

/// Adds to the number of seats on offer; a negative number takes away. Returns `None` if the resource does not
/// exist.
pub fn add_capacity(session: &Session, name: &str, seats: i64) -> Option<ResourceStatus> {
    change(&ADD_CAPACITY, session, name, &[Argument::Text(Some(name)), Argument::Bigint(Some(seats))])
}

statement!(SET_OPEN (TEXTOID, BOOLOID)
    "update booking.resources
     set open = $2, version = version + 1
     where name = $1
     returning version, case when kind = 'pool' then capacity + overbooking - taken end, waiting > 0");

/// Opens or closes a resource for new holds. Returns `None` if it does not exist.
pub fn set_open(session: &Session, name: &str, open: bool) -> Option<ResourceStatus> {
    change(&SET_OPEN, session, name, &[Argument::Text(Some(name)), Argument::Boolean(open)])
}

statement!(SET_CONTENTION (TEXTOID, UUIDOID, INT8OID, TEXTOID)
    "update booking.resources
     set escrow = $2, contention = $4::booking.contention,
         taken = case when $2 is null then $3 else 0 end, version = version + 1
     where name = $1
     returning version, capacity + overbooking - $3, waiting > 0");

/// Sets the contention of a pool. Its count has the id `escrow` in shared memory or, with `None`, is in its row, which
/// gets `taken`. Returns `None` if the pool does not exist.
pub fn set_contention(
    session: &Session,
    name: &str,
    contention: Contention,
    escrow: Option<Uuid>,
    taken: i64,
) -> Option<ResourceStatus> {
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Uuid(escrow),
        Argument::Bigint(Some(taken)),
        Argument::Text(Some(contention.name())),
    ];
    change(&SET_CONTENTION, session, name, &arguments)
}

statement!(COUNT_IN_MEMORY (TEXTOID, UUIDOID, INT8OID)
    "update booking.resources
     set escrow = $2, taken = 0
     where name = $1 and contention = 'auto' and escrow is null and taken = $3
     returning version, capacity + overbooking - $3, waiting > 0");

/// Moves the count of a pool of which `taken` is taken from its row to shared memory, where it has the id `escrow`.
/// Returns `None` if the row says otherwise.
pub fn count_in_memory(session: &Session, name: &str, escrow: Uuid, taken: i64) -> Option<ResourceStatus> {
    let arguments = [Argument::Text(Some(name)), Argument::Uuid(Some(escrow)), Argument::Bigint(Some(taken))];
    change(&COUNT_IN_MEMORY, session, name, &arguments)
}

statement!(COUNT_IN_ROW (TEXTOID, UUIDOID, INT8OID, INT8OID)
    "update booking.resources
     set escrow = null, taken = $3, version = $4
     where name = $1 and contention = 'auto' and escrow = $2
     returning version, capacity + overbooking - taken, waiting > 0");

/// Moves the count of a pool back to its row. Returns `None` if the row says otherwise.
pub fn count_in_row(
    session: &Session,
    name: &str,
    escrow: Uuid,
    taken: i64,
    version: i64,
) -> Option<ResourceStatus> {
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Uuid(Some(escrow)),
        Argument::Bigint(Some(taken)),
        Argument::Bigint(Some(version)),
    ];
    change(&COUNT_IN_ROW, session, name, &arguments)
}

statement!(SET_HOURS (TEXTOID, TEXTARRAYOID)
    "update booking.resources
     set hours = $2, version = version + 1
     where name = $1
     returning version, null::bigint, waiting > 0");

/// Sets the hours outside of which nothing new is held; with `None`, the calendar is always open. Returns `None`
/// if the resource does not exist.
pub fn set_hours(session: &Session, name: &str, hours: Option<&[&str]>) -> Option<ResourceStatus> {
    change(&SET_HOURS, session, name, &[Argument::Text(Some(name)), Argument::Texts(hours)])
}

statement!(DROP (TEXTOID)
    "delete from booking.resources where name = $1 and taken = 0 returning version, null::bigint, false");

/// Deletes a resource. Returns `None` if it does not exist, or if its row says that something of it is taken; the
/// row of an escrow pool, of seats and of a calendar never says so.
pub fn drop(session: &Session, name: &str) -> Option<ResourceStatus> {
    change(&DROP, session, name, &[Argument::Text(Some(name))])
}
