//! The table `booking.holds`.

use super::attempt::until_lock_timeout;
use super::statement::{Argument, Row, Session, statement};
use super::{Busy, Patience};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::rules::lifecycle::{Change, Hold, State};
use pgrx::pg_sys;
use uuid::Uuid;

/// A hold as it stands in its row.
pub struct StoredHold {
    pub id: Uuid,
    pub resource: String,
    pub holder: Option<String>,
    pub fingerprint: Option<Uuid>,
    pub hold: Hold,
}

impl StoredHold {
    fn read(row: &Row) -> Self {
        let state: String = row.need(3);
        Self {
            id: row.need(1),
            resource: row.need(2),
            holder: row.get(8),
            fingerprint: row.get(9),
            hold: Hold {
                state: State::from_name(&state)
                    .unwrap_or_else(|| Error::internal(format!("a hold is in state \"{state}\"")).raise()),
                quantity: row.need(4),
                placed_at: row.need::<Timestamp>(5).micros(),
                expires_at: row.need::<Timestamp>(6).micros(),
                reference: row.get(7),
                version: row.need(10),
            },
        }
    }
}

/// What a hold is placed with.
pub struct NewHold<'a> {
    pub id: Uuid,
    pub resource: &'a str,
    pub quantity: i64,
    pub placed_at: Timestamp,
    pub expires_at: Timestamp,
    pub key: Option<&'a str>,
    pub fingerprint: Option<Uuid>,
    pub holder: Option<&'a str>,
    pub metadata: Option<pg_sys::Datum>,
}

