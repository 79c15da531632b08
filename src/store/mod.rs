//! Every SQL statement of the extension, next to the code that reads its rows; and the locks.
//!
//! Decides nothing. Each statement is static text with parameters, names its tables with their
//! schema, and takes a snapshot of its own, so: lock in one statement, look in the next.
//!
//! The lock order, everywhere: the resources' queues by name, each with its resource's row; a key's
//! queue, a holder's; the seats' claims by resource and label; the holds' rows by id. Whoever would
//! have to wait for a hold's row out of that order gives back what it has locked first. Leases are apart: a
//! name's queue, and its row.

pub mod calendar;
pub mod definitions;
pub mod holds;
pub mod leases;
pub mod locks;
pub mod overdue;
pub mod pool_count;
pub mod pools;
pub mod resources;
pub mod seat_plan;
pub mod seats;
mod statement;
pub mod upkeep;
pub mod waitlist;

pub use statement::Session;
