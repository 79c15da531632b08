//! Creating a calendar, and changing its capacity and its hours.

use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::Refusal;
use crate::rules::hours::Week;
use crate::rules::timeline::{Capacity, Fit, Period};
use crate::server::clock::{Timestamp, self};
use crate::store::Session;
use crate::store::calendar::{Overlap, self};
use crate::store::definitions::{NewResource, self};
use crate::store::locks::LockWaitPolicy;
use crate::store::resources::{ResourceStatus, StoredResource};
use super::allocation::acquire::acquire_exclusive;
use super::allocation::fit::{PeriodRequest, fit_among};
use super::allocation::reclaim::read;
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Stop, settle};
use super::redefine::changed;
use pgrx::pg_sys;

/// Creates a calendar and returns its row of `booking.resources`.
pub fn create_calendar(calendar: &NewResource) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_calendar()");
    definitions::create(&session, calendar).ok_or_else(|| Error::resource_exists(calendar.name))
}

/// Sets the hours beyond which nothing new is held; none: it is always open. Holds that exist are not
/// touched.
pub fn set_hours(resource: &str, week: Option<&Week>) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.set_hours()");
    settle(open_at(&session, resource, week))
}

fn open_at(session: &Session, resource: &str, week: Option<&Week>) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = read(session, resource)?;
    if stored.as_calendar()?.week.as_ref() == week {
        return Ok(Outcome::resource_changed(stored.status(), true));
    }
    let lines = week.map(Week::lines);
    let lines: Option<Vec<&str>> = lines.as_ref().map(|lines| lines.iter().map(String::as_str).collect());
    changed(session, resource, definitions::set_hours(session, resource, lines.as_deref()))
}

/// What the capacity of a calendar is to be.
#[derive(Clone, Copy)]
pub struct Resizing {
    /// None: the usual one again.
    pub capacity: Option<i64>,
    /// None: for ever, where nothing else is said of a period.
    pub during: Option<Period>,
    pub expected_version: Option<i64>,
}

/// Sets the capacity of a calendar, whose turn the caller has: never below what is taken, from now on.
/// What is over can have had more than there would be now.
pub fn resize(session: &Session, stored: &StoredResource, resizing: Resizing) -> Result<Outcome, Stop> {
    let Resizing { capacity, during, expected_version } = resizing;
    let name = stored.name.as_str();
    if expected_version.is_some_and(|expected| expected != stored.pool.version) {
        return Ok(Outcome::refused_resource(Refusal::VersionMismatch, stored.pool.version));
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
        let request = PeriodRequest { resource: stored, occupied, quantity: 0, unwritten: Vec::new(), of: None };
        Ok((fit_among(session, name, &new, &usages, &request, now, true)?, old, new))
    })?;
    let left = match fit {
        Fit::Fits { left, .. } => during.map(|_| left),
        Fit::Short(tightest) => {
            let in_force = old.at(tightest.period.from);
            return Ok(Outcome::below_use(&tightest, in_force, stored.pool.version));
        }
        Fit::OnceEnded => return Err(Error::internal("what was ended is still there").into()),
    };
    if let Some(during) = during {
        calendar::write_changes(session, name, during, &new.changes);
    }
    let status = definitions::set_capacity(session, name, new.usual);
    changed(session, name, status.map(|status| ResourceStatus { available: left, ..status }))
}
