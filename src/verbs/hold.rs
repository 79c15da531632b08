//! Placing a hold.

use super::allocation::acquire::{
    ResourceLocks, acquire_exclusive, acquire_places, acquire_pool_alone, claim, days, max_claims,
    places_lock_mode,
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
use crate::shared_memory::{registry, versioned};
use crate::store::locks::heavyweight::{self, Claim, ClaimTarget, HeavyweightLock, LockMode};
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::pools::{self, CachedPool, Checked, PoolDelta};
use crate::store::{Session, calendar, holds, resources, seats};
use std::ffi::CStr;
use uuid::Uuid;

/// Places a hold on part of a resource.
pub fn hold(placement: &Placement, policy: LockWaitPolicy) -> Result<Outcome, Error> {
    let outcome = place(&Session::to_write(verb_of(&placement.want)), placement, policy);
    outcome.or_else(|stop| match stop {
        Stop::Busy => Ok(Outcome::busy().on(placement.resource)),
        stop => settle(Err(stop)),
    })
}

/// Places the hold in share mode if it may, and in exclusive mode if the resource turns out to have a waitlist.
fn place(session: &Session, placement: &Placement, policy: LockWaitPolicy) -> Result<Outcome, Stop> {
    let mut mode = match &placement.want {
        Want::Quantity(_) if placement.expected_version.is_some() => {
            versioned::note(placement.resource);
            LockMode::Exclusive
        }
        // A guess: only behind the lock it is known whether this is an escrow pool.
        Want::Quantity(_) => LockMode::Share,
        want => places_lock_mode(max_claims(want)),
    };
    loop {
        if let Some(outcome) = place_locked(session, placement, mode, policy)? {
            return Ok(outcome);
        }
        // The resource has a waitlist, and only one transaction at a time may serve it.
        mode = LockMode::Exclusive;
    }
}

/// Locks the resource and places the hold. Returns `None`, with the locks released, if the resource has a waitlist
/// and the lock was taken in share mode.
fn place_locked(
    session: &Session,
    placement: &Placement,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<Option<Outcome>, Stop> {
    let (locks, mode, known) = acquire_for(session, placement, mode, policy)?;
    // This look is behind the lock, so of two calls with one key the second finds what the first wrote.
    if let Some(key) = placement.key
        && let Some(earlier) = holds::by_key(session, key, placement.resource)
    {
        return Ok(Some(replay(&holds::group_of(session, earlier), placement.fingerprint, clock::now())));
    }
    // The fast ways: nearly every hold ends here. If none of them places it, `deliberate` finds out why.
    let placed = match &placement.want {
        Want::Quantity(quantity) if mode == LockMode::Share => {
            take_escrow(session, placement, *quantity, known)?
        }
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
        // This call did nothing under its lock, and a call that needs the pool in exclusive mode should not have
        // to wait until this transaction ends.
        locks.into_iter().rev().for_each(HeavyweightLock::release);
    }
    Ok(Some(outcome))
}

/// Takes the resource lock, and in share mode the lock of the key. Returns the locks with the mode that was
/// granted, and what the backend knows of a pool whose count it has entered.
fn acquire_for(
    session: &Session,
    placement: &Placement,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<(Vec<HeavyweightLock>, LockMode, Option<CachedPool>), Stop> {
    let (lock, mode, known) = match (&placement.want, mode) {
        (Want::Quantity(_), LockMode::Exclusive) => {
            (acquire_exclusive(session, placement.resource, policy)?, mode, None)
        }
        (Want::Quantity(_), LockMode::Share) => acquire_pool_alone(session, placement.resource, policy)?,
        _ => (acquire_places(session, placement.resource, mode, policy)?, mode, None),
    };
    let mut locks = vec![lock];
    if let (Some(key), LockMode::Share) = (placement.key, mode) {
        locks.push(heavyweight::lock_key(key, policy)?);
    }
    Ok((locks, mode, known))
}

/// Takes from a locked pool in one statement. Returns `None` if that refuses.
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

/// Takes from the count of an escrow pool. Returns `None` if too little is left, or if another condition must be
/// checked first: the pool is closed, limits its holders or has a waitlist.
fn take_escrow(
    session: &Session,
    placement: &Placement,
    quantity: i64,
    known: Option<CachedPool>,
) -> Result<Option<Outcome>, Stop> {
    let Some(CachedPool { escrow: Some(id), most, is_plain: true, .. }) = known else {
        return Ok(None);
    };
    if placement.expected_version.is_some() {
        return Ok(None);
    }
    let left = pools::take_escrow(
        session,
        placement.resource,
        id,
        PoolDelta { quantity, changes: 1, offers: 0 },
        most,
    )?;
    Ok(left.map(|left| {
        write(session, placement, Uuid::now_v7(), Allotment { left: Some(left), ..Allotment::default() })
    }))
}

/// Claims the seats and takes them in one statement. Returns `None`, with the claims released, if that refuses.
fn take_seats(
    session: &Session,
    placement: &Placement,
    labels: &[&str],
    mode: LockMode,
) -> Result<Option<Outcome>, Stop> {
    // Exclusive mode means an old snapshot, a waitlist or many seats, which the allocation handles.
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

/// Claims the days and books a period of a plain calendar with one place in one statement. Returns `None`, with
/// the claims released, if the calendar is another or the period overlaps a booking.
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

/// Decides a request in an allocation, because it needs more than one look: it chooses seats or books one of
/// several places of a calendar; the resource limits its holders; or it is full, closed, of another version, or
/// does not exist.
fn deliberate(
    session: &Session,
    placement: &Placement,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<Outcome, Stop> {
    let locks = ResourceLocks::from([(placement.resource, mode)]);
    serve(session, &locks, std::slice::from_ref(placement), policy, |allocation, placements| {
        let [placement] = placements else {
            return Err(Error::internal("an allocation for one request has several").into());
        };
        let served = allocation.serve(placement)?;
        Ok(allocation.outcome(placement, served))
    })
}

/// Inserts the hold, and tells the worker when it will expire.
fn write(session: &Session, placement: &Placement, id: Uuid, allotment: Allotment) -> Outcome {
    let available = allotment.left;
    // The time to live begins here, because only here every lock is granted.
    let hold = new_hold(placement, id, allotment, clock::now_to_write());
    holds::insert(session, &hold);
    registry::expect_expiry(hold.expires_at);
    Outcome::placed(&hold, available)
}

/// Returns the SQL function that a request came from, for the error that a read-only transaction gets.
const fn verb_of(want: &Want) -> &'static CStr {
    match want {
        Want::Best { .. } => c"booking.hold_best()",
        Want::Period { when: When::Nights { .. }, .. } => c"booking.hold_nights()",
        Want::Quantity(_) | Want::Seats(_) | Want::Period { .. } => c"booking.hold()",
    }
}
