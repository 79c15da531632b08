//! Placing a hold.

use super::desk::{self, replay};
use super::fitting::stay_on;
use super::turns::{Turns, claim, days, mode_for, take_part, take_turn, take_turn_at_pool};
use super::{Placement, Share, Stop, Want, When, settle};
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::holds;
use crate::store::pools::{self, Checked, Known};
use crate::store::queue::{self, Claim, Mode, Place, Turn};
use crate::store::{Patience, Session, attempt, calendar, resources, seats};
use crate::worker;
use uuid::Uuid;

/// Holds part of a resource for a while.
pub fn hold(placement: &Placement, patience: Patience) -> Result<Outcome, Error> {
    settle(place(&Session::to_write(placement.want.verb()), placement, patience))
}

fn place(session: &Session, placement: &Placement, patience: Patience) -> Result<Outcome, Stop> {
    let mode = match &placement.want {
        // Which pools can be shared turns out at the turn.
        Want::Quantity(_) => Mode::Shared,
        want => mode_for(want.places()),
    };
    match place_in_turn(session, placement, mode, patience)? {
        Some(outcome) => Ok(outcome),
        // Somebody waits for it: who is served next can only be told where nobody else serves.
        None => place_in_turn(session, placement, Mode::Alone, patience)?
            .ok_or_else(|| Error::internal("a turn alone was shared").into()),
    }
}

/// None where a turn alone is needed instead of a shared one, and nothing was done.
fn place_in_turn(
    session: &Session,
    placement: &Placement,
    mode: Mode,
    patience: Patience,
) -> Result<Option<Outcome>, Stop> {
    let (turns, mode) = take_its_turn(session, placement, mode, patience)?;
    // Behind the lock: of two that use one key at once, the second finds what the first wrote.
    if let Some(key) = placement.key
        && let Some(earlier) = holds::by_key(session, key, placement.resource)
    {
        return Ok(Some(replay(&holds::lot_of(session, earlier), placement.fingerprint, clock::now())));
    }
    // Nearly every hold ends here. Only one that this refuses asks why.
    let placed = match &placement.want {
        Want::Quantity(quantity) if mode == Mode::Shared => take_escrow(session, placement, *quantity)?,
        Want::Quantity(quantity) => take_quantity(session, placement, *quantity),
        Want::Seats(labels) if patience == Patience::Wait && !attempt::has_lock_timeout() => {
            take_seats(session, placement, labels, mode)?
        }
        Want::Period { quantity: 1, when } if mode == Mode::Shared => {
            take_sole(session, placement, *when, patience)?
        }
        Want::Seats(_) | Want::Best { .. } | Want::Period { .. } => None,
    };
    if placed.is_some() {
        return Ok(placed);
    }
    if mode == Mode::Shared && !resources::waited_for(session, &[placement.resource]).is_empty() {
        turns.into_iter().rev().for_each(Turn::let_go);
        return Ok(None);
    }
    let outcome = deliberate(session, placement, mode, patience)?;
    if !outcome.is_ok() && mode == Mode::Shared && placement.want.is_of_pool() {
        // Nothing was done under it, and whoever comes to need the pool alone is not to wait for this transaction.
        turns.into_iter().rev().for_each(Turn::let_go);
    }
    Ok(Some(outcome))
}

fn take_its_turn(
    session: &Session,
    placement: &Placement,
    mode: Mode,
    patience: Patience,
) -> Result<(Vec<Turn>, Mode), Stop> {
    let (turn, mode) = match (&placement.want, mode) {
        (Want::Quantity(_), Mode::Alone) => (take_turn(session, placement.resource, patience)?, mode),
        (Want::Quantity(_), Mode::Shared) => take_turn_at_pool(session, placement.resource, patience)?,
        _ => (take_part(session, placement.resource, mode, patience)?, mode),
    };
    let mut turns = vec![turn];
    if let (Some(key), Mode::Shared) = (placement.key, mode) {
        turns.push(queue::line_up_for_key(key, patience)?);
    }
    Ok((turns, mode))
}

fn take_quantity(session: &Session, placement: &Placement, quantity: i64) -> Option<Outcome> {
    let Placement { resource, expected_version, .. } = *placement;
    let level = pools::take(session, resource, quantity, expected_version, Checked::Nothing)?;
    Some(write(session, placement, Uuid::now_v7(), Share { left: level.available, ..Share::default() }))
}

/// The same from an escrow pool of which nothing else is to be asked.
fn take_escrow(session: &Session, placement: &Placement, quantity: i64) -> Result<Option<Outcome>, Stop> {
    let Some(Known { escrow: Some(id), most, is_plain: true, .. }) =
        pools::known(session, placement.resource)
    else {
        return Ok(None);
    };
    if placement.expected_version.is_some() {
        return Ok(None);
    }
    let left = pools::take_escrow(session, placement.resource, id, quantity, most)?;
    Ok(left.map(|left| {
        write(session, placement, Uuid::now_v7(), Share { left: Some(left), ..Share::default() })
    }))
}

fn take_seats(
    session: &Session,
    placement: &Placement,
    labels: &[&str],
    mode: Mode,
) -> Result<Option<Outcome>, Stop> {
    // Alone for an old snapshot's sake: the desk knows how to look at that.
    if mode == Mode::Alone {
        return Ok(None);
    }
    let places = labels.iter().map(|&label| Place::Seat(label));
    let claims = claim(placement.resource, places, Patience::Wait)?;
    let id = Uuid::now_v7();
    if seats::take(session, placement.resource, labels, id) {
        let seats = Some(labels.iter().map(|&label| label.to_owned()).collect());
        return Ok(Some(write(session, placement, id, Share { seats, ..Share::default() })));
    }
    claims.into_iter().for_each(Claim::let_go);
    Ok(None)
}

fn take_sole(
    session: &Session,
    placement: &Placement,
    when: When,
    patience: Patience,
) -> Result<Option<Outcome>, Stop> {
    let Some(plain) = calendar::plain(session, placement.resource) else { return Ok(None) };
    let stay = stay_on(&plain, when)?;
    let claims = claim(placement.resource, days(stay.occupied), patience)?;
    let share = Share { stay: Some((stay, true)), left: Some(0), seats: None };
    let hold = placement.hold(Uuid::now_v7(), share, clock::now_to_write());
    if calendar::take_sole(session, &hold, stay) {
        worker::expect_expiry(hold.expires_at);
        return Ok(Some(Outcome::placed(&hold, Some(0)).of_nights(when, stay)));
    }
    claims.into_iter().for_each(Claim::let_go);
    Ok(None)
}

/// The way of a request that needs more than one look: seats are to be chosen or a calendar to be
/// looked through, the resource limits its holders, or it is full, closed, another version, or not there.
fn deliberate(
    session: &Session,
    placement: &Placement,
    mode: Mode,
    patience: Patience,
) -> Result<Outcome, Stop> {
    let turns = Turns::from([(placement.resource, mode)]);
    desk::serve(session, &turns, std::slice::from_ref(placement), patience, |desk, placements| {
        let [placement] = placements else {
            return Err(Error::internal("one request became several").into());
        };
        let served = desk.serve(placement)?;
        Ok(desk.outcome(placement, served))
    })
}

fn write(session: &Session, placement: &Placement, id: Uuid, share: Share) -> Outcome {
    let available = share.left;
    // Only now is every lock granted, so only now does the time to live begin.
    let hold = placement.hold(id, share, clock::now_to_write());
    holds::insert(session, &hold);
    worker::expect_expiry(hold.expires_at);
    Outcome::placed(&hold, available)
}
