//! The end of every verb that changes the definition of a resource.

use super::allocation::attempt::{serve_line, undo_if_busy};
use super::allocation::owed::left_for_others;
use super::allocation::stop::Stop;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::pools::{self, CachedPool};
use crate::store::resources::ResourceStatus;
use crate::store::{Session, pool_count};

/// Changes the definition of a resource, then serves its waitlist, because more may be free now, and returns the
/// answer. Returns error 42704 if `change` returns `None`, because there is no such resource.
pub fn redefine(
    session: &Session,
    resource: &str,
    change: impl FnOnce() -> Option<ResourceStatus>,
) -> Result<Outcome, Stop> {
    undo_if_busy(|| {
        let mut status = change().ok_or_else(|| Error::no_resource(resource))?;
        if let Some(CachedPool { escrow: Some(id), most, .. }) = pools::cached(session, resource) {
            status.available = Some(most - pool_count::taken(session, resource, id, true));
        }
        if status.is_waited_for {
            serve_line(session, resource)?;
            let available = status.available.map(|_| left_for_others(session, resource));
            return Ok(Outcome::resource_changed(ResourceStatus { available, ..status }, false).on(resource));
        }
        Ok(Outcome::resource_changed(status, false).on(resource))
    })
}
