//! Moving a hold to other seats.

use super::allocation::acquire::{ResourceLocks, acquire_all, claim, places_lock_mode};
use super::allocation::attempt::serve_line;
use super::allocation::owed::owed;
use super::allocation::reclaim::all_or_wait;
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Interrupt, Retry, Stop, settle};
use super::missing::missing;
use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::request::Target;
use crate::rules::Refusal;
use crate::rules::lifecycle::{self, Change, Verdict};
use crate::server::clock::{self, Timestamp};
use crate::store::holds::{self, HoldGroup, StoredHold};
use crate::store::locks::heavyweight::{Claim, ClaimTarget, LockMode};
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::resources::{self, StoredResource};
use crate::store::{Session, overdue_seats, seats};
use std::collections::BTreeSet;

/// Moves a hold to other seats, as many as it has, or leaves it where it is. Never gives up a seat before it has
/// all of the new ones.
pub fn swap_seats(target: Target, labels: &[&str]) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.swap_seats()"), target, labels))
}

fn attempt(session: &Session, target: Target, labels: &[&str]) -> Result<Outcome, Stop> {
    let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
        return Ok(missing(session, target, false));
    };
    let (stored, has) = one_with_seats(&seen)?;
    let mut locks =
        ResourceLocks::from([(stored.resource.as_str(), places_lock_mode(has.len() + labels.len()))]);
    acquire_all(session, &mut locks, |_| false, LockWaitPolicy::Wait)?;
    let resource = resources::read_existing(session, &stored.resource)?;
    retry_after_wait(session, LockWaitPolicy::Wait, || {
        // Another call may have changed the hold's seats since the last look.
        let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
            return Ok(missing(session, target, false));
        };
        let (_, has) = one_with_seats(&seen)?;
        let claims = match locks.values().all(|mode| *mode == LockMode::Share) {
            true => {
                let all = has.iter().map(String::as_str).chain(labels.iter().copied());
                let places: BTreeSet<ClaimTarget> = all.map(ClaimTarget::Seat).collect();
                claim(&resource.name, places, LockWaitPolicy::Wait)?
            }
            false => Vec::new(),
        };
        let Some(group) = holds::lock(session, target.hold_id, target.resource)? else {
            return Ok(missing(session, target, false));
        };
        if one_with_seats(&group)?.1 != has {
            return Err(Retry::Stale.into());
        }
        let outcome = swap(session, &resource, group, labels, target.expected_version)?;
        if !outcome.is_news() {
            // This call changes nothing, so it need not keep others waiting for these seats.
            claims.into_iter().for_each(Claim::release);
        }
        Ok(outcome)
    })
}

/// Returns the hold and its seats. Returns `Err` for a basket, and for a hold without seats.
fn one_with_seats(group: &HoldGroup) -> Result<(&StoredHold, &[String]), Error> {
    match (group.basket, group.holds.as_slice()) {
        (Some(_), _) => Err(Error::swapped_basket()),
        (None, [stored]) => stored
            .seats
            .as_deref()
            .map(|seats| (stored, seats))
            .ok_or_else(|| Error::has_no_seats(&stored.resource)),
        (None, _) => Err(Error::internal("several holds have one id")),
    }
}

/// Moves a hold that the caller has locked, behind the claims on its old and its new seats.
fn swap(
    session: &Session,
    resource: &StoredResource,
    mut group: HoldGroup,
    labels: &[&str],
    expected_version: Option<i64>,
) -> Result<Outcome, Interrupt> {
    let now = clock::now();
    let (stored, has) = one_with_seats(&group)?;
    let is_there =
        has.iter().map(String::as_str).collect::<BTreeSet<_>>() == labels.iter().copied().collect();
    let change = match lifecycle::amend(&stored.hold, is_there, expected_version, now.micros()) {
        Verdict::Change(change) => change,
        Verdict::Refuse(refusal) => return Ok(Outcome::refused_hold(&group, 0, refusal, now)),
        Verdict::Repeat | Verdict::Adopt(_) | Verdict::TooMuch => {
            return Ok(Outcome::repeated(&group, true, now));
        }
    };
    if labels.len() != has.len() {
        return Err(Error::other_number_of_seats(has.len(), labels.len()).into());
    }
    if !resource.pool.open {
        let refused = Refused::mere(Refusal::Closed, resource.pool.version);
        return Ok(Outcome::not_exchanged(&group, refused, now));
    }
    if let Some(refused) = clear(session, resource, stored, labels, now)? {
        return Ok(Outcome::not_exchanged(&group, refused, now));
    }
    write(session, stored, has, labels, &change, now)?;
    if resource.waiting > 0 {
        serve_line(session, &resource.name)?;
    }
    for stored in &mut group.holds {
        stored.seats = Some(labels.iter().map(|&label| label.to_owned()).collect());
        stored.apply(&change, None);
    }
    Ok(Outcome::changed(&group, None, now))
}

/// Ends the overdue holds on the new seats. Returns `None` if each of them is then free or the hold's own, and
/// otherwise the refusal.
fn clear(
    session: &Session,
    resource: &StoredResource,
    stored: &StoredHold,
    labels: &[&str],
    now: Timestamp,
) -> Result<Option<Refused>, Interrupt> {
    seats::lock_ahead(session, &resource.name, labels, LockWaitPolicy::Wait)?;
    let found = seats::read(session, &resource.name, labels, now);
    let owed = owed(session, resource)?;
    let (mut taken, mut blocked, mut overdue) = (Vec::new(), Vec::new(), Vec::new());
    for &label in labels {
        match found.iter().find(|seat| seat.label == label) {
            None => return Err(Error::no_seat(&resource.name, label).into()),
            Some(seat) if seat.owner == Some(stored.id) => {}
            Some(seat) if seat.blocked => blocked.push(label),
            Some(seat) if seat.owner.is_some() && !seat.overdue => taken.push(label),
            Some(_) if owed.includes(label) => taken.push(label),
            Some(seat) => overdue.extend(seat.owner),
        }
    }
    if !taken.is_empty() || !blocked.is_empty() {
        return Ok(Some(Refused::seats(labels.len(), &taken, &blocked, resource.pool.version)));
    }
    all_or_wait(&overdue, &overdue_seats::end_these(session, &resource.name, &overdue, now))?;
    Ok(None)
}

/// Takes the seats that come, gives back those that go, and writes the hold.
fn write(
    session: &Session,
    stored: &StoredHold,
    has: &[String],
    labels: &[&str],
    change: &Change,
    now: Timestamp,
) -> Result<(), Interrupt> {
    let has: Vec<&str> = has.iter().map(String::as_str).collect();
    let coming: Vec<&str> = labels.iter().copied().filter(|label| !has.contains(label)).collect();
    let going: Vec<&str> = has.into_iter().filter(|label| !labels.contains(label)).collect();
    let write = || {
        if !seats::take_again(session, &stored.resource, &coming, stored.id) {
            return Err(Retry::Stale.into());
        }
        seats::give_back(session, &stored.resource, &going, stored.id);
        holds::write(session, stored, change, Some(labels), None, now);
        Ok(())
    };
    subtransaction::until_lock_timeout(write)?
}
