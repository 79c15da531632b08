//! Holds are changed as the rules decided. Only a confirmation in time is decided in its statement.

use super::StoredHold;
use crate::rules::lifecycle::{Change, State};
use crate::rules::timeline::Period;
use crate::server::clock::Timestamp;
use crate::store::direct::{Key, Row, RowLock};
use crate::store::statement::{Argument, Session, statement};
use crate::store::tables::holds as columns;
use uuid::Uuid;

statement!(CONFIRM_IN_TIME (UUIDOID, TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID)
    "update booking.holds
     set state = 'confirmed', version = version + 1, reference = $4, confirmed_at = $5
     where ctid = (
         select ctid from booking.holds
         where id = $1 and ($2 is null or resource = $2) and ($3 is null or version = $3)
           and case when state = 'held' then expires_at > $5 else false end
         for no key update skip locked)
     returning resource, quantity, seats, lower(during), upper(during), holder, version");

/// What the statement returns about a hold that it confirmed without reading it first.
pub struct ConfirmedHold {
    pub id: Uuid,
    pub resource: String,
    pub quantity: i64,
    pub seats: Option<Vec<String>>,
    pub during: Option<Period>,
    pub holder: Option<String>,
    pub version: i64,
}

/// Confirms a hold that is live and that no other transaction has locked, as nearly all are, in one statement
/// instead of two. Returns `None` for any other hold, so that the verb looks at it more closely.
///
/// The statement never waits for a row, so `now` is hardly older than the moment at which it writes. If the hold
/// runs out in between, it is confirmed only if nobody has ended it yet. The statement does not lock an overdue
/// hold, because a late confirmation has to lock the resource first. The conditions stand inside a CASE so that
/// PostgreSQL always finds the row by its id: a plan made while the table was empty would scan the index of held
/// holds, and be kept while that grows.
pub fn confirm_in_time(
    session: &Session,
    id: Uuid,
    resource: Option<&str>,
    expected_version: Option<i64>,
    reference: Option<&str>,
    now: Timestamp,
) -> Option<ConfirmedHold> {
    let confirmed = confirm_directly(id, resource, expected_version, reference, now);
    if confirmed.is_some() {
        return confirmed;
    }
    let arguments = [
        Argument::Uuid(Some(id)),
        Argument::Text(resource),
        Argument::Bigint(expected_version),
        Argument::Text(reference),
        Argument::Time(Some(now)),
    ];
    CONFIRM_IN_TIME.with(|statement| {
        let row = statement.run(session, &arguments).first()?;
        let time = |column| row.get(column).map(Timestamp::micros);
        Some(ConfirmedHold {
            id,
            resource: row.need(1),
            quantity: row.need(2),
            seats: row.get(3),
            during: time(4).zip(time(5)).map(|(from, to)| Period::new(from, to)),
            holder: row.get(6),
            version: row.need(7),
        })
    })
}

fn confirm_directly(
    id: Uuid,
    resource: Option<&str>,
    expected_version: Option<i64>,
    reference: Option<&str>,
    now: Timestamp,
) -> Option<ConfirmedHold> {
    use columns::{
        CONFIRMED_AT, DURING, EXPIRES_AT, HOLDER, HOLDS, QUANTITY, REFERENCE, SEATS, STATE, VERSION,
    };
    let judge = |row: &Row| {
        let version = row.get(VERSION)?;
        // A row of a calendar is in an index that is not written directly.
        let confirms = row.is_label(STATE, "held")
            && row.get(EXPIRES_AT)? > now
            && expected_version.is_none_or(|expected| expected == version)
            && row.is_null(DURING);
        let confirmed = ConfirmedHold {
            id,
            resource: row.get(columns::RESOURCE)?,
            quantity: row.get(QUANTITY)?,
            seats: row.get(SEATS),
            during: None,
            holder: row.get(HOLDER),
            version: version.checked_add(1)?,
        };
        let changes = vec![
            STATE.is("confirmed"),
            VERSION.is(confirmed.version),
            REFERENCE.is(reference),
            CONFIRMED_AT.is(now),
        ];
        confirms.then_some((changes, confirmed))
    };
    HOLDS.with(|table| table.update(Key::of(&super::key(id, resource)), RowLock::NoKeyUpdate, judge))
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

/// Writes what the rules decided for a hold whose row the caller has locked. `keeps` says which seats remain, if
/// the hold gives some of them back or swaps them; with `None`, its seats stay as they are.
pub fn write(
    session: &Session,
    stored: &StoredHold,
    change: &Change,
    keeps: Option<&[&str]>,
    reference: Option<&str>,
    now: Timestamp,
) {
    if write_directly(stored, change, keeps, reference, now).is_some() {
        return;
    }
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

fn write_directly(
    stored: &StoredHold,
    change: &Change,
    keeps: Option<&[&str]>,
    reference: Option<&str>,
    now: Timestamp,
) -> Option<()> {
    // A row of a calendar is in an index that is not written directly.
    if stored.booked.is_some() {
        return None;
    }
    use columns::{CONFIRMED_AT, ENDED_AT, EXPIRES_AT, HOLDS, QUANTITY, REFERENCE, SEATS, STATE, VERSION};
    let judge = |row: &Row| {
        let mut changes = vec![
            STATE.is(change.state.name()),
            QUANTITY.is(change.quantity),
            EXPIRES_AT.is(Timestamp::from_micros(change.expires_at)),
            VERSION.is(change.version),
            ENDED_AT.is((!change.state.takes_room()).then_some(now)),
        ];
        if change.state == State::Confirmed && row.is_null(CONFIRMED_AT) {
            changes.push(CONFIRMED_AT.is(now));
        }
        changes.extend(keeps.map(|keeps| SEATS.is(keeps)));
        changes.extend(reference.map(|reference| REFERENCE.is(reference)));
        Some((changes, ()))
    };
    let key = super::key(stored.id, Some(&stored.resource));
    HOLDS.with(|table| table.update(Key::of(&key), RowLock::ByUpdate, judge))
}

statement!(SET_HOLDER (UUIDOID, TEXTOID, INT8OID, TEXTOID)
    "update booking.holds set version = $3, holder = $4 where id = $1 and resource = $2");

/// Gives a hold, whose row the caller has locked, to another holder.
pub fn set_holder(session: &Session, stored: &StoredHold, change: &Change, holder: &str) {
    let judge = |_: &Row| Some((vec![columns::VERSION.is(change.version), columns::HOLDER.is(holder)], ()));
    let key = super::key(stored.id, Some(&stored.resource));
    if stored.booked.is_none()
        && columns::HOLDS.with(|table| table.update(Key::of(&key), RowLock::ByUpdate, judge)).is_some()
    {
        return;
    }
    let arguments = [
        Argument::Uuid(Some(stored.id)),
        Argument::Text(Some(&stored.resource)),
        Argument::Bigint(Some(change.version)),
        Argument::Text(Some(holder)),
    ];
    SET_HOLDER.with(|statement| statement.run(session, &arguments));
}

statement!(DELETE_ENDED (TEXTOID)
    "delete from booking.holds
     where resource = $1 and state in ('released', 'cancelled', 'expired')");

/// Deletes the ended holds of a resource that is being dropped.
pub fn delete_ended(session: &Session, resource: &str) {
    DELETE_ENDED.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
}
