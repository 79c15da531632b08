//! The answer about an id that no hold has. It may be the id of an entry of a waitlist, which has no hold yet.

use crate::outcome::Outcome;
use crate::request::Target;
use crate::server::clock::{self, Timestamp};
use crate::store::waitlist::{self, Entry, EntryState};
use crate::store::{Session, holds};

/// Returns the answer about an id that no hold has: the state of the waitlist's entry, or `not_found`. `ok` is
/// what the answer says if there is an entry.
pub fn missing(session: &Session, target: Target, ok: bool) -> Outcome {
    match waitlist::by_id(session, target.hold_id, target.resource) {
        Some(entry) => entry_outcome(session, &entry, ok, clock::now()),
        None => Outcome::not_found(target.hold_id),
    }
}

/// Returns the answer about an entry of a waitlist: how it waits, or the hold that it was offered.
pub fn entry_outcome(session: &Session, entry: &Entry, ok: bool, now: Timestamp) -> Outcome {
    match entry.state {
        EntryState::Waiting => {
            Outcome::waiting(entry, waitlist::position(session, entry.id, &entry.resource), ok)
        }
        EntryState::Left => Outcome::left(entry, ok),
        EntryState::Offered => holds::look(session, entry.id, Some(&entry.resource))
            .map_or_else(|| Outcome::not_found(entry.id), |group| Outcome::found(&group, now)),
    }
}
