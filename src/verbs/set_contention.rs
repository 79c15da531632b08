//! Choosing whether a pool is counted in its row or in shared memory, or by how many wait for it.

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

/// Chooses how a pool is counted. For an escrow pool that stays one, makes the next call count its holds again.
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
        // What is counted in its row has nothing to move.
        Contention::Locked | Contention::Auto if stored.contention == contention => {
            return Ok(Outcome::resource_changed(stored.status(), true).on(resource));
        }
        Contention::Locked | Contention::Auto => None,
        Contention::Escrow if !escrow::is_possible() => return Err(Error::escrow_without_memory().into()),
        // The id is new, so that no count of the past is taken for the count of this pool.
        Contention::Escrow => Some(Uuid::now_v7()),
    };
    redefine(session, resource, || {
        let taken = pool_count::count(session, resource);
        definitions::set_contention(session, resource, contention, id, taken)
    })
}
