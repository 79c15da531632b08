//! What keeps transactions apart: heavyweight locks, subtransactions that are rolled back, and snapshots. Which
//! locks a verb takes, and in which order, is decided in `verbs::allocation::acquire`, not here.

pub mod heavyweight;
pub mod snapshot;
pub mod subtransaction;

/// What a call does if another transaction has a lock that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWaitPolicy {
    /// It waits for the lock, until `lock_timeout` runs out if that is set.
    Wait,
    /// It returns [`Busy`] without the lock.
    NoWait,
}

impl LockWaitPolicy {
    /// Reads the argument `wait` of a verb.
    pub const fn from_wait(wait: bool) -> Self {
        if wait { Self::Wait } else { Self::NoWait }
    }
}

/// Another transaction has the lock, and the policy does not allow the call to wait for it, or `lock_timeout` ran
/// out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;
