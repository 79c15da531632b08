//! How much of a pool or of seats is used and left, for those who look. Calendars are looked at in `verbs::view`.

use super::direct::{Key, Row, Set};
use super::pool_count;
use super::resources::{self, Kind, StoredResource};
use super::seats;
use super::statement::{Argument, Session, statement};
use super::tables::holds::{DURING, EXPIRES_AT, HOLDS, RESOURCE, STATE};
use super::tables::resources::{
    CAPACITY, ESCROW, KIND, NAME, OPEN, OVERBOOKING, RESOURCES, SKIP, TAKEN, WAITING,
};
use crate::rules::pool::Contention;
use crate::server::clock::Timestamp;
use crate::shared_memory::{escrow, seat_count};

/// How the capacity of a pool or of seats is used at a moment.
pub struct ResourceUsage {
    pub capacity: i64,
    pub confirmed: i64,
    pub held: i64,
    pub available: i64,
    pub version: i64,
    pub next_expiry: Option<Timestamp>,
}

statement!(USAGE (TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID)
    "select resources.capacity,
            greatest(all_of_it.taken - live.quantity - overdue.quantity, 0),
            live.quantity,
            case when not resources.open or resources.waiting > 0 and not resources.skip then 0
                 else resources.capacity + resources.overbooking - all_of_it.taken + overdue.quantity end,
            resources.version + $4,
            live.next_expiry,
            resources.escrow
     from booking.resources as resources
     cross join lateral (
         select coalesce($3,
             case when escrow is not null then (
                      select coalesce(sum(quantity), 0)::bigint from booking.holds as holds
                      where holds.resource = resources.name and state in ('held', 'confirmed') and during is null)
                  when kind = 'seats' then (
                      select count(*) from booking.seats as seats
                      where seats.resource = resources.name and hold_id is not null)
                  else resources.taken end) as taken) as all_of_it
     cross join lateral (
         select coalesce(sum(quantity), 0)::bigint as quantity, min(expires_at) as next_expiry
         from booking.holds as holds
         where holds.resource = resources.name and state = 'held' and expires_at > $2
           and during is null) as live
     cross join lateral (
         select coalesce(sum(quantity), 0)::bigint as quantity
         from booking.holds as holds
         where holds.resource = resources.name and state = 'held' and expires_at <= $2
           and during is null) as overdue
     where resources.name = $1");

/// Returns how a pool or a resource with seats is used, or `None` if it has been dropped meanwhile. It computes what is
/// confirmed as what is taken and not held, so that it need not add up what is sold.
pub fn usage(session: &Session, stored: &StoredResource, now: Timestamp) -> Option<ResourceUsage> {
    let name = stored.name.as_str();
    let taken = counted(session, stored);
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Time(Some(now)),
        Argument::Bigint(taken),
        Argument::Bigint(Some(stored.changes())),
    ];
    let (found, escrow) = USAGE.with(|statement| {
        let row = statement.run(session, &arguments).first()?;
        let found = ResourceUsage {
            capacity: row.need(1),
            confirmed: row.need(2),
            held: row.need(3),
            available: row.need(4),
            version: row.need(5),
            next_expiry: row.get(6),
        };
        Some((found, row.get(7)))
    })?;
    // The count has moved between the row and shared memory meanwhile, so what was counted is not what the row leaves out.
    if escrow != stored.escrow {
        return usage(session, &resources::read(session, name)?, now);
    }
    Some(found)
}

/// Returns how much is taken of a resource that is counted in memory. Returns `None` if it is not. Then the statement that
/// looks at the holds counts as well: a sum of another moment could miss a hold that is overdue for the statement.
fn counted(session: &Session, stored: &StoredResource) -> Option<i64> {
    match (stored.kind, stored.escrow) {
        (Kind::Seats, _) => seats::counted(session, &stored.name),
        (_, Some(id)) => {
            pool_count::counted(session, &stored.name, id, stored.contention == Contention::Escrow)
        }
        (_, None) => None,
    }
}

/// Returns how much is left for a new hold, the column "available" of [`usage`], from the resource's row, a count in memory
/// and one look into an index. Returns `None` if more has
/// to be read: holds are overdue, nobody has counted what is taken yet, it is a calendar, or there is no such resource.
pub fn available_at_a_glance(name: &str, now: Timestamp) -> Option<i64> {
    let look = |row: &Row| {
        let counted = match (row.label(KIND)?, row.get(ESCROW)) {
            ("pool", None) => None,
            ("pool", Some(id)) => Some(escrow::taken(id)?),
            ("seats", _) => Some(seat_count::counted(name).filter(|counted| !counted.is_old)?.taken),
            _ => return None,
        };
        if !row.get(OPEN)? || row.get(WAITING)? > 0 && !row.get(SKIP)? {
            return Some(0);
        }
        // A sweep gives back what it ends. If the row and the holds were of two moments, what it frees in between would
        // seem to be taken. What is counted in memory has no moment; there, the holds are looked at after the count,
        // because before it they would be counted as free twice.
        let due = [RESOURCE.is(name), STATE.is("held")];
        let due = Key::up_to(&due, &DUE, EXPIRES_AT.is(now));
        let due = if counted.is_none() { due.at_the_same_moment() } else { due };
        let is_any_overdue = HOLDS.with(|table| table.has(due))?;
        let taken = counted.or_else(|| row.get(TAKEN))?;
        (!is_any_overdue).then_some(row.get(CAPACITY)? + row.get(OVERBOOKING)? - taken)
    };
    RESOURCES.with(|table| table.read(Key::of(&[NAME.is(name)]), look))
}

/// What the holds of pools and of seats have in common, by the condition of their index.
const DUE: [Set; 1] = [DURING.null()];
