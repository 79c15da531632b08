//! Giving holds back, whole or in part: before they are confirmed (release) or after (cancel).

use super::turns::{Turns, claim_places, line_up_for_holders, take_turns, turns_of};
use super::waitlist::{left_for_others, missing, serve_line};
use super::{Stop, Target, judge, settle};
use crate::clock::{self, Timestamp};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::Micros;
use crate::rules::basket::{self, Joint};
use crate::rules::lifecycle::{self, Change, Hold, State, Verdict};
use crate::store::holds::{self, Lot, StoredHold};
use crate::store::queue::{Claim, Mode};
use crate::store::resources::Kind;
use crate::store::{Patience, Session, attempt, pools, seats};
use std::collections::BTreeSet;

/// How much of a hold is given back: all of it where neither is said.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub quantity: Option<i64>,
    /// Each once, in the order of their labels.
    pub seats: Option<&'a [&'a str]>,
}

struct Verb {
    decide: fn(&Hold, Option<i64>, Option<i64>, Micros) -> Verdict,
    has_left: fn(&Hold, Micros) -> bool,
}

const RELEASE: Verb = Verb { decide: lifecycle::release, has_left: |_, _| false };
const CANCEL: Verb = Verb { decide: lifecycle::cancel, has_left: basket::ended_unconfirmed };

/// Releases holds: all of it, or a part.
pub fn release(target: Target, part: Part) -> Result<Outcome, Error> {
    settle(give_back(&Session::to_write(c"booking.release()"), target, part, &RELEASE))
}

/// Cancels confirmed holds: all of it, or a part.
pub fn cancel(target: Target, part: Part) -> Result<Outcome, Error> {
    settle(give_back(&Session::to_write(c"booking.cancel()"), target, part, &CANCEL))
}

fn give_back(session: &Session, target: Target, part: Part, verb: &Verb) -> Result<Outcome, Stop> {
    let Target { hold_id, resource, .. } = target;
    // The resources' locks come first, and which resources they are never changes.
    let Some(seen) = holds::look(session, hold_id, resource) else {
        return Ok(missing(session, target, false));
    };
    let mut turns = turns_of(session, &seen);
    take_turns(session, &mut turns, |name| seen.is_of_pool(name), Patience::Wait)?;
    line_up_for_holders(session, &turns, seen.holders(), Patience::Wait)?;
    let claims = claim_places(&seen, &turns, Patience::Wait)?;
    let answer = match decide(session, target, part, verb) {
        Ok(Decided::Change(lot, part, changes, now)) => {
            // Claimed, the seats' rows are free, unless somebody's own query has locked one. (A hold may have
            // been moved to other days than are claimed; to give them back all the same wrongs nobody.)
            let write = || write(session, lot, &part, &changes, &turns, now);
            return match attempt::has_lock_timeout() {
                // Nothing may stay given back of which the line could not be served.
                true => attempt::until_lock_timeout(|| attempt::undo_unless_ok(write))?,
                false => write(),
            };
        }
        Ok(Decided::Answer(outcome)) => Ok(*outcome),
        Err(stop) => Err(stop),
    };
    // Others may have the seats by now, or want them.
    claims.into_iter().for_each(Claim::let_go);
    answer
}

enum Decided<'a> {
    Change(Lot, Given<'a>, Vec<(usize, Change)>, Timestamp),
    Answer(Box<Outcome>),
}

fn decide<'a>(session: &Session, target: Target, part: Part<'a>, verb: &Verb) -> Result<Decided<'a>, Stop> {
    let answer = |outcome| Ok(Decided::Answer(Box::new(outcome)));
    let Some(lot) = holds::lock(session, target.hold_id, target.resource)? else {
        return answer(missing(session, target, false));
    };
    let now = clock::now();
    let Some(part) = Given::of(session, &lot, part, now)? else {
        return answer(Outcome::repeated(&lot, true, now));
    };
    let decide = |hold: &Hold, expected| (verb.decide)(hold, part.quantity, expected, now.micros());
    let has_left = |hold: &Hold| (verb.has_left)(hold, now.micros());
    match judge(&lot, target.expected_version, decide, has_left) {
        Joint::Change(changes) => Ok(Decided::Change(lot, part, changes, now)),
        Joint::Repeat => answer(Outcome::repeated(&lot, true, now)),
        Joint::Refuse(place, refusal) => answer(Outcome::refused_hold(&lot, place, refusal, now)),
        Joint::TooMuch(_) => {
            Err(Error::too_much(lot.holds.first().map_or(0, |one| one.hold.quantity)).into())
        }
    }
}

