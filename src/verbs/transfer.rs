//! Giving a hold to another holder.

use super::patience::patiently;
use super::room::owned;
use super::turns::{Turns, line_up_for_holders, mode_for, mode_of_pool, take_turns};
use super::waitlist::missing;
use super::{Stop, Target, judge, settle};
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::basket::{self, Joint};
use crate::rules::lifecycle::{self, Hold};
use crate::store::holds::{self, Lot};
use crate::store::resources::{self, Kind, StoredResource};
use crate::store::{Patience, Session};

/// Makes a hold, or a basket, another holder's, who may have so much more.
pub fn transfer(target: Target, holder: &str) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.transfer()"), target, holder))
}

fn attempt(session: &Session, target: Target, holder: &str) -> Result<Outcome, Stop> {
    let Some(seen) = holds::look(session, target.hold_id, target.resource) else {
        return Ok(missing(session, target, false));
    };
    let names: Vec<&str> = seen.holds.iter().map(|stored| stored.resource.as_str()).collect();
    // Where nobody is limited, nothing is counted, and no turn is needed.
    let limited: Vec<StoredResource> = resources::read_all(session, &names)
        .into_iter()
        .filter(|found| found.pool.max_per_holder.is_some())
        .collect();
    line_up(session, &limited, &seen, holder)?;
    patiently(session, Patience::Wait, || {
        let Some(lot) = holds::lock(session, target.hold_id, target.resource)? else {
            return Ok(missing(session, target, false));
        };
        hand_over(session, lot, target, holder, &limited)
    })
}

/// What the new holder has can then be counted; and what the old ones have, when somebody wants to know.
fn line_up(session: &Session, limited: &[StoredResource], seen: &Lot, holder: &str) -> Result<(), Stop> {
    let mode = |found: &StoredResource| match found.kind {
        Kind::Pool => mode_of_pool(session, &found.name),
        Kind::Seats | Kind::Calendar => mode_for(0),
    };
    let mut turns: Turns = limited.iter().map(|found| (found.name.as_str(), mode(found))).collect();
    let is_pool = |name: &str| limited.iter().any(|found| found.name == name && found.kind == Kind::Pool);
    take_turns(session, &mut turns, is_pool, Patience::Wait)?;
    let new = limited.iter().map(|found| (found.name.as_str(), holder));
    Ok(line_up_for_holders(session, &turns, seen.holders().chain(new), Patience::Wait)?)
}

fn hand_over(
    session: &Session,
    lot: Lot,
    target: Target,
    holder: &str,
    limited: &[StoredResource],
) -> Result<Outcome, Stop> {
    let now = clock::now();
    let is_theirs = lot.holds.iter().all(|stored| stored.holder.as_deref() == Some(holder));
    let decide = |hold: &Hold, expected| lifecycle::amend(hold, is_theirs, expected, now.micros());
    let has_left = |hold: &Hold| basket::was_given_back(hold, now.micros());
    let changes = match judge(&lot, target.expected_version, decide, has_left) {
        Joint::Change(changes) => changes,
        Joint::Refuse(place, refusal) => return Ok(Outcome::refused_hold(&lot, place, refusal, now)),
        Joint::Repeat | Joint::TooMuch(_) => return Ok(Outcome::repeated(&lot, true, now)),
    };
    for (place, change) in &changes {
        let Some(stored) = lot.holds.get(*place) else { continue };
        let limit = limited.iter().find(|found| found.name == stored.resource);
        if let Some(limit) = limit.and_then(|found| found.pool.max_per_holder)
            && stored.holder.as_deref() != Some(holder)
        {
            let owned = owned(session, &stored.resource, holder, now)?;
            if change.quantity > limit - owned {
                let refused = Outcome::late_limit_exceeded(&lot, change.quantity, owned, Some(limit), now);
                return Err(Stop::Refused(Box::new(refused)));
            }
        }
        holds::hand_over(session, stored, change, holder);
    }
    Ok(Outcome::changed(&lot.changed(&changes, None), None, now))
}
