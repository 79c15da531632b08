//! Leases: acquired, renewed, released and checked.

use super::Stop;
use crate::bell;
use crate::clock::{self, Timestamp};
use crate::definitions;
use crate::durability::{Forgettable, commit_durably};
use crate::error::Error;
use crate::escrow;
use crate::outcome::LeaseOutcome;
use crate::rules::Micros;
use crate::rules::lease::{self, Grant, Lease, Standing};
use crate::store::queue;
use crate::store::{Busy, Patience, Session, attempt, leases};
use std::time::Duration;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub name: &'a str,
    pub holder: &'a str,
    pub ttl: Micros,
    /// How many may have the name at once.
    pub slots: i32,
}

/// Has a name for a while, if not more have it already than may; waits for one of them where told to.
pub fn acquire_lease(wish: &Wish, patience: Patience) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write(c"booking.acquire_lease()");
    match acquire(&session, wish, patience) {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Error(error)) => Err(error),
        Err(_) => Ok(LeaseOutcome::busy(wish.name)),
    }
}

fn acquire(session: &Session, wish: &Wish, patience: Patience) -> Result<LeaseOutcome, Stop> {
    let turn = match queue::line_up_for_lease(wish.name, Patience::NoWait) {
        Ok(turn) => turn,
        Err(busy) => {
            // Whoever has it already need not line up for it.
            let leases = leases::find(session, wish.name);
            let now = clock::now();
            match lease::acquire(&leases, wish.holder, wish.slots, 0, now.micros()) {
                Grant::Again { token, .. } => {
                    if let Ok((lease, now)) = lock(session, wish.name, token, patience)? {
                        return Ok(renew(session, wish.name, &lease, now, wish.ttl));
                    }
                }
                Grant::Taken { until } if patience == Patience::NoWait => {
                    return Ok(LeaseOutcome::taken(wish.name, &leases, until));
                }
                _ => {}
            }
            match patience {
                Patience::NoWait => return Err(busy.into()),
                Patience::Wait => queue::line_up_for_lease(wish.name, patience)?,
            }
        }
    };
    let acquired = in_turn(session, wish, patience);
    bell::leave();
    if !matches!(&acquired, Ok(outcome) if outcome.is_new()) {
        turn.let_go();
    }
    acquired
}

/// At the head of those who want the name.
fn in_turn(session: &Session, wish: &Wish, patience: Patience) -> Result<LeaseOutcome, Stop> {
    let deadline = attempt::lock_timeout().map(|timeout| clock::now().after(timeout));
    loop {
        let now = clock::now();
        let until = now.after(wish.ttl);
        if wish.slots == 1
            && let Some(token) = leases::take(session, wish.name, wish.holder, now, until)
        {
            return Ok(acquired(wish, token, until));
        }
        let Some(floor) = leases::floor(session) else {
            leases::lift(session, 0, lease::epoch(now.micros()), false);
            continue;
        };
        if wish.slots > 1 {
            leases::count_on(session, wish.name);
        }
        let found = leases::find(session, wish.name);
        match lease::acquire(&found, wish.holder, wish.slots, floor, now.micros()) {
            Grant::Again { token, .. } => {
                if let Ok((lease, now)) = lock(session, wish.name, token, patience)? {
                    return Ok(renew(session, wish.name, &lease, now, wish.ttl));
                }
            }
            Grant::New { token } => {
                if let Some(outcome) = grant(session, wish, &found, token, patience)? {
                    return Ok(outcome);
                }
            }
            Grant::Taken { until } => {
                let now = clock::now();
                let is_late = deadline.is_some_and(|deadline| deadline <= now);
                if patience == Patience::NoWait || is_late {
                    return Ok(LeaseOutcome::taken(wish.name, &found, until));
                }
                let wake = deadline.map_or(until, |deadline| deadline.micros().min(until));
                let time = wake.saturating_sub(now.micros()).max(0);
                bell::sleep(wish.name, Duration::from_micros(time.unsigned_abs()));
            }
        }
    }
}

/// Writes the grant into a slot that is free; none where all has to be looked at anew.
fn grant(
    session: &Session,
    wish: &Wish,
    found: &[Lease],
    token: i64,
    patience: Patience,
) -> Result<Option<LeaseOutcome>, Stop> {
    let now = clock::now();
    let free = leases::lock_free(session, wish.name, now);
    let slot = match lease::slot(found, &free, wish.slots, now.micros()) {
        Ok(slot) => slot,
        Err(_) if patience == Patience::NoWait => return Err(Busy.into()),
        Err(kept) => {
            attempt::wait_only(|| leases::lock(session, wish.name, kept))?;
            return Ok(None);
        }
    };
    let until = now.after(wish.ttl);
    let lease =
        Lease { slot, holder: wish.holder.to_owned(), token, expires_at: until.micros(), is_released: false };
    let granted = attempt::until_lock_timeout(|| leases::grant(session, wish.name, &lease, now))?;
    Ok(granted.then(|| acquired(wish, token, until)))
}

fn acquired(wish: &Wish, token: i64, until: Timestamp) -> LeaseOutcome {
    // A token that a crash could take back would be given out twice.
    commit_durably();
    LeaseOutcome::acquired(wish.name, wish.holder, token, until)
}

