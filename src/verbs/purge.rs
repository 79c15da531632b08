//! Deleting what was over long ago.
//!
//! A user's foreign key on `booking.holds`, or a trigger, may forbid to delete a hold. The purge passes over
//! such a hold, says why, and goes on: one order that keeps its hold must not keep all others. A basket goes
//! whole or stays whole.

use super::lease::forget;
use crate::rules::Micros;
use crate::server::clock::{self, Timestamp};
use crate::store::locks::subtransaction;
use crate::store::old_holds::{self, OldHold};
use crate::store::{Session, waitlist};
use uuid::Uuid;

/// How many holds one statement deletes at most, and how many a failed statement has to halve.
const BATCH: i64 = 1_000;

/// Where a purge goes on: behind this hold, in the order in which holds ended.
pub type PurgePosition = (Timestamp, Uuid);

/// Before all holds.
pub const PURGE_START: PurgePosition = (Timestamp::FIRST, Uuid::nil());

/// What a purge did.
#[derive(Debug)]
pub struct Purged {
    /// How many rows it deleted, those of waitlists and leases included.
    pub rows: i64,
    /// How many holds it could not delete, and what PostgreSQL said of the first of them.
    pub passed_over: i64,
    pub failure: Option<String>,
    /// Where the next call goes on; `None` once it has seen all holds that are old enough.
    pub position: Option<PurgePosition>,
}

/// Deletes up to `max_rows` rows: holds that were released or expired longer ago than `age`, and entries of
/// waitlists and leases that ended before then. Sees all holds that are old enough, however many it has to
/// pass over.
pub fn purge(age: Micros, max_rows: i64) -> Purged {
    purge_from(PURGE_START, age, max_rows, i64::MAX)
}

/// Purges a part of what is old, for the worker: it begins behind `from`, and ends after `max_rows` rows that
/// it deleted or passed over. PostgreSQL checks the deferred constraints of users' tables in each statement,
/// so that none of them fails the commit. The worker's transaction ends with the call; a caller may have
/// deferred them on purpose.
pub fn purge_part(age: Micros, max_rows: i64, from: PurgePosition) -> Purged {
    old_holds::check_constraints_now(&Session::open());
    purge_from(from, age, max_rows, max_rows)
}

fn purge_from(from: PurgePosition, age: Micros, max_rows: i64, max_passed_over: i64) -> Purged {
    let session = Session::to_write(c"booking.purge()");
    let since = clock::now().before(age);
    let mut purged = purge_holds(&session, since, max_rows, max_passed_over, from);
    for purge in [waitlist::purge, forget] {
        if purged.rows < max_rows {
            purged.rows += purge(&session, since, max_rows - purged.rows);
        }
    }
    purged
}

fn purge_holds(
    session: &Session,
    since: Timestamp,
    max_rows: i64,
    max_passed_over: i64,
    from: PurgePosition,
) -> Purged {
    let mut purged = Purged { rows: 0, passed_over: 0, failure: None, position: Some(from) };
    while let Some(position) = purged.position {
        let wanted = max_rows - purged.rows;
        if wanted <= 0 || purged.passed_over >= max_passed_over {
            break;
        }
        let old = old_holds::purgeable(session, since, position, wanted.min(BATCH));
        let old = first_rows(&old, wanted);
        purged.position = old.last().map(|last| (last.ended_at, last.id));
        delete(session, old, &mut purged);
    }
    purged
}

/// Returns the first of what is old, up to a number of rows. The last basket may have more, since a basket
/// goes whole.
fn first_rows(old: &[OldHold], max_rows: i64) -> &[OldHold] {
    let mut rows = 0;
    let end = old.iter().position(|old| {
        rows += old.items.len() as i64;
        rows >= max_rows
    });
    end.map_or(old, |end| &old[..=end])
}

/// Deletes what is old, and passes over what cannot be deleted: if one statement fails for all, each half is
/// tried.
fn delete(session: &Session, old: &[OldHold], purged: &mut Purged) {
    if old.is_empty() {
        return;
    }
    match subtransaction::undo_refused_write(|| old_holds::delete_these(session, old)) {
        Ok(()) => purged.rows += count(old),
        Err(message) if old.len() == 1 => {
            purged.passed_over += count(old);
            purged.failure.get_or_insert(message);
        }
        Err(_) => {
            let (first, second) = old.split_at(old.len() / 2);
            delete(session, first, purged);
            delete(session, second, purged);
        }
    }
}

fn count(old: &[OldHold]) -> i64 {
    old.iter().map(|old| old.items.len() as i64).sum()
}
