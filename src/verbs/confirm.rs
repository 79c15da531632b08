//! Confirming a hold.

use super::room::{decide_with_room, owned};
use super::{Stop, Target, settle, take_turn};
use crate::clock::{self, Timestamp};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::lifecycle::{Change, Late, State, Verdict, confirm as decide};
use crate::rules::pool::{Admission, readmit};
use crate::rules::{Micros, Refusal};
use crate::store::holds::{self, StoredHold};
use crate::store::resources::{self, Checked};
use crate::store::{Patience, Session};

/// How to confirm.
#[derive(Clone, Copy)]
pub struct Confirmation<'a> {
    pub target: Target<'a>,
    pub reference: Option<&'a str>,
    pub late: Late,
}

/// A hold with less than this to live is confirmed by way of its resource where it may be late.
const MARGIN: Micros = 1_000_000;

/// Confirms a hold for good.
///
/// In time, this locks the hold and not its resource: what is taken stays taken, and a hot
/// resource's queue is not joined.
pub fn confirm(confirmation: &Confirmation) -> Result<Outcome, Error> {
    settle(attempt(&Session::to_write(c"booking.confirm()"), confirmation))
}

fn attempt(session: &Session, confirmation: &Confirmation) -> Result<Outcome, Stop> {
    let Target { hold_id, resource, expected_version } = confirmation.target;
    let reference = confirmation.reference;
    // Nearly every confirmation ends here. Only one that this statement refuses is looked into.
    if let Some((expires_at, version)) =
        holds::confirm_in_time(session, hold_id, resource, expected_version, reference, clock::now())
    {
        return Ok(Outcome::confirmed(hold_id, expires_at, version));
    }
    let has_turn = confirmation.late == Late::Reacquire && take_turn_if_late(session, confirmation)?;
    let Some(stored) = holds::lock(session, hold_id, resource)? else {
        return Ok(Outcome::not_found(hold_id));
    };
    let now = clock::now();
    let micros = now.micros();
    match decide(&stored.hold, reference, expected_version, confirmation.late, micros) {
        Verdict::Change(change) if stored.hold.standing(micros) == State::Expired => {
            if !has_turn {
                // It expired while its row was waited for. To wait for the resource now would be
                // against the lock order.
                take_turn(session, &stored.resource, Patience::NoWait)?;
            }
            reacquire(session, confirmation, &stored, &change, now)
        }
        Verdict::Change(change) => Ok(write(session, confirmation, &stored, &change, now)),
        Verdict::Refuse(refusal) => Ok(Outcome::refused_hold(&stored, refusal, now)),
        Verdict::Repeat | Verdict::TooMuch => Ok(Outcome::repeated(&stored, true, now)),
    }
}

/// A late confirmation needs its resource's lock, which comes before the hold's in the lock order,
/// and a row lock cannot be given back. So the hold is looked at first, and locked after what it
/// turns out to need.
fn take_turn_if_late(session: &Session, confirmation: &Confirmation) -> Result<bool, Stop> {
    let Target { hold_id, resource, .. } = confirmation.target;
    match holds::by_id(session, hold_id, resource) {
        Some(seen) if !seen.hold.is_live(clock::now().after(MARGIN).micros()) => {
            take_turn(session, &seen.resource, Patience::Wait)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Gives an expired hold its place again, if that is free. Its resource and its row are locked.
fn reacquire(
    session: &Session,
    confirmation: &Confirmation,
    stored: &StoredHold,
    change: &Change,
    now: Timestamp,
) -> Result<Outcome, Stop> {
    let quantity = stored.hold.quantity;
    let owned = match stored.holder.as_deref() {
        Some(holder) => owned(session, &stored.resource, holder, Patience::Wait)?,
        None => 0,
    };
    let (pool, admission) = decide_with_room(session, &stored.resource, None, Patience::Wait, |pool, _| {
        readmit(pool, quantity, change.room, owned)
    })?;
    match admission {
        Admission::Refuse(Refusal::LimitExceeded) => {
            Ok(Outcome::late_limit_exceeded(stored, owned, pool.max_per_holder))
        }
        Admission::Fits if takes_place(session, stored, change) => {
            Ok(write(session, confirmation, stored, change, now))
        }
        _ => Ok(Outcome::refused_hold(stored, Refusal::Expired, now)),
    }
}

fn takes_place(session: &Session, stored: &StoredHold, change: &Change) -> bool {
    change.room == 0
        || resources::take(session, &stored.resource, change.room, None, Checked::LimitThoughClosed).is_some()
}

fn write(
    session: &Session,
    confirmation: &Confirmation,
    stored: &StoredHold,
    change: &Change,
    now: Timestamp,
) -> Outcome {
    holds::write(session, stored, change, confirmation.reference, now);
    Outcome::changed(stored, change, None)
}
