//! Giving expired holds their places again, where those are still free.

use super::confirm::Confirmation;
use super::fitting::{Wish, find_room};
use super::patience::patiently;
use super::room::{all_or_wait, decide_with_room, owned, read};
use super::turns::{Turns, claim_places, line_up_for_holders, take_turns, turns_of};
use super::upkeep::end_due;
use super::waitlist::missing;
use super::{Stop, Target};
use crate::clock::{self, Timestamp};
use crate::outcome::Outcome;
use crate::rules::Micros;
use crate::rules::Refusal;
use crate::rules::basket::Joint;
use crate::rules::lifecycle::{Change, State};
use crate::rules::pool::{Admission, readmit};
use crate::settings;
use crate::store::holds::{self, Lot, Stay, StoredHold};
use crate::store::pools::{self, Checked};
use crate::store::queue::Mode;
use crate::store::resources::{self, Kind};
use crate::store::{Patience, Session, attempt, calendar, seats};

/// Whether any of it has run out at a moment.
pub fn is_late(lot: &Lot, at: Micros) -> bool {
    lot.holds.iter().any(|stored| stored.hold.standing(at) == State::Expired)
}

/// Takes the turns that the holds need, then confirms them, late or not.
pub fn in_turn(session: &Session, confirmation: &Confirmation, seen: &Lot) -> Result<Outcome, Stop> {
    let mut turns = turns_of(session, seen);
    take_turns(session, &mut turns, |name| seen.is_of_pool(name), Patience::Wait)?;
    serve_lines(session, &turns)?;
    line_up_for_holders(session, &turns, seen.holders(), Patience::Wait)?;
    patiently(session, Patience::Wait, || {
        let Target { hold_id, resource, .. } = confirmation.target;
        // While its turn was waited for it may have been moved: that its time would run out was only foreseen.
        let Some(seen) = holds::look(session, hold_id, resource) else {
            return Ok(missing(session, confirmation.target, false));
        };
        claim_places(&seen, &turns, Patience::Wait)?;
        let Some(lot) = holds::lock(session, hold_id, resource)? else {
            return Ok(missing(session, confirmation.target, false));
        };
        if lot.stays() != seen.stays() {
            return Err(Stop::Stale);
        }
        let now = clock::now();
        match confirmation.judge(&lot, now.micros()) {
            Joint::Change(changes) => write(session, confirmation, lot, &changes, now),
            Joint::Refuse(place, refusal) => Ok(Outcome::refused_hold(&lot, place, refusal, now)),
            Joint::Repeat | Joint::TooMuch(_) => Ok(Outcome::repeated(&lot, true, now)),
        }
    })
}

/// The same for holds that are locked already: without waiting for anybody.
pub fn at_once(
    session: &Session,
    confirmation: &Confirmation,
    lot: Lot,
    now: Timestamp,
) -> Result<Outcome, Stop> {
    let mut turns = turns_of(session, &lot);
    take_turns(session, &mut turns, |name| lot.is_of_pool(name), Patience::NoWait)?;
    line_up_for_holders(session, &turns, lot.holders(), Patience::NoWait)?;
    // What has run out of it is ended then.
    let anew = match serve_lines(session, &turns)? {
        true => holds::lock(session, confirmation.target.hold_id, None)?,
        false => None,
    };
    let lot = anew.as_ref().unwrap_or(&lot);
    patiently(session, Patience::NoWait, || {
        claim_places(lot, &turns, Patience::NoWait)?;
        match confirmation.judge(lot, now.micros()) {
            Joint::Change(changes) => write(session, confirmation, lot.clone(), &changes, now),
            _ => Ok(Outcome::repeated(lot, true, now)),
        }
    })
}

/// What has run out is owed to those who wait, before anybody confirms it late. Whether anybody did.
fn serve_lines(session: &Session, turns: &Turns) -> Result<bool, Stop> {
    let alone = turns.iter().filter(|(_, mode)| **mode == Mode::Alone);
    let alone: Vec<&str> = alone.map(|(resource, _)| *resource).collect();
    let waited_for = if alone.is_empty() { Vec::new() } else { resources::waited_for(session, &alone) };
    for resource in &waited_for {
        end_due(session, &read(session, resource)?, settings::sweep_batch())?;
    }
    Ok(!waited_for.is_empty())
}

