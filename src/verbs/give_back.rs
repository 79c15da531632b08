//! Giving holds back, whole or in part: `release` before they are confirmed, `cancel` after.

use super::allocation::acquire::{ResourceLocks, acquire_all, claim_places, lock_holders, locks_of};
use super::allocation::attempt::{serve_line, undo_if_busy};
use super::allocation::owed::left_for_others;
use super::allocation::stop::{Stop, settle};
use super::judge::judge;
use super::missing::missing;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::{Part, Target};
use crate::rules::Micros;
use crate::rules::basket::{self, BasketDecision};
use crate::rules::lifecycle::{self, Change, Hold, State, Verdict};
use crate::server::clock::{self, Timestamp};
use crate::store::holds::{self, HoldGroup, StoredHold};
use crate::store::locks::LockWaitPolicy;
use crate::store::locks::heavyweight::{Claim, LockMode};
use crate::store::resources::Kind;
use crate::store::{Session, pools, seats};
use std::collections::BTreeSet;

/// The rules in which `release` and `cancel` differ.
struct Verb {
    decide: fn(&Hold, Option<i64>, Option<i64>, Micros) -> Verdict,
    has_left: fn(&Hold, Micros) -> bool,
}

const RELEASE: Verb = Verb { decide: lifecycle::release, has_left: |_, _| false };
const CANCEL: Verb = Verb { decide: lifecycle::cancel, has_left: basket::ended_unconfirmed };

/// Releases holds, or a part of one hold.
pub fn release(target: Target, part: Part) -> Result<Outcome, Error> {
    settle(give_back(&Session::to_write(c"booking.release()"), target, part, &RELEASE))
}

/// Cancels confirmed holds, or a part of one hold.
pub fn cancel(target: Target, part: Part) -> Result<Outcome, Error> {
    settle(give_back(&Session::to_write(c"booking.cancel()"), target, part, &CANCEL))
}

fn give_back(session: &Session, target: Target, part: Part, verb: &Verb) -> Result<Outcome, Stop> {
    let Target { hold_id, resource, .. } = target;
    // The resource locks come before the rows of the holds. A look without a lock is enough to learn which they
    // are, because a hold never changes its resource.
    let Some(seen) = holds::look(session, hold_id, resource) else {
        return Ok(missing(session, target, false));
    };
    let mut locks = locks_of(session, &seen);
    acquire_all(session, &mut locks, |name| seen.is_of_pool(name), LockWaitPolicy::Wait)?;
    lock_holders(session, &locks, seen.holders(), LockWaitPolicy::Wait)?;
    let claims = claim_places(&seen, &locks, LockWaitPolicy::Wait)?;
    let answer = match decide(session, target, part, verb) {
        Ok(Decided::Change(group, part, changes, now)) => {
            // Behind the claims the rows of the seats are free, unless a query outside the extension has locked
            // one. Between the look and the lock another call may have moved the hold to days that this one has
            // not claimed. It can give those back nevertheless: freeing a day takes nothing from anybody.
            return undo_if_busy(|| write(session, group, &part, &changes, &locks, now));
        }
        Ok(Decided::Answer(outcome)) => Ok(*outcome),
        Err(stop) => Err(stop),
    };
    // This call changes nothing, so it need not keep others waiting for these places.
    claims.into_iter().for_each(Claim::release);
    answer
}

/// What becomes of the call: changes to write, or an answer at once.
enum Decided<'a> {
    Change(HoldGroup, Given<'a>, Vec<(usize, Change)>, Timestamp),
    Answer(Box<Outcome>),
}

