//! The locks that come before everything else, in their one order: resource locks by name, then the locks of
//! limited holders, then the claims on seats and days by resource. The rows of holds, which come last, are locked
//! by `store`.

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
use crate::store::pools::{self, CachedPool};
use crate::store::resources::{self, Kind};
use crate::store::{Session, contention};
use std::collections::{BTreeMap, BTreeSet};

/// The most places that one call claims one by one, because each claim takes an entry of the server's lock table.
/// A call for more places takes the resource lock in exclusive mode.
const MAX_CLAIMS: usize = 64;

/// The resources that a call is about, by name, and the mode in which it takes the lock of each.
pub type ResourceLocks<'a> = BTreeMap<&'a str, LockMode>;

/// Takes one resource lock in exclusive mode, for a verb that is going to change the resource's row.
///
/// Locks the row ahead if the UPDATE would wait for it against the policy, or would rest on an old snapshot.
/// Enters the count of an escrow pool.
pub fn acquire_exclusive(
    session: &Session,
    resource: &str,
    policy: LockWaitPolicy,
) -> Result<HeavyweightLock, Busy> {
    let lock = heavyweight::lock_resource(resource, LockMode::Exclusive, policy)?;
    resources::lock_ahead(session, resource, policy)?;
    // What decides on the whole pool finds it in its row.
    if escrow::is_possible() && contention::move_to_row(session, resource) {
        return Ok(lock.kept());
    }
    pools::enter_exclusive(session, resource);
    Ok(lock)
}

/// Takes the lock of a pool and enters its count. Returns the lock with the mode that it was granted in: share
/// mode for an escrow pool, so that others take and give back beside this call; exclusive mode for every other.
///
/// In REPEATABLE READ and above, raises 40001 if an escrow pool was redefined since the snapshot was taken.
pub fn acquire_pool(
    session: &Session,
    resource: &str,
    policy: LockWaitPolicy,
) -> Result<(HeavyweightLock, LockMode), Busy> {
    acquire_known(session, resource, policy).map(|(lock, mode, _)| (lock, mode))
}

/// As [`acquire_pool`]. Returns also what the backend knows of a pool whose count it has entered.
fn acquire_known(
    session: &Session,
    resource: &str,
    policy: LockWaitPolicy,
) -> Result<(HeavyweightLock, LockMode, Option<CachedPool>), Busy> {
    loop {
        let Some(id) = escrow::is_possible().then(|| pools::escrow(session, resource)).flatten() else {
            let lock = heavyweight::lock_resource(resource, LockMode::Exclusive, policy)?;
            // Another transaction may have moved the count to shared memory while this one waited.
            if escrow::is_possible() && pools::escrow(session, resource).is_some() {
                lock.release();
                continue;
            }
            resources::lock_ahead(session, resource, policy)?;
            return Ok((lock, LockMode::Exclusive, None));
        };
        let lock = heavyweight::lock_resource(resource, LockMode::Share, policy)?;
        // The look above had no lock, so another transaction may have changed the pool's contention meanwhile.
        let known = pools::cached(session, resource).filter(|known| known.escrow == Some(id));
        if known.is_some() {
            if escrow::enter(id) == Entered::Yes {
                if snapshot::is_repeatable_read() {
                    let shown = resources::read(session, resource).map(|found| found.definition());
                    let now = || resources::read_now(session, resource).map(|found| found.definition());
                    snapshot::assert_unchanged(&shown, now);
                }
                return Ok((lock, LockMode::Share, known));
            }
            lock.release();
            // The holds are added up under the exclusive lock: beside others, the sum would miss what they have
            // not committed. With the count in memory this call goes on in share mode, but if the count of a pool that
            // moves is lost, it is in the row again.
            let exclusive = acquire_exclusive(session, resource, policy)?;
            match pools::escrow(session, resource) {
                None => return Ok((exclusive, LockMode::Exclusive, None)),
                Some(now) if now != id => {
                    exclusive.release();
                    continue;
                }
                Some(_) if escrow::enter(id) != Entered::Yes => {
                    return Ok((exclusive, LockMode::Exclusive, None));
                }
                Some(_) => {
                    let lock = heavyweight::lock_resource(resource, LockMode::Share, policy)?;
                    exclusive.release();
                    return Ok((lock, LockMode::Share, known));
                }
            }
        }
        lock.release();
    }
}

