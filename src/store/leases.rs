//! The tables `booking.leases` and `booking.lease_epochs`. A name has a row for each slot, which stays when the
//! lease is over, because the next token is counted from the last one. Who may have a lease is decided in
//! `rules::lease`.
//!
//! Leases are the same for all sessions, whatever their isolation level: every statement here reads what is
//! committed now.

use super::Session;
use super::direct::{self, Key, RowLock};
use super::locks::{LockWaitPolicy, snapshot};
use super::statement::{Argument, Row, Statement, statement};
use super::tables::lease_epochs::{self, LEASE_EPOCHS};
use super::tables::leases::{ACQUIRED_AT, EXPIRES_AT, HOLDER, LEASES, NAME, RELEASED_AT, SLOT, TOKEN};
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

    /// Reads a row that no statement has read.
    fn read_directly(row: &direct::Row) -> Option<Self> {
        Some(Self {
            slot: row.get(SLOT)?,
            holder: row.get(HOLDER)?,
            token: row.get(TOKEN)?,
            expires_at: row.get(EXPIRES_AT)?.micros(),
            is_released: !row.is_null(RELEASED_AT),
        })
    }
}

/// Updates the row of a name that has one slot, if `judge` says so. Returns `None` if a statement has to: the name has
/// more slots, or the transaction's snapshot may not show what is committed now.
fn update_directly<'a, T>(
    name: &str,
    lock: RowLock,
    judge: impl FnOnce(&direct::Row) -> Option<(Vec<direct::Set<'a>>, T)>,
) -> Option<T> {
    if snapshot::is_repeatable_read() {
        return None;
    }
    LEASES.with(|table| table.update(Key::of_sole(&[NAME.is(name)]), lock, judge))
}

