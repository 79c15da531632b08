//! How much is taken of pools whose rows nobody writes: counts that many transactions change at once.
//!
//! A transaction takes from the count when it places a hold, and gives that back where it ends without a commit.
//! What it frees it can take again itself; others only get it by its commit. So whatever becomes of those under
//! way, there is never more taken than there is, and never less counted than is taken (O'Neil, "The Escrow
//! Transactional Method", ACM TODS 11(4), 1986: here with one bound, and requests for whole numbers).
//!
//! An [`Account`] is the count of a pool, a [`PendingDelta`] what one transaction has under way on it. Both lie in memory
//! of a fixed size, which the server's processes share behind one lock; nothing here allocates.

mod ledger;
mod transaction;

pub use ledger::{Account, Head, Ledger, Others, PendingDelta};
pub use transaction::{By, Taken, Transaction};

/// Whose count it is: no two pools, nor one pool before and after its holds were replaced, share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(C)]
pub struct Key {
    pub database: u32,
    /// The file that the holds are in.
    pub file: u32,
    pub id: [u8; 16],
}
