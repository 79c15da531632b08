//! What keeps transactions apart: heavyweight locks, subtransactions that can be undone, snapshots. Which locks a verb
//! takes, and in which order, is decided in `verbs::allocation::acquire`, not here.

pub mod heavyweight;
pub mod snapshot;
pub mod subtransaction;

/// What to do where another transaction has a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWaitPolicy {
    /// Wait for it, until `lock_timeout` where that is set.
    Wait,
    /// Return without the lock.
    NoWait,
}

impl LockWaitPolicy {
    pub const fn from_wait(wait: bool) -> Self {
        if wait { Self::Wait } else { Self::NoWait }
    }
}

/// Another transaction has the lock, and the policy does not allow to wait for it (any longer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;
