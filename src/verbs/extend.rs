//! Extending holds.

use super::allocation::stop::{Stop, settle};
use super::judge::judge;
use super::missing::missing;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::Target;
use crate::rules::Micros;
use crate::rules::basket::{self, BasketDecision};
use crate::rules::lifecycle::{self, Hold};
use crate::server::{clock, settings};
use crate::store::{Session, holds};

/// Extends holds to `ttl` microseconds from now, at most to `booking.max_ttl` after they were placed. Never
/// shortens one.
pub fn extend(target: Target, ttl: Micros) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.extend()"), target, ttl))
}

fn attempt(session: &Session, target: Target, ttl: Micros) -> Result<Outcome, Stop> {
    let Some(group) = holds::lock(session, target.hold_id, target.resource)? else {
        return Ok(missing(session, target, false));
    };
    let now = clock::now();
    let decide =
        |hold: &Hold, expected| lifecycle::extend(hold, ttl, settings::max_ttl(), expected, now.micros());
    let has_left = |hold: &Hold| basket::was_given_back(hold, now.micros());
    match judge(&group, target.expected_version, decide, has_left) {
        BasketDecision::Change(changes) => {
            let group = group.write(session, &changes, None, now);
            Ok(Outcome::changed(&group, None, now))
        }
        BasketDecision::Refuse(place, refusal) => Ok(Outcome::refused_hold(&group, place, refusal, now)),
        // The hold expires as late or later already.
        BasketDecision::Repeat | BasketDecision::Adopt(_) | BasketDecision::TooMuch(_) => {
            Ok(Outcome::current(&group, true, now))
        }
    }
}
