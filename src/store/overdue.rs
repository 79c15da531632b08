//! Overdue holds of one resource, whose locks the caller has, and what its holders have. Overdue seats and
//! calendar bookings are ended in `seats` and `calendar`, and those of many resources in `upkeep`.
//!
//! Statements on pools and seats say `during is null`. Their holds have no period anyway, but the index of the
//! live holds of a resource contains only holds without one, and PostgreSQL uses it only if the statement says so.

use super::Session;
use super::holds::set_expired;
use super::locks::snapshot;
use super::statement::{Argument, Rows, statement};
use crate::server::clock::Timestamp;
use uuid::Uuid;

statement!(OWNED (TEXTOID, TEXTOID, TIMESTAMPTZOID)
    "select coalesce(sum(quantity), 0)::bigint
     from booking.holds
     where resource = $1 and holder = $2
       and state in ('held', 'confirmed') and (state = 'confirmed' or expires_at > $3)
       and (during is null or upper(during) > $3)");

/// Adds up the live holds of a holder on a resource. A booking whose period is over does not count. In REPEATABLE
/// READ and above, raises 40001 if the sum has changed since the snapshot was taken.
pub fn owned(session: &Session, resource: &str, holder: &str, now: Timestamp) -> i64 {
    let arguments = [Argument::Text(Some(resource)), Argument::Text(Some(holder)), Argument::Time(Some(now))];
    let sum = |rows: Rows| rows.first().map_or(0, |row| row.need(1));
    OWNED.with(|statement| {
        let owned = sum(statement.run(session, &arguments));
        snapshot::assert_unchanged(&owned, || sum(statement.run_now(session, &arguments)));
        owned
    })
}

statement!(DUE_OF (TEXTOID, TEXTOID, TIMESTAMPTZOID)
    "select id from booking.holds
     where resource = $1 and holder = $2 and state = 'held' and expires_at <= $3");

/// Returns the overdue holds of a holder on a resource.
pub fn due_of(session: &Session, resource: &str, holder: &str, now: Timestamp) -> Vec<Uuid> {
    let arguments = [Argument::Text(Some(resource)), Argument::Text(Some(holder)), Argument::Time(Some(now))];
    DUE_OF.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

statement!(LOCK_FREE (UUIDARRAYOID)
    "select id from booking.holds where id = any($1) for no key update skip locked");

/// Locks those of some holds that no other transaction has locked, and returns them.
pub fn lock_free(session: &Session, ids: &[Uuid]) -> Vec<Uuid> {
    LOCK_FREE.with(|statement| {
        statement.run(session, &[Argument::Uuids(ids)]).iter().map(|row| row.need(1)).collect()
    })
}

/// How many holds were ended, and how much of the pool that freed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    pub holds: i64,
    pub quantity: i64,
}

statement!(END_DUE (TEXTOID, TIMESTAMPTZOID, INT8OID)
    concat!("with due as (
         select id from booking.holds
         where resource = $1 and state = 'held' and expires_at <= $2 and during is null
         order by expires_at limit $3
         for no key update skip locked),
     ended as (
         update booking.holds as holds ", set_expired!(), "
         from due where holds.id = due.id and holds.resource = $1
         returning holds.quantity)
     select count(*), coalesce(sum(quantity), 0)::bigint from ended"));

/// Ends overdue holds of a pool, the longest overdue first. Passes over those that another transaction has locked,
/// because it may be confirming or extending them.
pub fn end_due(session: &Session, resource: &str, now: Timestamp, limit: i64) -> Ended {
    let arguments =
        [Argument::Text(Some(resource)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    END_DUE.with(|statement| {
        statement
            .run(session, &arguments)
            .first()
            .map_or(Ended::default(), |row| Ended { holds: row.need(1), quantity: row.need(2) })
    })
}

/// An overdue hold, for which the caller may have to wait.
pub struct Due {
    pub id: Uuid,
    pub quantity: i64,
}

statement!(DUE (TEXTOID, TIMESTAMPTZOID, INT8OID)
    "select id, quantity
     from booking.holds
     where resource = $1 and state = 'held' and expires_at <= $2 and during is null
     order by expires_at limit $3");

/// Returns the overdue holds of a pool or of seats, the longest overdue first, whether or not others have locked
/// them.
pub fn due(session: &Session, resource: &str, now: Timestamp, limit: i64) -> Vec<Due> {
    let arguments =
        [Argument::Text(Some(resource)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    DUE.with(|statement| {
        let rows = statement.run(session, &arguments);
        rows.iter().map(|row| Due { id: row.need(1), quantity: row.need(2) }).collect()
    })
}
