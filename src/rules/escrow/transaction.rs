//! What one transaction has under way, level by level: a savepoint that is rolled back gives back what was taken
//! since.

use super::super::Micros;
use super::{Key, Ledger};

/// Who changes a count.
#[derive(Clone, Copy, Debug)]
pub struct By {
    /// Tells the processes of the server apart.
    pub owner: u32,
    /// The level, by a number that no other level of the transaction has.
    pub level: u32,
    pub now: Micros,
}

/// What came of taking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So much is left.
    Yes { left: i64 },
    /// There is only so much.
    Short { free: i64 },
    /// It has not [entered](Transaction::enter).
    Outside,
    /// The memory is full of what others have under way.
    NoRoom,
}

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

    /// Whether it has anything to do with a count.
    pub const fn is_idle(&self) -> bool {
        self.deltas.is_empty()
    }

    /// Keeps the account of a key open for as long as this level lasts, if it is. Whether it is: [`Taken::Yes`],
    /// or why not.
    pub fn enter(&mut self, ledger: &mut Ledger, key: &Key, by: By) -> Taken {
        let Some(account) = ledger.find(key) else { return Taken::Outside };
        match self.at_level(ledger, account, by) {
            Some(_) => Taken::Yes { left: 0 },
            None => Taken::NoRoom,
        }
    }

    /// Takes so much, up to a bound; first of what this transaction has freed itself. `transaction` is what others
    /// can wait for the end of.
    pub fn take(
        &mut self,
        ledger: &mut Ledger,
        key: &Key,
        by: By,
        transaction: u32,
        quantity: i64,
        most: i64,
    ) -> Taken {
        let Some(account) = ledger.find(key) else { return Taken::Outside };
        let credit = self.credit(ledger, account);
        let own = quantity.min(credit);
        let taken = ledger.account(account).taken;
        let free = most - taken + credit;
        if quantity > own && quantity > free {
            return Taken::Short { free };
        }
        let Some(delta) = self.at_level(ledger, account, by) else { return Taken::NoRoom };
        ledger.change(delta, transaction, quantity - own, -own, by.now);
        Taken::Yes { left: free - quantity }
    }

    /// Frees so much: at once for this transaction, for others when it commits. Whether it has entered.
    pub fn give(&mut self, ledger: &mut Ledger, key: &Key, by: By, transaction: u32, quantity: i64) -> Taken {
        let Some(account) = ledger.find(key) else { return Taken::Outside };
        let Some(delta) = self.at_level(ledger, account, by) else { return Taken::NoRoom };
        ledger.change(delta, transaction, 0, quantity, by.now);
        Taken::Yes { left: 0 }
    }

    /// How much is taken, as this transaction sees it: what it has freed itself is free.
    pub fn taken(&self, ledger: &mut Ledger, key: &Key) -> Option<i64> {
        let account = ledger.find(key)?;
        Some(ledger.account(account).taken - self.credit(ledger, account))
    }

    /// It is over. Nothing here can fail.
    pub fn end(&mut self, ledger: &mut Ledger, committed: bool, now: Micros) {
        for own in self.deltas.drain(..) {
            ledger.end(own.delta, committed, now);
        }
    }

    /// A level is over: rolled back, or part of the one around it. Nothing here can fail.
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

    fn credit(&self, ledger: &Ledger, account: u32) -> i64 {
        let own = self.deltas.iter().filter(|own| own.account == account);
        own.map(|own| ledger.deltas[own.delta as usize].credit).sum()
    }

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
