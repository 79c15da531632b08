//! Waiting for others without having what they wait for.
//!
//! Ending an overdue hold takes its row's lock, and many may be ended in one call, those that happen
//! to be free first. To wait for another hold's row meanwhile could be to wait for somebody who waits
//! for one of these: a basket is confirmed hold by hold. So nobody waits for a hold, or for a seat
//! that others are taking, while anything was ended: the attempt is undone, its locks with it, the
//! wait is for nothing else, and then all is looked at anew.

use super::Interrupt;
use super::stop::{Retry, Stop};
use crate::error::Error;
use crate::shared_memory::escrow;
use crate::store::locks::heavyweight::{Claim, ClaimTarget};
use crate::store::locks::{Busy, LockWaitPolicy, subtransaction};
use crate::store::{Session, holds, seats};

/// How often something is looked at anew before the transaction is told to be run again. Each time
/// somebody else was quicker, so this is reached only where the tables contradict themselves.
pub const MAX_ATTEMPTS: usize = 1000;

/// Makes an attempt that may end overdue holds, until it has its answer.
pub fn retry_after_wait<T>(
    session: &Session,
    policy: LockWaitPolicy,
    mut attempt: impl FnMut() -> Result<T, Interrupt>,
) -> Result<T, Stop> {
    for _ in 0..MAX_ATTEMPTS {
        match subtransaction::undo_unless_ok(&mut attempt) {
            Ok(answer) => return Ok(answer),
            Err(Interrupt::Stop(stop)) => return Err(stop),
            Err(Interrupt::Retry(retry)) => wait_for(session, &retry, policy)?,
        }
    }
    Err(Error::serialization().into())
}

fn wait_for(session: &Session, retry: &Retry, policy: LockWaitPolicy) -> Result<(), Busy> {
    match (retry, policy) {
        (Retry::Stale | Retry::NeedsExpiry, _) => Ok(()),
        (_, LockWaitPolicy::NoWait) => Err(Busy),
        (Retry::Locked(ids), LockWaitPolicy::Wait) => {
            holds::wait_for(session, ids, policy)?;
            seats::wait_for_one(session, ids)
        }
        (Retry::UnderWay(transaction), LockWaitPolicy::Wait) => {
            subtransaction::until_lock_timeout(|| escrow::wait_for(*transaction))
        }
        (Retry::Contested { resource, seat }, LockWaitPolicy::Wait) => {
            Claim::await_none(resource, ClaimTarget::Seat(seat), policy)
        }
    }
}
