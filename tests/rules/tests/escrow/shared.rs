//! Memory for counts, as large as a test needs it.

use booking_rules::escrow::{Account, Head, Key, Ledger, PendingDelta};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    head: Head,
    buckets: Vec<u32>,
    accounts: Vec<Account>,
    deltas: Vec<PendingDelta>,
}

impl Memory {
    pub fn new(accounts: usize, deltas: usize) -> Self {
        let mut memory = Self {
            head: Head::EMPTY,
            buckets: vec![0; accounts],
            accounts: vec![Account::CLOSED; accounts],
            deltas: vec![PendingDelta::NOBODYS; deltas],
        };
        memory.ledger().clear();
        memory
    }

    pub fn ledger(&mut self) -> Ledger<'_> {
        Ledger {
            head: &mut self.head,
            buckets: &mut self.buckets,
            accounts: &mut self.accounts,
            deltas: &mut self.deltas,
        }
    }

    /// Returns how much is counted as taken of a pool. Returns `None` if its count is not in memory.
    pub fn taken(&mut self, pool: usize) -> Option<i64> {
        let mut ledger = self.ledger();
        let place = ledger.find(&key(pool))?;
        Some(ledger.account(place).taken)
    }
}

pub fn key(pool: usize) -> Key {
    Key { database: 1, file: 1, id: [pool as u8; 16] }
}
