//! Leases: acquired, renewed, released and checked.

use super::Stop;
use crate::bell;
use crate::clock::{self, Timestamp};
use crate::error::Error;
use crate::outcome::LeaseOutcome;
use crate::rules::Micros;
use crate::rules::lease::{self, Grant, Lease, Standing};
use crate::store::queue;
use crate::store::{Busy, Patience, Session, attempt, leases, lineage};
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
                    if let Some(outcome) = renew_once(session, wish.name, token, wish.ttl) {
                        return Ok(outcome);
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
            Grant::Again { token, .. } => match renew_once(session, wish.name, token, wish.ttl) {
                Some(outcome) => return Ok(outcome),
                None if patience == Patience::NoWait => return Err(Busy.into()),
                None => attempt::wait_only(|| leases::wait_for(session, wish.name, token))?,
            },
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
    lineage::commit_durably();
    LeaseOutcome::acquired(wish.name, wish.holder, token, until)
}

/// Lets a lease last for `ttl` from now; never shorter than it would have.
pub fn renew_lease(name: &str, token: i64, ttl: Micros) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write(c"booking.renew_lease()");
    loop {
        if let Some(outcome) = renew_once(&session, name, token, ttl) {
            return Ok(outcome);
        }
        if let Some(outcome) = ended(&session, name, token)? {
            return Ok(outcome);
        }
    }
}

fn renew_once(session: &Session, name: &str, token: i64, ttl: Micros) -> Option<LeaseOutcome> {
    let now = clock::now();
    let term = leases::renew(session, name, token, now, now.after(ttl))?;
    Some(LeaseOutcome::renewed(name, term, token))
}

/// Gives a lease back, so that others can have it.
pub fn release_lease(name: &str, token: i64) -> Result<LeaseOutcome, Error> {
    let session = Session::to_write(c"booking.release_lease()");
    loop {
        if let Some(term) = leases::release(&session, name, token, clock::now()) {
            bell::ring(name);
            return Ok(LeaseOutcome::released(name, term, token));
        }
        if let Some(outcome) = ended(&session, name, token)? {
            // It is not had any more, which is what was asked for.
            return Ok(outcome.if_over());
        }
    }
}

/// How a lease has ended; none where it has not, and somebody had locked it, who is through now.
fn ended(session: &Session, name: &str, token: i64) -> Result<Option<LeaseOutcome>, Error> {
    if attempt::until_lock_timeout(|| leases::wait_for(session, name, token)).is_err() {
        return Ok(Some(LeaseOutcome::busy(name)));
    }
    let found = leases::find(session, name);
    Ok(match lease::standing(&found, token, clock::now().micros()) {
        Standing::Valid => None,
        standing => Some(LeaseOutcome::over(name, standing)),
    })
}

/// Whether a lease is valid, and if so, that it stays with its holder until the transaction ends.
pub fn check_lease(name: &str, token: i64) -> bool {
    let session = Session::to_write(c"booking.check_lease()");
    let until = leases::check(&session, name, token, clock::now());
    // While its lock was waited for, its time may have run out.
    until.is_some_and(|until| clock::now() < until)
}

/// Ends all leases, and goes on with tokens above any that may have been given out and forgotten.
pub fn after_restore() -> Result<(), Error> {
    let session = Session::to_write(c"booking.after_restore()");
    let now = clock::now();
    let epoch = lease::epoch(now.micros());
    leases::lift(&session, epoch, epoch, true);
    for name in leases::end_all(&session, now) {
        bell::ring(&name);
    }
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
