//! The table `booking.seats`: seats are taken, given back, blocked and locked. The plan of free seats, from which
//! the best are chosen, is read in `seat_plan`.
//!
//! A verb that takes or gives back a seat has claimed it, or has the resource's lock in exclusive mode, so it
//! finds the seat's row free. A seat gets an owner only if it has none, and only a transaction that has locked the
//! row of the owner's hold takes the seat from it.

use super::add_up;
use super::direct::{self, Key, RowLock};
use super::holds::NewHold;
use super::locks::subtransaction::until_lock_timeout;
use super::locks::{Busy, LockWaitPolicy, snapshot};
use super::resources::{self, admits_all};
use super::statement::{Argument, Row, Session, statement};
use super::tables::resources::{KIND, NAME, RESOURCES};
use super::tables::seats::{BLOCKED, HOLD_ID, LABEL, RESOURCE, SEATS};
use crate::error::Error;
use crate::server::clock::Timestamp;
use crate::shared_memory::seat_count::{self, Counted};
use crate::shared_memory::seat_hint;
use uuid::Uuid;

statement!(TAKE (TEXTOID, TEXTARRAYOID, UUIDOID, INT8OID)
    concat!("update booking.seats as seats set hold_id = $3
     where resource = $1 and label = any($2) and case when hold_id is null then not blocked else false end
       and exists (
           select from booking.resources
           where name = $1 and kind = 'seats' and ", admits_all!(), ")
       and $4 = (
           select count(*) from booking.seats
           where resource = $1 and label = any($2)
             and case when hold_id is null then not blocked else false end)"));

/// Gives all of these seats to a hold. Returns false, and writes none, if one of them is not free, or if the
/// resource is closed, limits its holders, has a waitlist, or is not of kind seats.
///
/// The statement counts the free ones before it writes any, because a transaction could not release the row of a
/// seat that it has written for nothing. The conditions stand inside a CASE so that PostgreSQL finds the seats by
/// their labels: a plan made while the table was small would scan the index of all free seats.
pub fn take(session: &Session, resource: &str, seats: &[&str], id: Uuid) -> bool {
    if are_free(resource, seats) {
        let rest = take_directly(resource, seats, id);
        if rest.is_empty() {
            note_taken(resource, seats.len());
            return true;
        }
        if rest.len() < seats.len() {
            // A constraint refuses one seat after others were taken: the statement raises its error.
            if !take_again(session, resource, rest, id) {
                Error::serialization().raise();
            }
            note_taken(resource, seats.len() - rest.len());
            return true;
        }
    }
    let arguments = [
        Argument::Text(Some(resource)),
        Argument::Texts(Some(seats)),
        Argument::Uuid(Some(id)),
        Argument::Bigint(Some(seats.len() as i64)),
    ];
    let taken = TAKE.with(|statement| all_or_none(statement.run(session, &arguments).count(), seats.len()));
    if taken {
        note_taken(resource, seats.len());
    }
    taken
}

/// Returns whether it is certain that a resource admits every request that it has room for, and that these seats are
/// free.
fn are_free(resource: &str, seats: &[&str]) -> bool {
    let admits =
        |row: &direct::Row| (row.is_label(KIND, "seats") && resources::row_admits_all(row)).then_some(());
    let is_free = |row: &direct::Row| is_free(row).then_some(());
    RESOURCES.with(|table| table.read(Key::of(&[NAME.is(resource)]), admits)).is_some()
        && seats.iter().all(|&label| {
            SEATS
                .with(|table| table.read(Key::of(&[RESOURCE.is(resource), LABEL.is(label)]), is_free))
                .is_some()
        })
}

fn is_free(row: &direct::Row) -> bool {
    row.is_null(HOLD_ID) && row.get(BLOCKED) == Some(false)
}

/// Gives a seat to a hold, or frees it, if its row is as expected. Returns `None` if a statement has to.
fn set_owner_directly(
    resource: &str,
    label: &str,
    is_expected: impl Fn(&direct::Row) -> bool,
    owner: Option<Uuid>,
) -> Option<()> {
    let judge = |row: &direct::Row| is_expected(row).then(|| (vec![HOLD_ID.is(owner)], ()));
    let key = [RESOURCE.is(resource), LABEL.is(label)];
    SEATS.with(|table| table.update(Key::of(&key), RowLock::ByUpdate, judge))
}

/// Gives seats to a hold, one after the other. Returns those that a statement has to take.
fn take_directly<'l>(resource: &str, seats: &'l [&'l str], id: Uuid) -> &'l [&'l str] {
    let take = |label| set_owner_directly(resource, label, is_free, Some(id));
    let taken = seats.iter().take_while(|&&label| take(label).is_some()).count();
    seats.get(taken..).unwrap_or_default()
}

/// Returns whether a statement wrote all its seats; raises 40001 if it wrote only some. With the claims that
/// cannot happen. But if something else writes the table without them, some seats must not stay with a hold that
/// is never placed.
fn all_or_none(written: usize, wanted: usize) -> bool {
    if written != 0 && written != wanted {
        Error::serialization().raise();
    }
    written == wanted
}

statement!(TAKE_AGAIN (TEXTOID, TEXTARRAYOID, UUIDOID)
    "update booking.seats set hold_id = $3
     where resource = $1 and label = any($2) and case when hold_id is null then not blocked else false end");

/// Gives free seats to a hold that exists: those that it had before it expired, or those for which it swaps
/// others. Returns false if it could write only some of them; the caller then rolls back.
pub fn take_again(session: &Session, resource: &str, labels: &[&str], id: Uuid) -> bool {
    let arguments = [Argument::Text(Some(resource)), Argument::Texts(Some(labels)), Argument::Uuid(Some(id))];
    let count = TAKE_AGAIN.with(|statement| statement.run(session, &arguments).count());
    note_taken(resource, count);
    count == labels.len()
}

statement!(TAKE_ALL (TEXTOID, TEXTARRAYOID, UUIDARRAYOID, INT8OID)
    "with free as materialized (
         select seats.label, wanted.id
         from unnest($2, $3) as wanted(label, id)
         join booking.seats as seats on seats.resource = $1 and seats.label = wanted.label
         where case when seats.hold_id is null then not seats.blocked else false end)
     update booking.seats as seats set hold_id = free.id
     from free
     where seats.resource = $1 and seats.label = free.label
       and case when seats.hold_id is null then not seats.blocked else false end
       and $4 = (select count(*) from free)");

/// Gives seats of one resource to their holds. The caller has checked everything else. Returns false, and writes
/// none, if one of them is no longer free.
pub fn take_all(session: &Session, resource: &str, holds: &[&NewHold]) -> bool {
    let mut labels: Vec<&str> = Vec::new();
    let mut ids = Vec::new();
    for hold in holds {
        for label in hold.seats.iter().flatten() {
            labels.push(label);
            ids.push(hold.id);
        }
    }
    let arguments = [
        Argument::Text(Some(resource)),
        Argument::Texts(Some(&labels)),
        Argument::Uuids(&ids),
        Argument::Bigint(Some(labels.len() as i64)),
    ];
    let taken =
        TAKE_ALL.with(|statement| all_or_none(statement.run(session, &arguments).count(), labels.len()));
    if taken {
        note_taken(resource, labels.len());
    }
    taken
}

statement!(GIVE_BACK (TEXTOID, TEXTARRAYOID, UUIDOID)
    "update booking.seats set hold_id = null
     where resource = $1 and label = any($2) and case when hold_id = $3 then true else false end");

/// Frees seats of a hold, whose row the caller has locked. Seats that now have another owner keep it.
pub fn give_back(session: &Session, resource: &str, seats: &[&str], id: Uuid) {
    let is_owner = |row: &direct::Row| row.get(HOLD_ID) == Some(id);
    let give_back = |label| set_owner_directly(resource, label, is_owner, None);
    // What is left has another owner, or has to be written by the statement.
    let rest: Vec<&str> = seats.iter().copied().filter(|&label| give_back(label).is_none()).collect();
    let mut freed = seats.len() - rest.len();
    if !rest.is_empty() {
        let arguments =
            [Argument::Text(Some(resource)), Argument::Texts(Some(&rest)), Argument::Uuid(Some(id))];
        freed += GIVE_BACK.with(|statement| statement.run(session, &arguments).count());
    }
    note_freed(resource, freed as i64);
}

/// Notes that this transaction has given seats an owner.
fn note_taken(resource: &str, seats: usize) {
    seat_hint::took();
    seat_count::change(resource, seats as i64);
}

/// Notes that this transaction has taken seats from their owners.
pub(super) fn note_freed(resource: &str, seats: i64) {
    seat_hint::freed(resource);
    seat_count::change(resource, -seats);
}

/// A seat, as its row and the row of its owner's hold describe it.
#[derive(Clone, Debug)]
pub struct StoredSeat {
    pub label: String,
    pub blocked: bool,
    /// The id of the hold that has the seat; `None` if the seat has no owner.
    pub owner: Option<Uuid>,
    /// Whether the owner's hold is overdue.
    pub overdue: bool,
}

statement!(READ (TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID)
    "select seats.label, seats.blocked, seats.hold_id,
            coalesce(holds.state = 'held' and holds.expires_at <= $3, false)
     from booking.seats as seats
     left join booking.holds as holds on holds.id = seats.hold_id and holds.resource = seats.resource
     where seats.resource = $1 and seats.label = any($2)");

/// Reads some seats of a resource. Those that do not exist are missing from the answer.
pub fn read(session: &Session, resource: &str, labels: &[&str], now: Timestamp) -> Vec<StoredSeat> {
    if labels.is_empty() {
        return Vec::new();
    }
    let arguments =
        [Argument::Text(Some(resource)), Argument::Texts(Some(labels)), Argument::Time(Some(now))];
    READ.with(|statement| {
        let rows = statement.run(session, &arguments);
        let read = |row: Row| StoredSeat {
            label: row.need(1),
            blocked: row.need(2),
            owner: row.get(3),
            overdue: row.need(4),
        };
        rows.iter().map(read).collect()
    })
}

statement!(LOCK_OR_SKIP (TEXTOID, TEXTARRAYOID)
    "select label from booking.seats
     where resource = $1 and label = any($2)
     order by label
     for no key update skip locked");
statement!(pub(super) LOCK (TEXTOID, TEXTARRAYOID)
    "select label from booking.seats
     where resource = $1 and label = any($2)
     order by label
     for no key update");

/// In REPEATABLE READ and above, locks the rows of seats ahead, because the snapshot may show a seat as taken that
/// has come free since. To lock a row that has changed since the snapshot raises 40001. Returns [`Busy`] if
/// another transaction has one of the rows and the policy does not allow to wait, or `lock_timeout` ran out.
pub fn lock_ahead(
    session: &Session,
    resource: &str,
    labels: &[&str],
    policy: LockWaitPolicy,
) -> Result<(), Busy> {
    if labels.is_empty() {
        return Ok(());
    }
    if !snapshot::is_repeatable_read() {
        return Ok(());
    }
    let arguments = [Argument::Text(Some(resource)), Argument::Texts(Some(labels))];
    if policy == LockWaitPolicy::NoWait {
        let there = read(session, resource, labels, crate::server::clock::now()).len();
        let locked = LOCK_OR_SKIP.with(|statement| statement.run(session, &arguments).count());
        return if locked == there { Ok(()) } else { Err(Busy) };
    }
    until_lock_timeout(|| {
        LOCK.with(|statement| statement.run(session, &arguments));
    })
}

/// Locks the rows of seats that the next statement gives to holds, without waiting. Returns [`Busy`] if another
/// transaction has one of them. It is for `wait => false`: the UPDATE would wait for a user's own `select … for
/// update`.
pub fn lock_at_once(session: &Session, resource: &str, holds: &[&NewHold]) -> Result<(), Busy> {
    let labels: Vec<&str> =
        holds.iter().flat_map(|hold| hold.seats.iter().flatten()).map(String::as_str).collect();
    let arguments = [Argument::Text(Some(resource)), Argument::Texts(Some(&labels))];
    let locked = LOCK_OR_SKIP.with(|statement| statement.run(session, &arguments).count());
    if locked == labels.len() { Ok(()) } else { Err(Busy) }
}

statement!(SET_BLOCKED (TEXTOID, TEXTARRAYOID, BOOLOID)
    "update booking.seats set blocked = $3
     where resource = $1 and label = any($2) and blocked <> $3");

/// Blocks or unblocks seats. Returns how many of them that changed.
pub fn set_blocked(session: &Session, resource: &str, labels: &[&str], blocked: bool) -> i64 {
    let arguments =
        [Argument::Text(Some(resource)), Argument::Texts(Some(labels)), Argument::Boolean(blocked)];
    if blocked {
        seat_hint::took();
    } else {
        seat_hint::freed(resource);
    }
    SET_BLOCKED.with(|statement| statement.run(session, &arguments).count() as i64)
}

statement!(COUNT_TAKEN (TEXTOID)
    "select count(*) from booking.seats where resource = $1 and hold_id is not null");

/// Returns how many seats have an owner, overdue or not, as they are counted in memory. Returns `None` if nobody has
/// counted them, and the caller cannot at this moment.
pub fn counted(session: &Session, resource: &str) -> Option<i64> {
    let add_up = || {
        let arguments = [Argument::Text(Some(resource))];
        COUNT_TAKEN
            .with(|statement| statement.run_now(session, &arguments).first().map_or(0, |row| row.need(1)))
    };
    let counted = seat_count::counted(resource);
    if let Some(Counted { taken, is_old: false }) = counted {
        return Some(taken);
    }
    let store = |taken| seat_count::store(resource, taken);
    let added_up = add_up::keep(resource, seat_count::can_store(resource), add_up, store);
    added_up.or(counted.map(|counted| counted.taken))
}

statement!(ANY_TAKEN (TEXTOID)
    "select exists (select from booking.seats where resource = $1 and hold_id is not null)");

/// Returns whether any seat has an owner, overdue or not.
pub fn any_taken(session: &Session, resource: &str) -> bool {
    ANY_TAKEN.with(|statement| {
        statement.run(session, &[Argument::Text(Some(resource))]).first().is_some_and(|row| row.need(1))
    })
}

statement!(DELETE (TEXTOID) "delete from booking.seats where resource = $1");

/// Deletes the seats of a resource that is being dropped.
pub fn delete(session: &Session, resource: &str) {
    DELETE.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
}
