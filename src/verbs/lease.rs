//! Leases: acquiring, renewing, releasing and checking them.

use super::allocation::stop::Stop;
use crate::error::Error;
use crate::outcome::LeaseOutcome;
use crate::request::LeaseRequest;
use crate::rules::Micros;
use crate::rules::lease::{self, Grant, Lease, LeaseState};
use crate::server::clock::{self, Timestamp};
use crate::server::commit_durability::{AsyncCommit, commit_durably};
use crate::server::condition_variables;
use crate::shared_memory::{escrow, generations};
use crate::store::locks::{Busy, LockWaitPolicy, heavyweight, subtransaction};
use crate::store::{Session, leases};
use std::time::Duration;

/// Grants a lease of a name if a slot is free. If none is, waits for one as the policy says.
pub fn acquire_lease(request: &LeaseRequest, policy: LockWaitPolicy) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write_leases(c"booking.acquire_lease()");
    match acquire(&session, request, policy) {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Error(error)) => Err(error),
        Err(_) => Ok(LeaseOutcome::busy(request.name)),
    }
}

fn acquire(session: &Session, request: &LeaseRequest, policy: LockWaitPolicy) -> Result<LeaseOutcome, Stop> {
    let lock = match heavyweight::lock_lease(request.name, LockWaitPolicy::NoWait) {
        Ok(lock) => lock,
        Err(busy) => {
            // Another session has the name's lock. A holder that has a lease already need not wait for the lock.
            let leases = leases::find(session, request.name);
            let now = clock::now();
            match lease::acquire(&leases, request.holder, request.slots, 0, now.micros()) {
                Grant::Again { token, .. } => {
                    if let Ok((lease, now)) = lock(session, request.name, token, policy)? {
                        return Ok(renew(session, request.name, &lease, now, request.ttl));
                    }
                }
                Grant::Taken { until } if policy == LockWaitPolicy::NoWait => {
                    return Ok(LeaseOutcome::taken(request.name, &leases, until));
                }
                _ => {}
            }
            match policy {
                LockWaitPolicy::NoWait => return Err(busy.into()),
                LockWaitPolicy::Wait => heavyweight::lock_lease(request.name, policy)?,
            }
        }
    };
    let acquired = acquire_locked(session, request, policy);
    condition_variables::cancel_sleep();
    if !matches!(&acquired, Ok(outcome) if outcome.is_new()) {
        lock.release();
    }
    acquired
}

/// Grants the lease, or waits until it can. The caller has the name's lock, so it is the head of the line.
fn acquire_locked(
    session: &Session,
    request: &LeaseRequest,
    policy: LockWaitPolicy,
) -> Result<LeaseOutcome, Stop> {
    let deadline = subtransaction::lock_timeout().map(|timeout| clock::now().after(timeout));
    loop {
        let now = clock::now();
        let until = now.after(request.ttl);
        if request.slots == 1
            && let Some(token) = leases::take(session, request.name, request.holder, now, until)
        {
            return Ok(acquired(request, token, until));
        }
        let Some(floor) = leases::floor(session) else {
            leases::lift(session, 0, lease::epoch(now.micros()), false);
            continue;
        };
        if request.slots > 1 {
            leases::count_on(session, request.name);
        }
        let found = leases::find(session, request.name);
        match lease::acquire(&found, request.holder, request.slots, floor, now.micros()) {
            Grant::Again { token, .. } => {
                if let Ok((lease, now)) = lock(session, request.name, token, policy)? {
                    return Ok(renew(session, request.name, &lease, now, request.ttl));
                }
            }
            Grant::New { token } => {
                if let Some(outcome) = grant(session, request, &found, token, policy)? {
                    return Ok(outcome);
                }
            }
            Grant::Taken { until } => {
                let now = clock::now();
                let is_late = deadline.is_some_and(|deadline| deadline <= now);
                if policy == LockWaitPolicy::NoWait || is_late {
                    return Ok(LeaseOutcome::taken(request.name, &found, until));
                }
                let wake = deadline.map_or(until, |deadline| deadline.micros().min(until));
                let time = wake.saturating_sub(now.micros()).max(0);
                condition_variables::sleep(request.name, Duration::from_micros(time.unsigned_abs()));
            }
        }
    }
}

