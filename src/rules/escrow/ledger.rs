//! The accounts and the pending deltas, in memory of a fixed size.

use super::super::Micros;
use super::Key;
use super::account::{Account, Change, Head, Index, NONE, Others, PREPARED, PendingDelta};

/// All accounts and pending deltas.
pub struct Ledger<'m> {
    pub head: &'m mut Head,
    /// The first account of each bucket. There are as many buckets as accounts.
    pub buckets: &'m mut [Index],
    pub accounts: &'m mut [Account],
    pub deltas: &'m mut [PendingDelta],
}

impl Ledger<'_> {
    /// Makes the ledger empty, whatever the memory holds.
    pub fn clear(&mut self) {
        self.buckets.fill(NONE);
        self.accounts.fill(Account::CLOSED);
        self.deltas.fill(PendingDelta::NOBODYS);
        for (n, account) in self.accounts.iter_mut().enumerate().skip(1) {
            account.next = n as Index - 1;
        }
        for (n, delta) in self.deltas.iter_mut().enumerate().skip(1) {
            delta.next = n as Index - 1;
        }
        let last = |length: usize| length.checked_sub(1).map_or(NONE, |last| last as Index);
        *self.head =
            Head { free_accounts: last(self.accounts.len()), free_deltas: last(self.deltas.len()), hand: 0 };
    }

    /// Returns the open account of a key. Returns `None` if there is none, or only a retired one.
    pub fn find(&mut self, key: &Key) -> Option<Index> {
        let mut place = self.buckets[self.bucket(key)];
        while place != NONE {
            let account = &mut self.accounts[place as usize];
            if account.key == *key && !account.is_retired {
                account.is_recent = true;
                return Some(place);
            }
            place = account.next;
        }
        None
    }

    pub fn account(&self, place: Index) -> &Account {
        &self.accounts[place as usize]
    }

    /// Opens an account with what was counted. The caller has made sure that the key has no open account. Returns
    /// `None` if no account is free and none can be closed: all have pending deltas.
    pub fn open(&mut self, key: &Key, taken: i64, now: Micros) -> Option<Index> {
        if self.head.free_accounts == NONE {
            self.close_one()?;
        }
        let place = self.head.free_accounts;
        let bucket = self.bucket(key);
        let account = &mut self.accounts[place as usize];
        self.head.free_accounts = account.next;
        let next = std::mem::replace(&mut self.buckets[bucket], place);
        *account = Account {
            key: *key,
            taken,
            counted_at: now,
            changed_at: now,
            next,
            is_open: true,
            is_recent: true,
            ..Account::CLOSED
        };
        Some(place)
    }

    /// Replaces what was counted, unless a transaction has pending deltas.
    pub fn recount(&mut self, place: Index, taken: i64, now: Micros) {
        let account = &mut self.accounts[place as usize];
        if account.deltas == NONE {
            account.taken = taken;
            account.counted_at = now;
        }
    }

    /// Closes an account that has no pending delta and that nobody has asked for since the hand last passed it.
    /// Returns `None` if all accounts have pending deltas.
    fn close_one(&mut self) -> Option<()> {
        let count = self.accounts.len();
        for _ in 0..2 * count {
            let place = self.head.hand;
            self.head.hand = (place + 1) % count as Index;
            let account = &mut self.accounts[place as usize];
            if account.deltas == NONE && account.is_open && !std::mem::take(&mut account.is_recent) {
                self.close(place);
                return Some(());
            }
        }
        None
    }

    fn close(&mut self, place: Index) {
        let account = self.accounts[place as usize];
        let bucket = self.bucket(&account.key);
        if self.buckets[bucket] == place {
            self.buckets[bucket] = account.next;
        } else {
            let mut before = self.buckets[bucket];
            while self.accounts[before as usize].next != place {
                before = self.accounts[before as usize].next;
            }
            self.accounts[before as usize].next = account.next;
        }
        self.accounts[place as usize] = Account { next: self.head.free_accounts, ..Account::CLOSED };
        self.head.free_accounts = place;
    }

    /// Lets nobody enter an account any more, and closes it when its last pending delta has ended. Who has entered it
    /// goes on with it. A transaction that comes later counts again, which is
    /// possible only when all those have ended.
    pub fn retire(&mut self, place: Index) {
        self.accounts[place as usize].is_retired = true;
        self.close_if_over(place);
    }

    /// Retires all accounts of a database.
    pub fn retire_all(&mut self, database: u32) {
        for place in 0..self.accounts.len() {
            let account = &self.accounts[place];
            if account.is_open && account.key.database == database {
                self.retire(place as Index);
            }
        }
    }

    /// Closes a retired account that only prepared transactions have pending deltas on: nobody will ask for it again.
    fn close_if_over(&mut self, place: Index) {
        let account = self.accounts[place as usize];
        let mut delta = account.deltas;
        while delta != NONE && self.deltas[delta as usize].owner == PREPARED {
            delta = self.deltas[delta as usize].next;
        }
        if account.is_open && account.is_retired && delta == NONE {
            let mut delta = account.deltas;
            while delta != NONE {
                let next = self.deltas[delta as usize].next;
                self.deltas[delta as usize] =
                    PendingDelta { next: self.head.free_deltas, ..PendingDelta::NOBODYS };
                self.head.free_deltas = delta;
                delta = next;
            }
            self.close(place);
        }
    }

    /// Adds an empty pending delta of an owner to an account. Returns `None` if there is no free one.
    pub(super) fn delta(&mut self, account: Index, owner: u32) -> Option<Index> {
        let place = self.head.free_deltas;
        if place == NONE {
            return None;
        }
        let first = &mut self.accounts[account as usize].deltas;
        let delta = &mut self.deltas[place as usize];
        self.head.free_deltas = delta.next;
        *delta = PendingDelta { account, next: *first, owner, ..PendingDelta::NOBODYS };
        *first = place;
        Some(place)
    }

    /// Adds to a pending delta.
    pub(super) fn change(&mut self, delta: Index, change: Change, now: Micros) {
        let Change { transaction, taken, credit, changes } = change;
        let delta = &mut self.deltas[delta as usize];
        let account = &mut self.accounts[delta.account as usize];
        delta.transaction = transaction;
        delta.taken += taken;
        delta.credit += credit;
        account.taken += taken;
        account.changes += changes;
        account.changed_at = now;
    }

    /// Ends a pending delta. By a commit, what was taken stays taken and what was freed is free; by a rollback,
    /// the other way round.
    pub(super) fn end(&mut self, place: Index, committed: bool, now: Micros) {
        let delta = self.deltas[place as usize];
        let account = &mut self.accounts[delta.account as usize];
        account.taken -= if committed { delta.credit } else { delta.taken };
        if delta.is_change() {
            account.changed_at = now;
        }
        self.free(place);
    }

    /// Leaves a pending delta to the transaction that is being prepared: nobody will say when that has ended. So nobody may
    /// enter the account any more. Who has entered it can wait for the transaction, and [settles](Self::settle) it then.
    pub(super) fn prepare(&mut self, place: Index, transaction: u32) {
        let delta = &mut self.deltas[place as usize];
        if !delta.is_change() {
            return self.free(place);
        }
        delta.owner = PREPARED;
        delta.transaction = transaction;
        let account = delta.account;
        self.retire(account);
    }

    /// Ends the pending deltas that a prepared transaction, which has ended now, left on an account that the caller has
    /// entered.
    pub(super) fn settle(&mut self, account: Index, transaction: u32, committed: bool, now: Micros) {
        let mut place = self.accounts[account as usize].deltas;
        while place != NONE {
            let PendingDelta { next, owner, transaction: of, .. } = self.deltas[place as usize];
            if owner == PREPARED && of == transaction {
                self.end(place, committed, now);
            }
            place = next;
        }
    }

    /// Merges a pending delta into another one on the same account.
    pub(super) fn merge(&mut self, into: Index, from: Index) {
        let PendingDelta { taken, credit, transaction, .. } = self.deltas[from as usize];
        let delta = &mut self.deltas[into as usize];
        delta.taken += taken;
        delta.credit += credit;
        if delta.transaction == 0 {
            delta.transaction = transaction;
        }
        self.free(from);
    }

    fn free(&mut self, place: Index) {
        let PendingDelta { account, next, .. } = self.deltas[place as usize];
        let first = &mut self.accounts[account as usize].deltas;
        if *first == place {
            *first = next;
        } else {
            let mut before = *first;
            while self.deltas[before as usize].next != place {
                before = self.deltas[before as usize].next;
            }
            self.deltas[before as usize].next = next;
        }
        self.deltas[place as usize] = PendingDelta { next: self.head.free_deltas, ..PendingDelta::NOBODYS };
        self.head.free_deltas = place;
        self.close_if_over(account);
    }

    /// Returns what the pending deltas of all other owners on an account could free. Returns `None` if they could
    /// free nothing.
    pub fn others(&self, account: Index, owner: u32) -> Option<Others> {
        let mut others: Option<Others> = None;
        let mut place = self.accounts[account as usize].deltas;
        while place != NONE {
            let delta = &self.deltas[place as usize];
            let gain = delta.taken.max(delta.credit);
            if delta.owner != owner && gain > 0 {
                let others = others.get_or_insert(Others { gain: 0, transaction: delta.transaction });
                others.gain = others.gain.saturating_add(gain);
            }
            place = delta.next;
        }
        others
    }

    /// Returns how many pending deltas on an account have changed it. A transaction has one for each
    /// subtransaction level.
    pub fn under_way(&self, account: Index) -> i64 {
        let mut count = 0;
        let mut place = self.accounts[account as usize].deltas;
        while place != NONE {
            let delta = &self.deltas[place as usize];
            count += i64::from(delta.is_change());
            place = delta.next;
        }
        count
    }

    fn bucket(&self, key: &Key) -> usize {
        // The id is a UUID of version 7: its second half is random, so it serves as a hash.
        let (_, random) = key.id.split_at(8);
        let random = random.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let place = u64::from(key.database) << 32 | u64::from(key.file);
        ((random ^ place) % self.buckets.len() as u64) as usize
    }
}
