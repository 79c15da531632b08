//! Placing a hold.

use super::allocation::acquire::{
    ResourceLocks, acquire_exclusive, acquire_places, acquire_pool, claim, days, max_claims, places_lock_mode,
};
use super::allocation::allotment::{Allotment, new_hold};
use super::allocation::attempt::serve;
use super::allocation::fit::booked_period_on;
use super::allocation::replay;
use super::allocation::stop::{Stop, settle};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::{Placement, Want, When};
use crate::server::clock;
use crate::shared_memory::registry;
use crate::store::locks::heavyweight::{self, Claim, ClaimTarget, HeavyweightLock, LockMode};
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::pools::{self, CachedPool, Checked};
use crate::store::{Session, calendar, holds, resources, seats};
use std::ffi::CStr;
use uuid::Uuid;

/// Holds part of a resource for a while.
pub fn hold(placement: &Placement, policy: LockWaitPolicy) -> Result<Outcome, Error> {
    let outcome = place(&Session::to_write(verb_of(&placement.want)), placement, policy);
    outcome.or_else(|stop| match stop {
        Stop::Busy => Ok(Outcome::busy().on(placement.resource)),
        stop => settle(Err(stop)),
    })
}

fn place(session: &Session, placement: &Placement, policy: LockWaitPolicy) -> Result<Outcome, Stop> {
    let mut mode = match &placement.want {
        // Whether a pool can be shared is only known behind its lock.
        Want::Quantity(_) => LockMode::Share,
        want => places_lock_mode(max_claims(want)),
    };
    loop {
        if let Some(outcome) = place_locked(session, placement, mode, policy)? {
            return Ok(outcome);
        }
        // Somebody waits for the resource: who is served next is only decided where nobody else serves.
        mode = LockMode::Exclusive;
    }
}

