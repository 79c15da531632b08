//! Joining the waitlist of a resource.
//!
//! The transaction that frees something also offers it to the waitlist. So there is no moment between the release
//! and the offer at which another call could take it.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::attempt::{serve_line, undo_if_busy};
use super::allocation::fit::{booked_period_on, is_open};
use super::allocation::stop::{Stop, settle};
use super::allocation::{self, any_of};
use super::missing::entry_outcome;
use crate::error::Error;
use crate::limits::{MAX_WAITING, MAX_WAITING_TOLD_APART};
use crate::outcome::{Outcome, Refused};
use crate::request::{Placement, Want, When};
use crate::rules::Refusal;
use crate::rules::timeline::{Capacity, Fit, fit};
use crate::server::clock::{self, Timestamp};
use crate::store::locks::LockWaitPolicy;
use crate::store::resources::{self, Kind, StoredResource};
use crate::store::waitlist::{self, NewEntry};
use crate::store::{Session, calendar, seats};
use serde_json::json;
use uuid::Uuid;

/// Joins the waitlist of a resource. Gives the caller a hold at once if what it wants is free and not owed to
/// others.
pub fn join_waitlist(placement: &Placement) -> Result<Outcome, Error> {
    settle(join(&Session::to_write(c"booking.join_waitlist()"), placement))
}

fn join(session: &Session, placement: &Placement) -> Result<Outcome, Stop> {
    let resource = placement.resource;
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = resources::read_existing(session, resource)?;
    if let Some(key) = placement.key
        && let Some(entry) = waitlist::by_key(session, key, resource)
    {
        return Ok(match entry.fingerprint == placement.fingerprint {
            true => entry_outcome(session, &entry, true, clock::now()).again(),
            false => Outcome::entry_key_reused(&entry),
        });
    }
    if let Some(refused) = in_vain(session, &stored, placement)? {
        return Ok(Outcome::refused(refused).on(resource));
    }
    let most = if stored.kind == Kind::Pool && !stored.skip { MAX_WAITING } else { MAX_WAITING_TOLD_APART };
    if stored.waiting >= most {
        return Err(Error::limit(format!("more than {most} wait for resource \"{resource}\"")).into());
    }
    undo_if_busy(|| {
        let id = Uuid::now_v7();
        waitlist::join(session, &NewEntry::of(placement, id, clock::now()));
        resources::add_waiting(session, resource, 1);
        serve_line(session, resource)?;
        match waitlist::by_id(session, id, Some(resource)) {
            Some(entry) => Ok(entry_outcome(session, &entry, true, clock::now())),
            None => Err(Error::internal("an entry of a waitlist is missing after its insertion").into()),
        }
    })
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

/// Returns why the entry would wait in vain, which is if it could not be served however much came free. Returns
/// `None` if it could.
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
        if pool.exceeds_limit(quantity, 0) {
            return Ok(Some(Refused::over_limit(quantity, 0, Some(limit), pool.version)));
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
