//! The counts of escrow pools: how much is taken of each, while many transactions take from it at once and none
//! writes the pool's row.
//!
//! A transaction takes from the count when it places a hold, and gives that back if it is rolled back. What it
//! frees it can take again itself; others get it only after its commit. So whether the running transactions commit
//! or not, no more is taken than there is, and the count is never below what is taken (O'Neil, "The Escrow
//! Transactional Method", ACM TODS 11(4), 1986: here with one bound, and requests for whole numbers).
//!
//! An [`Account`] is the count of a pool. A [`PendingDelta`] is what one running transaction has changed in it.
//! Both lie in memory of a fixed size, which the server's processes share behind one lock; the ledger allocates
//! nothing.

mod account;
mod ledger;
mod transaction;

pub use account::{Account, Head, Others, PendingDelta};
pub use ledger::Ledger;
pub use transaction::{By, Taken, Transaction};

/// The key of a count. No two pools share a key, nor does one pool before and after a TRUNCATE of the holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(C)]
pub struct Key {
    pub database: u32,
    /// The file that the holds are in.
    pub file: u32,
    /// The UUID of the count, from the pool's row.
    pub id: [u8; 16],
}
