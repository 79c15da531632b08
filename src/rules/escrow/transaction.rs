//! The pending deltas of one transaction, by subtransaction level: ROLLBACK TO SAVEPOINT gives back what was taken
//! since the savepoint.

use super::super::Micros;
use super::account::Change;
use super::{Key, Ledger};

/// The process and the subtransaction level that change a count, and when.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// A number that no other process of the server has.
    pub owner: u32,
    /// The subtransaction level: a number that no other level of the transaction has.
    pub level: u32,
    pub now: Micros,
    /// The number of the transaction, or of its current subtransaction, whose end others can wait for. 0 if it is only
    /// going to look.
    pub transaction: u32,
    /// By how much the pool's version rises.
    pub changes: i64,
}

impl By {
    const fn change(self, taken: i64, credit: i64) -> Change {
        Change { transaction: self.transaction, taken, credit, changes: self.changes }
    }
}

/// The result of a change to a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Done. After [`take`](Transaction::take), so much is left.
    Yes { left: i64 },
    /// Only so much is free for this transaction.
    Short { free: i64 },
    /// The key has no open account: the transaction has not [entered](Transaction::enter).
    Outside,
    /// No pending delta is free in memory.
    NoRoom,
}

/// The pending deltas of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Transaction {
    deltas: Vec<Own>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Own {
    delta: u32,
    account: u32,
    level: u32,
}

impl Transaction {
    pub const fn new() -> Self {
        Self { deltas: Vec::new() }
    }

    /// Returns whether the transaction has entered no count.
    pub const fn is_idle(&self) -> bool {
        self.deltas.is_empty()
    }

    /// Keeps the account of a key open for as long as this subtransaction level lasts. Returns [`Taken::Yes`] if
    /// the account is open, or why it cannot.
    ///
    /// A transaction that has entered a retired account and changed nothing in it may have given up its lock meanwhile. So
    /// it leaves that account: others may have counted again.
    pub fn enter(&mut self, ledger: &mut Ledger, key: &Key, by: By) -> Taken {
        if let Some(account) = self.entered(ledger, key)
            && ledger.account(account).is_retired()
            && !self.has_changed(ledger, account)
        {
            self.leave(ledger, account, by.now);
        }
        let Some(account) = self.account(ledger, key) else { return Taken::Outside };
        match self.at_level(ledger, account, by) {
            Some(_) => Taken::Yes { left: 0 },
            None => Taken::NoRoom,
        }
    }

    /// Takes `quantity`, if the count stays at or below `limit`; first of what this transaction has freed itself.
    pub fn take(&mut self, ledger: &mut Ledger, key: &Key, by: By, quantity: i64, limit: i64) -> Taken {
        let Some(account) = self.account(ledger, key) else { return Taken::Outside };
        let credit = self.credit(ledger, account);
        let own = quantity.min(credit);
        let taken = ledger.account(account).taken;
        let free = limit - taken + credit;
        if quantity > own && quantity > free {
            return Taken::Short { free };
        }
        let Some(delta) = self.at_level(ledger, account, by) else { return Taken::NoRoom };
        ledger.change(delta, by.change(quantity - own, -own), by.now);
        Taken::Yes { left: free - quantity }
    }

    /// Frees `quantity`: at once for this transaction, for others when it commits. Returns [`Taken::Yes`], or why
    /// it cannot.
    pub fn give(&mut self, ledger: &mut Ledger, key: &Key, by: By, quantity: i64) -> Taken {
        let Some(account) = self.account(ledger, key) else { return Taken::Outside };
        let Some(delta) = self.at_level(ledger, account, by) else { return Taken::NoRoom };
        ledger.change(delta, by.change(0, quantity), by.now);
        Taken::Yes { left: 0 }
    }

