//! The table `booking.resources`.

use super::attempt::{has_lock_timeout, until_lock_timeout};
use super::statement::{Argument, Row, Session, statement};
use super::{Busy, Patience, snapshot};
use crate::rules::pool::Pool;
use pgrx::pg_sys;

/// What a caller may be told after a resource's count has changed.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    pub version: i64,
    pub available: i64,
}

impl Level {
    fn read(row: &Row) -> Self {
        Self { version: row.need(1), available: row.need(2) }
    }
}

/// Which of a pool's rules a request for room has already been found to keep, or is excused from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// None: the statement refuses a pool that limits its holders, and one that is closed.
    Nothing,
    /// What the holder has was counted.
    Limit,
    /// The same, and it may be closed.
    LimitThoughClosed,
}

statement!(TAKE (TEXTOID, INT8OID, INT8OID, BOOLOID, BOOLOID)
    "update booking.resources
     set taken = taken + $2, version = version + 1
     where name = $1
       and $2 <= capacity + overbooking - taken
       and (open or $5)
       and (max_per_holder is null or $4)
       and ($3 is null or version = $3)
     returning version, capacity + overbooking - taken");

/// Takes room from a pool, in the one statement that cannot oversell: the condition is checked on
/// the row that is written, whatever lock is or is not held. None where any condition fails.
pub fn take(
    session: &Session,
    name: &str,
    quantity: i64,
    expected_version: Option<i64>,
    checked: Checked,
) -> Option<Level> {
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Bigint(Some(quantity)),
        Argument::Bigint(expected_version),
        Argument::Boolean(checked != Checked::Nothing),
        Argument::Boolean(checked == Checked::LimitThoughClosed),
    ];
    TAKE.with(|statement| statement.run(session, &arguments).first().map(|row| Level::read(&row)))
}

statement!(GIVE_BACK (TEXTOID, INT8OID)
    "update booking.resources
     set taken = taken - $2, version = version + 1
     where name = $1
     returning version, capacity + overbooking - taken");

/// Gives room back to a resource. None where the resource is gone.
pub fn give_back(session: &Session, name: &str, quantity: i64) -> Option<Level> {
    let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(quantity))];
    GIVE_BACK.with(|statement| statement.run(session, &arguments).first().map(|row| Level::read(&row)))
}

statement!(READ (TEXTOID)
    "select capacity, overbooking, taken, version, open, max_per_holder
     from booking.resources
     where name = $1");

pub fn read(session: &Session, name: &str) -> Option<Pool> {
    READ.with(|statement| {
        statement.run(session, &[Argument::Text(Some(name))]).first().map(|row| Pool {
            capacity: row.need(1),
            overbooking: row.need(2),
            taken: row.need(3),
            version: row.need(4),
            open: row.need(5),
            max_per_holder: row.get(6),
        })
    })
}

statement!(LOCK_OR_SKIP (TEXTOID)
    "select name from booking.resources where name = $1 for no key update skip locked");
statement!(LOCK (TEXTOID)
    "select name from booking.resources where name = $1 for no key update");

/// Locks a resource's row ahead of the UPDATE, for callers whom that would not serve.
///
/// Behind the queue the row is free, unless the worker or somebody's own `select … for update` has
/// it: then an UPDATE would wait although the caller asked it not to, or `lock_timeout` would end
/// it with an error. And in REPEATABLE READ and above, a refusal that writes nothing would rest on
/// an old snapshot and be a false "sold out": locking a row that has changed since is 40001.
/// Everybody else is spared this statement, and a refusal stays free of any write.
pub fn lock_ahead(session: &Session, name: &str, patience: Patience) -> Result<(), Busy> {
    if patience == Patience::Wait && !has_lock_timeout() && !snapshot::is_kept() {
        return Ok(());
    }
    let arguments = [Argument::Text(Some(name))];
    let locked = LOCK_OR_SKIP.with(|statement| statement.run(session, &arguments).count() > 0);
    if locked || read(session, name).is_none() {
        return Ok(());
    }
    match patience {
        Patience::NoWait => Err(Busy),
        Patience::Wait => until_lock_timeout(|| {
            LOCK.with(|statement| statement.run(session, &arguments));
        }),
    }
}

/// What a pool is created with.
pub struct NewPool<'a> {
    pub name: &'a str,
    pub capacity: i64,
    pub overbooking: i64,
    pub contention: &'a str,
    pub max_per_holder: Option<i64>,
    pub metadata: Option<pg_sys::Datum>,
}

statement!(CREATE (TEXTOID, INT8OID, INT8OID, TEXTOID, INT8OID, JSONBOID, TIMESTAMPTZOID)
    "insert into booking.resources as resources
         (name, kind, capacity, overbooking, contention, max_per_holder, metadata, created_at)
     values ($1, 'pool', $2, $3, $4::booking.contention, $5, $6, $7)
     on conflict (name) do nothing
     returning resources");

/// Creates a pool and returns its row. None where the name is taken.
pub fn create(session: &Session, pool: &NewPool) -> Option<pg_sys::Datum> {
    let arguments = [
        Argument::Text(Some(pool.name)),
        Argument::Bigint(Some(pool.capacity)),
        Argument::Bigint(Some(pool.overbooking)),
        Argument::Text(Some(pool.contention)),
        Argument::Bigint(pool.max_per_holder),
        Argument::Jsonb(pool.metadata),
        Argument::Time(Some(crate::clock::now())),
    ];
    CREATE.with(|statement| statement.run(session, &arguments).first()?.hand_over(1))
}

statement!(SET_CAPACITY (TEXTOID, INT8OID)
    "update booking.resources
     set capacity = $2, version = version + 1
     where name = $1 and taken <= $2 + overbooking
     returning version, capacity + overbooking - taken");

/// Sets the capacity. None where what is taken would not fit.
pub fn set_capacity(session: &Session, name: &str, capacity: i64) -> Option<Level> {
    let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(capacity))];
    SET_CAPACITY.with(|statement| statement.run(session, &arguments).first().map(|row| Level::read(&row)))
}

statement!(SET_OPEN (TEXTOID, BOOLOID)
    "update booking.resources
     set open = $2, version = version + 1
     where name = $1
     returning version, capacity + overbooking - taken");

/// Opens or closes a resource for new holds. None where it is gone.
pub fn set_open(session: &Session, name: &str, open: bool) -> Option<Level> {
    let arguments = [Argument::Text(Some(name)), Argument::Boolean(open)];
    SET_OPEN.with(|statement| statement.run(session, &arguments).first().map(|row| Level::read(&row)))
}

statement!(DROP (TEXTOID)
    "delete from booking.resources where name = $1 and taken = 0 returning version, 0::bigint");

/// Deletes a resource on which nothing is taken. None where something is.
pub fn drop(session: &Session, name: &str) -> Option<Level> {
    DROP.with(|statement| {
        statement.run(session, &[Argument::Text(Some(name))]).first().map(|row| Level::read(&row))
    })
}