/// As [`acquire_pool`], for a call that locks nothing else before it has this lock. Returns also what the backend knows of a
/// pool whose count it has entered. If many wait for the pool and its count
/// may move, it moves to shared memory here; and back to the row once it is quiet, or little is left.
///
/// A call that takes several resource locks must not move a count: it may have to release the locks and take them again
/// in their order, and the lock on a row that it has written stays.
pub fn acquire_pool_alone(
    session: &Session,
    resource: &str,
    policy: LockWaitPolicy,
) -> Result<(HeavyweightLock, LockMode, Option<CachedPool>), Busy> {
    let (lock, mode, known) = acquire_known(session, resource, policy)?;
    if mode == LockMode::Exclusive
        && lock.has_waited
        && lock.waiters() >= contention::MIN_WAITERS
        && contention::move_to_memory(session, resource)
    {
        let lock = heavyweight::lock_resource(resource, LockMode::Share, policy)?;
        return Ok((lock, LockMode::Share, pools::cached(session, resource)));
    }
    if known.is_some_and(|known| contention::should_be_in_row(&known)) {
        lock.release();
        return Ok((acquire_exclusive(session, resource, policy)?, LockMode::Exclusive, None));
    }
    Ok((lock, mode, known))
}

/// Returns the mode in which a verb that takes from a pool or gives back locks it. Without the lock this is a
/// guess: [`acquire_pool`] settles it.
pub fn pool_lock_mode(session: &Session, resource: &str) -> LockMode {
    let may_share = |known: CachedPool| known.is_auto || known.escrow.is_some();
    match escrow::is_possible() && pools::cached(session, resource).is_some_and(may_share) {
        true => LockMode::Share,
        false => LockMode::Exclusive,
    }
}

/// Takes the lock of a resource with seats or of a calendar in `mode`. In share mode the caller has yet to ask
/// whether the resource has a waitlist.
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

/// Returns the mode in which a call for `places` seats or days locks the resource.
///
/// In REPEATABLE READ and above this is exclusive mode: the call compares what it sees with what is true now, and
/// only the exclusive lock keeps others from changing it in between.
pub fn places_lock_mode(places: usize) -> LockMode {
    if places > MAX_CLAIMS || snapshot::is_repeatable_read() { LockMode::Exclusive } else { LockMode::Share }
}

/// Takes the resource locks in the order of the names, and writes into `locks` the modes that were granted.
///
/// Locks the rows of pools ahead as [`acquire_exclusive`] does; those of other resources only in REPEATABLE READ
/// and above, where the snapshot may show a resource as open that has closed since.
///
/// A resource with a waitlist is locked in exclusive mode, because only one transaction at a time may serve its
/// line. Whether there is a line is known only behind a lock, since joining takes the exclusive one. So if a
/// resource that is locked in share mode has a waitlist, all locks are released and taken again in their order.
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
                    let (lock, granted) = acquire_pool(session, resource, policy)?;
                    *mode = granted;
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

/// Takes the locks of holders on those resources that limit them and that are locked in share mode.
///
/// Beside this call, another transaction could place a hold for the same holder. The lock keeps the sum of the
/// holder's places true from the moment it is counted until the transaction ends.
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

/// Claims places of a resource, which the caller passes in their order. Releases those it has claimed and returns
/// `Err` if it does not get one of them.
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

/// Returns the days that a period lies in, counted in UTC.
pub fn days<'a>(period: Period) -> impl Iterator<Item = ClaimTarget<'a>> {
    (period.from.div_euclid(DAY)..=(period.to - 1).div_euclid(DAY)).map(ClaimTarget::Day)
}

/// Returns the most days that a period of this length can lie in.
pub const fn max_days(length: Micros) -> usize {
    length.div_euclid(DAY) as usize + 2
}

/// Returns the resource locks that a verb on these holds needs: exclusive mode for a locked pool; share mode for
/// an escrow pool, and for seats and calendars as long as there are at most [`MAX_CLAIMS`] places.
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

/// Claims the places of holds, by resource and in their order. Skips resources that are locked in exclusive mode.
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
    /// Returns the resource and the holder of each hold that has one.
    pub fn holders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.holds.iter().filter_map(|stored| Some((stored.resource.as_str(), stored.holder.as_deref()?)))
    }

    pub fn is_of_pool(&self, resource: &str) -> bool {
        self.holds.iter().any(|stored| stored.resource == resource && stored.kind() == Kind::Pool)
    }
}

/// Returns how many places a request claims at most. The buffer of a calendar is not counted.
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