/// Lets a lease last for `ttl` from now; never shorter than it would have.
pub fn renew_lease(name: &str, token: i64, ttl: Micros) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write(c"booking.renew_lease()");
    Ok(match lock(&session, name, token, Patience::Wait) {
        Err(Busy) => LeaseOutcome::busy(name),
        Ok(Ok((lease, now))) => renew(&session, name, &lease, now, ttl),
        Ok(Err(standing)) => LeaseOutcome::over(name, standing),
    })
}

fn renew(session: &Session, name: &str, lease: &Lease, now: Timestamp, ttl: Micros) -> LeaseOutcome {
    let until = now.after(ttl).max(Timestamp::from_micros(lease.expires_at));
    leases::renew(session, name, lease.token, until);
    LeaseOutcome::renewed(name, lease, until)
}

/// Gives a lease back, so that others can have it.
pub fn release_lease(name: &str, token: i64) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write(c"booking.release_lease()");
    let forgettable = Forgettable::begin();
    let released = match release_in_time(&session, name, token) {
        Some(lease) => lease,
        None => match lock(&session, name, token, Patience::Wait) {
            Err(Busy) => return Ok(LeaseOutcome::busy(name)),
            Ok(Ok((lease, now))) => {
                leases::release(&session, name, token, now);
                lease
            }
            // It is not had any more, which is what was asked for.
            Ok(Err(standing)) => return Ok(LeaseOutcome::over(name, standing).if_over()),
        },
    };
    bell::ring(name);
    // What a crash makes of a release that it takes back is what would have come of none: the lease ends with
    // its time. Nobody can have acquired it by then, since that would have brought the release to disk as well.
    forgettable.end();
    Ok(LeaseOutcome::released(name, &released))
}

/// Releases a lease in one statement where it is valid and nobody has locked it, which is nearly always; none
/// where it has to be looked at. So it has where its time ran out meanwhile: the statement's clock was read before
/// its lock, and in between somebody may have been told that it has run out.
fn release_in_time(session: &Session, name: &str, token: i64) -> Option<Lease> {
    let lease = leases::release_in_time(session, name, token, clock::now())?;
    if clock::now().micros() < lease.expires_at {
        return Some(lease);
    }
    leases::take_back_release(session, name, token);
    None
}

/// Locks the lease with a token, and reads the clock behind the lock: read before, somebody could have been told
/// that it has run out, and then it would be renewed. How it stands, where it is not valid.
fn lock(
    session: &Session,
    name: &str,
    token: i64,
    patience: Patience,
) -> Result<Result<(Lease, Timestamp), Standing>, Busy> {
    loop {
        let locked = attempt::until_lock_timeout(|| leases::lock_token(session, name, token, patience))?;
        let now = clock::now();
        if let Some(lease) = locked {
            let standing = lease::standing(std::slice::from_ref(&lease), token, now.micros());
            return Ok(if standing == Standing::Valid { Ok((lease, now)) } else { Err(standing) });
        }
        let found = leases::find(session, name);
        // It is there, and somebody has it locked; or it has come to be since the first look.
        let is_there = found.iter().any(|lease| lease.token == token);
        match patience {
            _ if !is_there => return Ok(Err(lease::standing(&found, token, now.micros()))),
            Patience::NoWait => return Err(Busy),
            Patience::Wait => {}
        }
    }
}

/// Whether a lease is valid, and if so, that it stays with its holder until the transaction ends.
pub fn check_lease(name: &str, token: i64) -> Result<bool, Error> {
    let session = Session::to_write(c"booking.check_lease()");
    loop {
        let kept = leases::keep(&session, name, token, clock::now());
        // While its lock was waited for, its time may have run out.
        if kept.is_some_and(|lease| lease.is_valid(clock::now().micros())) {
            return Ok(true);
        }
        let seen = of_token(&session, name, token);
        // It was renewed between the two looks.
        if seen.as_ref().is_some_and(|lease| lease.is_valid(clock::now().micros())) {
            continue;
        }
        // Whoever is renewing it at this moment may have been in time; whoever begins to after this is not.
        if attempt::wait_only(|| leases::await_none(&session, name, token)).is_err() {
            return Err(Error::lock_timeout());
        }
        if of_token(&session, name, token) == seen {
            return Ok(false);
        }
    }
}

fn of_token(session: &Session, name: &str, token: i64) -> Option<Lease> {
    leases::find(session, name).into_iter().find(|lease| lease.token == token)
}

/// Ends all leases, and goes on with tokens above any that may have been given out and forgotten. What is remembered
/// of resources is read again, and escrow pools are counted anew.
pub fn after_restore() -> Result<(), Error> {
    let session = Session::to_write(c"booking.after_restore()");
    let now = clock::now();
    let epoch = lease::epoch(now.micros());
    leases::lift(&session, epoch, epoch, true);
    for name in leases::end_all(&session, now) {
        bell::ring(&name);
    }
    definitions::all_changed();
    escrow::forget();
    Ok(())
}

/// Forgets names that nobody has had since a time. Returns how many leases that were.
pub fn forget(session: &Session, since: Timestamp, limit: i64) -> i64 {
    let over = leases::over(session, since, limit);
    let names: Vec<&str> = over
        .iter()
        .map(String::as_str)
        .filter(|name| queue::line_up_for_lease(name, Patience::NoWait).is_ok())
        .take(MOST_NAMES)
        .collect();
    if names.is_empty() {
        return 0;
    }
    leases::forget(session, &names, since)
}

/// The most names that are forgotten at once: each takes an entry of the server's lock table.
const MOST_NAMES: usize = 1000;
