//! Statements of the sweep over many resources, and what the worker asks before it. Statements that serve one request
//! are beside their tables.

use super::holds::set_expired;
use super::resources::Kind;
use super::statement::{Argument, Row, Session, statement};
use crate::server::clock::Timestamp;

/// A resource that has overdue holds.
pub struct DueResource {
    pub name: String,
    pub kind: Kind,
    pub is_waited_for: bool,
}

statement!(DUE_RESOURCES (TIMESTAMPTZOID, INT8OID, TEXTARRAYOID)
    "select resources.name, resources.kind::text, resources.waiting > 0
     from (select distinct resource
           from (select resource from booking.holds
                 where state = 'held' and expires_at <= $1
                   and case when resource = any($3) then false else true end
                 order by expires_at limit $2) as holds) as due
     join booking.resources as resources on resources.name = due.resource
     order by resources.name");

/// Returns the resources of the holds that are overdue the longest. Leaves out resources that have no row, so that
/// the sweep does not touch a restore that has loaded the holds and not yet the resources.
pub fn due_resources(session: &Session, now: Timestamp, limit: i64, except: &[&str]) -> Vec<DueResource> {
    let arguments = [Argument::Time(Some(now)), Argument::Bigint(Some(limit)), Argument::Texts(Some(except))];
    DUE_RESOURCES.with(|statement| {
        let rows = statement.run(session, &arguments);
        let due = |row: Row| DueResource {
            name: row.need(1),
            kind: Kind::from_name(&row.need::<String>(2)),
            is_waited_for: row.need(3),
        };
        rows.iter().map(due).collect()
    })
}

statement!(LOCK_FREE (TEXTARRAYOID)
    "select name from booking.resources
     where name = any($1)
     order by name
     for no key update skip locked");

/// Locks the rows of those resources that no other transaction has locked, and returns their names.
pub fn lock_free(session: &Session, resources: &[&str]) -> Vec<String> {
    let arguments = [Argument::Texts(Some(resources))];
    LOCK_FREE.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

/// The part with which both sweeps of pools begin: it ends the overdue holds. PostgreSQL looks up the names in a
/// hash table, and the CASE keeps that a filter of the scan of overdue holds. Compared one by one for each hold, a
/// thousand names took a third of a sweep.
macro_rules! ended {
    ($rest:expr) => {
        concat!(
            "with due as (
                 select ctid as place from booking.holds
                 where state = 'held' and expires_at <= $2 and during is null
                   and case when resource in (select unnest($1)) then true else false end
                 order by expires_at limit $3
                 for no key update skip locked),
             ended as (
                 update booking.holds as holds ",
            set_expired!(),
            "
                 from due where holds.ctid = due.place
                 returning holds.resource, holds.quantity)
             ",
            $rest
        )
    };
}

statement!(END_DUE_OF (TEXTARRAYOID, TIMESTAMPTZOID, INT8OID)
    ended!(",
     freed as (
         select resource, count(*) as holds, sum(quantity)::bigint as quantity
         from ended group by resource),
     given_back as (
         update booking.resources as resources
         set taken = taken - freed.quantity, version = version + 1
         from freed where resources.name = freed.resource
         returning freed.holds)
     select coalesce(sum(holds), 0)::bigint from given_back"));

/// Ends overdue holds of pools whose rows the caller has locked, the longest overdue first, and gives back what
/// they took. Passes over holds that another transaction has locked. Returns how many it ended.
///
/// The statement finds a hold again by its ctid, which does not change while the row is locked. That costs half as
/// much as a second search by the key.
pub fn end_due_of(session: &Session, resources: &[&str], now: Timestamp, limit: i64) -> i64 {
    let arguments =
        [Argument::Texts(Some(resources)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    END_DUE_OF.with(|statement| statement.run(session, &arguments).first().map_or(0, |row| row.need(1)))
}

/// What ended holds have freed of a pool.
pub struct Freed {
    pub resource: String,
    pub holds: i64,
    pub quantity: i64,
}

statement!(END_DUE_IN_ESCROW (TEXTARRAYOID, TIMESTAMPTZOID, INT8OID)
    ended!("select resource, count(*), sum(quantity)::bigint from ended group by resource"));

/// Ends overdue holds of escrow pools in the same way, but writes no pool's row: the caller gives back what it
/// returns.
pub fn end_due_in_escrow(session: &Session, resources: &[&str], now: Timestamp, limit: i64) -> Vec<Freed> {
    let arguments =
        [Argument::Texts(Some(resources)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    END_DUE_IN_ESCROW.with(|statement| {
        let rows = statement.run(session, &arguments);
        rows.iter()
            .map(|row| Freed { resource: row.need(1), holds: row.need(2), quantity: row.need(3) })
            .collect()
    })
}

statement!(NEXT_EXPIRY ()
    "select min(expires_at) from booking.holds where state = 'held'");

/// Returns when the next hold runs out, or `None` if nothing is held. If the time is past, a sweep has work to do.
pub fn next_expiry(session: &Session) -> Option<Timestamp> {
    NEXT_EXPIRY.with(|statement| statement.run(session, &[]).first()?.get(1))
}
