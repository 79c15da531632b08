//! Leaving a waitlist.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::attempt::{serve_line, undo_if_busy};
use super::allocation::stop::{Stop, settle};
use super::give_back::release;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::{Part, Target};
use crate::server::clock;
use crate::store::locks::LockWaitPolicy;
use crate::store::waitlist::{self, Entry, EntryState};
use crate::store::{Session, resources};
use uuid::Uuid;

/// Leaves a waitlist, or releases the hold if the entry was offered one.
pub fn leave_waitlist(id: Uuid) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.leave_waitlist()");
    let Some(entry) = waitlist::by_id(&session, id, None) else { return Ok(Outcome::not_found(id)) };
    if let Some(outcome) = leave(&session, &entry).map_or_else(|stop| settle(Err(stop)).map(Some), Ok)? {
        return Ok(outcome);
    }
    let target = Target { hold_id: id, resource: Some(&entry.resource), expected_version: None };
    drop(session);
    release(target, Part { quantity: None, seats: None })
}

/// Takes the entry off the waitlist. Returns `None` if it was offered a hold.
fn leave(session: &Session, entry: &Entry) -> Result<Option<Outcome>, Stop> {
    acquire_exclusive(session, &entry.resource, LockWaitPolicy::Wait)?;
    // Another transaction may have served the entry while this one waited for the lock.
    let Some(entry) = waitlist::by_id(session, entry.id, Some(&entry.resource)) else {
        return Ok(Some(Outcome::not_found(entry.id)));
    };
    match entry.state {
        EntryState::Left => Ok(Some(Outcome::left(&entry, true).again())),
        EntryState::Offered => Ok(None),
        EntryState::Waiting => undo_if_busy(|| {
            waitlist::leave(session, entry.id, &entry.resource, clock::now());
            resources::add_waiting(session, &entry.resource, -1);
            // What was owed to this entry may be enough for those behind it.
            serve_line(session, &entry.resource)?;
            Ok(Some(Outcome::left(&entry, true)))
        }),
    }
}
