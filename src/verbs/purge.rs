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

/// The most holds that one call passes over because they cannot be deleted.
const MAX_PASSED_OVER: usize = 10_000;

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
    pub passed_over: usize,
    pub failure: Option<String>,
    /// Where the next call goes on; `None` once it has seen all holds that are old enough.
    pub position: Option<PurgePosition>,
}

/// Deletes up to `max_rows` holds that were released or expired longer ago than `age`, entries of waitlists and leases
/// that were over.
pub fn purge(age: Micros, max_rows: i64, from: PurgePosition) -> Purged {
    let session = Session::to_write(c"booking.purge()");
    let since = clock::now().before(age);
    let mut purged = purge_holds(&session, since, max_rows, from);
    for purge in [waitlist::purge, forget] {
        if purged.rows < max_rows {
            purged.rows += purge(&session, since, max_rows - purged.rows);
        }
    }
    purged
}

/// The same, with the deferred constraints of users' tables checked at once, so that none of them fails the commit. For
/// the worker, whose transaction ends with the call: a caller may have deferred them on purpose.
pub fn purge_checking_constraints(age: Micros, max_rows: i64, from: PurgePosition) -> Purged {
    upkeep::check_constraints_now(&Session::open());
    purge(age, max_rows, from)
}

fn purge_holds(session: &Session, since: Timestamp, max_rows: i64, from: PurgePosition) -> Purged {
    let mut purged = Purged { rows: 0, passed_over: 0, failure: None, position: Some(from) };
    while let Some(position) = purged.position {
        let wanted = max_rows - purged.rows;
        if wanted <= 0 || purged.passed_over >= MAX_PASSED_OVER {
            break;
        }
        let old = upkeep::purgeable(session, since, position, wanted);
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
    match subtransaction::undo_on_error(|| upkeep::delete_these(session, old)) {
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
