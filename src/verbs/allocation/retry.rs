//! Waiting for other transactions without a lock that they could be waiting for.
//!
//! A call that ends overdue holds locks their rows: those that no other transaction has locked, the longest
//! overdue first. That is not the order of ids, in which verbs lock holds. If it then waited for another
//! hold's row, it could wait for a transaction that waits for one of the rows just locked: a basket is
//! confirmed hold by hold. So no call waits for a hold, or for a seat that others are taking, while it has
//! ended any. It first rolls the attempt back, its locks with it. Then it waits, and looks at everything
//! again.

use super::stop::{Interrupt, Retry, Stop};
use crate::error::Error;
use crate::shared_memory::escrow;
use crate::store::locks::heavyweight::{Claim, ClaimTarget};
use crate::store::locks::{Busy, LockWaitPolicy, subtransaction};
use crate::store::{Session, holds, overdue_seats};

/// The most attempts of one call before it ends with 40001. Each failed attempt means that another session was
/// quicker, so only contradictory tables can cause as many.
pub const MAX_ATTEMPTS: usize = 1000;

/// Repeats an attempt that may end overdue holds until it has an answer. Each runs in a subtransaction, which is
/// rolled back before the wait. Returns error 40001 after [`MAX_ATTEMPTS`].
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

/// Waits until another attempt may have another answer. Returns `Err` if the policy does not allow to wait, or
/// `lock_timeout` ran out.
fn wait_for(session: &Session, retry: &Retry, policy: LockWaitPolicy) -> Result<(), Busy> {
    match (retry, policy) {
        (Retry::Stale | Retry::NeedsExpiry, _) => Ok(()),
        (_, LockWaitPolicy::NoWait) => Err(Busy),
        (Retry::Locked(ids), LockWaitPolicy::Wait) => {
            holds::wait_for(session, ids, policy)?;
            overdue_seats::wait_for_one(session, ids)
        }
        (Retry::UnderWay(transaction), LockWaitPolicy::Wait) => {
            subtransaction::until_lock_timeout(|| escrow::wait_for(*transaction))
        }
        (Retry::Contested { resource, seat }, LockWaitPolicy::Wait) => {
            Claim::await_none(resource, ClaimTarget::Seat(seat), policy)
        }
    }
}
