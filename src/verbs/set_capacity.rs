//! Changing the capacity of a pool or of a calendar.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::fit::{PeriodRequest, fit_among};
use super::allocation::reclaim::decide_with_reclaim;
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Stop, settle};
use super::redefine::redefine;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::Resizing;
use crate::rules::Refusal;
use crate::rules::pool::{self, Admission};
use crate::rules::timeline::{Capacity, Fit, Period};
use crate::server::clock::{self, Timestamp};
use crate::shared_memory::versioned;
use crate::store::calendar::{self, Overlap};
use crate::store::locks::LockWaitPolicy;
use crate::store::resources::{self, Kind, ResourceStatus, StoredResource};
use crate::store::{Session, definitions, pools};

/// Sets the capacity of a calendar, whose lock the caller has in exclusive mode. Refuses to go below what is taken
/// from now on. Bookings that are over do not count: they may have taken more than the new capacity.
fn resize_calendar(session: &Session, stored: &StoredResource, resizing: Resizing) -> Result<Outcome, Stop> {
    let Resizing { capacity, during, expected_version } = resizing;
    let name = stored.name.as_str();
    if expected_version.is_some_and(|expected| expected != stored.pool.version) {
        return Ok(Outcome::refused_resource(Refusal::VersionMismatch, stored.pool.version).on(name));
    }
    let all = Period::new(clock::now().micros(), Timestamp::INFINITY.micros());
    let asked = during.unwrap_or(all);
    let (fit, old, new) = retry_after_wait(session, LockWaitPolicy::Wait, || {
        let Overlap { usages, changes } = calendar::overlap(session, stored, asked);
        let old = Capacity { usual: stored.pool.capacity, changes };
        let mut new = old.clone();
        match (during, capacity) {
            (Some(during), capacity) => new.change(during, capacity),
            (None, Some(capacity)) => new.usual = capacity,
            (None, None) => {}
        }
        let now = clock::now();
        let Some(occupied) = asked.common(all) else {
            return Ok((Fit::Fits { left: 0, is_exclusive: false }, old, new));
        };
        let request =
            PeriodRequest { resource: stored, occupied, quantity: 0, unwritten: Vec::new(), of: None };
        Ok((fit_among(session, name, &new, &usages, &request, now, true)?, old, new))
    })?;
    let left = match fit {
        Fit::Fits { left, .. } => during.map(|_| left),
        Fit::Short(tightest) => {
            let in_force = old.at(tightest.period.from);
            return Ok(Outcome::below_use(&tightest, in_force, stored.pool.version).on(name));
        }
        Fit::OnceEnded => return Err(Error::internal("overdue holds are still there after their end").into()),
    };
    redefine(session, name, || {
        if let Some(during) = during {
            calendar::write_changes(session, name, during, &new.changes);
        }
        let status = definitions::set_capacity(session, name, new.usual);
        status.map(|status| ResourceStatus { available: left, ..status })
    })
}

/// Sets the capacity of a pool or a calendar. Refuses to go below what is taken.
pub fn set_capacity(resource: &str, resizing: Resizing) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.set_capacity()");
    settle(resize_one(&session, resource, resizing))
}

fn resize_one(session: &Session, resource: &str, resizing: Resizing) -> Result<Outcome, Stop> {
    if resizing.expected_version.is_some() {
        versioned::note(resource);
    }
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = resources::read_existing(session, resource)?;
    match (stored.kind, resizing.capacity) {
        (Kind::Calendar, _) => resize_calendar(session, &stored, resizing),
        (Kind::Seats, _) => Err(Error::capacity_of_seats(resource).into()),
        (Kind::Pool, _) if resizing.during.is_some() => Err(Error::no_calendar(resource).into()),
        (Kind::Pool, None) => Err(Error::null("capacity").into()),
        (Kind::Pool, Some(capacity)) => resize_pool(session, resource, capacity, resizing.expected_version),
    }
}

/// Sets the capacity of a pool, whose lock the caller has in exclusive mode. Ends overdue holds before it refuses.
fn resize_pool(
    session: &Session,
    resource: &str,
    capacity: i64,
    expected_version: Option<i64>,
) -> Result<Outcome, Stop> {
    let (pool, admission) = retry_after_wait(session, LockWaitPolicy::Wait, || {
        decide_with_reclaim(session, resource, expected_version, |pool, expected_version| {
            pool::resize(pool, capacity, expected_version)
        })
    })?;
    if expected_version.is_some() && pools::escrow(session, resource).is_some() {
        return Err(Error::escrow_has_no_version(resource).into());
    }
    match admission {
        Admission::Refuse(refusal) => Ok(Outcome::refused_resource(refusal, pool.version).on(resource)),
        Admission::Short(_) => Ok(Outcome::below_taken(capacity, &pool).on(resource)),
        Admission::Fits => {
            redefine(session, resource, || definitions::set_capacity(session, resource, capacity))
        }
    }
}
