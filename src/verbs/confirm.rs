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

/// A hold with less time left than this, in microseconds, may run out while its confirmation waits. With
/// `Late::Reacquire` its confirmation takes the resource lock from the start.
const MARGIN: Micros = 1_000_000;

/// Confirms holds for good.
///
/// A confirmation in time locks the holds and not their resources. The resources count the holds already, so
/// confirming changes nothing about them, and a busy pool confirms its holds in parallel.
pub fn confirm(confirmation: &Confirmation) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.confirm()"), confirmation))
}

fn attempt(session: &Session, confirmation: &Confirmation) -> Result<Outcome, Stop> {
    let Target { hold_id, resource, expected_version } = confirmation.target;
    // Nearly every confirmation ends here. If the statement writes nothing, the rest finds out why.
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
        // A late confirmation needs the resource locks, which come before the holds' rows in the lock order, and
        // PostgreSQL releases no row lock before the transaction ends. So the look at the holds takes no lock: it
        // only tells which resources to lock.
        return confirm_late::acquiring(session, confirmation, &seen);
    }
    let Some(group) = holds::lock(session, hold_id, resource)? else {
        return Ok(missing(session, confirmation.target, false));
    };
    let now = clock::now();
    match judge_confirmation(confirmation, &group, now.micros()) {
        BasketDecision::Change(_) if is_late(&group, now.micros()) => {
            // The hold ran out while this call waited for its row. Waiting for the resource lock now would be
            // against the lock order.
            confirm_late::without_waiting(session, confirmation, group, now)
        }
        decision => Ok(confirm_late::write_in_time(session, confirmation, group, decision, now)),
    }
}
