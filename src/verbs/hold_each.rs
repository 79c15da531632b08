//! Placing many independent holds in one call, as the single calls would in that order.

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
/// Every resource is taken whole: a turn for each of a thousand requests would fill the server's lock
/// table. Where a resource is not to be had until `lock_timeout`, what was asked of it is busy and the
/// rest goes on.
pub fn hold_each(placements: &[Placement]) -> Result<Vec<Outcome>, Error> {
    let session = Session::to_write(c"booking.hold_each()");
    place(&session, placements).or_else(|stop| match stop {
        Stop::Error(error) => Err(error),
        // Somebody's own query has a row locked that all of it has to be written past.
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
    let at = |pass| {
        run_pass(session, &locks, placements, LockWaitPolicy::Wait, pass, |allocation, placements| {
            answer(allocation, &locks, placements)
        })
    };
    match at(Pass::Cheap) {
        Ok(outcomes) => return Ok(outcomes),
        Err(Interrupt::Stop(stop)) => return Err(stop),
        // Ending overdue holds may help, or a second look.
        Err(Interrupt::Retry(_)) => {}
    }
    match retry_after_wait(session, LockWaitPolicy::Wait, || at(Pass::Deep)) {
        Err(Stop::Busy) => retry_after_wait(session, LockWaitPolicy::Wait, || at(Pass::DeepOrBusy)),
        result => result,
    }
}

/// Takes the turns that are to be had. What anybody waits for is taken whole: who is served next can only be told where
/// nobody else serves. That is seen only behind a turn; then all are let go and taken anew, in their order.
fn acquire_each(session: &Session, locks: &mut ResourceLocks, pools: &HashSet<&str>) {
    let mut wanted = locks.clone();
    loop {
        let mut taken = Vec::with_capacity(wanted.len());
        *locks = wanted.clone();
        locks.retain(|resource, mode| {
            let lock = match (pools.contains(resource), *mode) {
                (true, LockMode::Share) => {
                    acquire_pool(session, resource, LockWaitPolicy::Wait).map(|(lock, had)| {
                        *mode = had;
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
