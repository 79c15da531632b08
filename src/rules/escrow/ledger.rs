//! The accounts and the stakes, in memory of a fixed size.

use super::super::Micros;
use super::Key;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A place in one of the arrays. None is this one.
type Place = u32;
const NONE: Place = Place::MAX;

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
    next: Place,
    /// The first of those who have something under way.
    stakes: Place,
    is_open: bool,
    /// Asked for since the last look for one to be closed.
    is_recent: bool,
}

/// What one transaction, at one of its levels, has under way on an account. It keeps the account open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Stake {
    pub account: Place,
    next: Place,
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
    free_accounts: Place,
    free_stakes: Place,
    /// Where to look next for an account to be closed.
    hand: Place,
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
    pub const EMPTY: Self = Self { free_accounts: NONE, free_stakes: NONE, hand: 0 };
}

/// All of it.
pub struct Ledger<'m> {
    pub head: &'m mut Head,
    /// The first account of each hash; as many as there are accounts.
    pub buckets: &'m mut [Place],
    pub accounts: &'m mut [Account],
    pub stakes: &'m mut [Stake],
}

impl Account {
    pub const CLOSED: Self = Self {
        key: Key { database: 0, file: 0, id: [0; 16] },
        taken: 0,
        counted_at: 0,
        changed_at: 0,
        next: NONE,
        stakes: NONE,
        is_open: false,
        is_recent: false,
    };
}

impl Stake {
    pub const NOBODYS: Self =
        Self { account: NONE, next: NONE, owner: 0, transaction: 0, taken: 0, credit: 0 };
}

impl Ledger<'_> {
    /// Makes an empty ledger of memory that holds anything.
    pub fn clear(&mut self) {
        self.buckets.fill(NONE);
        self.accounts.fill(Account::CLOSED);
        self.stakes.fill(Stake::NOBODYS);
        for (n, account) in self.accounts.iter_mut().enumerate().skip(1) {
            account.next = n as Place - 1;
        }
        for (n, stake) in self.stakes.iter_mut().enumerate().skip(1) {
            stake.next = n as Place - 1;
        }
        let last = |length: usize| length.checked_sub(1).map_or(NONE, |last| last as Place);
        *self.head =
            Head { free_accounts: last(self.accounts.len()), free_stakes: last(self.stakes.len()), hand: 0 };
    }

    /// The open account of a key.
    pub fn find(&mut self, key: &Key) -> Option<Place> {
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

    pub fn account(&self, place: Place) -> &Account {
        &self.accounts[place as usize]
    }

    /// Opens an account, where none is open for its key, with what was counted. Nobody else can have anything under
    /// way there. None where there is no room: all accounts have something under way.
    pub fn open(&mut self, key: &Key, taken: i64, now: Micros) -> Option<Place> {
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
            self.head.hand = (place + 1) % count as Place;
            let account = &mut self.accounts[place as usize];
            if account.stakes == NONE && account.is_open && !std::mem::take(&mut account.is_recent) {
                self.close(place);
                return Some(());
            }
        }
        None
    }

    fn close(&mut self, place: Place) {
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
            if account.is_open && account.key.database == database && account.stakes == NONE {
                self.close(place as Place);
            }
        }
    }

    /// A stake of an owner's on an account. None where there is no room for one.
    pub(super) fn stake(&mut self, account: Place, owner: u32) -> Option<Place> {
        let place = self.head.free_stakes;
        if place == NONE {
            return None;
        }
        let first = &mut self.accounts[account as usize].stakes;
        let stake = &mut self.stakes[place as usize];
        self.head.free_stakes = stake.next;
        *stake = Stake { account, next: *first, owner, ..Stake::NOBODYS };
        *first = place;
        Some(place)
    }

    /// Changes what is under way, for the transaction whose end is the end of it.
    pub(super) fn change(&mut self, stake: Place, transaction: u32, taken: i64, credit: i64, now: Micros) {
        let stake = &mut self.stakes[stake as usize];
        let account = &mut self.accounts[stake.account as usize];
        stake.transaction = transaction;
        stake.taken += taken;
        stake.credit += credit;
        account.taken += taken;
        account.changed_at = now;
    }

    /// Ends a stake: what was taken stays so and what was freed is free, by a commit; or the other way round.
    pub(super) fn end(&mut self, place: Place, committed: bool, now: Micros) {
        let stake = self.stakes[place as usize];
        let account = &mut self.accounts[stake.account as usize];
        account.taken -= if committed { stake.credit } else { stake.taken };
        if stake.taken != 0 || stake.credit != 0 {
            account.changed_at = now;
        }
        self.let_go(place);
    }

    /// Makes one stake of two on the same account: the first one's.
    pub(super) fn merge(&mut self, into: Place, from: Place) {
        let Stake { taken, credit, transaction, .. } = self.stakes[from as usize];
        let stake = &mut self.stakes[into as usize];
        stake.taken += taken;
        stake.credit += credit;
        if stake.transaction == 0 {
            stake.transaction = transaction;
        }
        self.let_go(from);
    }

    fn let_go(&mut self, place: Place) {
        let Stake { account, next, .. } = self.stakes[place as usize];
        let first = &mut self.accounts[account as usize].stakes;
        if *first == place {
            *first = next;
        } else {
            let mut before = *first;
            while self.stakes[before as usize].next != place {
                before = self.stakes[before as usize].next;
            }
            self.stakes[before as usize].next = next;
        }
        self.stakes[place as usize] = Stake { next: self.head.free_stakes, ..Stake::NOBODYS };
        self.head.free_stakes = place;
    }

    /// What others than an owner have under way on an account that could free something.
    pub fn others(&self, account: Place, owner: u32) -> Option<Others> {
        let mut others: Option<Others> = None;
        let mut place = self.accounts[account as usize].stakes;
        while place != NONE {
            let stake = &self.stakes[place as usize];
            let gain = stake.taken.max(stake.credit);
            if stake.owner != owner && gain > 0 {
                let others = others.get_or_insert(Others { gain: 0, transaction: stake.transaction });
                others.gain = others.gain.saturating_add(gain);
            }
            place = stake.next;
        }
        others
    }

    /// How many have something under way on an account, each of their levels counted.
    pub fn under_way(&self, account: Place) -> i64 {
        let mut count = 0;
        let mut place = self.accounts[account as usize].stakes;
        while place != NONE {
            let stake = &self.stakes[place as usize];
            count += i64::from(stake.taken != 0 || stake.credit != 0);
            place = stake.next;
        }
        count
    }

    fn bucket(&self, key: &Key) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        (hasher.finish() % self.buckets.len() as u64) as usize
    }
}
