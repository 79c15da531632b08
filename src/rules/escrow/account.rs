//! What the ledger is made of: accounts, pending deltas, and the heads of the lists of free ones.

use super::super::Micros;
use super::Key;

/// An index into one of the arrays.
pub type Index = u32;
/// The index that stands for "none".
pub(super) const NONE: Index = Index::MAX;
/// The owner of what a prepared transaction has changed, which no process owns any more.
pub(super) const PREPARED: u32 = 0;

/// The count of a pool: how much is taken of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Account {
    pub(super) key: Key,
    /// What committed and running transactions have taken. What a running transaction has freed counts as taken
    /// until its commit.
    pub taken: i64,
    /// How often it was changed, also by transactions that were rolled back since. It never falls.
    pub changes: i64,
    /// When the pool's holds were counted.
    pub counted_at: Micros,
    /// When the count changed last.
    pub changed_at: Micros,
    /// The next account in the same bucket, or the next free one.
    pub(super) next: Index,
    /// The first of its pending deltas.
    pub(super) deltas: Index,
    pub(super) is_open: bool,
    /// Whether nobody may enter it any more. It is closed when its last pending delta has ended.
    pub(super) is_retired: bool,
    /// Whether somebody has asked for it since the hand of `close_one` last passed it.
    pub(super) is_recent: bool,
}

/// What one running transaction, at one of its subtransaction levels, has changed in an account. It keeps the
/// account open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct PendingDelta {
    pub account: Index,
    pub(super) next: Index,
    /// The process that it belongs to.
    pub(super) owner: u32,
    /// The number of the transaction or subtransaction whose end others can wait for. 0: it has changed nothing
    /// yet.
    pub(super) transaction: u32,
    /// What a rollback gives back.
    pub taken: i64,
    /// What a commit gives back. Negative if the transaction takes again what it has freed at another level.
    pub credit: i64,
}

/// What is added to a pending delta.
pub(super) struct Change {
    /// The number whose end others can wait for.
    pub transaction: u32,
    pub taken: i64,
    pub credit: i64,
    /// How many changes of the pool this stands for.
    pub changes: i64,
}

/// The heads of the free lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Head {
    pub(super) free_accounts: Index,
    pub(super) free_deltas: Index,
    /// The account at which the next search for one to close begins.
    pub(super) hand: Index,
}

/// What the pending deltas of other processes could free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Others {
    /// How much more could be free when they have ended, at most.
    pub gain: i64,
    /// One of the transactions that it could come from.
    pub transaction: u32,
}

impl Head {
    pub const EMPTY: Self = Self { free_accounts: NONE, free_deltas: NONE, hand: 0 };
}

impl Account {
    pub const CLOSED: Self = Self {
        key: Key { database: 0, file: 0, id: [0; 16] },
        taken: 0,
        changes: 0,
        counted_at: 0,
        changed_at: 0,
        next: NONE,
        deltas: NONE,
        is_open: false,
        is_retired: false,
        is_recent: false,
    };

    /// Returns whether nobody may enter the account any more.
    pub const fn is_retired(&self) -> bool {
        self.is_retired
    }

    /// Returns whether this is the account of a key.
    pub fn is_of(&self, key: &Key) -> bool {
        self.key == *key
    }
}

impl PendingDelta {
    pub const NOBODYS: Self =
        Self { account: NONE, next: NONE, owner: 0, transaction: 0, taken: 0, credit: 0 };

    /// Returns whether it has changed the account.
    pub(super) const fn is_change(&self) -> bool {
        self.taken != 0 || self.credit != 0
    }
}
