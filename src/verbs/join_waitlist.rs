//! Waiting for what is taken, and being served when it comes free.
//!
//! Whoever frees something offers it in the same transaction: between the release and the offer there is no
//! moment at which somebody else could have it.

use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::request::{Part, Placement, Target, Want, When};
use crate::rules::Refusal;
use crate::rules::timeline::{Capacity, Fit, Usage, fit};
use crate::server::clock::{Timestamp, self};
use crate::store::{Session, calendar, holds, seats};
use crate::store::locks::LockWaitPolicy;
use crate::store::locks::heavyweight::LockMode;
use crate::store::resources::{Kind, StoredResource, self};
use crate::store::waitlist::{Entry, EntryState, MAX_WAITING_TOLD_APART, NewEntry, self};
use super::allocation::{any_of, self};
use super::allocation::acquire::{ResourceLocks, acquire_exclusive};
use super::allocation::fit::{is_open, booked_period_on};
use super::allocation::reclaim::read;
use super::allocation::stop::{Stop, settle};
use super::give_back::release;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The longest line of those who wait for places that are not told apart.
const MAX_WAITING: i64 = 1_000_000;

/// Lines up for what is taken, or is given it at once where nobody waits and it is free.
pub fn join_waitlist(placement: &Placement) -> Result<Outcome, Error> {
    settle(join(&Session::to_write(c"booking.join_waitlist()"), placement))
}

fn join(session: &Session, placement: &Placement) -> Result<Outcome, Stop> {
    let resource = placement.resource;
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = read(session, resource)?;
    if let Some(key) = placement.key
        && let Some(entry) = waitlist::by_key(session, key, resource)
    {
        return Ok(match entry.fingerprint == placement.fingerprint {
            true => entry_outcome(session, &entry, true, clock::now()).again(),
            false => Outcome::entry_key_reused(entry.id),
        });
    }
    if let Some(refused) = in_vain(session, &stored, placement)? {
        return Ok(Outcome::refused(refused));
    }
    let most = if stored.kind == Kind::Pool && !stored.skip { MAX_WAITING } else { MAX_WAITING_TOLD_APART };
    if stored.waiting >= most {
        return Err(Error::limit(format!("more than {most} wait for resource \"{resource}\"")).into());
    }
    let id = Uuid::now_v7();
    waitlist::join(session, &NewEntry::of(placement, id, clock::now()));
    resources::add_waiting(session, resource, 1);
    serve_line(session, resource)?;
    match waitlist::by_id(session, id, Some(resource)) {
        Some(entry) => Ok(entry_outcome(session, &entry, true, clock::now())),
        None => Err(Error::internal("an entry is gone").into()),
    }
}

impl<'a> NewEntry<'a> {
    fn of(placement: &'a Placement<'a>, id: Uuid, joined_at: Timestamp) -> Self {
        let (seats, during) = match &placement.want {
            Want::Seats(labels) => (Some(labels.as_slice()), None),
            Want::Period { when: When::During(period), .. } => (None, Some(*period)),
            _ => (None, None),
        };
        Self {
            id,
            resource: placement.resource,
            quantity: placement.want.quantity(),
            seats,
            during,
            holder: placement.holder,
            offer_ttl: placement.ttl,
            key: placement.key,
            fingerprint: placement.fingerprint,
            joined_at,
            metadata: placement.metadata,
        }
    }
}

/// Why it would wait in vain: so much is never to be had, however much is given back.
fn in_vain(
    session: &Session,
    stored: &StoredResource,
    placement: &Placement,
) -> Result<Option<Refused>, Stop> {
    let want = any_of(stored.kind, placement.want.clone())?;
    allocation::fits_kind(placement.resource, &want, stored.kind)?;
    let (pool, quantity) = (&stored.pool, placement.want.quantity());
    if let Some(limit) = pool.max_per_holder {
        if placement.holder.is_none() {
            return Err(Error::needs_holder(placement.resource, limit).into());
        }
        if quantity > limit {
            return Ok(Some(Refused::over_limit(quantity, 0, limit, pool.version)));
        }
    }
    match &want {
        Want::Period { when, .. } => {
            let calendar = stored.as_calendar()?;
            let booked = booked_period_on(calendar, *when)?;
            if booked.during.to <= clock::now().micros() {
                return Err(Error::invalid("the period is over").into());
            }
            if !is_open(calendar, booked.during) {
                return Ok(Some(Refused::outside_hours(calendar, pool.version)));
            }
            let changes = calendar::overlap(session, stored, booked.occupied).changes;
            let capacity = Capacity { usual: pool.capacity, changes };
            Ok(match fit(&capacity, &[], &[], booked.occupied, quantity) {
                Fit::Short(tightest) => {
                    let at = Timestamp::from_micros(tightest.period.from);
                    Some(Refused::over_time(quantity, tightest.free(), at, pool.version))
                }
                Fit::Fits { .. } | Fit::OnceEnded => None,
            })
        }
        Want::Seats(labels) => {
            let known = seats::read(session, placement.resource, labels, clock::now());
            let unknown = labels.iter().find(|label| !known.iter().any(|seat| seat.label == **label));
            if let Some(label) = unknown {
                return Err(Error::no_seat(placement.resource, label).into());
            }
            Ok(None)
        }
        Want::Quantity(_) | Want::Best { .. } => {
            let most = pool.capacity + pool.overbooking;
            let refused = || Refused {
                available: Some(most),
                detail: Some(json!({"requested": quantity, "available": most})),
                ..Refused::mere(Refusal::Unavailable, pool.version)
            };
            Ok((quantity > most).then(refused))
        }
    }
}

