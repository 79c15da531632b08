//! The plan of seats in its order, from the front: how it is created, which seats are free, and which are
//! overdue. Which of them are the best is decided in `rules::seating`.

use super::locks::snapshot;
use super::statement::{Argument, Row, Session, statement};
use crate::rules::seating::SeatPosition;
use crate::server::clock::Timestamp;
use crate::shared_memory::seat_hint;
use uuid::Uuid;

/// A seat that is to be created.
pub struct NewSeat<'a> {
    pub label: &'a str,
    pub section: &'a str,
    pub row: &'a str,
    pub place: SeatPosition,
}

statement!(CREATE (TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID)
    "insert into booking.seats (resource, label, section, row, position, rank, middle)
     select $1, label, section, row, position, rank, middle
     from unnest($2, $3, $4, $5, $6, $7) as new(label, section, row, position, rank, middle)");

/// A plan's seats, column by column.
struct Columns<'a> {
    labels: Vec<&'a str>,
    sections: Vec<&'a str>,
    rows: Vec<&'a str>,
    positions: Vec<i32>,
    ranks: Vec<i32>,
    middles: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn of(seats: &[NewSeat<'a>]) -> Self {
        Self {
            labels: seats.iter().map(|seat| seat.label).collect(),
            sections: seats.iter().map(|seat| seat.section).collect(),
            rows: seats.iter().map(|seat| seat.row).collect(),
            positions: seats.iter().map(|seat| seat.place.position).collect(),
            ranks: seats.iter().map(|seat| seat.place.rank).collect(),
            middles: seats.iter().map(|seat| seat.place.middle).collect(),
        }
    }

    /// The resource and its columns, as the parameters of a statement.
    fn arguments<'b>(&'b self, resource: &'b str) -> [Argument<'b>; 7] {
        [
            Argument::Text(Some(resource)),
            Argument::Texts(Some(&self.labels)),
            Argument::Texts(Some(&self.sections)),
            Argument::Texts(Some(&self.rows)),
            Argument::Integers(&self.positions),
            Argument::Integers(&self.ranks),
            Argument::Integers(&self.middles),
        ]
    }
}

/// Creates the seats of a resource.
pub fn create(session: &Session, resource: &str, seats: &[NewSeat]) {
    let columns = Columns::of(seats);
    CREATE.with(|statement| statement.run(session, &columns.arguments(resource)));
    seat_hint::freed(resource);
    seat_hint::took();
}

statement!(COUNT_DIFFERENT (TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, INT4ARRAYOID)
    "select count(*)
     from unnest($2, $3, $4, $5, $6) as new(label, section, \"row\", \"position\", rank)
     full join (select * from booking.seats where resource = $1) as seats
         using (label, section, \"row\", \"position\", rank)
     where seats.resource is null or new.label is null");

/// Counts the seats that only the resource has, or only the plan that it was to be created with.
pub fn count_different(session: &Session, resource: &str, seats: &[NewSeat]) -> i64 {
    let columns = Columns::of(seats);
    // All but the middles, which follow from the positions.
    let arguments = &columns.arguments(resource)[..6];
    COUNT_DIFFERENT.with(|statement| statement.run(session, arguments).first().map_or(0, |row| row.need(1)))
}

/// A free seat in the plan.
#[derive(Clone, Debug)]
pub struct FreeSeat {
    pub label: String,
    pub place: SeatPosition,
}

statement!(FREE (TEXTOID, INT4OID, INT4OID, INT4OID, INT8OID)
    "select label, rank, position, middle
     from booking.seats
     where resource = $1 and hold_id is null and not blocked
       and (rank, position) > ($2, $3) and rank < $4
     order by rank, position limit $5");

/// Returns the next free seats of a plan behind a place (rank and position) and in front of a rank.
pub fn free(session: &Session, resource: &str, behind: (i32, i32), before: i32, limit: i64) -> Vec<FreeSeat> {
    let arguments = [
        Argument::Text(Some(resource)),
        Argument::Integer(behind.0),
        Argument::Integer(behind.1),
        Argument::Integer(before),
        Argument::Bigint(Some(limit)),
    ];
    FREE.with(|statement| {
        let rows = statement.run(session, &arguments);
        let read = |row: Row| FreeSeat {
            label: row.need(1),
            place: SeatPosition { rank: row.need(2), position: row.need(3), middle: row.need(4) },
        };
        rows.iter().map(read).collect()
    })
}

statement!(STILL_FREE (TEXTOID, TEXTARRAYOID)
    "select label from booking.seats
     where resource = $1 and label = any($2) and case when hold_id is null then not blocked else false end");

/// Returns those of some seats, which the caller has claimed, that are free now.
pub fn still_free(session: &Session, resource: &str, labels: &[&str]) -> Vec<String> {
    let arguments = [Argument::Text(Some(resource)), Argument::Texts(Some(labels))];
    STILL_FREE.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

statement!(OVERDUE (TEXTOID, TIMESTAMPTZOID, INT8OID)
    "select seats.label, seats.rank, seats.position, seats.middle, due.id
     from (select id from booking.holds
           where resource = $1 and state = 'held' and expires_at <= $2 and during is null
           order by expires_at limit $3) as due
     join booking.holds as holds on holds.id = due.id and holds.resource = $1
     cross join lateral unnest(holds.seats) as its(label)
     join booking.seats as seats
         on seats.resource = $1 and seats.label = its.label
        and case when seats.hold_id = holds.id then not seats.blocked else false end");

/// Returns the seats of overdue holds, each with its hold's id.
pub fn overdue(session: &Session, resource: &str, now: Timestamp, limit: i64) -> Vec<(FreeSeat, Uuid)> {
    let arguments =
        [Argument::Text(Some(resource)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    OVERDUE.with(|statement| {
        let rows = statement.run(session, &arguments);
        let read = |row: Row| {
            let place = SeatPosition { rank: row.need(2), position: row.need(3), middle: row.need(4) };
            (FreeSeat { label: row.need(1), place }, row.need(5))
        };
        rows.iter().map(read).collect()
    })
}

statement!(LOCK_PLAN (TEXTOID)
    "select label from booking.seats where resource = $1 order by label for no key update");

/// In REPEATABLE READ and above, raises 40001 if any seat has changed since the snapshot was taken. Otherwise a
/// refusal could rest on an old plan.
pub fn assert_plan_is_current(session: &Session, resource: &str) {
    if snapshot::is_repeatable_read() {
        LOCK_PLAN.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
    }
}
