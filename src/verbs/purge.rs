//! Deleting what was over long ago.
//!
//! A user's foreign key on `booking.holds`, or a trigger, may forbid to delete a hold. The purge passes over such a hold,
//! says why, and goes on: one order that keeps its hold must not keep all others.

use super::lease::forget;
use crate::rules::Micros;
use crate::server::clock::{self, Timestamp};
use crate::store::locks::subtransaction;
use crate::store::upkeep::{self, EndedHold};
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

/// Deletes up to `max_rows` rows: holds that were released or expired longer ago than `age`, and entries of waitlists
/// and leases that ended before then. Sees all holds that are old enough, however many it has to pass over.
pub fn purge(age: Micros, max_rows: i64) -> Purged {
    purge_from(PURGE_START, age, max_rows, i64::MAX)
}

/// Purges a part of what is old, for the worker: it begins behind `from`, and ends after `max_rows` rows that it deleted
/// or passed over. PostgreSQL checks the deferred constraints of users' tables in each statement, so that none of them
/// fails the commit. The worker's transaction ends with the call; a caller may have deferred them on purpose.
pub fn purge_part(age: Micros, max_rows: i64, from: PurgePosition) -> Purged {
    upkeep::check_constraints_now(&Session::open());
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
        let old = upkeep::purgeable(session, since, position, wanted.min(BATCH));
        purged.position = old.last().map(|last| (last.ended_at, last.id));
        delete(session, &old, &mut purged);
    }
    purged
}

/// Deletes holds, and passes over those that cannot be deleted: if one statement fails for all, each half is tried.
fn delete(session: &Session, old: &[EndedHold], purged: &mut Purged) {
    if old.is_empty() {
        return;
    }
    match subtransaction::undo_refused_write(|| upkeep::delete_these(session, old)) {
        Ok(()) => purged.rows += old.len() as i64,
        Err(message) if old.len() == 1 => {
            purged.passed_over += 1;
            purged.failure.get_or_insert(message);
        }
        Err(_) => {
            let (first, second) = old.split_at(old.len() / 2);
            delete(session, first, purged);
            delete(session, second, purged);
        }
    }
}