/// Waits no more; or gives back what was offered.
pub fn leave_waitlist(id: Uuid) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.leave_waitlist()");
    let Some(entry) = waitlist::by_id(&session, id, None) else { return Ok(Outcome::not_found(id)) };
    if let Some(outcome) = leave(&session, &entry).map_or_else(|stop| settle(Err(stop)).map(Some), Ok)? {
        return Ok(outcome);
    }
    let target = Target { hold_id: id, resource: Some(&entry.resource), expected_version: None };
    drop(session);
    release(target, Part { quantity: None, seats: None })
}

/// None where it was offered a hold.
fn leave(session: &Session, entry: &Entry) -> Result<Option<Outcome>, Stop> {
    acquire_exclusive(session, &entry.resource, LockWaitPolicy::Wait)?;
    // It may have been served while the turn was waited for.
    let Some(entry) = waitlist::by_id(session, entry.id, Some(&entry.resource)) else {
        return Ok(Some(Outcome::not_found(entry.id)));
    };
    match entry.state {
        EntryState::Left => Ok(Some(Outcome::left(entry.id, true).again())),
        EntryState::Offered => Ok(None),
        EntryState::Waiting => {
            waitlist::leave(session, entry.id, &entry.resource, clock::now());
            resources::add_waiting(session, &entry.resource, -1);
            // What was owed to it may be enough for those behind.
            serve_line(session, &entry.resource)?;
            Ok(Some(Outcome::left(entry.id, true)))
        }
    }
}

/// Gives those who wait for a resource, which the caller has alone, what has come free.
pub fn serve_line(session: &Session, resource: &str) -> Result<(), Stop> {
    let locks = ResourceLocks::from([(resource, LockMode::Exclusive)]);
    // A long line is read from its head, part by part.
    while allocation::serve(session, &locks, &[], LockWaitPolicy::Wait, |allocation, _| Ok(allocation.goes_on(resource)))? {}
    Ok(())
}

/// What of a resource is owed to those who wait for it, which the caller has alone.
pub struct Owed {
    all: bool,
    seats: BTreeSet<String>,
    pub usages: Vec<Usage>,
}

impl Owed {
    /// Whether a seat is owed, where it is free.
    pub fn includes(&self, seat: &str) -> bool {
        self.all || self.seats.contains(seat)
    }
}

/// What those who wait for a resource are owed of it: what they wait for counts as theirs, unless they may be
/// passed by.
pub fn owed(session: &Session, stored: &StoredResource) -> Result<Owed, Error> {
    let mut owed = Owed { all: false, seats: BTreeSet::new(), usages: Vec::new() };
    if stored.waiting == 0 || stored.skip {
        return Ok(owed);
    }
    for entry in waitlist::lines(session, &[(&stored.name, stored.kind, false)], clock::now()) {
        match (&entry.seats, entry.during) {
            (Some(labels), _) => owed.seats.extend(labels.iter().cloned()),
            (None, None) => owed.all = true,
            (None, Some(period)) => {
                let occupied = booked_period_on(stored.as_calendar()?, When::During(period))?.occupied;
                owed.usages.push(Usage { occupied, quantity: entry.quantity, is_held: true });
            }
        }
    }
    Ok(owed)
}

/// What is left of a pool for those who are not in its line.
pub fn left_for_others(session: &Session, resource: &str) -> i64 {
    let stored = resources::read(session, resource);
    stored.filter(|stored| stored.waiting == 0 || stored.skip).map_or(0, |stored| stored.pool.free())
}

/// Where a hold stands that is not there, or not yet: it may be waited for.
pub fn missing(session: &Session, target: Target, ok: bool) -> Outcome {
    match waitlist::by_id(session, target.hold_id, target.resource) {
        Some(entry) => entry_outcome(session, &entry, ok, clock::now()),
        None => Outcome::not_found(target.hold_id),
    }
}

fn entry_outcome(session: &Session, entry: &Entry, ok: bool, now: Timestamp) -> Outcome {
    match entry.state {
        EntryState::Waiting => {
            Outcome::waiting(entry, waitlist::position(session, entry.id, &entry.resource), ok)
        }
        EntryState::Left => Outcome::left(entry.id, ok),
        EntryState::Offered => holds::look(session, entry.id, Some(&entry.resource))
            .map_or_else(|| Outcome::not_found(entry.id), |group| Outcome::current(&group, ok, now)),
    }
}
