//! Giving a hold back, whole or in part: before it is confirmed (release) or after (cancel).

use super::{Stop, Target, settle, take_turn};
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::Micros;
use crate::rules::lifecycle::{self, Hold, State, Verdict};
use crate::store::{Patience, Session, holds, resources};

/// Releases a hold: all of it, or so much.
pub fn release(target: Target, quantity: Option<i64>) -> Result<Outcome, Error> {
    settle(give_back(&Session::to_write(c"booking.release()"), target, quantity, lifecycle::release))
}

/// Cancels a confirmed hold: all of it, or so much.
pub fn cancel(target: Target, quantity: Option<i64>) -> Result<Outcome, Error> {
    settle(give_back(&Session::to_write(c"booking.cancel()"), target, quantity, lifecycle::cancel))
}

type Decide = fn(&Hold, Option<i64>, Option<i64>, Micros) -> Verdict;

fn give_back(
    session: &Session,
    target: Target,
    quantity: Option<i64>,
    decide: Decide,
) -> Result<Outcome, Stop> {
    let Target { hold_id, resource, expected_version } = target;
    // The resource's lock comes first, and which resource it is never changes.
    let seen = match resource {
        Some(resource) => Some(resource.to_owned()),
        None => holds::by_id(session, hold_id, None).map(|seen| seen.resource),
    };
    let Some(resource) = seen else {
        return Ok(Outcome::not_found(hold_id));
    };
    take_turn(session, &resource, Patience::Wait)?;
    let Some(stored) = holds::lock(session, hold_id, Some(&resource))? else {
        return Ok(Outcome::not_found(hold_id));
    };
    let now = clock::now();
    match decide(&stored.hold, quantity, expected_version, now.micros()) {
        Verdict::Change(change) => {
            holds::write(session, &stored, &change, None, now);
            let level = resources::give_back(session, &resource, -change.room);
            // That its time had run out, swept or not, is no news to be told as a change.
            if change.state == State::Expired {
                return Ok(Outcome::repeated(&stored, true, now));
            }
            Ok(Outcome::changed(&stored, &change, level))
        }
        Verdict::Repeat => Ok(Outcome::repeated(&stored, true, now)),
        Verdict::Refuse(refusal) => Ok(Outcome::refused_hold(&stored, refusal, now)),
        Verdict::TooMuch => Err(Error::invalid("quantity is more than the hold has")
            .detail(format!("The hold has {}.", stored.hold.quantity))
            .hint("Leave quantity out to give the whole hold back.")
            .into()),
    }
}
