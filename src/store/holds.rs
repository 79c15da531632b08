//! The table `booking.holds`: holds found, locked, placed and changed.

use super::attempt::{until_lock_timeout, wait_only};
use super::resources::Kind;
use super::statement::{Argument, Row, Rows, Session, statement};
use super::{Busy, Patience, snapshot};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::rules::lifecycle::{Change, Hold, State};
use pgrx::pg_sys;
use uuid::Uuid;

/// A hold as it stands in its row.
#[derive(Clone, Debug)]
pub struct StoredHold {
    pub id: Uuid,
    pub resource: String,
    pub holder: Option<String>,
    pub fingerprint: Option<Uuid>,
    pub basket: Option<Uuid>,
    /// Its place in its basket, from 1.
    pub item: i32,
    /// The labels of its seats; none where its resource has no seats.
    pub seats: Option<Vec<String>>,
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
            basket: row.get(11),
            item: row.need(12),
            seats: row.get(13),
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

    fn read_all(rows: &Rows) -> Vec<Self> {
        rows.iter().map(|row| Self::read(&row)).collect()
    }

    /// The kind of its resource.
    pub fn kind(&self) -> Kind {
        if self.seats.is_some() { Kind::Seats } else { Kind::Pool }
    }

    /// What was written, as if read again.
    pub fn apply(&mut self, change: &Change, reference: Option<&str>) {
        let Change { state, quantity, expires_at, version, room: _ } = *change;
        let reference = reference.map(str::to_owned).or_else(|| self.hold.reference.take());
        self.hold = Hold { state, quantity, expires_at, version, reference, ..self.hold };
    }
}

/// The holds that an id stands for: one, or those of a basket by their ids.
#[derive(Clone, Debug)]
pub struct Lot {
    pub basket: Option<Uuid>,
    pub holds: Vec<StoredHold>,
}

impl Lot {
    fn one(holds: Vec<StoredHold>) -> Option<Self> {
        (!holds.is_empty()).then_some(Self { basket: None, holds })
    }

    pub fn lifecycles(&self) -> Vec<&Hold> {
        self.holds.iter().map(|stored| &stored.hold).collect()
    }

    /// Writes what the rules decided for these holds, which are locked, and how they stand then.
    pub fn write(
        self,
        session: &Session,
        changes: &[(usize, Change)],
        reference: Option<&str>,
        now: Timestamp,
    ) -> Self {
        for (place, change) in changes {
            if let Some(stored) = self.holds.get(*place) {
                write(session, stored, change, None, reference, now);
            }
        }
        self.changed(changes, reference)
    }

    /// What was written, as if read again.
    pub fn changed(mut self, changes: &[(usize, Change)], reference: Option<&str>) -> Self {
        for (place, change) in changes {
            if let Some(stored) = self.holds.get_mut(*place) {
                stored.apply(change, reference);
            }
        }
        self
    }

    /// A basket that has to be on one resource is there only if all of it is.
    fn basket(id: Uuid, holds: Vec<StoredHold>, resource: Option<&str>) -> Option<Self> {
        let elsewhere = |hold: &StoredHold| resource.is_some_and(|resource| resource != hold.resource);
        let is_there = !holds.is_empty() && !holds.iter().any(elsewhere);
        is_there.then_some(Self { basket: Some(id), holds })
    }
}

/// What a hold is placed with.
#[derive(Clone, Debug)]
pub struct NewHold<'a> {
    pub id: Uuid,
    pub resource: &'a str,
    pub basket: Option<Uuid>,
    pub item: i32,
    pub quantity: i64,
    pub seats: Option<Vec<String>>,
    pub placed_at: Timestamp,
    pub expires_at: Timestamp,
    pub key: Option<&'a str>,
    pub fingerprint: Option<Uuid>,
    pub holder: Option<&'a str>,
    pub metadata: Option<pg_sys::Datum>,
}