/// Writes the grant into a free slot. Returns `None` if it had to wait for a slot, or another transaction took it:
/// then the caller looks again.
fn grant(
    session: &Session,
    request: &LeaseRequest,
    found: &[Lease],
    token: i64,
    policy: LockWaitPolicy,
) -> Result<Option<LeaseOutcome>, Stop> {
    let now = clock::now();
    let free = leases::lock_free(session, request.name, now);
    let slot = match lease::slot(found, &free, request.slots, now.micros()) {
        Ok(slot) => slot,
        Err(_) if policy == LockWaitPolicy::NoWait => return Err(Busy.into()),
        Err(kept) => {
            subtransaction::wait_only(|| leases::lock(session, request.name, kept))?;
            return Ok(None);
        }
    };
    let until = now.after(request.ttl);
    let lease = Lease {
        slot,
        holder: request.holder.to_owned(),
        token,
        expires_at: until.micros(),
        is_released: false,
    };
    let granted = subtransaction::until_lock_timeout(|| leases::grant(session, request.name, &lease, now))?;
    Ok(granted.then(|| acquired(request, token, until)))
}

/// Makes the answer of a new grant, and its commit durable.
fn acquired(request: &LeaseRequest, token: i64, until: Timestamp) -> LeaseOutcome {
    // A crash must not take the grant back, or else the next grant would carry the same token.
    commit_durably();
    LeaseOutcome::acquired(request.name, request.holder, token, until)
}

/// Renews a lease for `ttl` microseconds from now. Never shortens it.
pub fn renew_lease(name: &str, token: i64, ttl: Micros) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write_leases(c"booking.renew_lease()");
    Ok(match lock(&session, name, token, LockWaitPolicy::Wait) {
        Err(Busy) => LeaseOutcome::busy(name),
        Ok(Ok((lease, now))) => renew(&session, name, &lease, now, ttl),
        Ok(Err(state)) => LeaseOutcome::over(name, state),
    })
}

fn renew(session: &Session, name: &str, lease: &Lease, now: Timestamp, ttl: Micros) -> LeaseOutcome {
    let until = now.after(ttl).max(Timestamp::from_micros(lease.expires_at));
    leases::renew(session, name, lease.token, until);
    LeaseOutcome::renewed(name, lease, until)
}

/// Releases a lease and wakes a session that waits for it.
pub fn release_lease(name: &str, token: i64) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write_leases(c"booking.release_lease()");
    let async_commit = AsyncCommit::begin();
    let released = match release_in_time(&session, name, token) {
        Some(lease) => lease,
        None => match lock(&session, name, token, LockWaitPolicy::Wait) {
            Err(Busy) => return Ok(LeaseOutcome::busy(name)),
            Ok(Ok((lease, now))) => {
                leases::release(&session, name, token, now);
                lease
            }
            // The lease is over already, which is what the caller wants.
            Ok(Err(state)) => return Ok(LeaseOutcome::over(name, state).if_over()),
        },
    };
    condition_variables::broadcast(name);
    // The commit need not wait for the disk. If a crash takes the release back, the lease ends with its time, as
    // it would without the release. Nobody can have acquired it by then, because that grant's flush would have
    // brought the release to disk too.
    async_commit.end();
    Ok(LeaseOutcome::released(name, &released))
}

/// Releases a lease in one statement, if it is valid and no other transaction has it locked, which is nearly
/// always so. Returns `None` if the caller has to lock it and look.
///
/// Returns `None` also if the lease ran out meanwhile. The statement's clock was read before its lock was granted,
/// and in between another session may have been told that the lease has run out.
fn release_in_time(session: &Session, name: &str, token: i64) -> Option<Lease> {
    let lease = leases::release_in_time(session, name, token, clock::now())?;
    if clock::now().micros() < lease.expires_at {
        return Some(lease);
    }
    leases::take_back_release(session, name, token);
    None
}

