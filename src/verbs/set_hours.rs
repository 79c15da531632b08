//! The weekly hours of a calendar.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::stop::{Stop, settle};
use super::redefine::redefine;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::hours::Week;
use crate::store::locks::LockWaitPolicy;
use crate::store::{Session, definitions, resources};

/// Sets the weekly hours in which a calendar takes bookings; `None` means always. Holds that exist stay as they
/// are.
pub fn set_hours(resource: &str, week: Option<&Week>) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.set_hours()");
    settle(open_at(&session, resource, week))
}

fn open_at(session: &Session, resource: &str, week: Option<&Week>) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = resources::read_existing(session, resource)?;
    if stored.as_calendar()?.week.as_ref() == week {
        return Ok(Outcome::resource_changed(stored.status(), true).on(resource));
    }
    let lines = week.map(Week::lines);
    let lines: Option<Vec<&str>> = lines.as_ref().map(|lines| lines.iter().map(String::as_str).collect());
    redefine(session, resource, || definitions::set_hours(session, resource, lines.as_deref()))
}
