//! Opening a resource for new holds, and closing it.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::stop::{Stop, settle};
use super::redefine::redefine;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::locks::LockWaitPolicy;
use crate::store::{Session, definitions, resources};

/// Opens a resource for new holds, or closes it. Holds that exist stay as they are.
pub fn set_open(resource: &str, open: bool) -> Result<Outcome, Error> {
    settle(open_or_close(&Session::to_write(c"booking.set_open()"), resource, open))
}

fn open_or_close(session: &Session, resource: &str, open: bool) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = resources::read_existing(session, resource)?;
    if stored.pool.open == open {
        return Ok(Outcome::resource_changed(stored.status(), true).on(resource));
    }
    redefine(session, resource, || definitions::set_open(session, resource, open))
}
