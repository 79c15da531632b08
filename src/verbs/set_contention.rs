//! Having a pool counted in its row, or in shared memory.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::stop::{Stop, settle};
use super::redefine::redefined;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::pool::Contention;
use crate::shared_memory::escrow;
use crate::store::locks::LockWaitPolicy;
use crate::store::resources::{self, Kind};
use crate::store::{Session, definitions, pool_count};
use uuid::Uuid;

/// Has a pool's room counted in its row, or in escrow; for one that is, anew.
pub fn set_contention(resource: &str, contention: Contention) -> Result<Outcome, Error> {
    settle(contend(&Session::to_write(c"booking.set_contention()"), resource, contention))
}

fn contend(session: &Session, resource: &str, contention: Contention) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = resources::read_existing(session, resource)?;
    if stored.kind != Kind::Pool {
        return Err(Error::no_pool(resource).into());
    }
    let id = match contention {
        Contention::Locked if stored.escrow.is_none() => {
            return Ok(Outcome::resource_changed(stored.status(), true).on(resource));
        }
        Contention::Locked => None,
        Contention::Escrow if !escrow::is_possible() => return Err(Error::escrow_without_memory().into()),
        // Another id, so that no count of before is taken for this one's.
        Contention::Escrow => Some(Uuid::now_v7()),
    };
    let status = definitions::set_escrow(session, resource, id, pool_count::count(session, resource));
    redefined(session, resource, status)
}
