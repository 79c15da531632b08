//! Waiting for others without having what they wait for.
//!
//! Ending an overdue hold takes its row's lock, and many may be ended in one call, those that happen
//! to be free first. To wait for another hold's row meanwhile could be to wait for somebody who waits
//! for one of these: a basket is confirmed hold by hold. So nobody waits for a hold, or for a seat
//! that others are taking, while anything was ended: the attempt is undone, its locks with it, the
//! wait is for nothing else, and then all is looked at anew.

use crate::error::Error;
use crate::shared_memory::escrow;
use crate::store::{Session, holds, seats};
use crate::store::locks::{Busy, LockWaitPolicy, subtransaction};
use crate::store::locks::heavyweight::{Claim, ClaimTarget};
use super::stop::Stop;

/// How often something is looked at anew before the transaction is told to be run again. Each time
/// somebody else was quicker, so this is reached only where the tables contradict themselves.
pub const MAX_ATTEMPTS: usize = 1000;

/// Makes an attempt that may end overdue holds, until it has its answer.
pub fn retry_after_wait<T>(
    session: &Session,
    policy: LockWaitPolicy,
    mut attempt: impl FnMut() -> Result<T, Stop>,
) -> Result<T, Stop> {
    for _ in 0..MAX_ATTEMPTS {
        match subtransaction::undo_unless_ok(&mut attempt) {
            Err(Stop::Stale) => {}
            Err(stop @ (Stop::Locked(_) | Stop::UnderWay(_) | Stop::Contested { .. })) => {
                wait_for(session, &stop, policy)?
            }
            result => return result,
        }
    }
    Err(Error::serialization().into())
}

fn wait_for(session: &Session, stop: &Stop, policy: LockWaitPolicy) -> Result<(), Busy> {
    match (stop, policy) {
        (_, LockWaitPolicy::NoWait) => Err(Busy),
        (Stop::Locked(ids), LockWaitPolicy::Wait) => {
            holds::wait_for(session, ids, policy)?;
            seats::wait_for_one(session, ids)
        }
        (Stop::UnderWay(transaction), LockWaitPolicy::Wait) => {
            subtransaction::until_lock_timeout(|| escrow::wait_for(*transaction))
        }
        (Stop::Contested { resource, seat }, LockWaitPolicy::Wait) => {
            Claim::await_none(resource, ClaimTarget::Seat(seat), policy)
        }
        _ => Ok(()),
    }
}
