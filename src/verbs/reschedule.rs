//! Moving a hold to another period of its calendar.

use super::fitting::{Wish, find_room, is_open, stay_on};
use super::patience::patiently;
use super::room::{owned, read};
use super::turns::{Turns, claim, days, mode_for, most_days, take_turns};
use super::waitlist::{missing, owed, serve_line};
use super::{Stop, Target, When, settle};
use crate::clock::{self, Timestamp};
use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::rules::Refusal;
use crate::rules::lifecycle::{self, Verdict};
use crate::rules::timeline::Period;
use crate::store::holds::{self, Lot, Stay, StoredHold};
use crate::store::queue::{self, Claim, Mode, Place};
use crate::store::resources::StoredResource;
use crate::store::{Patience, Session, calendar};
use std::collections::BTreeSet;

/// Moves a hold to another period, or leaves it where it is: what it has is never let go first.
pub fn reschedule(target: Target, during: Period) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.reschedule()"), target, during))
}

fn attempt(session: &Session, target: Target, during: Period) -> Result<Outcome, Stop> {
    let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
        return Ok(missing(session, target, false));
    };
    // Which calendar it is on never changes.
    let (stored, stay) = one_on_a_calendar(&seen)?;
    let places = most_days(stay.occupied.length()) + most_days(during.length());
    let mut turns = Turns::from([(stored.resource.as_str(), mode_for(places))]);
    take_turns(session, &mut turns, |_| false, Patience::Wait)?;
    let resource = read(session, &stored.resource)?;
    if let (Some(holder), Some(_)) = (&stored.holder, resource.pool.max_per_holder)
        && turns.values().any(|mode| *mode == Mode::Shared)
    {
        queue::line_up_for_holder(&stored.resource, holder, Patience::Wait)?;
    }
    let new = stay_on(resource.as_calendar()?, When::During(during))?;
    patiently(session, Patience::Wait, || {
        // Where it is may have changed since the last look.
        let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
            return Ok(missing(session, target, false));
        };
        let (_, stay) = one_on_a_calendar(&seen)?;
        let claims = match turns.values().all(|mode| *mode == Mode::Shared) {
            true => {
                let places: BTreeSet<Place> = days(stay.occupied).chain(days(new.occupied)).collect();
                claim(&resource.name, places, Patience::Wait)?
            }
            false => Vec::new(),
        };
        let Some(lot) = holds::lock(session, target.hold_id, target.resource)? else {
            return Ok(missing(session, target, false));
        };
        if one_on_a_calendar(&lot)?.1 != stay {
            return Err(Stop::Stale);
        }
        let outcome = move_to(session, &resource, lot, new, target.expected_version)?;
        if !outcome.is_news() {
            // Others may want these days.
            claims.into_iter().for_each(Claim::let_go);
        }
        Ok(outcome)
    })
}

fn one_on_a_calendar(lot: &Lot) -> Result<(&StoredHold, Stay), Error> {
    match (lot.basket, lot.holds.as_slice()) {
        (Some(_), _) => Err(Error::moved_basket()),
        (None, [stored]) => {
            stored.stay.map(|stay| (stored, stay)).ok_or_else(|| Error::no_calendar(&stored.resource))
        }
        (None, _) => Err(Error::internal("a hold is there twice")),
    }
}

/// Moves a hold that is locked, behind the claims on its days and those it is to have.
fn move_to(
    session: &Session,
    resource: &StoredResource,
    mut lot: Lot,
    new: Stay,
    expected_version: Option<i64>,
) -> Result<Outcome, Stop> {
    let now = clock::now();
    let (stored, stay) = one_on_a_calendar(&lot)?;
    let change =
        match lifecycle::amend(&stored.hold, stay.during == new.during, expected_version, now.micros()) {
            Verdict::Change(change) => change,
            Verdict::Refuse(refusal) => return Ok(Outcome::refused_hold(&lot, 0, refusal, now)),
            Verdict::Repeat | Verdict::TooMuch => return Ok(Outcome::repeated(&lot, true, now)),
        };
    if let Some(refused) = refused(session, resource, stored, new, now)? {
        return Ok(Outcome::refused(refused).about_hold(&lot, now));
    }
    let quantity = stored.hold.quantity;
    let unwritten = owed(session, resource)?.uses;
    let wish = Wish { resource, occupied: new.occupied, quantity, unwritten, of: Some(stored.id) };
    match find_room(session, &wish, now, true)? {
        Err(tightest) => {
            let at = Timestamp::from_micros(tightest.period.from);
            let refused = Refused::over_time(quantity, tightest.free(), at, resource.pool.version);
            Ok(Outcome::refused(refused).about_hold(&lot, now))
        }
        Ok(room) => {
            calendar::move_to(session, stored.id, &stored.resource, change.version, new, room.is_sole);
            if resource.waiting > 0 {
                serve_line(session, &resource.name)?;
            }
            for stored in &mut lot.holds {
                stored.stay = Some(new);
                stored.apply(&change, None);
            }
            Ok(Outcome::changed(&lot, Some(room.left), now))
        }
    }
}

/// What the calendar says to it, as it would to a new hold.
fn refused(
    session: &Session,
    resource: &StoredResource,
    stored: &StoredHold,
    new: Stay,
    now: Timestamp,
) -> Result<Option<Refused>, Stop> {
    let version = resource.pool.version;
    if !resource.pool.open {
        return Ok(Some(Refused::mere(Refusal::Closed, version)));
    }
    let calendar = resource.as_calendar()?;
    if !is_open(calendar, new.during) {
        return Ok(Some(Refused::outside_hours(calendar, version)));
    }
    let (Some(limit), Some(holder)) = (resource.pool.max_per_holder, &stored.holder) else { return Ok(None) };
    // A booking that is over counts no more, and would again.
    let counts = stored.stay.is_some_and(|stay| stay.during.to > now.micros());
    let quantity = stored.hold.quantity;
    if counts || new.during.to <= now.micros() {
        return Ok(None);
    }
    let owned = owned(session, &resource.name, holder, now)?;
    let exceeds = quantity > limit - owned;
    Ok(exceeds.then(|| Refused::over_limit(quantity, owned, limit, version)))
}
