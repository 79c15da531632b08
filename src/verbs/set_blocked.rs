//! Blocking seats, and unblocking them.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::reclaim::all_or_wait;
use super::allocation::stop::{Interrupt, Stop, settle};
use super::redefine::redefine;
use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::server::clock;
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::resources::{self, Kind};
use crate::store::seats::{self, StoredSeat};
use crate::store::{Session, definitions, overdue_seats};

/// Blocks seats, or unblocks them. Blocks none of them if one has a live hold.
pub fn set_blocked(resource: &str, labels: &[&str], blocked: bool) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.set_blocked()");
    let attempt = || block(&session, resource, labels, blocked);
    settle(
        acquire_exclusive(&session, resource, LockWaitPolicy::Wait).map_err(Stop::from).and_then(|_| {
            super::allocation::retry::retry_after_wait(&session, LockWaitPolicy::Wait, attempt)
        }),
    )
}

fn block(session: &Session, resource: &str, labels: &[&str], blocked: bool) -> Result<Outcome, Interrupt> {
    let stored = resources::read_existing(session, resource)?;
    if stored.kind != Kind::Seats {
        return Err(Error::has_no_seats(resource).into());
    }
    seats::lock_ahead(session, resource, labels, LockWaitPolicy::Wait)?;
    let now = clock::now();
    let found = seats::read(session, resource, labels, now);
    if let Some(unknown) = labels.iter().find(|label| !found.iter().any(|seat| seat.label == **label)) {
        return Err(Error::no_seat(resource, unknown).into());
    }
    if blocked {
        let live = |seat: &&StoredSeat| seat.owner.is_some() && !seat.overdue;
        let mut taken: Vec<&str> = found.iter().filter(live).map(|seat| seat.label.as_str()).collect();
        if !taken.is_empty() {
            taken.sort_unstable();
            return Ok(
                Outcome::refused(Refused::seats(labels.len(), &taken, &[], stored.pool.version)).on(resource)
            );
        }
        let overdue: Vec<_> = found.iter().filter_map(|seat| seat.owner).collect();
        all_or_wait(&overdue, &overdue_seats::end_these(session, resource, &overdue, now))?;
    }
    let seats = labels.iter().map(|&label| label.to_owned()).collect();
    let count =
        subtransaction::until_lock_timeout(|| seats::set_blocked(session, resource, labels, blocked))?;
    if count == 0 {
        return Ok(Outcome::resource_changed(stored.status(), true).on(resource).seats(seats));
    }
    let change = || definitions::add_capacity(session, resource, if blocked { -count } else { count });
    Ok(redefine(session, resource, change)?.seats(seats))
}
