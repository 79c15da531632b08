//! Choosing whether a pool is counted in its row or in shared memory.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::stop::{Stop, settle};
use super::redefine::redefine;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::pool::Contention;
use crate::shared_memory::escrow;
use crate::store::locks::LockWaitPolicy;
use crate::store::resources::{self, Kind};
use crate::store::{Session, definitions, pool_count};
use uuid::Uuid;

/// Makes a pool a locked one, which is counted in its row, or an escrow pool. For an escrow pool that stays one,
/// makes the next call count its holds again.
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
        // The id is new, so that no count of the past is taken for the count of this pool.
        Contention::Escrow => Some(Uuid::now_v7()),
    };
    redefine(session, resource, || {
        definitions::set_escrow(session, resource, id, pool_count::count(session, resource))
    })
}
