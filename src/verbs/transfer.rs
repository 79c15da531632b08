//! Giving a hold to another holder.

use super::allocation::acquire::{
    ResourceLocks, acquire_all, lock_holders, places_lock_mode, pool_lock_mode,
};
use super::allocation::reclaim::owned;
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Interrupt, Stop, settle};
use super::judge::judge;
use super::missing::missing;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::Target;
use crate::rules::basket::{self, BasketDecision};
use crate::rules::lifecycle::{self, Hold};
use crate::server::clock;
use crate::store::Session;
use crate::store::holds::{self, HoldGroup};
use crate::store::locks::LockWaitPolicy;
use crate::store::resources::{self, Kind, StoredResource};

/// Gives a hold or a basket to another holder. Refuses if that holder's limit on a resource does not allow it.
pub fn transfer(target: Target, holder: &str) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.transfer()"), target, holder))
}

fn attempt(session: &Session, target: Target, holder: &str) -> Result<Outcome, Stop> {
    let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
        return Ok(missing(session, target, false));
    };
    let names: Vec<&str> = seen.holds.iter().map(|stored| stored.resource.as_str()).collect();
    // A resource that sets no limit counts nobody's places, so its lock is not needed.
    let limited: Vec<StoredResource> = resources::read_all(session, &names)
        .into_iter()
        .filter(|found| found.pool.max_per_holder.is_some())
        .collect();
    acquire(session, &limited, &seen, holder)?;
    retry_after_wait(session, LockWaitPolicy::Wait, || {
        let Some(group) = holds::lock(session, target.hold_id, target.resource)? else {
            return Ok(missing(session, target, false));
        };
        give_to(session, group, target, holder, &limited)
    })
}

/// Takes the locks of the limited resources, then those of the new holder and of the old ones, so that nobody else
/// counts or changes what they have before the transaction ends.
fn acquire(
    session: &Session,
    limited: &[StoredResource],
    seen: &HoldGroup,
    holder: &str,
) -> Result<(), Stop> {
    let mode = |found: &StoredResource| match found.kind {
        Kind::Pool => pool_lock_mode(session, &found.name),
        Kind::Seats | Kind::Calendar => places_lock_mode(0),
    };
    let mut locks: ResourceLocks = limited.iter().map(|found| (found.name.as_str(), mode(found))).collect();
    let is_pool = |name: &str| limited.iter().any(|found| found.name == name && found.kind == Kind::Pool);
    acquire_all(session, &mut locks, is_pool, LockWaitPolicy::Wait)?;
    let new = limited.iter().map(|found| (found.name.as_str(), holder));
    Ok(lock_holders(session, &locks, seen.holders().chain(new), LockWaitPolicy::Wait)?)
}

/// Counts what the new holder has, and writes the new holder. The caller has locked the holds.
fn give_to(
    session: &Session,
    group: HoldGroup,
    target: Target,
    holder: &str,
    limited: &[StoredResource],
) -> Result<Outcome, Interrupt> {
    let now = clock::now();
    let is_theirs = group.holds.iter().all(|stored| stored.holder.as_deref() == Some(holder));
    let decide = |hold: &Hold, expected| lifecycle::amend(hold, is_theirs, expected, now.micros());
    let has_left = |hold: &Hold| basket::was_given_back(hold, now.micros());
    let changes = match judge(&group, target.expected_version, decide, has_left) {
        BasketDecision::Change(changes) => changes,
        BasketDecision::Refuse(place, refusal) => {
            return Ok(Outcome::refused_hold(&group, place, refusal, now));
        }
        BasketDecision::Repeat | BasketDecision::Adopt(_) | BasketDecision::TooMuch(_) => {
            return Ok(Outcome::repeated(&group, true, now));
        }
    };
    for (place, change) in &changes {
        let Some(stored) = group.holds.get(*place) else { continue };
        if let Some(found) = limited.iter().find(|found| found.name == stored.resource)
            && stored.holder.as_deref() != Some(holder)
        {
            let owned = owned(session, &stored.resource, holder, now)?;
            if found.pool.exceeds_limit(change.quantity, owned) {
                let limit = found.pool.max_per_holder;
                let refused = Outcome::late_limit_exceeded(&group, change.quantity, owned, limit, now);
                return Err(Stop::Refused(Box::new(refused)).into());
            }
        }
        holds::set_holder(session, stored, change, holder);
    }
    let mut group = group.changed(&changes, None);
    for (place, _) in &changes {
        if let Some(stored) = group.holds.get_mut(*place) {
            stored.holder = Some(holder.to_owned());
        }
    }
    Ok(Outcome::changed(&group, None, now))
}
