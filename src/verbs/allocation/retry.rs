//! Waiting for others without having what they wait for.
//!
//! Ending an overdue hold takes its row's lock, and many may be ended in one call, those that happen
//! to be free first. To wait for another hold's row meanwhile could be to wait for somebody who waits
//! for one of these: a basket is confirmed hold by hold. So nobody waits for a hold, or for a seat
//! that others are taking, while anything was ended: the attempt is undone, its locks with it, the
//! wait is for nothing else, and then all is looked at anew.

use super::Stop;
use crate::error::Error;
use crate::escrow;
use crate::store::queue::{Claim, Place};
use crate::store::{Busy, Patience, Session, attempt, holds, seats};

/// How often something is looked at anew before the transaction is told to be run again. Each time
/// somebody else was quicker, so this is reached only where the tables contradict themselves.
pub const MOST_LOOKS: usize = 1000;

/// Makes an attempt that may end overdue holds, until it has its answer.
pub fn patiently<T>(
    session: &Session,
    patience: Patience,
    mut attempt: impl FnMut() -> Result<T, Stop>,
) -> Result<T, Stop> {
    for _ in 0..MOST_LOOKS {
        match attempt::undo_unless_ok(&mut attempt) {
            Err(Stop::Stale) => {}
            Err(stop @ (Stop::Locked(_) | Stop::UnderWay(_) | Stop::Contested { .. })) => {
                wait_for(session, &stop, patience)?
            }
            result => return result,
        }
    }
    Err(Error::serialization().into())
}

fn wait_for(session: &Session, stop: &Stop, patience: Patience) -> Result<(), Busy> {
    match (stop, patience) {
        (_, Patience::NoWait) => Err(Busy),
        (Stop::Locked(ids), Patience::Wait) => {
            holds::wait_for(session, ids, patience)?;
            seats::wait_for_one(session, ids)
        }
        (Stop::UnderWay(transaction), Patience::Wait) => {
            attempt::until_lock_timeout(|| escrow::wait_for(*transaction))
        }
        (Stop::Contested { resource, seat }, Patience::Wait) => {
            Claim::await_none(resource, Place::Seat(seat), patience)
        }
        _ => Ok(()),
    }
}