/// Locks the lease with a token, and returns it with the time behind the lock; `Err` inside is its state if it is
/// not valid.
///
/// With a clock that was read before the lock, a lease could be renewed although another session was told that it
/// has run out.
fn lock(
    session: &Session,
    name: &str,
    token: i64,
    policy: LockWaitPolicy,
) -> Result<Result<(Lease, Timestamp), LeaseState>, Busy> {
    loop {
        let locked = subtransaction::until_lock_timeout(|| leases::lock_token(session, name, token, policy))?;
        let now = clock::now();
        if let Some(lease) = locked {
            let state = lease::state_of(std::slice::from_ref(&lease), token, now.micros());
            return Ok(if state == LeaseState::Valid { Ok((lease, now)) } else { Err(state) });
        }
        let found = leases::find(session, name);
        // If it is there, another transaction has it locked, or has granted it since the first look.
        let is_there = found.iter().any(|lease| lease.token == token);
        match policy {
            _ if !is_there => return Ok(Err(lease::state_of(&found, token, now.micros()))),
            LockWaitPolicy::NoWait => return Err(Busy),
            LockWaitPolicy::Wait => {}
        }
    }
}

/// Returns whether a lease is valid. If it is, no other holder gets it before the transaction ends.
pub fn check_lease(name: &str, token: i64) -> Result<bool, Error> {
    let session = Session::to_write_leases(c"booking.check_lease()");
    loop {
        let kept = leases::keep(&session, name, token, clock::now());
        // The lease may have run out while the statement waited for its lock.
        if kept.is_some_and(|lease| lease.is_valid(clock::now().micros())) {
            return Ok(true);
        }
        let seen = of_token(&session, name, token);
        // Another session renewed the lease between the two looks.
        if seen.as_ref().is_some_and(|lease| lease.is_valid(clock::now().micros())) {
            continue;
        }
        // A session that is renewing the lease at this moment may have begun in time, so wait for it. One that
        // begins after this has not.
        if subtransaction::wait_only(|| leases::await_none(&session, name, token)).is_err() {
            return Err(Error::lock_timeout());
        }
        if of_token(&session, name, token) == seen {
            return Ok(false);
        }
    }
}

/// Returns the lease with a token, without a lock.
fn of_token(session: &Session, name: &str, token: i64) -> Option<Lease> {
    leases::find(session, name).into_iter().find(|lease| lease.token == token)
}

/// Ends all leases, and lifts new tokens above all that may have been granted and lost. Drops what sessions have
/// cached of resources and the counts of escrow pools, so that the next calls read and count them again.
pub fn after_restore() -> Result<(), Error> {
    let session = Session::to_write(c"booking.after_restore()");
    let now = clock::now();
    let epoch = lease::epoch(now.micros());
    leases::lift(&session, epoch, epoch, true);
    for name in leases::end_all(&session, now) {
        condition_variables::broadcast(&name);
    }
    generations::all_changed();
    escrow::forget();
    Ok(())
}

/// Deletes names of which every lease has been over since a time. Returns how many rows they had.
pub fn forget(session: &Session, since: Timestamp, limit: i64) -> i64 {
    let over = leases::over(session, since, limit);
    let names: Vec<&str> = over
        .iter()
        .map(String::as_str)
        .filter(|name| heavyweight::lock_lease(name, LockWaitPolicy::NoWait).is_ok())
        .take(MAX_NAMES)
        .collect();
    if names.is_empty() {
        return 0;
    }
    leases::forget(session, &names, since)
}

/// The most names that one call deletes, because each takes an entry of the server's lock table.
const MAX_NAMES: usize = 1000;