statement!(INSERT (UUIDOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, UUIDOID, TEXTOID, JSONBOID)
    "insert into booking.holds
         (id, resource, quantity, state, placed_at, expires_at, key, fingerprint, holder, metadata)
     values ($1, $2, $3, 'held', $4, $5, $6, $7, $8, $9)");

pub fn insert(session: &Session, hold: &NewHold) {
    let arguments = [
        Argument::Uuid(Some(hold.id)),
        Argument::Text(Some(hold.resource)),
        Argument::Bigint(Some(hold.quantity)),
        Argument::Time(Some(hold.placed_at)),
        Argument::Time(Some(hold.expires_at)),
        Argument::Text(hold.key),
        Argument::Uuid(hold.fingerprint),
        Argument::Text(hold.holder),
        Argument::Jsonb(hold.metadata),
    ];
    INSERT.with(|statement| statement.run(session, &arguments));
}

statement!(BY_KEY (TEXTOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version
     from booking.holds
     where key = $1 and resource = $2");

/// The hold that a key was used for on a resource.
pub fn by_key(session: &Session, key: &str, resource: &str) -> Option<StoredHold> {
    let arguments = [Argument::Text(Some(key)), Argument::Text(Some(resource))];
    BY_KEY.with(|statement| statement.run(session, &arguments).first().map(|row| StoredHold::read(&row)))
}

statement!(BY_ID (UUIDOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)");

/// A hold as it stands, without a lock: only to be shown, or to learn which locks are needed.
pub fn by_id(session: &Session, id: Uuid, resource: Option<&str>) -> Option<StoredHold> {
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(resource)];
    BY_ID.with(|statement| statement.run(session, &arguments).first().map(|row| StoredHold::read(&row)))
}

statement!(LOCK_OR_SKIP (UUIDOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)
     for no key update skip locked");
statement!(LOCK (UUIDOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)
     for no key update");

/// Locks a hold until the transaction ends and reads it as it then is: whoever waits here for a
/// confirmation or an expiry sees what it did. None where there is no such hold.
pub fn lock(session: &Session, id: Uuid, resource: Option<&str>) -> Result<Option<StoredHold>, Busy> {
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(resource)];
    let free = LOCK_OR_SKIP
        .with(|statement| statement.run(session, &arguments).first().map(|row| StoredHold::read(&row)));
    if free.is_some() {
        return Ok(free);
    }
    until_lock_timeout(|| {
        LOCK.with(|statement| statement.run(session, &arguments).first().map(|row| StoredHold::read(&row)))
    })
}

statement!(CONFIRM_IN_TIME (UUIDOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID)
    "update booking.holds
     set state = 'confirmed', version = version + 1, reference = $4, confirmed_at = $5
     where ctid = (
         select ctid from booking.holds
         where id = $1 and ($2 is null or resource = $2) and ($3 is null or version = $3)
           and case when state = 'held' then expires_at > $5 else false end
         for no key update skip locked)
     returning expires_at, version");

/// Confirms a hold that is live and that nobody has locked, as nearly all are, in one statement
/// instead of two. Returns when it would have run out and its version; none where it is anything
/// else, which takes a closer look.
///
/// It never waits, so the time it is given is the time it acts at; and an overdue row stays
/// unlocked, since a late confirmation has to lock the resource first. The conditions stand inside
/// a CASE so that the row is always looked for by its id: a plan made while the table was empty
/// would walk the index of what is due, and be kept while that grows.
pub fn confirm_in_time(
    session: &Session,
    id: Uuid,
    resource: Option<&str>,
    expected_version: Option<i64>,
    reference: Option<&str>,
    now: Timestamp,
) -> Option<(Timestamp, i64)> {
    let arguments = [
        Argument::Uuid(Some(id)),
        Argument::Text(resource),
        Argument::Bigint(expected_version),
        Argument::Text(reference),
        Argument::Time(Some(now)),
    ];
    CONFIRM_IN_TIME
        .with(|statement| statement.run(session, &arguments).first().map(|row| (row.need(1), row.need(2))))
}

statement!(WRITE (UUIDOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, INT8OID, TEXTOID, TIMESTAMPTZOID)
    "update booking.holds
     set state = $3::booking.hold_state,
         quantity = $4,
         expires_at = $5,
         version = $6,
         reference = coalesce($7, reference),
         confirmed_at = case $3 when 'confirmed' then coalesce(confirmed_at, $8) else confirmed_at end,
         ended_at = case when $3 in ('released', 'cancelled', 'expired') then $8 end
     where id = $1 and resource = $2");

/// Writes what the rules decided for a hold that is locked.
pub fn write(
    session: &Session,
    stored: &StoredHold,
    change: &Change,
    reference: Option<&str>,
    now: Timestamp,
) {
    let arguments = [
        Argument::Uuid(Some(stored.id)),
        Argument::Text(Some(&stored.resource)),
        Argument::Text(Some(change.state.name())),
        Argument::Bigint(Some(change.quantity)),
        Argument::Time(Some(Timestamp::from_micros(change.expires_at))),
        Argument::Bigint(Some(change.version)),
        Argument::Text(reference),
        Argument::Time(Some(now)),
    ];
    WRITE.with(|statement| statement.run(session, &arguments));
}

statement!(OWNED (TEXTOID, TEXTOID, TIMESTAMPTZOID)
    "select coalesce(sum(quantity), 0)::bigint
     from booking.holds
     where resource = $1 and holder = $2
       and state in ('held', 'confirmed') and (state = 'confirmed' or expires_at > $3)");

/// What a holder has live on a resource.
pub fn owned(session: &Session, resource: &str, holder: &str, now: Timestamp) -> i64 {
    let arguments = [Argument::Text(Some(resource)), Argument::Text(Some(holder)), Argument::Time(Some(now))];
    OWNED.with(|statement| statement.run(session, &arguments).first().map_or(0, |row| row.need(1)))
}

statement!(DUE_OF (TEXTOID, TEXTOID, TIMESTAMPTZOID)
    "select id from booking.holds
     where resource = $1 and holder = $2 and state = 'held' and expires_at <= $3");
statement!(LOCK_DUE_OF_OR_SKIP (TEXTOID, TEXTOID, TIMESTAMPTZOID)
    "select id from booking.holds
     where resource = $1 and holder = $2 and state = 'held' and expires_at <= $3
     for no key update skip locked");
statement!(LOCK_DUE_OF (TEXTOID, TEXTOID, TIMESTAMPTZOID)
    "select id from booking.holds
     where resource = $1 and holder = $2 and state = 'held' and expires_at <= $3
     order by id
     for no key update");

/// Waits for whoever has overdue holds of one holder on a resource locked.
pub fn lock_due_of(
    session: &Session,
    resource: &str,
    holder: &str,
    now: Timestamp,
    patience: Patience,
) -> Result<(), Busy> {
    let arguments = [Argument::Text(Some(resource)), Argument::Text(Some(holder)), Argument::Time(Some(now))];
    let due = DUE_OF.with(|statement| statement.run(session, &arguments).count());
    if due == 0 || due == LOCK_DUE_OF_OR_SKIP.with(|statement| statement.run(session, &arguments).count()) {
        return Ok(());
    }
    match patience {
        Patience::NoWait => Err(Busy),
        Patience::Wait => until_lock_timeout(|| {
            LOCK_DUE_OF.with(|statement| statement.run(session, &arguments));
        }),
    }
}

/// How many holds were ended, and how much room they took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    pub holds: i64,
    pub quantity: i64,
}

statement!(END_DUE (TEXTOID, TIMESTAMPTZOID, INT8OID)
    "with due as (
         select id from booking.holds
         where resource = $1 and state = 'held' and expires_at <= $2
         order by expires_at limit $3
         for no key update skip locked),
     ended as (
         update booking.holds as holds set state = 'expired', ended_at = $2
         from due where holds.id = due.id and holds.resource = $1
         returning holds.quantity)
     select count(*), coalesce(sum(quantity), 0)::bigint from ended");

/// Ends holds of a resource whose time has run out, the longest overdue first, passing over those
/// that another transaction has locked: it may be confirming or extending them.
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

statement!(DUE_QUANTITY (TEXTOID, TIMESTAMPTZOID)
    "select coalesce(sum(quantity), 0)::bigint
     from booking.holds
     where resource = $1 and state = 'held' and expires_at <= $2");

/// How much room the overdue holds of a resource take, locked by others or not.
pub fn due_quantity(session: &Session, resource: &str, now: Timestamp) -> i64 {
    let arguments = [Argument::Text(Some(resource)), Argument::Time(Some(now))];
    DUE_QUANTITY.with(|statement| statement.run(session, &arguments).first().map_or(0, |row| row.need(1)))
}

statement!(LOCK_DUE (TEXTOID, TIMESTAMPTZOID, INT8OID)
    "select id from booking.holds
     where resource = $1 and state = 'held' and expires_at <= $2
     order by id limit $3
     for no key update");

/// Waits for whoever has overdue holds of a resource locked. What they confirmed or extended is
/// passed over, what they left alone is locked, by id as everywhere.
pub fn lock_due(
    session: &Session,
    resource: &str,
    now: Timestamp,
    limit: i64,
    patience: Patience,
) -> Result<(), Busy> {
    if patience == Patience::NoWait {
        return Err(Busy);
    }
    let arguments =
        [Argument::Text(Some(resource)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    until_lock_timeout(|| {
        LOCK_DUE.with(|statement| statement.run(session, &arguments));
    })
}

statement!(DELETE_ENDED (TEXTOID)
    "delete from booking.holds
     where resource = $1 and state in ('released', 'cancelled', 'expired')");

/// Deletes the history of a resource that is being dropped.
pub fn delete_ended(session: &Session, resource: &str) {
    DELETE_ENDED.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
}
