//! Turns at resources and claims on their places: the locks that come before everything else.

use super::Want;
use super::stop::Stop;
use crate::request::When;
use crate::rules::Micros;
use crate::rules::hours::DAY;
use crate::rules::timeline::Period;
use crate::shared_memory::escrow::{self, Entered};
use crate::store::holds::{HoldGroup, StoredHold};
use crate::store::locks::heavyweight::{self, Claim, ClaimTarget, HeavyweightLock, LockMode};
use crate::store::locks::{Busy, LockWaitPolicy, snapshot};
use crate::store::resources::{self, Kind};
use crate::store::{Session, pools};
use std::collections::{BTreeMap, BTreeSet};

/// The most places that one call claims one by one: each takes an entry of the server's lock table.
/// Who wants more takes the whole resource.
const MAX_CLAIMS: usize = 64;

/// The resources a call is about, by name, and how much of each it takes its turn for.
pub type ResourceLocks<'a> = BTreeMap<&'a str, LockMode>;

/// Takes a turn at one resource: all of it, for a verb that is going to change its row.
pub fn acquire_exclusive(
    session: &Session,
    resource: &str,
    policy: LockWaitPolicy,
) -> Result<HeavyweightLock, Busy> {
    let lock = heavyweight::lock_resource(resource, LockMode::Exclusive, policy)?;
    resources::lock_ahead(session, resource, policy)?;
    pools::enter_exclusive(session, resource);
    Ok(lock)
}

/// Takes a turn at a pool, and enters its count: shared, where it is an escrow pool, with all others who take from it
/// or give back; alone otherwise. Whose snapshot is kept is told where what it shows of the pool is not so any more.
pub fn acquire_pool(
    session: &Session,
    resource: &str,
    policy: LockWaitPolicy,
) -> Result<(HeavyweightLock, LockMode), Busy> {
    loop {
        let Some(id) = escrow::is_possible().then(|| pools::escrow(session, resource)).flatten() else {
            return Ok((acquire_exclusive(session, resource, policy)?, LockMode::Exclusive));
        };
        let lock = heavyweight::lock_resource(resource, LockMode::Share, policy)?;
        // Only behind a turn it stays what it is.
        if pools::escrow(session, resource) == Some(id) {
            if escrow::enter(id) == Entered::Yes {
                if snapshot::is_repeatable_read() {
                    let shown = resources::read(session, resource).map(|found| found.definition());
                    let now = || resources::read_now(session, resource).map(|found| found.definition());
                    snapshot::assert_unchanged(&shown, now);
                }
                return Ok((lock, LockMode::Share));
            }
            lock.release();
            // It is counted by who has it alone; once that is done, others may come.
            let alone = acquire_exclusive(session, resource, policy)?;
            if pools::escrow(session, resource) != Some(id) {
                alone.release();
                continue;
            }
            if escrow::enter(id) != Entered::Yes {
                return Ok((alone, LockMode::Exclusive));
            }
            let lock = heavyweight::lock_resource(resource, LockMode::Share, policy)?;
            alone.release();
            return Ok((lock, LockMode::Share));
        }
        lock.release();
    }
}

/// How much of a pool is taken for a verb that takes from it or gives back.
pub fn pool_lock_mode(session: &Session, resource: &str) -> LockMode {
    match escrow::is_possible() && pools::escrow(session, resource).is_some() {
        true => LockMode::Share,
        false => LockMode::Exclusive,
    }
}

/// Takes a shared turn at one resource, or the whole of it. Whether anybody waits for it is still to be asked.
pub fn acquire_places(
    session: &Session,
    resource: &str,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<HeavyweightLock, Busy> {
    let lock = heavyweight::lock_resource(resource, mode, policy)?;
    if snapshot::is_repeatable_read() {
        resources::lock_ahead(session, resource, policy)?;
    }
    Ok(lock)
}

/// Takes a turn for some places of a resource, so many. Whose snapshot is kept takes the whole: what
/// has changed since it was taken can only be told where nobody changes anything.
pub fn places_lock_mode(places: usize) -> LockMode {
    if places > MAX_CLAIMS || snapshot::is_repeatable_read() { LockMode::Exclusive } else { LockMode::Share }
}

/// Takes the turns in the order of the names. The rows of pools are locked ahead where they have to
/// be; the others' only where the snapshot is kept, which may show one as open that has closed.
///
/// What anybody waits for is taken whole: who is served next can only be told where nobody else serves. That
/// is seen only behind a turn, since to join the line takes one alone; then all are let go and taken anew,
/// in their order.
pub fn acquire_all(
    session: &Session,
    locks: &mut ResourceLocks,
    pools: impl Fn(&str) -> bool,
    policy: LockWaitPolicy,
) -> Result<(), Busy> {
    loop {
        let mut taken = Vec::with_capacity(locks.len());
        for (resource, mode) in locks.iter_mut() {
            taken.push(match (pools(resource), *mode) {
                (true, LockMode::Exclusive) => acquire_exclusive(session, resource, policy)?,
                (true, LockMode::Share) => {
                    let (lock, had) = acquire_pool(session, resource, policy)?;
                    *mode = had;
                    lock
                }
                (false, _) => acquire_places(session, resource, *mode, policy)?,
            });
        }
        let shared = locks.iter().filter(|(_, mode)| **mode == LockMode::Share);
        let shared: Vec<&str> = shared.map(|(resource, _)| *resource).collect();
        let waited_for = if shared.is_empty() { Vec::new() } else { resources::waited_for(session, &shared) };
        if waited_for.is_empty() {
            return Ok(());
        }
        taken.into_iter().rev().for_each(HeavyweightLock::release);
        for (resource, mode) in locks.iter_mut() {
            if waited_for.iter().any(|name| name == resource) {
                *mode = LockMode::Exclusive;
            }
        }
    }
}

/// Lines up for holders of whom something is given, or given back, where what each has is limited and others have a
/// turn at the same time: what they have is only counted when it is decided.
pub fn lock_holders<'l>(
    session: &Session,
    locks: &ResourceLocks,
    holders: impl Iterator<Item = (&'l str, &'l str)>,
    policy: LockWaitPolicy,
) -> Result<(), Busy> {
    let is_shared = |resource: &str| locks.get(resource) == Some(&LockMode::Share);
    let is_limited = |resource: &str| pools::cached(session, resource).is_some_and(|known| known.is_limited);
    let limited: BTreeSet<_> =
        holders.filter(|(resource, _)| is_shared(resource) && is_limited(resource)).collect();
    for (resource, holder) in limited {
        heavyweight::lock_holder(resource, holder, policy)?;
    }
    Ok(())
}

