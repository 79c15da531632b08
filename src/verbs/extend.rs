//! Giving holds more time.

use super::waitlist::missing;
use super::{Stop, Target, judge, settle};
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::Micros;
use crate::rules::basket::{self, Joint};
use crate::rules::lifecycle::{self, Hold};
use crate::settings;
use crate::store::{Session, holds};

/// Lets holds live for `ttl` from now, within the bounds of the rules.
pub fn extend(target: Target, ttl: Micros) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.extend()"), target, ttl))
}

fn attempt(session: &Session, target: Target, ttl: Micros) -> Result<Outcome, Stop> {
    let Some(lot) = holds::lock(session, target.hold_id, target.resource)? else {
        return Ok(missing(session, target, false));
    };
    let now = clock::now();
    let decide =
        |hold: &Hold, expected| lifecycle::extend(hold, ttl, settings::max_ttl(), expected, now.micros());
    let has_left = |hold: &Hold| basket::was_given_back(hold, now.micros());
    match judge(&lot, target.expected_version, decide, has_left) {
        Joint::Change(changes) => {
            let lot = lot.write(session, &changes, None, now);
            Ok(Outcome::changed(&lot, None, now))
        }
        Joint::Refuse(place, refusal) => Ok(Outcome::refused_hold(&lot, place, refusal, now)),
        // It lives as long already.
        Joint::Repeat | Joint::TooMuch(_) => Ok(Outcome::standing(&lot, true, now)),
    }
}
