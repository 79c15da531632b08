//! The seats of overdue holds: they are freed with the hold, or wait for the transaction that has one of them locked.

use super::holds::set_expired;
use super::locks::Busy;
use super::locks::subtransaction::wait_only;
use super::seats::{LOCK, note_freed};
use super::statement::{Argument, Rows, Session, statement};
use crate::server::clock::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

statement!(LOCKED_ONE (UUIDARRAYOID)
    "with its as materialized (
         select holds.resource, its.label
         from booking.holds as holds cross join lateral unnest(holds.seats) as its(label)
         where holds.id = any($1)),
     free as materialized (
         select seats.resource, seats.label
         from its join booking.seats as seats using (resource, label)
         for no key update of seats skip locked)
     select resource, label
     from its join booking.seats as seats using (resource, label)
     where (resource, label) not in (select resource, label from free)
     order by resource, label limit 1");

/// Waits for a transaction that has locked a seat of these holds, and locks none of them. The statements that end
/// overdue holds pass over a hold for the sake of one locked seat, too. It waits for one seat only, so that it has
/// nothing locked meanwhile. Returns [`Busy`] if `lock_timeout` ran out.
pub fn wait_for_one(session: &Session, holds: &[Uuid]) -> Result<(), Busy> {
    let mut locked: Option<(String, String)> = None;
    wait_only(|| {
        let rows = LOCKED_ONE.with(|statement| statement.run(session, &[Argument::Uuids(holds)]));
        locked = rows.first().map(|row| (row.need(1), row.need(2)));
    })?;
    let Some((resource, label)) = locked else { return Ok(()) };
    wait_only(|| {
        let arguments = [Argument::Text(Some(&resource)), Argument::Texts(Some(&[&label]))];
        LOCK.with(|statement| statement.run(session, &arguments));
    })
}

/// Ends overdue holds of some resources ($1) at a time ($2) and frees their seats. The statement never waits: if
/// another transaction has locked the hold or one of its seats, it passes over the whole hold.
macro_rules! end_whole {
    ($due:literal) => {
        concat!(
            "with due as (
                 select id, resource, seats from booking.holds
                 where state = 'held' and expires_at <= $2 and resource = any($1) and during is null
                 ",
            $due,
            "
                 for no key update skip locked),
             places as (
                 select seats.ctid as place, seats.hold_id
                 from due
                 cross join lateral unnest(due.seats) as its(label)
                 join booking.seats as seats
                     on seats.resource = due.resource and seats.label = its.label
                    and case when seats.hold_id = due.id then true else false end
                 for no key update of seats skip locked),
             locked as (select hold_id, count(*) as seats from places group by hold_id),
             whole as (
                 select due.id, due.resource from due
                 join locked on locked.hold_id = due.id and locked.seats = cardinality(due.seats)),
             freed as (
                 update booking.seats as seats set hold_id = null
                 from places join whole on whole.id = places.hold_id
                 where seats.ctid = places.place),
             ended as (
                 update booking.holds as holds ",
            set_expired!(),
            "
                 from whole where holds.id = whole.id and holds.resource = whole.resource
                 returning holds.id, holds.resource, holds.quantity)
             select id, resource, quantity from ended"
        )
    };
}

statement!(END_THESE (TEXTARRAYOID, TIMESTAMPTZOID, UUIDARRAYOID) end_whole!("and id = any($3)"));
statement!(END_DUE (TEXTARRAYOID, TIMESTAMPTZOID, INT8OID) end_whole!("order by expires_at limit $3"));

/// Ends those of some overdue holds that nobody has locked, and frees their seats. Returns the holds that it
/// ended.
pub fn end_these(session: &Session, resource: &str, ids: &[Uuid], now: Timestamp) -> Vec<Uuid> {
    let arguments = [Argument::Texts(Some(&[resource])), Argument::Time(Some(now)), Argument::Uuids(ids)];
    END_THESE.with(|statement| ended(&statement.run(session, &arguments)))
}

/// Ends overdue holds of some resources that nobody has locked, the longest overdue first, and frees their seats.
/// Returns the holds that it ended.
pub fn end_due(session: &Session, resources: &[&str], now: Timestamp, limit: i64) -> Vec<Uuid> {
    let arguments =
        [Argument::Texts(Some(resources)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    END_DUE.with(|statement| ended(&statement.run(session, &arguments)))
}

/// Notes the seats that came free, and returns the holds that had them.
fn ended(rows: &Rows) -> Vec<Uuid> {
    let mut freed = BTreeMap::<String, i64>::new();
    for row in rows.iter() {
        *freed.entry(row.need(2)).or_default() += row.need::<i64>(3);
    }
    freed.iter().for_each(|(resource, quantity)| note_freed(resource, *quantity));
    rows.iter().map(|row| row.need(1)).collect()
}
