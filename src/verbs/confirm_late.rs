//! Late confirmations: they give expired holds their places again if those are still free.

use super::allocation::acquire::{ResourceLocks, acquire_all, claim_places, lock_holders, locks_of};
use super::allocation::fit::{PeriodRequest, find_fit};
use super::allocation::reclaim::{all_or_wait, decide_with_reclaim, owned};
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Interrupt, Retry, Stop};
use super::expire::end_due;
use super::judge::judge_confirmation;
use super::missing::missing;
use crate::outcome::Outcome;
use crate::request::{Confirmation, Target};
use crate::rules::basket::BasketDecision;
use crate::rules::lifecycle::{Change, State};
use crate::rules::pool::{Admission, readmit};
use crate::rules::{Micros, Refusal};
use crate::server::clock::{self, Timestamp};
use crate::server::settings;
use crate::store::holds::{self, BookedPeriod, HoldGroup, StoredHold};
use crate::store::locks::heavyweight::LockMode;
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::pools::{self, Checked, PoolDelta};
use crate::store::resources::{self, Kind};
use crate::store::{Session, calendar, overdue_seats, seats};

/// Returns whether any of the holds has run out at a moment.
pub fn is_late(group: &HoldGroup, at: Micros) -> bool {
    group.holds.iter().any(|stored| stored.hold.state_at(at) == State::Expired)
}

/// Takes the resource locks that the holds need, then confirms them, late or not.
pub fn acquiring(session: &Session, confirmation: &Confirmation, seen: &HoldGroup) -> Result<Outcome, Stop> {
    let mut locks = locks_of(session, seen);
    acquire_all(session, &mut locks, |name| seen.is_of_pool(name), LockWaitPolicy::Wait)?;
    serve_lines(session, &locks)?;
    lock_holders(session, &locks, seen.holders(), LockWaitPolicy::Wait)?;
    retry_after_wait(session, LockWaitPolicy::Wait, || {
        let Target { hold_id, resource, .. } = confirmation.target;
        // While this call waited for its locks, another may have moved the hold, which need not have run out yet.
        let Some(seen) = holds::look(session, hold_id, resource) else {
            return Ok(missing(session, confirmation.target, false));
        };
        claim_places(&seen, &locks, LockWaitPolicy::Wait)?;
        let Some(group) = holds::lock(session, hold_id, resource)? else {
            return Ok(missing(session, confirmation.target, false));
        };
        if group.booked_periods() != seen.booked_periods() {
            return Err(Retry::Stale.into());
        }
        let now = clock::now();
        match judge_confirmation(confirmation, &group, now.micros()) {
            BasketDecision::Change(changes) => write(session, confirmation, group, &changes, now),
            decision => Ok(write_in_time(session, confirmation, group, decision, now)),
        }
    })
}

/// Writes a decision about holds none of which needs its place again, and answers.
pub fn write_in_time(
    session: &Session,
    confirmation: &Confirmation,
    group: HoldGroup,
    decision: BasketDecision,
    now: Timestamp,
) -> Outcome {
    match decision {
        BasketDecision::Change(changes) => {
            let group = group.write(session, &changes, confirmation.reference, now);
            Outcome::changed(&group, None, now)
        }
        BasketDecision::Adopt(changes) => {
            let group = group.write(session, &changes, confirmation.reference, now);
            Outcome::repeated(&group, true, now)
        }
        BasketDecision::Refuse(place, refusal) => Outcome::refused_hold(&group, place, refusal, now),
        BasketDecision::Repeat | BasketDecision::TooMuch(_) => Outcome::repeated(&group, true, now),
    }
}

/// Confirms holds that the caller has locked already, without waiting for any lock. Returns [`Stop::Busy`] if
/// another transaction has one.
pub fn without_waiting(
    session: &Session,
    confirmation: &Confirmation,
    group: HoldGroup,
    now: Timestamp,
) -> Result<Outcome, Stop> {
    let mut locks = locks_of(session, &group);
    acquire_all(session, &mut locks, |name| group.is_of_pool(name), LockWaitPolicy::NoWait)?;
    lock_holders(session, &locks, group.holders(), LockWaitPolicy::NoWait)?;
    // Serving the waitlist has ended those of the holds that have run out.
    let reread = match serve_lines(session, &locks)? {
        true => holds::lock(session, confirmation.target.hold_id, None)?,
        false => None,
    };
    let group = reread.as_ref().unwrap_or(&group);
    retry_after_wait(session, LockWaitPolicy::NoWait, || {
        claim_places(group, &locks, LockWaitPolicy::NoWait)?;
        match judge_confirmation(confirmation, group, now.micros()) {
            BasketDecision::Change(changes) => write(session, confirmation, group.clone(), &changes, now),
            decision => Ok(write_in_time(session, confirmation, group.clone(), decision, now)),
        }
    })
}

/// Ends what has run out and serves the waitlists, which come before late confirmations. Returns whether any of
/// the resources has a waitlist.
fn serve_lines(session: &Session, locks: &ResourceLocks) -> Result<bool, Stop> {
    let exclusive = locks.iter().filter(|(_, mode)| **mode == LockMode::Exclusive);
    let exclusive: Vec<&str> = exclusive.map(|(resource, _)| *resource).collect();
    let waited_for =
        if exclusive.is_empty() { Vec::new() } else { resources::waited_for(session, &exclusive) };
    for resource in &waited_for {
        end_due(session, &resources::read_existing(session, resource)?, settings::sweep_batch())?;
    }
    Ok(!waited_for.is_empty())
}