statement!(INSERT (UUIDOID, TEXTOID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, UUIDOID,
                   TEXTOID, JSONBOID)
    "insert into booking.holds
         (id, resource, quantity, seats, state, placed_at, expires_at, key, fingerprint, holder, metadata)
     values ($1, $2, $3, $4, 'held', $5, $6, $7, $8, $9, $10)");

/// Writes a hold that is in no basket.
pub fn insert(session: &Session, hold: &NewHold) {
    let seats = hold.seats.as_ref().map(|seats| seats.iter().map(String::as_str).collect::<Vec<_>>());
    let arguments = [
        Argument::Uuid(Some(hold.id)),
        Argument::Text(Some(hold.resource)),
        Argument::Bigint(Some(hold.quantity)),
        Argument::Texts(seats.as_deref()),
        Argument::Time(Some(hold.placed_at)),
        Argument::Time(Some(hold.expires_at)),
        Argument::Text(hold.key),
        Argument::Uuid(hold.fingerprint),
        Argument::Text(hold.holder),
        Argument::Jsonb(hold.metadata),
    ];
    INSERT.with(|statement| statement.run(session, &arguments));
}

statement!(INSERT_ALL (UUIDARRAYOID, TEXTARRAYOID, UUIDARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID,
                       TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TEXTARRAYOID,
                       JSONBARRAYOID)
    "insert into booking.holds
         (id, resource, basket, item, quantity, seats, state, placed_at, expires_at, key, fingerprint,
          holder, metadata)
     select id, resource, basket, item, quantity, seats::text[], 'held', placed_at, expires_at, key,
            fingerprint, holder, metadata
     from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
          as new(id, resource, basket, item, quantity, seats, placed_at, expires_at, key, fingerprint,
                 holder, metadata)");

/// Writes many holds at once: a statement for each would cost four times as much.
pub fn insert_all(session: &Session, holds: &[NewHold]) {
    if let [hold] = holds
        && hold.basket.is_none()
    {
        return insert(session, hold);
    }
    let seats: Vec<_> = holds.iter().map(|hold| hold.seats.as_deref().map(array_literal)).collect();
    let keys: Vec<_> = holds.iter().map(|hold| hold.key).collect();
    let holders: Vec<_> = holds.iter().map(|hold| hold.holder).collect();
    let arguments = [
        Argument::Uuids(&holds.iter().map(|hold| hold.id).collect::<Vec<_>>()),
        Argument::Texts(Some(&holds.iter().map(|hold| hold.resource).collect::<Vec<_>>())),
        Argument::NullableUuids(&holds.iter().map(|hold| hold.basket).collect::<Vec<_>>()),
        Argument::Integers(&holds.iter().map(|hold| hold.item).collect::<Vec<_>>()),
        Argument::Bigints(&holds.iter().map(|hold| hold.quantity).collect::<Vec<_>>()),
        Argument::NullableTexts(&seats.iter().map(Option::as_deref).collect::<Vec<_>>()),
        Argument::Times(&holds.iter().map(|hold| hold.placed_at).collect::<Vec<_>>()),
        Argument::Times(&holds.iter().map(|hold| hold.expires_at).collect::<Vec<_>>()),
        Argument::NullableTexts(&keys),
        Argument::NullableUuids(&holds.iter().map(|hold| hold.fingerprint).collect::<Vec<_>>()),
        Argument::NullableTexts(&holders),
        Argument::Jsonbs(&holds.iter().map(|hold| hold.metadata).collect::<Vec<_>>()),
    ];
    INSERT_ALL.with(|statement| statement.run(session, &arguments));
}

/// Labels as PostgreSQL writes an array of them: arrays of different lengths do not go into one.
fn array_literal(labels: &[String]) -> String {
    let quoted = |label: &String| format!("\"{}\"", label.replace('\\', "\\\\").replace('"', "\\\""));
    format!("{{{}}}", labels.iter().map(quoted).collect::<Vec<_>>().join(","))
}

statement!(BY_KEYS (TEXTARRAYOID, TEXTARRAYOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version,
            basket, item, seats, key
     from booking.holds
     where key = any($1) and resource = any($2)
     order by item");

/// The holds that were placed under some keys on some resources, with their keys.
pub fn by_keys(session: &Session, keys: &[&str], resources: &[&str]) -> Vec<(String, StoredHold)> {
    let arguments = [Argument::Texts(Some(keys)), Argument::Texts(Some(resources))];
    BY_KEYS.with(|statement| {
        let rows = statement.run(session, &arguments);
        snapshot::assert_unchanged(&rows.count(), || statement.run_now(session, &arguments).count());
        rows.iter().map(|row| (row.need(14), StoredHold::read(&row))).collect()
    })
}

statement!(BY_KEY (TEXTOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version,
            basket, item, seats
     from booking.holds
     where key = $1 and resource = $2
     order by item");

/// The hold that a key was used for on a resource; the first of them, if that was a basket.
pub fn by_key(session: &Session, key: &str, resource: &str) -> Option<StoredHold> {
    let arguments = [Argument::Text(Some(key)), Argument::Text(Some(resource))];
    BY_KEY.with(|statement| {
        let rows = statement.run(session, &arguments);
        snapshot::assert_unchanged(&rows.count(), || statement.run_now(session, &arguments).count());
        rows.first().map(|row| StoredHold::read(&row))
    })
}

statement!(BY_ID (UUIDOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version,
            basket, item, seats
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)");
statement!(BY_BASKET (UUIDOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version,
            basket, item, seats
     from booking.holds
     where basket = $1
     order by id");

/// Holds as they stand, without a lock: only to be shown, or to learn which locks are needed.
pub fn look(session: &Session, id: Uuid, resource: Option<&str>) -> Option<Lot> {
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(resource)];
    let one = BY_ID.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
    Lot::one(one).or_else(|| look_at_basket(session, id, resource))
}

fn look_at_basket(session: &Session, id: Uuid, resource: Option<&str>) -> Option<Lot> {
    let arguments = [Argument::Uuid(Some(id))];
    let holds = BY_BASKET.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
    Lot::basket(id, holds, resource)
}

/// A hold that was found, and the rest of its basket.
pub fn lot_of(session: &Session, stored: StoredHold) -> Lot {
    let basket = stored.basket.and_then(|id| look_at_basket(session, id, None));
    basket.unwrap_or_else(|| Lot { basket: None, holds: vec![stored] })
}

statement!(LOCK_OR_SKIP (UUIDOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version,
            basket, item, seats
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)
     for no key update skip locked");
statement!(LOCK (UUIDOID, TEXTOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version,
            basket, item, seats
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)
     for no key update");
statement!(LOCK_BASKET (UUIDOID)
    "select id, resource, state::text, quantity, placed_at, expires_at, reference, holder, fingerprint, version,
            basket, item, seats
     from booking.holds
     where basket = $1
     order by id
     for no key update");

/// Locks holds until the transaction ends and reads them as they then are: whoever waits here for a
/// confirmation or an expiry sees what it did. None where there are none.
///
/// Those of a basket one after the other by id, and never those first that happen to be free: two
/// that lock the same holds would each have what the other waits for.
pub fn lock(session: &Session, id: Uuid, resource: Option<&str>) -> Result<Option<Lot>, Busy> {
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(resource)];
    let free = LOCK_OR_SKIP.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
    if !free.is_empty() {
        return Ok(Lot::one(free));
    }
    until_lock_timeout(|| {
        let one = LOCK.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
        Lot::one(one).or_else(|| {
            let arguments = [Argument::Uuid(Some(id))];
            let holds =
                LOCK_BASKET.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
            Lot::basket(id, holds, resource)
        })
    })
}

statement!(LOCK_THESE (UUIDARRAYOID)
    "select id from booking.holds
     where id = any($1)
     order by id
     for no key update");

/// Waits for whoever has these holds locked, and locks none of them: what was done to them is to be
/// seen in the next statement.
pub fn wait_for(session: &Session, ids: &[Uuid], patience: Patience) -> Result<(), Busy> {
    match patience {
        Patience::NoWait => Err(Busy),
        Patience::Wait => wait_only(|| {
            LOCK_THESE.with(|statement| statement.run(session, &[Argument::Uuids(ids)]));
        }),
    }
}

statement!(CONFIRM_IN_TIME (UUIDOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID)
    "update booking.holds
     set state = 'confirmed', version = version + 1, reference = $4, confirmed_at = $5
     where ctid = (
         select ctid from booking.holds
         where id = $1 and ($2 is null or resource = $2) and ($3 is null or version = $3)
           and case when state = 'held' then expires_at > $5 else false end
         for no key update skip locked)
     returning expires_at, version, seats");

/// What is known of a hold that was confirmed without a look at it.
pub struct ConfirmedHold {
    pub id: Uuid,
    pub expires_at: Timestamp,
    pub version: i64,
    pub seats: Option<Vec<String>>,
}

/// Confirms a hold that is live and that nobody has locked, as nearly all are, in one statement
/// instead of two. None where it is anything else, which takes a closer look.
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
) -> Option<ConfirmedHold> {
    let arguments = [
        Argument::Uuid(Some(id)),
        Argument::Text(resource),
        Argument::Bigint(expected_version),
        Argument::Text(reference),
        Argument::Time(Some(now)),
    ];
    CONFIRM_IN_TIME.with(|statement| {
        let row = statement.run(session, &arguments).first()?;
        Some(ConfirmedHold { id, expires_at: row.need(1), version: row.need(2), seats: row.get(3) })
    })
}

statement!(WRITE (UUIDOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, INT8OID, TEXTOID, TIMESTAMPTZOID,
                  TEXTARRAYOID)
    "update booking.holds
     set state = $3::booking.hold_state,
         quantity = $4,
         seats = coalesce($9, seats),
         expires_at = $5,
         version = $6,
         reference = coalesce($7, reference),
         confirmed_at = case $3 when 'confirmed' then coalesce(confirmed_at, $8) else confirmed_at end,
         ended_at = case when $3 in ('released', 'cancelled', 'expired') then $8 end
     where id = $1 and resource = $2");

/// Writes what the rules decided for a hold that is locked; and which seats it keeps, where it gives
/// some of them back.
pub fn write(
    session: &Session,
    stored: &StoredHold,
    change: &Change,
    keeps: Option<&[&str]>,
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
        Argument::Texts(keeps),
    ];
    WRITE.with(|statement| statement.run(session, &arguments));
}

statement!(DELETE_ENDED (TEXTOID)
    "delete from booking.holds
     where resource = $1 and state in ('released', 'cancelled', 'expired')");

/// Deletes the history of a resource that is being dropped.
pub fn delete_ended(session: &Session, resource: &str) {
    DELETE_ENDED.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
}
