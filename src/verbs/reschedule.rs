//! Moving a hold to another period of its calendar.

use super::allocation::acquire::{ResourceLocks, acquire_all, claim, days, max_days, places_lock_mode};
use super::allocation::attempt::serve_line;
use super::allocation::fit::{PeriodRequest, booked_period_on, find_fit, is_open};
use super::allocation::owed::owed;
use super::allocation::reclaim::owned;
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Interrupt, Retry, Stop, settle};
use super::missing::missing;
use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::request::{Target, When};
use crate::rules::Refusal;
use crate::rules::lifecycle::{self, Verdict};
use crate::rules::timeline::Period;
use crate::server::clock::{self, Timestamp};
use crate::store::holds::{self, BookedPeriod, HoldGroup, StoredHold};
use crate::store::locks::LockWaitPolicy;
use crate::store::locks::heavyweight::{self, Claim, ClaimTarget, LockMode};
use crate::store::resources::{self, StoredResource};
use crate::store::{Session, calendar};
use std::collections::BTreeSet;

/// Moves a hold to another period, or leaves it where it is. Never gives up the old period before it has the new
/// one.
pub fn reschedule(target: Target, during: Period) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.reschedule()"), target, during))
}

fn attempt(session: &Session, target: Target, during: Period) -> Result<Outcome, Stop> {
    let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
        return Ok(missing(session, target, false));
    };
    // A look without a lock is enough for this: a hold never changes its calendar.
    let (stored, booked) = one_on_a_calendar(&seen)?;
    let places = max_days(booked.occupied.length()) + max_days(during.length());
    let mut locks = ResourceLocks::from([(stored.resource.as_str(), places_lock_mode(places))]);
    acquire_all(session, &mut locks, |_| false, LockWaitPolicy::Wait)?;
    let resource = resources::read_existing(session, &stored.resource)?;
    if let (Some(holder), Some(_)) = (&stored.holder, resource.pool.max_per_holder)
        && locks.values().any(|mode| *mode == LockMode::Share)
    {
        heavyweight::lock_holder(&stored.resource, holder, LockWaitPolicy::Wait)?;
    }
    let new = booked_period_on(resource.as_calendar()?, When::During(during))?;
    retry_after_wait(session, LockWaitPolicy::Wait, || {
        // Another call may have moved the hold since the last look.
        let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
            return Ok(missing(session, target, false));
        };
        let (_, booked) = one_on_a_calendar(&seen)?;
        let claims = match locks.values().all(|mode| *mode == LockMode::Share) {
            true => {
                let places: BTreeSet<ClaimTarget> = days(booked.occupied).chain(days(new.occupied)).collect();
                claim(&resource.name, places, LockWaitPolicy::Wait)?
            }
            false => Vec::new(),
        };
        let Some(group) = holds::lock(session, target.hold_id, target.resource)? else {
            return Ok(missing(session, target, false));
        };
        if one_on_a_calendar(&group)?.1 != booked {
            return Err(Retry::Stale.into());
        }
        let outcome = move_to(session, &resource, group, new, target.expected_version)?;
        if !outcome.is_news() {
            // This call changes nothing, so it need not keep others waiting for these days.
            claims.into_iter().for_each(Claim::release);
        }
        Ok(outcome)
    })
}

/// Returns the hold and its booked period. Returns `Err` for a basket, and for a hold that is not on a calendar.
fn one_on_a_calendar(group: &HoldGroup) -> Result<(&StoredHold, BookedPeriod), Error> {
    match (group.basket, group.holds.as_slice()) {
        (Some(_), _) => Err(Error::moved_basket()),
        (None, [stored]) => {
            stored.booked.map(|booked| (stored, booked)).ok_or_else(|| Error::no_calendar(&stored.resource))
        }
        (None, _) => Err(Error::internal("several holds have one id")),
    }
}

/// Moves a hold that the caller has locked, behind the claims on its old and its new days.
fn move_to(
    session: &Session,
    resource: &StoredResource,
    mut group: HoldGroup,
    new: BookedPeriod,
    expected_version: Option<i64>,
) -> Result<Outcome, Interrupt> {
    let now = clock::now();
    let (stored, booked) = one_on_a_calendar(&group)?;
    let change =
        match lifecycle::amend(&stored.hold, booked.during == new.during, expected_version, now.micros()) {
            Verdict::Change(change) => change,
            Verdict::Refuse(refusal) => return Ok(Outcome::refused_hold(&group, 0, refusal, now)),
            Verdict::Repeat | Verdict::Adopt(_) | Verdict::TooMuch => {
                return Ok(Outcome::repeated(&group, true, now));
            }
        };
    if let Some(refused) = refused(session, resource, stored, new, now)? {
        return Ok(Outcome::not_exchanged(&group, refused, now));
    }
    let quantity = stored.hold.quantity;
    let unwritten = owed(session, resource)?.usages;
    let request =
        PeriodRequest { resource, occupied: new.occupied, quantity, unwritten, of: Some(stored.id) };
    match find_fit(session, &request, now, true)? {
        Err(tightest) => {
            let at = Timestamp::from_micros(tightest.period.from);
            let refused = Refused::over_time(quantity, tightest.free(), at, resource.pool.version);
            Ok(Outcome::not_exchanged(&group, refused, now))
        }
        Ok(fit) => {
            calendar::move_to(session, stored.id, &stored.resource, change.version, new, fit.is_exclusive);
            if resource.waiting > 0 {
                serve_line(session, &resource.name)?;
            }
            for stored in &mut group.holds {
                stored.booked = Some(new);
                stored.apply(&change, None);
            }
            Ok(Outcome::changed(&group, Some(fit.left), now))
        }
    }
}

/// Returns why the calendar would refuse the new period to a new hold: it is closed, or the holder's limit.
/// Returns `None` if it would not. Whether the period is free is the next question.
fn refused(
    session: &Session,
    resource: &StoredResource,
    stored: &StoredHold,
    new: BookedPeriod,
    now: Timestamp,
) -> Result<Option<Refused>, Interrupt> {
    let version = resource.pool.version;
    if !resource.pool.open {
        return Ok(Some(Refused::mere(Refusal::Closed, version)));
    }
    let calendar = resource.as_calendar()?;
    if !is_open(calendar, new.during) {
        return Ok(Some(Refused::outside_hours(calendar, version)));
    }
    let limit = resource.pool.max_per_holder;
    let (Some(_), Some(holder)) = (limit, &stored.holder) else { return Ok(None) };
    // The limit counts no booking that is over. Moving such a booking into the future would make it count again.
    let counts = stored.booked.is_some_and(|booked| booked.during.to > now.micros());
    let quantity = stored.hold.quantity;
    if counts || new.during.to <= now.micros() {
        return Ok(None);
    }
    let owned = owned(session, &resource.name, holder, now)?;
    let exceeds = resource.pool.exceeds_limit(quantity, owned);
    Ok(exceeds.then(|| Refused::over_limit(quantity, owned, limit, version)))
}
