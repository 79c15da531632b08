//! The accounts and the stakes, in memory of a fixed size.

use super::super::Micros;
use super::Key;

/// A place in one of the arrays. None is this one.
type Index = u32;
const NONE: Index = Index::MAX;

/// How much is taken of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Account {
    key: Key,
    /// By what is committed and by what is under way; what is under way to be freed included.
    pub taken: i64,
    /// When it was counted, and changed last.
    pub counted_at: Micros,
    pub changed_at: Micros,
    /// The next one with the same hash, or that is free.
    next: Index,
    /// The first of those who have something under way.
    deltas: Index,
    is_open: bool,
    /// Asked for since the last look for one to be closed.
    is_recent: bool,
}

/// What one transaction, at one of its levels, has under way on an account. It keeps the account open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct PendingDelta {
    pub account: Index,
    next: Index,
    /// Whose it is, and the transaction whose end others can wait for. 0: nothing yet.
    owner: u32,
    transaction: u32,
    /// Given back without a commit.
    pub taken: i64,
    /// Given back by a commit. Negative where the transaction takes again what it had freed at another level.
    pub credit: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Head {
    free_accounts: Index,
    free_deltas: Index,
    /// Where to look next for an account to be closed.
    hand: Index,
}

/// What others have under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Others {
    /// How much more could be free when they are through, at the most.
    pub gain: i64,
    /// One of those it could come from.
    pub transaction: u32,
}

impl Head {
    pub const EMPTY: Self = Self { free_accounts: NONE, free_deltas: NONE, hand: 0 };
}

/// All of it.
pub struct Ledger<'m> {
    pub head: &'m mut Head,
    /// The first account of each hash; as many as there are accounts.
    pub buckets: &'m mut [Index],
    pub accounts: &'m mut [Account],
    pub deltas: &'m mut [PendingDelta],
}

impl Account {
    pub const CLOSED: Self = Self {
        key: Key { database: 0, file: 0, id: [0; 16] },
        taken: 0,
        counted_at: 0,
        changed_at: 0,
        next: NONE,
        deltas: NONE,
        is_open: false,
        is_recent: false,
    };
}

impl PendingDelta {
    pub const NOBODYS: Self =
        Self { account: NONE, next: NONE, owner: 0, transaction: 0, taken: 0, credit: 0 };
}

impl Ledger<'_> {
    /// Makes an empty ledger of memory that holds anything.
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

    /// The open account of a key.
    pub fn find(&mut self, key: &Key) -> Option<Index> {
        let mut place = self.buckets[self.bucket(key)];
        while place != NONE {
            let account = &mut self.accounts[place as usize];
            if account.key == *key {
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

    /// Opens an account, where none is open for its key, with what was counted. Nobody else can have anything under
    /// way there. None where there is no room: all accounts have something under way.
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

    /// Closes an account that has nothing under way and was not asked for since the hand went past it.
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

    /// Closes all accounts of a database that have nothing under way.
    pub fn close_idle(&mut self, database: u32) {
        for place in 0..self.accounts.len() {
            let account = &self.accounts[place];
            if account.is_open && account.key.database == database && account.deltas == NONE {
                self.close(place as Index);
            }
        }
    }

    /// A stake of an owner's on an account. None where there is no room for one.
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

    /// Changes what is under way, for the transaction whose end is the end of it.
    pub(super) fn change(&mut self, delta: Index, transaction: u32, taken: i64, credit: i64, now: Micros) {
        let delta = &mut self.deltas[delta as usize];
        let account = &mut self.accounts[delta.account as usize];
        delta.transaction = transaction;
        delta.taken += taken;
        delta.credit += credit;
        account.taken += taken;
        account.changed_at = now;
    }

    /// Ends a stake: what was taken stays so and what was freed is free, by a commit; or the other way round.
    pub(super) fn end(&mut self, place: Index, committed: bool, now: Micros) {
        let delta = self.deltas[place as usize];
        let account = &mut self.accounts[delta.account as usize];
        account.taken -= if committed { delta.credit } else { delta.taken };
        if delta.taken != 0 || delta.credit != 0 {
            account.changed_at = now;
        }
        self.free(place);
    }

    /// Makes one stake of two on the same account: the first one's.
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
    }

    /// What others than an owner have under way on an account that could free something.
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

    /// How many have something under way on an account, each of their levels counted.
    pub fn under_way(&self, account: Index) -> i64 {
        let mut count = 0;
        let mut place = self.accounts[account as usize].deltas;
        while place != NONE {
            let delta = &self.deltas[place as usize];
            count += i64::from(delta.taken != 0 || delta.credit != 0);
            place = delta.next;
        }
        count
    }

    fn bucket(&self, key: &Key) -> usize {
        // An id is a UUID of version 7, whose second half is random.
        let (_, random) = key.id.split_at(8);
        let random = random.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let place = u64::from(key.database) << 32 | u64::from(key.file);
        ((random ^ place) % self.buckets.len() as u64) as usize
    }
}