/// None where a turn alone is needed instead of a shared one, and nothing was done.
fn place_locked(
    session: &Session,
    placement: &Placement,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<Option<Outcome>, Stop> {
    let (locks, mode) = acquire_for(session, placement, mode, policy)?;
    // Behind the lock: of two that use one key at once, the second finds what the first wrote.
    if let Some(key) = placement.key
        && let Some(earlier) = holds::by_key(session, key, placement.resource)
    {
        return Ok(Some(replay(&holds::group_of(session, earlier), placement.fingerprint, clock::now())));
    }
    // Nearly every hold ends here. Only one that this refuses asks why.
    let placed = match &placement.want {
        Want::Quantity(quantity) if mode == LockMode::Share => take_escrow(session, placement, *quantity)?,
        Want::Quantity(quantity) => take_quantity(session, placement, *quantity),
        Want::Seats(labels) if policy == LockWaitPolicy::Wait && !subtransaction::has_lock_timeout() => {
            take_seats(session, placement, labels, mode)?
        }
        Want::Period { quantity: 1, when } if mode == LockMode::Share => {
            take_exclusive(session, placement, *when, policy)?
        }
        Want::Seats(_) | Want::Best { .. } | Want::Period { .. } => None,
    };
    if placed.is_some() {
        return Ok(placed);
    }
    if mode == LockMode::Share && !resources::waited_for(session, &[placement.resource]).is_empty() {
        locks.into_iter().rev().for_each(HeavyweightLock::release);
        return Ok(None);
    }
    let outcome = deliberate(session, placement, mode, policy)?;
    if !outcome.is_ok() && mode == LockMode::Share && placement.want.is_of_pool() {
        // Nothing was done under it, and whoever comes to need the pool alone is not to wait for this transaction.
        locks.into_iter().rev().for_each(HeavyweightLock::release);
    }
    Ok(Some(outcome))
}

fn acquire_for(
    session: &Session,
    placement: &Placement,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<(Vec<HeavyweightLock>, LockMode), Stop> {
    let (lock, mode) = match (&placement.want, mode) {
        (Want::Quantity(_), LockMode::Exclusive) => {
            (acquire_exclusive(session, placement.resource, policy)?, mode)
        }
        (Want::Quantity(_), LockMode::Share) => acquire_pool(session, placement.resource, policy)?,
        _ => (acquire_places(session, placement.resource, mode, policy)?, mode),
    };
    let mut locks = vec![lock];
    if let (Some(key), LockMode::Share) = (placement.key, mode) {
        locks.push(heavyweight::lock_key(key, policy)?);
    }
    Ok((locks, mode))
}

fn take_quantity(session: &Session, placement: &Placement, quantity: i64) -> Option<Outcome> {
    let Placement { resource, expected_version, .. } = *placement;
    let status = pools::take(session, resource, quantity, expected_version, Checked::Nothing)?;
    Some(write(
        session,
        placement,
        Uuid::now_v7(),
        Allotment { left: status.available, ..Allotment::default() },
    ))
}

/// The same from an escrow pool of which nothing else is to be asked.
fn take_escrow(session: &Session, placement: &Placement, quantity: i64) -> Result<Option<Outcome>, Stop> {
    let Some(CachedPool { escrow: Some(id), most, is_plain: true, .. }) =
        pools::cached(session, placement.resource)
    else {
        return Ok(None);
    };
    if placement.expected_version.is_some() {
        return Ok(None);
    }
    let left = pools::take_escrow(session, placement.resource, id, quantity, most)?;
    Ok(left.map(|left| {
        write(session, placement, Uuid::now_v7(), Allotment { left: Some(left), ..Allotment::default() })
    }))
}

fn take_seats(
    session: &Session,
    placement: &Placement,
    labels: &[&str],
    mode: LockMode,
) -> Result<Option<Outcome>, Stop> {
    // Alone for an old snapshot's sake: the desk knows how to look at that.
    if mode == LockMode::Exclusive {
        return Ok(None);
    }
    let places = labels.iter().map(|&label| ClaimTarget::Seat(label));
    let claims = claim(placement.resource, places, LockWaitPolicy::Wait)?;
    let id = Uuid::now_v7();
    if seats::take(session, placement.resource, labels, id) {
        let seats = Some(labels.iter().map(|&label| label.to_owned()).collect());
        return Ok(Some(write(session, placement, id, Allotment { seats, ..Allotment::default() })));
    }
    claims.into_iter().for_each(Claim::release);
    Ok(None)
}

fn take_exclusive(
    session: &Session,
    placement: &Placement,
    when: When,
    policy: LockWaitPolicy,
) -> Result<Option<Outcome>, Stop> {
    let Some(plain) = calendar::plain(session, placement.resource) else { return Ok(None) };
    let booked = booked_period_on(&plain, when)?;
    let claims = claim(placement.resource, days(booked.occupied), policy)?;
    let allotment = Allotment { booked: Some((booked, true)), left: Some(0), seats: None };
    let hold = new_hold(placement, Uuid::now_v7(), allotment, clock::now_to_write());
    if calendar::take_exclusive(session, &hold, booked) {
        registry::expect_expiry(hold.expires_at);
        return Ok(Some(Outcome::placed(&hold, Some(0))));
    }
    claims.into_iter().for_each(Claim::release);
    Ok(None)
}

/// The way of a request that needs more than one look: seats are to be chosen or a calendar to be
/// looked through, the resource limits its holders, or it is full, closed, another version, or not there.
fn deliberate(
    session: &Session,
    placement: &Placement,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<Outcome, Stop> {
    let locks = ResourceLocks::from([(placement.resource, mode)]);
    serve(session, &locks, std::slice::from_ref(placement), policy, |allocation, placements| {
        let [placement] = placements else {
            return Err(Error::internal("one request became several").into());
        };
        let served = allocation.serve(placement)?;
        Ok(allocation.outcome(placement, served))
    })
}

fn write(session: &Session, placement: &Placement, id: Uuid, allotment: Allotment) -> Outcome {
    let available = allotment.left;
    // Only now is every lock granted, so only now does the time to live begin.
    let hold = new_hold(placement, id, allotment, clock::now_to_write());
    holds::insert(session, &hold);
    registry::expect_expiry(hold.expires_at);
    Outcome::placed(&hold, available)
}

/// The function that a request came from, for the error of a read-only transaction.
const fn verb_of(want: &Want) -> &'static CStr {
    match want {
        Want::Best { .. } => c"booking.hold_best()",
        Want::Period { when: When::Nights { .. }, .. } => c"booking.hold_nights()",
        Want::Quantity(_) | Want::Seats(_) | Want::Period { .. } => c"booking.hold()",
    }
}