/// Claims places of a resource, which come in their order, or none of them.
pub fn claim<'a>(
    resource: &str,
    places: impl IntoIterator<Item = ClaimTarget<'a>>,
    policy: LockWaitPolicy,
) -> Result<Vec<Claim>, Busy> {
    let mut claims = Vec::new();
    for place in places {
        match Claim::wait(resource, place, policy) {
            Ok(claim) => claims.push(claim),
            Err(busy) => {
                claims.into_iter().for_each(Claim::release);
                return Err(busy);
            }
        }
    }
    Ok(claims)
}

/// The days that a period lies in.
pub fn days<'a>(period: Period) -> impl Iterator<Item = ClaimTarget<'a>> {
    (period.from.div_euclid(DAY)..=(period.to - 1).div_euclid(DAY)).map(ClaimTarget::Day)
}

/// The most days that a period of this length lies in.
pub const fn max_days(length: Micros) -> usize {
    length.div_euclid(DAY) as usize + 2
}

/// The turns that holds need: a locked pool's alone, a shared one at an escrow pool, and for seats and calendars as
/// long as their places are few.
pub fn locks_of<'l>(session: &Session, group: &'l HoldGroup) -> ResourceLocks<'l> {
    let mode = places_lock_mode(group.holds.iter().map(|stored| places_of(stored).len()).sum());
    let mode_of = |stored: &StoredHold| match stored.kind() {
        Kind::Pool => pool_lock_mode(session, &stored.resource),
        Kind::Seats | Kind::Calendar => mode,
    };
    group.holds.iter().map(|stored| (stored.resource.as_str(), mode_of(stored))).collect()
}

fn places_of(stored: &StoredHold) -> Vec<ClaimTarget<'_>> {
    let seats = stored.seats.iter().flatten().map(|label| ClaimTarget::Seat(label));
    seats.chain(stored.booked.iter().flat_map(|booked| days(booked.occupied))).collect()
}

/// Claims the places of holds, by resource and in their order.
pub fn claim_places(
    group: &HoldGroup,
    locks: &ResourceLocks,
    policy: LockWaitPolicy,
) -> Result<Vec<Claim>, Stop> {
    let mut claims = Vec::new();
    for (resource, _) in locks.iter().filter(|(_, mode)| **mode == LockMode::Share) {
        let on_it = group.holds.iter().filter(|stored| stored.resource == *resource);
        let places: BTreeSet<ClaimTarget> = on_it.flat_map(places_of).collect();
        match claim(resource, places, policy) {
            Ok(more) => claims.extend(more),
            Err(busy) => {
                claims.into_iter().for_each(Claim::release);
                return Err(busy.into());
            }
        }
    }
    Ok(claims)
}

impl HoldGroup {
    /// Whose they are, by resource.
    pub fn holders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.holds.iter().filter_map(|stored| Some((stored.resource.as_str(), stored.holder.as_deref()?)))
    }

    pub fn is_of_pool(&self, resource: &str) -> bool {
        self.holds.iter().any(|stored| stored.resource == resource && stored.kind() == Kind::Pool)
    }
}

/// How many places are claimed for a request at the most; a calendar's buffer comes on top of that.
pub fn max_claims(want: &Want) -> usize {
    match want {
        Want::Quantity(_) => 0,
        Want::Seats(seats) => seats.len(),
        Want::Best { quantity, .. } => *quantity,
        Want::Period { when: When::During(period), .. } => max_days(period.length()),
        Want::Period { when: When::Nights { check_in, check_out }, .. } => {
            check_in.abs_diff(*check_out) as usize + 2
        }
    }
}
