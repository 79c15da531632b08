//! Giving a hold more time.

use super::{Stop, Target, settle};
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::Micros;
use crate::rules::lifecycle::{Verdict, extend as decide};
use crate::settings;
use crate::store::{Session, holds};

/// Lets a hold live for `ttl` from now, within the bounds of the rules.
pub fn extend(target: Target, ttl: Micros) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.extend()"), target, ttl))
}

fn attempt(session: &Session, target: Target, ttl: Micros) -> Result<Outcome, Stop> {
    let Some(stored) = holds::lock(session, target.hold_id, target.resource)? else {
        return Ok(Outcome::not_found(target.hold_id));
    };
    let now = clock::now();
    match decide(&stored.hold, ttl, settings::max_ttl(), target.expected_version, now.micros()) {
        Verdict::Change(change) => {
            holds::write(session, &stored, &change, None, now);
            Ok(Outcome::changed(&stored, &change, None))
        }
        Verdict::Refuse(refusal) => Ok(Outcome::refused_hold(&stored, refusal, now)),
        // It lives as long already.
        Verdict::Repeat | Verdict::TooMuch => Ok(Outcome::standing(&stored, true, now)),
    }
}
