//! Placing a batch: many independent holds in one call, with the answers that single calls would give in that
//! order.

use super::allocation::acquire::{
    ResourceLocks, acquire_exclusive, acquire_places, acquire_pool, pool_lock_mode,
};
use super::allocation::attempt::run_pass;
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Interrupt, Stop};
use super::allocation::{Allocation, Pass};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::Placement;
use crate::store::locks::LockWaitPolicy;
use crate::store::locks::heavyweight::{HeavyweightLock, LockMode};
use crate::store::{Session, resources};
use std::collections::HashSet;

/// Places each of many holds and answers each, in their order.
///
/// Locks every resource but escrow pools in exclusive mode, because a claim for each place of thousands of
/// requests would fill the server's lock table. If `lock_timeout` runs out before a resource lock is granted, the
/// requests for that resource get `busy` and the rest goes on.
pub fn hold_each(placements: &[Placement]) -> Result<Vec<Outcome>, Error> {
    let session = Session::to_write(c"booking.hold_each()");
    place(&session, placements).or_else(|stop| match stop {
        Stop::Error(error) => Err(error),
        // A query outside the extension has a row locked that the one statement for all requests has to write.
        Stop::Busy => Ok(placements.iter().map(|placement| Outcome::busy().on(placement.resource)).collect()),
        Stop::Refused(outcome) => Ok(vec![*outcome; placements.len()]),
    })
}

fn place(session: &Session, placements: &[Placement]) -> Result<Vec<Outcome>, Stop> {
    let mut locks = ResourceLocks::new();
    for placement in placements {
        locks.entry(placement.resource).or_insert_with(|| match placement.want.is_of_pool() {
            true => pool_lock_mode(session, placement.resource),
            false => LockMode::Exclusive,
        });
    }
    let pools: HashSet<&str> = placements
        .iter()
        .filter(|placement| placement.want.is_of_pool())
        .map(|placement| placement.resource)
        .collect();
    acquire_each(session, &mut locks, &pools);
    let run = |pass| {
        run_pass(session, &locks, placements, LockWaitPolicy::Wait, pass, |allocation, placements| {
            answer(allocation, &locks, placements)
        })
    };
    match run(Pass::Cheap) {
        Ok(outcomes) => return Ok(outcomes),
        Err(Interrupt::Stop(stop)) => return Err(stop),
        // Ending overdue holds or a second look may give another answer.
        Err(Interrupt::Retry(_)) => {}
    }
    match retry_after_wait(session, LockWaitPolicy::Wait, || run(Pass::Deep)) {
        Err(Stop::Busy) => retry_after_wait(session, LockWaitPolicy::Wait, || run(Pass::DeepOrBusy)),
        result => result,
    }
}

/// Takes the resource locks, and removes from `locks` those that `lock_timeout` kept it from getting.
///
/// A resource with a waitlist is locked in exclusive mode. As in [`acquire_all`], that is known only behind a
/// lock; then all locks are released and taken again in their order.
///
/// [`acquire_all`]: super::allocation::acquire::acquire_all
fn acquire_each(session: &Session, locks: &mut ResourceLocks, pools: &HashSet<&str>) {
    let mut wanted = locks.clone();
    loop {
        let mut taken = Vec::with_capacity(wanted.len());
        *locks = wanted.clone();
        locks.retain(|resource, mode| {
            let lock = match (pools.contains(resource), *mode) {
                (true, LockMode::Share) => {
                    acquire_pool(session, resource, LockWaitPolicy::Wait).map(|(lock, granted)| {
                        *mode = granted;
                        lock
                    })
                }
                (true, LockMode::Exclusive) => acquire_exclusive(session, resource, LockWaitPolicy::Wait),
                (false, _) => acquire_places(session, resource, *mode, LockWaitPolicy::Wait),
            };
            lock.map(|lock| taken.push(lock)).is_ok()
        });
        let shared = locks.iter().filter(|(_, mode)| **mode == LockMode::Share);
        let shared: Vec<&str> = shared.map(|(resource, _)| *resource).collect();
        let waited_for = if shared.is_empty() { Vec::new() } else { resources::waited_for(session, &shared) };
        if waited_for.is_empty() {
            return;
        }
        taken.into_iter().rev().for_each(HeavyweightLock::release);
        for name in &waited_for {
            if let Some(mode) = wanted.get_mut(name.as_str()) {
                *mode = LockMode::Exclusive;
            }
        }
    }
}

/// Answers every request in its order. Those whose resource is not locked get `busy`.
fn answer<'a>(
    allocation: &mut Allocation<'_, 'a>,
    locks: &ResourceLocks,
    placements: &'a [Placement<'a>],
) -> Result<Vec<Outcome>, Interrupt> {
    allocation.read_keys(placements);
    let serve = |(n, placement): (usize, &'a Placement<'a>)| {
        if !locks.contains_key(placement.resource) {
            return Ok(Outcome::busy().on(placement.resource));
        }
        let served = allocation.serve(placement).map_err(|stop| stop.of_item("request", n + 1))?;
        Ok(allocation.outcome(placement, served))
    };
    placements.iter().enumerate().map(serve).collect()
}
