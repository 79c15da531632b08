//! Confirming holds.

use super::allocation::stop::{Stop, settle};
use super::confirm_late::{self, is_late};
use super::judge::judge_confirmation;
use super::missing::missing;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::{Confirmation, Target};
use crate::rules::Micros;
use crate::rules::basket::BasketDecision;
use crate::rules::lifecycle::Late;
use crate::server::clock;
use crate::store::{Session, holds};

/// A hold with less than this to live is confirmed by way of its resource where it may be late.
const MARGIN: Micros = 1_000_000;

/// Confirms holds for good.
///
/// In time, this locks the holds and not their resources: what is taken stays taken, and a hot
/// resource's queue is not joined.
pub fn confirm(confirmation: &Confirmation) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.confirm()"), confirmation))
}

fn attempt(session: &Session, confirmation: &Confirmation) -> Result<Outcome, Stop> {
    let Target { hold_id, resource, expected_version } = confirmation.target;
    // Nearly every confirmation ends here. Only one that this statement refuses is looked into.
    if let Some(confirmed) = holds::confirm_in_time(
        session,
        hold_id,
        resource,
        expected_version,
        confirmation.reference,
        clock::now_to_write(),
    ) {
        return Ok(Outcome::confirmed(confirmed));
    }
    if confirmation.late == Late::Reacquire
        && let Some(seen) = holds::look(session, hold_id, resource)
        && is_late(&seen, clock::now().after(MARGIN).micros())
    {
        // A late confirmation needs the resources' locks, which come before the holds' in the lock
        // order, and a row lock cannot be given back. So the holds are looked at first, and locked
        // after what they turn out to need.
        return confirm_late::acquiring(session, confirmation, &seen);
    }
    let Some(group) = holds::lock(session, hold_id, resource)? else {
        return Ok(missing(session, confirmation.target, false));
    };
    let now = clock::now();
    match judge_confirmation(confirmation, &group, now.micros()) {
        BasketDecision::Change(_) if is_late(&group, now.micros()) => {
            // It expired while its row was waited for. To wait for the resource now would be
            // against the lock order.
            confirm_late::without_waiting(session, confirmation, group, now)
        }
        BasketDecision::Change(changes) => {
            let group = group.write(session, &changes, confirmation.reference, now);
            Ok(Outcome::changed(&group, None, now))
        }
        BasketDecision::Adopt(changes) => {
            let group = group.write(session, &changes, confirmation.reference, now);
            Ok(Outcome::repeated(&group, true, now))
        }
        BasketDecision::Refuse(place, refusal) => Ok(Outcome::refused_hold(&group, place, refusal, now)),
        BasketDecision::Repeat | BasketDecision::TooMuch(_) => Ok(Outcome::repeated(&group, true, now)),
    }
}