    /// Returns how much is taken, as this transaction sees it: what it has freed itself is free. Returns `None` if
    /// the account is not open.
    pub fn taken(&self, ledger: &mut Ledger, key: &Key) -> Option<i64> {
        let account = self.account(ledger, key)?;
        Some(ledger.account(account).taken - self.credit(ledger, account))
    }

    /// Ends all pending deltas with the transaction. This cannot fail.
    pub fn end(&mut self, ledger: &mut Ledger, committed: bool, now: Micros) {
        for own in self.deltas.drain(..) {
            ledger.end(own.delta, committed, now);
        }
    }

    /// Leaves all pending deltas behind, because the transaction is being prepared. `transaction` is its number. This
    /// cannot fail.
    pub fn prepare(&mut self, ledger: &mut Ledger, transaction: u32) {
        for own in self.deltas.drain(..) {
            ledger.prepare(own.delta, transaction);
        }
    }

    /// Ends what a prepared transaction, which has ended now, left on the accounts that this one has entered.
    pub fn settle(&self, ledger: &mut Ledger, transaction: u32, committed: bool, now: Micros) {
        for own in &self.deltas {
            ledger.settle(own.account, transaction, committed, now);
        }
    }

    /// Ends the pending deltas of a subtransaction level: gives back what they took after a rollback, or moves
    /// them to the level around it. This cannot fail.
    pub fn end_level(&mut self, ledger: &mut Ledger, level: u32, around: u32, committed: bool, now: Micros) {
        let mut n = 0;
        while n < self.deltas.len() {
            let own = self.deltas[n];
            if own.level != level {
                n += 1;
                continue;
            }
            let of_around = |other: &&Own| other.level == around && other.account == own.account;
            match (committed, self.deltas.iter().find(of_around).copied()) {
                (true, None) => self.deltas[n].level = around,
                (true, Some(other)) => {
                    ledger.merge(other.delta, own.delta);
                    self.deltas.swap_remove(n);
                }
                (false, _) => {
                    ledger.end(own.delta, false, now);
                    self.deltas.swap_remove(n);
                }
            }
        }
    }

    /// Returns the account that this transaction has entered under a key, retired or not, or else the open one.
    pub fn account(&self, ledger: &mut Ledger, key: &Key) -> Option<u32> {
        self.entered(ledger, key).or_else(|| ledger.find(key))
    }

    fn entered(&self, ledger: &Ledger, key: &Key) -> Option<u32> {
        let mut own = self.deltas.iter().map(|own| own.account);
        own.find(|account| ledger.account(*account).is_of(key))
    }

    /// Returns whether any of this transaction's pending deltas has changed an account.
    pub fn has_changed(&self, ledger: &Ledger, account: u32) -> bool {
        let mut own = self.deltas.iter().filter(|own| own.account == account);
        own.any(|own| ledger.deltas[own.delta as usize].is_change())
    }

    fn leave(&mut self, ledger: &mut Ledger, account: u32, now: Micros) {
        let (left, kept) = self.deltas.iter().partition(|own| own.account == account);
        self.deltas = kept;
        let left: Vec<Own> = left;
        left.into_iter().for_each(|own| ledger.end(own.delta, false, now));
    }

    /// Returns what this transaction has freed on an account and not taken again.
    fn credit(&self, ledger: &Ledger, account: u32) -> i64 {
        let own = self.deltas.iter().filter(|own| own.account == account);
        own.map(|own| ledger.deltas[own.delta as usize].credit).sum()
    }

    /// Returns the pending delta of a level on an account, and adds one if there is none. Returns `None` if no
    /// pending delta is free in memory.
    fn at_level(&mut self, ledger: &mut Ledger, account: u32, by: By) -> Option<u32> {
        let here = |own: &&Own| own.account == account && own.level == by.level;
        if let Some(own) = self.deltas.iter().find(here) {
            return Some(own.delta);
        }
        let delta = ledger.delta(account, by.owner)?;
        self.deltas.push(Own { delta, account, level: by.level });
        Some(delta)
    }
}