statement!(FIND (TEXTOID)
    "select slot, holder, token, expires_at, released_at is not null
     from booking.leases where name = $1 order by slot");

/// Returns the last lease of each slot of a name.
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

/// Takes a name that has one slot, and returns the new token. Returns `None` if the name is not free, has no row
/// or more slots, if another transaction has locked the row, or if the server's history is not the one that the
/// tokens were counted in.
///
/// The statement locks the row FOR UPDATE. That conflicts with the lock by which [`keep`] keeps the old lease from
/// passing on.
pub fn take(session: &Session, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Option<i64> {
    if let Some(token) = take_directly(name, holder, now, until) {
        return Some(token);
    }
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

fn take_directly(name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Option<i64> {
    let history = wal_timeline::current();
    let floor = |row: &direct::Row| {
        let counted_in = (row.get(lease_epochs::SYSTEM_IDENTIFIER)?, row.get(lease_epochs::TIMELINE)?);
        (counted_in == history).then(|| row.get(lease_epochs::FLOOR)).flatten()
    };
    let floor = LEASE_EPOCHS.with(|table| table.read(Key::of(&[lease_epochs::SOLE.is(true)]), floor))?;
    update_directly(name, RowLock::Update, |row| {
        let last = Lease::read_directly(row)?;
        let is_over = last.is_released || last.expires_at <= now.micros();
        let token = last.token.max(floor).checked_add(1)?;
        let changes = vec![
            HOLDER.is(holder),
            TOKEN.is(token),
            ACQUIRED_AT.is(now),
            EXPIRES_AT.is(until),
            RELEASED_AT.is(None),
        ];
        (last.slot == 1 && is_over).then_some((changes, token))
    })
}

statement!(COUNT_ON (TEXTOID) "select from booking.leases where name = $1 and slot = 1 for no key update");

/// Locks the first slot of a name that several may have at once, so that no other transaction gives out a token of
/// it.
pub fn count_on(session: &Session, name: &str) {
    COUNT_ON.with(|statement| statement.run_now(session, &[Argument::Text(Some(name))]));
}

statement!(LOCK_FREE (TEXTOID, TIMESTAMPTZOID)
    "select slot from booking.leases
     where name = $1 and case when released_at is null then expires_at <= $2 else true end
     for update skip locked");
statement!(LOCK (TEXTOID, INT4OID) "select from booking.leases where name = $1 and slot = $2 for update");

/// Locks those slots of a name whose leases are over and that no other transaction has locked. Returns their
/// numbers.
pub fn lock_free(session: &Session, name: &str, now: Timestamp) -> Vec<i32> {
    let arguments = [Argument::Text(Some(name)), Argument::Time(Some(now))];
    LOCK_FREE.with(|statement| statement.run_now(session, &arguments).iter().map(|row| row.need(1)).collect())
}

/// Locks a slot; waits if another transaction has locked it.
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

/// Writes a lease into a slot that the caller has locked, or into a new one. Returns false if the slot has this
/// token or a higher one.
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

/// The part that all statements on the lease with one token have.
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

/// Locks the lease with a token, to renew or release it, and returns it as it is behind the lock. Returns `None`
/// if no slot has this token, or if another transaction has locked the row and the policy does not allow to wait.
pub fn lock_token(session: &Session, name: &str, token: i64, policy: LockWaitPolicy) -> Option<Lease> {
    let read = |row: &direct::Row| Lease::read_directly(row).filter(|lease| lease.token == token);
    if !snapshot::is_repeatable_read()
        && let Some(lease) = LEASES.with(|table| table.lock(Key::of_sole(&[NAME.is(name)]), read))
    {
        return Some(lease);
    }
    let lock = |statement: &Statement| {
        statement.run_now(session, &of_token(name, token)).first().map(|row| Lease::read(&row))
    };
    match policy {
        LockWaitPolicy::Wait => LOCK_TOKEN.with(lock),
        LockWaitPolicy::NoWait => LOCK_TOKEN_OR_SKIP.with(lock),
    }
}

/// Keeps the lease with a token from passing on until the transaction ends, and returns it. Returns `None` if it
/// was not valid at the time `now`. The lock is FOR KEY SHARE, beside which the holder can still renew and release
/// the lease.
pub fn keep(session: &Session, name: &str, token: i64, now: Timestamp) -> Option<Lease> {
    let [name, token] = of_token(name, token);
    let arguments = [name, token, Argument::Time(Some(now))];
    KEEP.with(|statement| statement.run_now(session, &arguments).first().map(|row| Lease::read(&row)))
}

/// Waits until no other transaction renews or releases the lease with a token.
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

/// Ends a lease that is valid and that no other transaction has locked, and returns it. Returns `None` for any
/// other. It does not wait for the lock of a row.
pub fn release_in_time(session: &Session, name: &str, token: i64, now: Timestamp) -> Option<Lease> {
    let released = update_directly(name, RowLock::NoKeyUpdate, |row| {
        let lease = Lease::read_directly(row)?;
        let is_in_time = lease.token == token && !lease.is_released && lease.expires_at > now.micros();
        is_in_time.then(|| (vec![RELEASED_AT.is(now)], Lease { is_released: true, ..lease }))
    });
    if released.is_some() {
        return released;
    }
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

/// Undoes the release of a lease that this transaction released.
pub fn take_back_release(session: &Session, name: &str, token: i64) {
    TAKE_BACK_RELEASE.with(|statement| statement.run_now(session, &of_token(name, token)));
}

statement!(RENEW (TEXTOID, INT8OID, TIMESTAMPTZOID)
    "update booking.leases set expires_at = $3 where name = $1 and token = $2");
statement!(RELEASE (TEXTOID, INT8OID, TIMESTAMPTZOID)
    "update booking.leases set released_at = $3 where name = $1 and token = $2");

/// Sets when a lease ends, whose row the caller has locked.
pub fn renew(session: &Session, name: &str, token: i64, until: Timestamp) {
    let renewed = update_directly(name, RowLock::ByUpdate, |row| {
        (row.get(TOKEN) == Some(token)).then(|| (vec![EXPIRES_AT.is(until)], ()))
    });
    if renewed.is_some() {
        return;
    }
    let [name, token] = of_token(name, token);
    RENEW.with(|statement| statement.run_now(session, &[name, token, Argument::Time(Some(until))]));
}

/// Ends a lease, whose row the caller has locked.
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

/// Returns the floor: no token up to it is given out again. Returns `None` if none was given out yet, or if the
/// server's history is not the one that the tokens were counted in.
pub fn floor(session: &Session) -> Option<i64> {
    let (system, timeline) = wal_timeline::current();
    let arguments = [Argument::Bigint(Some(system)), Argument::Integer(timeline)];
    FLOOR.with(|statement| statement.run_now(session, &arguments).first().map(|row| row.need(1)))
}

/// Lifts the floor, so that all further tokens are higher than `floor`, if the server's history is not the one
/// that they were counted in; with `anyhow`, in any case. If no token was ever given out, they begin above
/// `first`.
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

/// Ends all leases. Returns their names.
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

/// Returns names whose leases have all been over since a time, those first that have been over the longest.
pub fn over(session: &Session, since: Timestamp, limit: i64) -> Vec<String> {
    let arguments = [Argument::Time(Some(since)), Argument::Bigint(Some(limit))];
    OVER.with(|statement| statement.run_now(session, &arguments).iter().map(|row| row.need(1)).collect())
}

/// Deletes the rows of names, whose locks the caller has, and lifts the floor to their highest token. Skips names
/// that have a lease that was not over at the time `since`. Returns how many rows it deleted.
pub fn forget(session: &Session, names: &[&str], since: Timestamp) -> i64 {
    let arguments = [Argument::Texts(Some(names)), Argument::Time(Some(since))];
    FORGET.with(|statement| statement.run_now(session, &arguments).first().map_or(0, |row| row.need(1)))
}
