//! Leases: a row for each slot of a name, which stays when the lease is over, since the next token is counted
//! from the last one.
//!
//! Leases are one truth for all, whatever a transaction's isolation level: every statement here sees what is
//! committed now.

use super::Session;
use super::locks::LockWaitPolicy;
use super::statement::{Argument, Row, Statement, statement};
use crate::rules::lease::Lease;
use crate::server::clock::Timestamp;
use crate::server::wal_timeline;

impl Lease {
    fn read(row: &Row) -> Self {
        Self {
            slot: row.need(1),
            holder: row.need(2),
            token: row.need(3),
            expires_at: row.need::<Timestamp>(4).micros(),
            is_released: row.need(5),
        }
    }
}

statement!(FIND (TEXTOID)
    "select slot, holder, token, expires_at, released_at is not null
     from booking.leases where name = $1 order by slot");

/// What the slots of a name were granted for last.
pub fn find(session: &Session, name: &str) -> Vec<Lease> {
    let arguments = [Argument::Text(Some(name))];
    FIND.with(|statement| {
        statement.run_now(session, &arguments).iter().map(|row| Lease::read(&row)).collect()
    })
}

statement!(TAKE (TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT4OID)
    "with free as materialized (
         select ctid as place from booking.leases
         where name = $1 and slot = 1
           and case when released_at is null then expires_at <= $3 else true end
           and not exists (select from booking.leases where name = $1 and slot > 1)
         for update skip locked)
     update booking.leases as leases
     set holder = $2, token = greatest(token, floor) + 1, acquired_at = $3, expires_at = $4, released_at = null
     from free, booking.lease_epochs as epoch
     where leases.ctid = free.place and epoch.sole and epoch.system_identifier = $5 and epoch.timeline = $6
     returning token");

/// Takes a name that never more than one had at once, where it is free and nobody has locked it. The token,
/// where that was so.
///
/// The row is locked as for a deletion, which a [`check`] of the old token keeps from happening and a renewal
/// does not.
pub fn take(session: &Session, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Option<i64> {
    let (system, timeline) = wal_timeline::current();
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Text(Some(holder)),
        Argument::Time(Some(now)),
        Argument::Time(Some(until)),
        Argument::Bigint(Some(system)),
        Argument::Integer(timeline),
    ];
    TAKE.with(|statement| statement.run_now(session, &arguments).first().map(|row| row.need(1)))
}

statement!(COUNT_ON (TEXTOID) "select from booking.leases where name = $1 and slot = 1 for no key update");

/// Makes sure that nobody else counts the tokens of a name on, which several may have at once.
pub fn count_on(session: &Session, name: &str) {
    COUNT_ON.with(|statement| statement.run_now(session, &[Argument::Text(Some(name))]));
}

statement!(LOCK_FREE (TEXTOID, TIMESTAMPTZOID)
    "select slot from booking.leases
     where name = $1 and case when released_at is null then expires_at <= $2 else true end
     for update skip locked");
statement!(LOCK (TEXTOID, INT4OID) "select from booking.leases where name = $1 and slot = $2 for update");

/// Locks the slots of a name whose leases are over, unless somebody has locked them. Returns which it did.
pub fn lock_free(session: &Session, name: &str, now: Timestamp) -> Vec<i32> {
    let arguments = [Argument::Text(Some(name)), Argument::Time(Some(now))];
    LOCK_FREE.with(|statement| statement.run_now(session, &arguments).iter().map(|row| row.need(1)).collect())
}

/// Locks a slot, and waits for whoever has.
pub fn lock(session: &Session, name: &str, slot: i32) {
    LOCK.with(|statement| {
        statement.run_now(session, &[Argument::Text(Some(name)), Argument::Integer(slot)]);
    });
}

statement!(GRANT (TEXTOID, INT4OID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID)
    "insert into booking.leases (name, slot, holder, token, acquired_at, expires_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (name, slot) do update
     set holder = $3, token = $4, acquired_at = $5, expires_at = $6, released_at = null
     where leases.token < $4");

/// Writes a grant into a slot that is locked, or that is new. Whether it could.
pub fn grant(session: &Session, name: &str, lease: &Lease, now: Timestamp) -> bool {
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Integer(lease.slot),
        Argument::Text(Some(&lease.holder)),
        Argument::Bigint(Some(lease.token)),
        Argument::Time(Some(now)),
        Argument::Time(Some(Timestamp::from_micros(lease.expires_at))),
    ];
    GRANT.with(|statement| statement.run_now(session, &arguments).count() == 1)
}

/// What every statement says that is about one grant.
macro_rules! of_token {
    ($rest:expr) => {
        concat!(
            "select slot, holder, token, expires_at, released_at is not null
             from booking.leases where name = $1 and token = $2 ",
            $rest
        )
    };
}

statement!(LOCK_TOKEN (TEXTOID, INT8OID) of_token!("for no key update"));
statement!(LOCK_TOKEN_OR_SKIP (TEXTOID, INT8OID) of_token!("for no key update skip locked"));
statement!(KEEP (TEXTOID, INT8OID, TIMESTAMPTZOID)
    of_token!("and released_at is null and expires_at > $3 for key share"));
statement!(AWAIT_NONE (TEXTOID, INT8OID) of_token!("for share"));

fn of_token<'a>(name: &'a str, token: i64) -> [Argument<'a>; 2] {
    [Argument::Text(Some(name)), Argument::Bigint(Some(token))]
}

/// Locks the lease with a token, to renew or release it: how it stands, once whoever had it locked is through;
/// or none where somebody has and nobody is to be waited for.
pub fn lock_token(session: &Session, name: &str, token: i64, policy: LockWaitPolicy) -> Option<Lease> {
    let lock = |statement: &Statement| {
        statement.run_now(session, &of_token(name, token)).first().map(|row| Lease::read(&row))
    };
    match policy {
        LockWaitPolicy::Wait => LOCK_TOKEN.with(lock),
        LockWaitPolicy::NoWait => LOCK_TOKEN_OR_SKIP.with(lock),
    }
}

/// Keeps the lease with a token from passing to another until the transaction ends, if it was valid at a moment.
pub fn keep(session: &Session, name: &str, token: i64, now: Timestamp) -> Option<Lease> {
    let [name, token] = of_token(name, token);
    let arguments = [name, token, Argument::Time(Some(now))];
    KEEP.with(|statement| statement.run_now(session, &arguments).first().map(|row| Lease::read(&row)))
}

/// Waits until nobody is renewing or releasing the lease with a token.
pub fn await_none(session: &Session, name: &str, token: i64) {
    AWAIT_NONE.with(|statement| statement.run_now(session, &of_token(name, token)));
}

statement!(RELEASE_IN_TIME (TEXTOID, INT8OID, TIMESTAMPTZOID)
    "with mine as materialized (
         select ctid as place, slot, holder, token, expires_at from booking.leases
         where name = $1 and token = $2 and case when released_at is null then expires_at > $3 else false end
         for no key update skip locked)
     update booking.leases as leases set released_at = $3
     from mine where leases.ctid = mine.place
     returning mine.slot, mine.holder, mine.token, mine.expires_at, true");

/// Ends a lease that is valid and that nobody has locked. It waits for nobody's lock of a row.
pub fn release_in_time(session: &Session, name: &str, token: i64, now: Timestamp) -> Option<Lease> {
    let [name, token] = of_token(name, token);
    RELEASE_IN_TIME.with(|statement| {
        statement
            .run_now(session, &[name, token, Argument::Time(Some(now))])
            .first()
            .map(|row| Lease::read(&row))
    })
}

statement!(TAKE_BACK_RELEASE (TEXTOID, INT8OID)
    "update booking.leases set released_at = null where name = $1 and token = $2");

/// Has a lease that this transaction released not be released.
pub fn take_back_release(session: &Session, name: &str, token: i64) {
    TAKE_BACK_RELEASE.with(|statement| statement.run_now(session, &of_token(name, token)));
}

statement!(RENEW (TEXTOID, INT8OID, TIMESTAMPTZOID)
    "update booking.leases set expires_at = $3 where name = $1 and token = $2");
statement!(RELEASE (TEXTOID, INT8OID, TIMESTAMPTZOID)
    "update booking.leases set released_at = $3 where name = $1 and token = $2");

/// Lets a lease that is locked last until then.
pub fn renew(session: &Session, name: &str, token: i64, until: Timestamp) {
    let [name, token] = of_token(name, token);
    RENEW.with(|statement| statement.run_now(session, &[name, token, Argument::Time(Some(until))]));
}

/// Ends a lease that is locked.
pub fn release(session: &Session, name: &str, token: i64, now: Timestamp) {
    let [name, token] = of_token(name, token);
    RELEASE.with(|statement| statement.run_now(session, &[name, token, Argument::Time(Some(now))]));
}

statement!(FLOOR (INT8OID, INT4OID)
    "select floor from booking.lease_epochs where sole and system_identifier = $1 and timeline = $2");
statement!(LIFT (INT8OID, INT4OID, INT8OID, INT8OID, BOOLOID)
    "insert into booking.lease_epochs as epoch (sole, floor, system_identifier, timeline) values (true, $3, $1, $2)
     on conflict (sole) do update
     set floor = greatest(epoch.floor + 1, $4), system_identifier = $1, timeline = $2
     where $5 or epoch.system_identifier <> $1 or epoch.timeline <> $2");

/// The token up to which none is given out; none where the server's history is not the one that the tokens
/// were counted in.
pub fn floor(session: &Session) -> Option<i64> {
    let (system, timeline) = wal_timeline::current();
    let arguments = [Argument::Bigint(Some(system)), Argument::Integer(timeline)];
    FLOOR.with(|statement| statement.run_now(session, &arguments).first().map(|row| row.need(1)))
}

/// Lifts all tokens to come above a token, where the server's history is another than the one that they were
/// counted in; or (`anyhow`) where it is the same. Where none was ever given out they begin above `first`.
pub fn lift(session: &Session, first: i64, floor: i64, anyhow: bool) {
    let (system, timeline) = wal_timeline::current();
    let arguments = [
        Argument::Bigint(Some(system)),
        Argument::Integer(timeline),
        Argument::Bigint(Some(first)),
        Argument::Bigint(Some(floor)),
        Argument::Boolean(anyhow),
    ];
    LIFT.with(|statement| statement.run_now(session, &arguments));
}

statement!(END_ALL (TIMESTAMPTZOID)
    "update booking.leases set released_at = $1 where released_at is null and expires_at > $1 returning name");

/// Ends all leases. Returns whose names they were.
pub fn end_all(session: &Session, now: Timestamp) -> Vec<String> {
    END_ALL.with(|statement| {
        statement.run_now(session, &[Argument::Time(Some(now))]).iter().map(|row| row.need(1)).collect()
    })
}

statement!(OVER (TIMESTAMPTZOID, INT8OID)
    "select name from booking.leases
     group by name having max(coalesce(released_at, expires_at)) <= $1
     order by max(coalesce(released_at, expires_at)) limit $2");
statement!(FORGET (TEXTARRAYOID, TIMESTAMPTZOID)
    "with gone as (
         delete from booking.leases as leases
         where name = any($1)
           and not exists (select from booking.leases as other
                           where other.name = leases.name and coalesce(released_at, expires_at) > $2)
         returning token),
     lifted as (
         update booking.lease_epochs set floor = greatest(floor, (select max(token) from gone))
         where sole and exists (select from gone))
     select count(*) from gone");

/// The names whose leases have all been over since a time.
pub fn over(session: &Session, since: Timestamp, limit: i64) -> Vec<String> {
    let arguments = [Argument::Time(Some(since)), Argument::Bigint(Some(limit))];
    OVER.with(|statement| statement.run_now(session, &arguments).iter().map(|row| row.need(1)).collect())
}

/// Forgets names, which nobody else is acquiring, and goes on counting tokens above theirs. Returns how many
/// rows they had.
pub fn forget(session: &Session, names: &[&str], since: Timestamp) -> i64 {
    let arguments = [Argument::Texts(Some(names)), Argument::Time(Some(since))];
    FORGET.with(|statement| statement.run_now(session, &arguments).first().map_or(0, |row| row.need(1)))
}