fn write(
    session: &Session,
    confirmation: &Confirmation,
    group: HoldGroup,
    changes: &[(usize, Change)],
    now: Timestamp,
) -> Result<Outcome, Interrupt> {
    // Each hold is written before the next one takes its places. If it were not, the holder's limit would not
    // count it, and the next one could end it as overdue to reclaim places. The holds whose end nobody wrote down
    // still have their places, and are written first.
    let (still_there, gone): (Vec<_>, Vec<_>) = changes.iter().partition(|(_, change)| change.room == 0);
    for &(place, change) in still_there.into_iter().chain(gone) {
        let Some(stored) = group.holds.get(place) else { continue };
        if stored.hold.state_at(now.micros()) == State::Expired {
            take_place(session, &group, place, &change, now)?;
        }
        holds::write(session, stored, &change, None, confirmation.reference, now);
    }
    Ok(Outcome::changed(&group.changed(changes, confirmation.reference), None, now))
}

/// Takes the place of one hold again. Returns [`Stop::Refused`], which undoes the whole basket, if the place is
/// gone.
fn take_place(
    session: &Session,
    group: &HoldGroup,
    place: usize,
    change: &Change,
    now: Timestamp,
) -> Result<(), Interrupt> {
    let Some(stored) = group.holds.get(place) else { return Ok(()) };
    let quantity = stored.hold.quantity;
    let found = resources::read_existing(session, &stored.resource)?;
    let limit = found.pool.max_per_holder;
    let owned = match (&stored.holder, limit) {
        (Some(holder), Some(_)) => owned(session, &stored.resource, holder, now)?,
        _ => 0,
    };
    let lost = || {
        Interrupt::from(Stop::Refused(Box::new(Outcome::refused_hold(group, place, Refusal::Expired, now))))
    };
    if found.waiting > 0 && !found.skip {
        return Err(lost());
    }
    let over_limit = |limit| {
        let outcome = Outcome::late_limit_exceeded(group, quantity, owned, limit, now);
        Interrupt::from(Stop::Refused(Box::new(outcome)))
    };
    if stored.kind() != Kind::Pool {
        if found.pool.exceeds_limit(quantity, owned) {
            return Err(over_limit(limit));
        }
        let taken = match (&stored.seats, stored.booked) {
            (Some(labels), _) => takes_seats(session, stored, labels, now)?,
            // Nobody has written down that this hold ended, so its place was not given to anybody else.
            (None, Some(booked)) => change.room == 0 || takes_period(session, stored, booked, now)?,
            (None, None) => false,
        };
        return if taken { Ok(()) } else { Err(lost()) };
    }
    let (pool, admission) = decide_with_reclaim(session, &stored.resource, None, |pool, _| {
        readmit(pool, quantity, change.room, owned)
    })?;
    match admission {
        Admission::Refuse(Refusal::LimitExceeded) => Err(over_limit(pool.max_per_holder)),
        Admission::Fits if change.room == 0 => Ok(()),
        Admission::Fits => match found.escrow {
            None => pools::take(session, &stored.resource, change.room, None, Checked::Everything)
                .map(|_| ())
                .ok_or_else(lost),
            // Others take from the count beside this call, so what the decision saw as free may be gone.
            Some(id) => {
                let most = pool.capacity + pool.overbooking;
                let delta = PoolDelta { quantity: change.room, changes: 1, offers: 0 };
                pools::take_escrow(session, &stored.resource, id, delta, most)?
                    .map(|_| ())
                    .ok_or(Retry::Stale.into())
            }
        },
        _ => Err(lost()),
    }
}

/// Takes the period of a hold again, after its end was written down. Returns whether the period was free.
fn takes_period(
    session: &Session,
    stored: &StoredHold,
    booked: BookedPeriod,
    now: Timestamp,
) -> Result<bool, Interrupt> {
    let resource = resources::read_existing(session, &stored.resource)?;
    let request = PeriodRequest {
        resource: &resource,
        occupied: booked.occupied,
        quantity: stored.hold.quantity,
        unwritten: Vec::new(),
        of: Some(stored.id),
    };
    let fit = find_fit(session, &request, now, true)?;
    if let Ok(fit) = fit {
        calendar::set_exclusive(session, stored.id, &stored.resource, fit.is_exclusive);
    }
    Ok(fit.is_ok())
}

/// Takes the seats of a hold again, if they are free or their holds have run out. Returns whether it could. If
/// nobody wrote down the hold's end, the seats still name it as their owner.
fn takes_seats(
    session: &Session,
    stored: &StoredHold,
    labels: &[String],
    now: Timestamp,
) -> Result<bool, Interrupt> {
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    seats::lock_ahead(session, &stored.resource, &labels, LockWaitPolicy::Wait)?;
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
    all_or_wait(&overdue, &overdue_seats::end_these(session, &stored.resource, &overdue, now))?;
    if missing.is_empty() {
        return Ok(true);
    }
    let take = || seats::take_again(session, &stored.resource, &missing, stored.id);
    if subtransaction::until_lock_timeout(take)? { Ok(true) } else { Err(Retry::Stale.into()) }
}
