//! Admission: whether the resource is of the right kind and open, the holder may have so much more, nothing is
//! owed to the waitlist, and a pool has enough left. Which seats or period a request gets is decided elsewhere.

use super::reclaim::{self, Reclaimed, Shortage};
use super::stop::{Interrupt, Retry};
use super::{Allocation, Pass};
use crate::error::Error;
use crate::outcome::Refused;
use crate::request::{Placement, Want};
use crate::rules::Refusal;
use crate::rules::pool::{Admission, admit};
use crate::shared_memory::escrow;
use crate::store::resources::Kind;
use crate::store::{contention, overdue};
use serde_json::json;

impl<'a> Allocation<'_, 'a> {
    /// Decides whether the resource admits `quantity` for the request's holder. Returns `None` if it does, and why
    /// not otherwise.
    ///
    /// For a pool this decides the request. For seats and calendars, what is free is the next question.
    pub fn admission(
        &mut self,
        placement: &Placement<'a>,
        quantity: i64,
    ) -> Result<Option<Refused>, Interrupt> {
        let resource = placement.resource;
        let stored = self.resource(resource)?;
        let (kind, limit) = (stored.kind, stored.pool.max_per_holder);
        fits_kind(resource, &placement.want, kind)?;
        if stored.escrow.is_some() {
            // The library is not preloaded any more, so the count is lost.
            if !escrow::is_possible() && contention::move_to_row(self.session, resource) {
                return Err(Retry::Stale.into());
            }
            if !escrow::is_possible() {
                return Err(Error::escrow_without_memory().into());
            }
            if placement.expected_version.is_some() {
                return Err(Error::escrow_has_no_version(resource).into());
            }
        }
        let owned = self.owned(placement, limit)?;
        let asked = match kind {
            Kind::Pool => quantity,
            Kind::Seats | Kind::Calendar => 0,
        };
        let pool = &self.resource(resource)?.pool;
        let mut admission = if kind != Kind::Pool && pool.exceeds_limit(quantity, owned) {
            match pool.open {
                true => Admission::Refuse(Refusal::LimitExceeded),
                false => Admission::Refuse(Refusal::Closed),
            }
        } else {
            admit(pool, asked, placement.expected_version, owned)
        };
        if let Admission::Short(missing) = admission
            && self.reclaims(resource, missing)?
        {
            admission = admit(&self.resource(resource)?.pool, asked, None, owned);
        }
        let is_owed = self.owed.contains(resource);
        let stored = self.resource(resource)?;
        let mut status = stored.status();
        if is_owed {
            status.available = Some(0);
        }
        let refused = |refusal, detail| Refused {
            refusal,
            version: Some(status.version),
            available: status.available,
            seats: None,
            detail,
        };
        Ok(match admission {
            Admission::Fits if !is_owed => None,
            Admission::Fits | Admission::Short(_) => {
                let mut detail = json!({"requested": quantity, "available": status.available});
                if is_owed {
                    detail["waiting"] = json!(stored.waiting);
                }
                Some(refused(Refusal::Unavailable, Some(detail)))
            }
            Admission::Refuse(Refusal::LimitExceeded) => {
                let refused = Refused::over_limit(quantity, owned, limit, status.version);
                Some(Refused { available: status.available, ..refused })
            }
            Admission::Refuse(refusal) => Some(Refused { available: None, ..refused(refusal, None) }),
        })
    }

    /// Returns how much the holder has on the resource, what this call gave included; 0 if there is no limit.
    fn owned(&mut self, placement: &Placement<'a>, limit: Option<i64>) -> Result<i64, Interrupt> {
        let (Some(limit), resource) = (limit, placement.resource) else { return Ok(0) };
        let Some(holder) = placement.holder else {
            return Err(Error::needs_holder(resource, limit).into());
        };
        if let Some(owned) = self.owned.get(&(resource, holder)) {
            return Ok(*owned);
        }
        let owned = if self.pass == Pass::Cheap {
            if !overdue::due_of(self.session, resource, holder, self.now).is_empty() {
                return Err(Retry::NeedsExpiry.into());
            }
            overdue::owned(self.session, resource, holder, self.now)
        } else {
            reclaim::owned(self.session, resource, holder, self.now)?
        };
        self.owned.insert((resource, holder), owned);
        Ok(owned)
    }

    /// Ends overdue holds of a pool that lacks `missing`. Returns whether that freed any.
    ///
    /// The cheap pass ends none, and returns `Err` if a deeper pass or another look could help.
    fn reclaims(&mut self, resource: &'a str, missing: i64) -> Result<bool, Interrupt> {
        if self.exhausted.contains(resource) {
            return Ok(false);
        }
        let taken = self.resource(resource)?.pool.taken;
        if self.pass == Pass::Cheap {
            if !overdue::due(self.session, resource, self.now, 1).is_empty() {
                return Err(Retry::NeedsExpiry.into());
            }
            // The shared count does not contain yet what this allocation has given.
            match reclaim::shortage(self.session, resource, missing, taken - self.unwritten(resource)) {
                Shortage::Lasting => self.exhausted.insert(resource),
                Shortage::Passing(_) => return Err(Retry::NeedsExpiry.into()),
                Shortage::Over => return Err(Retry::Stale.into()),
            };
            return Ok(false);
        }
        let Reclaimed { freed, locked } = reclaim::reclaim(self.session, resource, missing, self.now)?;
        if freed < missing && locked.is_empty() {
            let taken = taken - self.unwritten(resource) - freed;
            reclaim::shortage(self.session, resource, missing - freed, taken).or_retry()?;
            self.exhausted.insert(resource);
        }
        if freed > 0
            && let Some(stored) = self.resources.get_mut(resource)
        {
            stored.pool.taken -= freed;
            stored.pool.version += 1;
        }
        if locked.is_empty() { Ok(freed > 0) } else { Err(Retry::Locked(locked).into()) }
    }

    /// Returns how much of a pool this allocation has given and not written yet.
    fn unwritten(&self, resource: &str) -> i64 {
        self.deltas.get(resource).map_or(0, |delta| delta.quantity)
    }
}

/// Returns `Err` if what is asked for does not go with the kind of the resource. Pools are asked for a quantity,
/// seats for labels or the best, calendars for a period.
pub fn fits_kind(resource: &str, want: &Want, kind: Kind) -> Result<(), Error> {
    match (want, kind) {
        (Want::Quantity(_), Kind::Pool)
        | (Want::Seats(_) | Want::Best { .. }, Kind::Seats)
        | (Want::Period { .. }, Kind::Calendar) => Ok(()),
        (Want::Quantity(_), Kind::Calendar) => Err(Error::needs_period(resource)),
        (Want::Quantity(_), Kind::Seats) => Err(Error::needs_seats(resource)),
        (Want::Period { .. }, _) => Err(Error::no_calendar(resource)),
        (Want::Seats(_) | Want::Best { .. }, _) => Err(Error::has_no_seats(resource)),
    }
}