/// What is given back of a hold as it is found.
struct Given<'a> {
    quantity: Option<i64>,
    /// The seats that go, where only some do.
    seats: Option<Vec<&'a str>>,
}

impl<'a> Given<'a> {
    /// None where nothing is left to be given back: the hold is there, without the seats.
    fn of(session: &Session, lot: &Lot, part: Part<'a>, now: Timestamp) -> Result<Option<Self>, Error> {
        if part.quantity.is_none() && part.seats.is_none() {
            return Ok(Some(Self { quantity: None, seats: None }));
        }
        let Some(stored) = lot.holds.first().filter(|_| lot.basket.is_none()) else {
            return Err(Error::part_of_basket());
        };
        match (&stored.seats, part.seats) {
            (None, None) => Ok(Some(Self { quantity: part.quantity, seats: None })),
            (None, Some(_)) => Err(Error::has_no_seats(&stored.resource)),
            (Some(has), None) if part.quantity == Some(has.len() as i64) => {
                Ok(Some(Self { quantity: None, seats: None }))
            }
            (Some(_), None) => Err(Error::part_without_seats()),
            (Some(has), Some(labels)) => Self::of_seats(session, stored, has, labels, now),
        }
    }

    /// Seats that the hold does not have, any more perhaps, are passed over: a repeated call is safe.
    fn of_seats(
        session: &Session,
        stored: &StoredHold,
        has: &[String],
        labels: &[&'a str],
        now: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let theirs = |label: &&&str| has.iter().any(|seat| seat == **label);
        let going: Vec<&str> = labels.iter().filter(theirs).copied().collect();
        if going.len() < labels.len() {
            let known = seats::read(session, &stored.resource, labels, now);
            if let Some(label) = labels.iter().find(|label| !known.iter().any(|seat| seat.label == **label)) {
                return Err(Error::no_seat(&stored.resource, label));
            }
        }
        Ok(match going.len() {
            0 => None,
            n if n == has.len() => Some(Self { quantity: None, seats: None }),
            n => Some(Self { quantity: Some(n as i64), seats: Some(going) }),
        })
    }
}

fn write(
    session: &Session,
    mut lot: Lot,
    part: &Given,
    changes: &[(usize, Change)],
    turns: &Turns,
    now: Timestamp,
) -> Result<Outcome, Stop> {
    let mut available = None;
    let mut waited_for = BTreeSet::new();
    for (place, change) in changes {
        let Some(stored) = lot.holds.get_mut(*place) else { continue };
        // One that had run out ends whole, whatever part of it was meant.
        let some = part.seats.as_ref().filter(|_| change.state.takes_room());
        let keeps = some.map(|going| {
            let has = stored.seats.iter().flatten().map(String::as_str);
            has.filter(|seat| !going.contains(seat)).collect::<Vec<_>>()
        });
        holds::write(session, stored, change, keeps.as_deref(), None, now);
        match &stored.seats {
            None if stored.kind() == Kind::Pool => {
                let level = pools::give_back(session, &stored.resource, -change.room)?;
                available = level.and_then(|level| level.available);
                if level.is_some_and(|level| level.is_waited_for) {
                    waited_for.insert(stored.resource.clone());
                }
            }
            // A calendar is counted by its holds.
            None => {}
            Some(has) => {
                let all = || has.iter().map(String::as_str).collect::<Vec<_>>();
                let going = some.cloned().unwrap_or_else(all);
                seats::give_back(session, &stored.resource, &going, stored.id);
            }
        }
        let keeps = keeps.map(|keeps| keeps.into_iter().map(str::to_owned).collect());
        stored.seats = keeps.or_else(|| stored.seats.take());
        stored.apply(change, None);
        // Those who wait for seats, or for a calendar, are only looked for where that can be.
        if stored.kind() != Kind::Pool && turns.get(stored.resource.as_str()) == Some(&Mode::Alone) {
            waited_for.insert(stored.resource.clone());
        }
    }
    for resource in &waited_for {
        serve_line(session, resource)?;
    }
    if !waited_for.is_empty() && available.is_some() {
        available = lot.holds.first().map(|stored| left_for_others(session, &stored.resource));
    }
    // That its time had run out, swept or not, is no news to be told as a change.
    if changes.iter().all(|(_, change)| change.state == State::Expired) {
        return Ok(Outcome::repeated(&lot, true, now));
    }
    Ok(Outcome::changed(&lot, available.filter(|_| lot.basket.is_none()), now))
}
