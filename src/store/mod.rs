//! Every SQL statement of the extension, next to the code that reads its rows; and the locks.
//!
//! Decides nothing. Each statement is static text with parameters, names its tables with their
//! schema, and takes a snapshot of its own, so: lock in one statement, look in the next.
//!
//! The lock order, everywhere: the resources' queues by name, each with its resource's row; a key's
//! queue, a holder's; the seats' claims by resource and label; the holds' rows by id. Whoever would
//! have to wait for a hold's row out of that order gives back what it has locked first. Leases are apart: a
//! name's queue, and its row.

pub mod attempt;
pub mod calendar;
pub mod definition;
pub mod holds;
pub mod leases;
pub mod lineage;
pub mod overdue;
pub mod plan;
pub mod pools;
pub mod queue;
pub mod resources;
pub mod seats;
pub mod snapshot;
mod statement;
pub mod upkeep;
pub mod waitlist;

pub use statement::Session;

/// What to do where another transaction is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWaitPolicy {
    /// Wait for it, until `lock_timeout` where that is set.
    Wait,
    /// Come back without the lock.
    NoWait,
}

impl LockWaitPolicy {
    pub const fn from_wait(wait: bool) -> Self {
        if wait { Self::Wait } else { Self::NoWait }
    }
}

/// Somebody else has the lock, and the caller's patience is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;