fn write(
    session: &Session,
    confirmation: &Confirmation,
    lot: Lot,
    changes: &[(usize, Change)],
    now: Timestamp,
) -> Result<Outcome, Stop> {
    // Each is written before the next looks for its place: it would not be counted as its holder's, and
    // one whose end was not written down would be ended as overdue to make room. Those come first.
    let (still_there, gone): (Vec<_>, Vec<_>) = changes.iter().partition(|(_, change)| change.room == 0);
    for &(place, change) in still_there.into_iter().chain(gone) {
        let Some(stored) = lot.holds.get(place) else { continue };
        if stored.hold.standing(now.micros()) == State::Expired {
            take_place(session, &lot, place, &change, now)?;
        }
        holds::write(session, stored, &change, None, confirmation.reference, now);
    }
    Ok(Outcome::changed(&lot.changed(changes, confirmation.reference), None, now))
}

/// Takes one hold's place again. Where that is gone, nothing of the rest may stay written.
fn take_place(
    session: &Session,
    lot: &Lot,
    place: usize,
    change: &Change,
    now: Timestamp,
) -> Result<(), Stop> {
    let Some(stored) = lot.holds.get(place) else { return Ok(()) };
    let quantity = stored.hold.quantity;
    let found = read(session, &stored.resource)?;
    let limit = found.pool.max_per_holder;
    let owned = match (&stored.holder, limit) {
        (Some(holder), Some(_)) => owned(session, &stored.resource, holder, now)?,
        _ => 0,
    };
    let lost = || Stop::Refused(Box::new(Outcome::refused_hold(lot, place, Refusal::Expired, now)));
    if found.waiting > 0 && !found.skip {
        return Err(lost());
    }
    let over_limit = |limit| {
        let outcome = Outcome::late_limit_exceeded(lot, quantity, owned, limit, now);
        Stop::Refused(Box::new(outcome))
    };
    if stored.kind() != Kind::Pool {
        if limit.is_some_and(|limit| quantity > limit - owned) {
            return Err(over_limit(limit));
        }
        let taken = match (&stored.seats, stored.stay) {
            (Some(labels), _) => takes_seats(session, stored, labels, now)?,
            // What is still written down as held was kept from everybody.
            (None, Some(stay)) => change.room == 0 || takes_period(session, stored, stay, now)?,
            (None, None) => false,
        };
        return if taken { Ok(()) } else { Err(lost()) };
    }
    let (pool, admission) = decide_with_room(session, &stored.resource, None, |pool, _| {
        readmit(pool, quantity, change.room, owned)
    })?;
    match admission {
        Admission::Refuse(Refusal::LimitExceeded) => Err(over_limit(pool.max_per_holder)),
        Admission::Fits if change.room == 0 => Ok(()),
        Admission::Fits => match found.escrow {
            None => pools::take(session, &stored.resource, change.room, None, Checked::Everything)
                .map(|_| ())
                .ok_or_else(lost),
            // Others may have been quicker.
            Some(id) => {
                let most = pool.capacity + pool.overbooking;
                pools::take_escrow(session, &stored.resource, id, change.room, most)?
                    .map(|_| ())
                    .ok_or(Stop::Stale)
            }
        },
        _ => Err(lost()),
    }
}

/// Takes the period of a hold again whose end was written down.
fn takes_period(session: &Session, stored: &StoredHold, stay: Stay, now: Timestamp) -> Result<bool, Stop> {
    let resource = read(session, &stored.resource)?;
    let wish = Wish {
        resource: &resource,
        occupied: stay.occupied,
        quantity: stored.hold.quantity,
        unwritten: Vec::new(),
        of: Some(stored.id),
    };
    let room = find_room(session, &wish, now, true)?;
    if let Ok(room) = room {
        calendar::set_sole(session, stored.id, &stored.resource, room.is_sole);
    }
    Ok(room.is_ok())
}

/// Takes the seats of a hold again, from nobody or from holds that have run out themselves. Its own
/// pointers are still there where its end was not written down.
fn takes_seats(
    session: &Session,
    stored: &StoredHold,
    labels: &[String],
    now: Timestamp,
) -> Result<bool, Stop> {
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    seats::lock_ahead(session, &stored.resource, &labels, Patience::Wait)?;
    let found = seats::read(session, &stored.resource, &labels, now);
    let mut overdue = Vec::new();
    let mut missing = Vec::new();
    for seat in &found {
        match seat.owner {
            _ if seat.blocked => return Ok(false),
            Some(owner) if owner == stored.id => continue,
            Some(_) if !seat.overdue => return Ok(false),
            Some(owner) => overdue.push(owner),
            None => {}
        }
        missing.push(seat.label.as_str());
    }
    if found.len() < labels.len() {
        return Ok(false);
    }
    all_or_wait(&overdue, &seats::end_these(session, &stored.resource, &overdue, now))?;
    if missing.is_empty() {
        return Ok(true);
    }
    let take = || seats::take_again(session, &stored.resource, &missing, stored.id);
    if attempt::until_lock_timeout(take)? { Ok(true) } else { Err(Stop::Stale) }
}
