//! Every SQL statement of the extension, beside the code that reads its rows, and the locks. Decisions do not
//! belong here: they are in `rules`, and `verbs` carries them out.
//!
//! Each statement is a constant text with parameters, and names its tables with their schema. In READ COMMITTED,
//! each takes a snapshot of its own when it starts. A statement that locks and reads would read with the snapshot
//! from before it waited, so the code locks in one statement and reads in the next.
//!
//! Every verb and the worker take their locks in one order: the heavyweight locks of the resources by name, each
//! followed by the resource's row; the lock of the key; the locks of the holders; the claims on seats and days, by
//! resource and in their order; the rows of the holds by id. A transaction that would have to wait for a hold's
//! row against that order first rolls back the subtransaction in which it locked others. Leases stand apart: the
//! lock of the name, then its row.

mod add_up;
pub mod calendar;
pub mod contention;
pub mod definitions;
mod direct;
pub mod holds;
pub mod leases;
pub mod locks;
pub mod old_holds;
pub mod overdue;
pub mod overdue_seats;
pub mod pool_count;
pub mod pools;
pub mod resources;
pub mod seat_plan;
pub mod seats;
mod statement;
mod tables;
pub mod upkeep;
pub mod usage;
mod values;
pub mod waitlist;

pub use statement::Session;

/// What the tests of a backend look at.
#[cfg(feature = "pg_test")]
pub use {
    direct::{Decline, Purpose, WRITTEN},
    tables::holds::HOLDS,
};