fn decide<'a>(session: &Session, target: Target, part: Part<'a>, verb: &Verb) -> Result<Decided<'a>, Stop> {
    let answer = |outcome| Ok(Decided::Answer(Box::new(outcome)));
    let Some(group) = holds::lock(session, target.hold_id, target.resource)? else {
        return answer(missing(session, target, false));
    };
    let now = clock::now();
    let Some(part) = Given::of(session, &group, part, now)? else {
        return answer(Outcome::repeated(&group, true, now));
    };
    let decide = |hold: &Hold, expected| (verb.decide)(hold, part.quantity, expected, now.micros());
    let has_left = |hold: &Hold| (verb.has_left)(hold, now.micros());
    match judge(&group, target.expected_version, decide, has_left) {
        BasketDecision::Change(changes) => Ok(Decided::Change(group, part, changes, now)),
        BasketDecision::Repeat | BasketDecision::Adopt(_) => answer(Outcome::repeated(&group, true, now)),
        BasketDecision::Refuse(place, refusal) => answer(Outcome::refused_hold(&group, place, refusal, now)),
        BasketDecision::TooMuch(_) => {
            Err(Error::too_much(group.holds.first().map_or(0, |one| one.hold.quantity)).into())
        }
    }
}

/// The part of a hold that is given back, compared with what the hold has.
struct Given<'a> {
    /// How many places; `None` for all.
    quantity: Option<i64>,
    /// The seats that are given back, if the hold keeps others.
    seats: Option<Vec<&'a str>>,
}

impl<'a> Given<'a> {
    /// Compares a part with what the holds have. Returns `None` if the hold has none of the named seats any more,
    /// so that there is nothing to give back.
    fn of(
        session: &Session,
        group: &HoldGroup,
        part: Part<'a>,
        now: Timestamp,
    ) -> Result<Option<Self>, Error> {
        if part.quantity.is_none() && part.seats.is_none() {
            return Ok(Some(Self { quantity: None, seats: None }));
        }
        let Some(stored) = group.holds.first().filter(|_| group.basket.is_none()) else {
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

    /// Compares named seats with those that a hold has. Ignores seats that it does not have, because an earlier
    /// call may have given them back: so a repeated call is safe. Returns `Err` if the resource has no such seat.
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

/// Writes what was decided, and serves the waitlists of the resources that got something back.
fn write(
    session: &Session,
    mut group: HoldGroup,
    part: &Given,
    changes: &[(usize, Change)],
    locks: &ResourceLocks,
    now: Timestamp,
) -> Result<Outcome, Stop> {
    let mut available = None;
    let mut waited_for = BTreeSet::new();
    for (place, change) in changes {
        let Some(stored) = group.holds.get_mut(*place) else { continue };
        // A hold that has run out ends whole, also if the call named a part.
        let some = part.seats.as_ref().filter(|_| change.state.takes_room());
        let keeps = some.map(|going| {
            let has = stored.seats.iter().flatten().map(String::as_str);
            has.filter(|seat| !going.contains(seat)).collect::<Vec<_>>()
        });
        holds::write(session, stored, change, keeps.as_deref(), None, now);
        match &stored.seats {
            None if stored.kind() == Kind::Pool => {
                let status = pools::give_back(session, &stored.resource, -change.room)?;
                available = status.and_then(|status| status.available);
                if status.is_some_and(|status| status.is_waited_for) {
                    waited_for.insert(stored.resource.clone());
                }
            }
            // A calendar keeps no count beside its holds.
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
        // Seats and calendars with a waitlist are locked in exclusive mode, so behind a share lock there is none.
        if stored.kind() != Kind::Pool && locks.get(stored.resource.as_str()) == Some(&LockMode::Exclusive) {
            waited_for.insert(stored.resource.clone());
        }
    }
    for resource in &waited_for {
        serve_line(session, resource)?;
    }
    if !waited_for.is_empty() && available.is_some() {
        available = group.holds.first().map(|stored| left_for_others(session, &stored.resource));
    }
    // The holds had run out before this call, and writing that down must not look like a change to the caller.
    if changes.iter().all(|(_, change)| change.state == State::Expired) {
        return Ok(Outcome::repeated(&group, true, now));
    }
    Ok(Outcome::changed(&group, available.filter(|_| group.basket.is_none()), now))
}
