//! The counts of escrow pools (`contention => 'escrow'`): how much is taken of each.
//!
//! If everybody wants the same pool, the lock on its row is the limit. The count of an escrow pool is in shared
//! memory instead: a hold takes from the count and inserts its own row, and writes nothing else. A count is a
//! cache of what the pool's holds add up to. It is counted when a transaction first asks for the pool, and nothing
//! is stored that could drift. The rules are in [`crate::rules::escrow`]; this module ties them to the server's
//! transactions.
//!
//! A transaction that takes or gives back has the resource lock in share mode, beside all others that do, and has
//! *entered* the count: that keeps the count in memory until the transaction ends. If there is no memory left for
//! the count, the transaction takes the resource lock in exclusive mode and adds up the pool's holds each time.
#![allow(unsafe_code)]

mod memory;

use crate::error::Error;
use crate::rules::Micros;
use crate::rules::escrow::{By, Key, Ledger, Others, Taken, Transaction};
use crate::server::backend::{self, is_preloaded};
use crate::server::clock::{self, Timestamp};
use crate::server::transaction::{self, TransactionEvent};
pub(super) use memory::with_ledger;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use uuid::Uuid;

std::thread_local! {
    static TRANSACTION: RefCell<Transaction> = const { RefCell::new(Transaction::new()) };
    /// The pools whose holds this transaction changes without a count in memory.
    static UNCOUNTED: RefCell<Vec<Key>> = const { RefCell::new(Vec::new()) };
    /// Whether this transaction makes the database's counts be counted again when it commits.
    static FORGETS: Cell<bool> = const { Cell::new(false) };
}

/// The id of a count, which is in the pool's row.
pub type Id = Uuid;

/// The result of entering a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    Yes,
    /// The pool must be counted first, by a transaction that has the resource lock in exclusive mode.
    NotCounted,
    /// There is no memory left. A transaction that has the resource lock in exclusive mode can do without the
    /// count.
    NoRoom,
}

/// Returns whether there is memory for counts at all.
pub fn is_possible() -> bool {
    is_preloaded()
}

/// Enters a count: keeps it in memory until this transaction ends, or its current subtransaction is rolled back. The
/// caller has locked the table of holds, because a TRUNCATE changes its file, and with it the key of the count.
pub fn enter(id: Id) -> Entered {
    let key = key(id);
    if is_uncounted(&key) {
        return Entered::NoRoom;
    }
    match change_by(by(0, 0), |transaction, ledger, by| transaction.enter(ledger, &key, by)) {
        Taken::Yes { .. } => Entered::Yes,
        Taken::NoRoom => Entered::NoRoom,
        Taken::Outside | Taken::Short { .. } => Entered::NotCounted,
    }
}

/// Stores how much is taken and enters the count. The caller has counted it, with the resource lock in exclusive
/// mode.
pub fn count(id: Id, taken: i64) -> Entered {
    if is_uncounted(&key(id)) {
        return Entered::NoRoom;
    }
    store(id, taken);
    match enter(id) {
        Entered::NotCounted => Entered::NoRoom,
        entered => entered,
    }
}

/// Returns whether this transaction may add up a pool's holds and [store](store) the sum for others: its own changes, which
/// may be rolled back, must not be in it.
pub fn can_store(id: Id) -> bool {
    can_count() && !is_uncounted(&key(id))
}

/// Returns whether anything is counted on this server. On a standby nobody notes what changes.
pub(super) fn can_count() -> bool {
    // SAFETY: reads a variable of the server.
    is_possible() && !unsafe { pg_sys::RecoveryInProgress() }
}

/// Stores how much is taken. The caller has counted it, with the resource lock in exclusive mode.
pub fn store(id: Id, taken: i64) {
    store_under(&key(id), taken);
}

pub(super) fn store_under(key: &Key, taken: i64) {
    let now = clock::now().micros();
    with_ledger(|ledger| match ledger.find(key) {
        Some(place) => ledger.recount(place, taken, now),
        None => drop(ledger.open(key, taken, now)),
    });
}

/// Notes that this transaction changes the pool's holds without a count in memory, with the resource lock in
/// exclusive mode. The pool must not be counted before the transaction ends: its changes may yet be rolled back.
pub fn do_without(id: Id) {
    let key = key(id);
    UNCOUNTED.with_borrow_mut(|uncounted| {
        if !uncounted.contains(&key) {
            uncounted.push(key);
        }
    });
}

fn is_uncounted(key: &Key) -> bool {
    UNCOUNTED.with_borrow(|uncounted| uncounted.contains(key))
}

/// Takes `quantity`, if the count stays at or below `limit`. `changes` says by how much that raises the version.
/// Returns `None` if the transaction does without the count. Raises 53400 if there is no memory left for the change.
pub fn take(id: Id, quantity: i64, changes: i64, limit: i64) -> Result<Option<Taken>, Error> {
    let taken = change(id, changes, |own, ledger, key, by| own.take(ledger, key, by, quantity, limit));
    entered(id, taken)
}

/// Gives `quantity` back: at once for this transaction, for others when it commits. Returns false if the
/// transaction does without the count. Raises 53400 if there is no memory left for the change.
pub fn give(id: Id, quantity: i64) -> Result<bool, Error> {
    let given = change(id, 1, |own, ledger, key, by| own.give(ledger, key, by, quantity));
    Ok(entered(id, given)?.is_some())
}

/// Returns `None` if the transaction does without the count, and an error if it should have entered.
fn entered(id: Id, taken: Taken) -> Result<Option<Taken>, Error> {
    match taken {
        Taken::Outside if is_uncounted(&key(id)) => Ok(None),
        Taken::Outside if !is_possible() => {
            do_without(id);
            Ok(None)
        }
        Taken::Outside => Err(Error::internal("the transaction changes a count that it has not entered")),
        Taken::NoRoom => Err(Error::escrow_full()),
        taken => Ok(Some(taken)),
    }
}

/// Returns how much is taken, as this transaction sees it. Returns `None` if the count is not in memory, or the
/// transaction does without it.
pub fn taken(id: Id) -> Option<i64> {
    let key = key(id);
    if is_uncounted(&key) {
        return None;
    }
    TRANSACTION.with_borrow(|transaction| with_ledger(|ledger| transaction.taken(ledger, &key)).flatten())
}

/// A count, as this transaction sees it.
#[derive(Clone, Copy)]
pub struct Seen {
    pub taken: i64,
    /// How often it was changed since it was counted.
    pub changes: i64,
    pub counted_at: Timestamp,
    pub changed_at: Timestamp,
    /// Whether this transaction has changed it, and can still be rolled back.
    pub has_own: bool,
}

/// Returns a count, or `None` if it is not in memory.
pub fn seen(id: Id) -> Option<Seen> {
    seen_under(&key(id))
}

pub(super) fn seen_under(key: &Key) -> Option<Seen> {
    TRANSACTION.with_borrow(|transaction| {
        with_ledger(|ledger| {
            let taken = transaction.taken(ledger, key)?;
            let place = transaction.account(ledger, key)?;
            let has_own = transaction.has_changed(ledger, place);
            let account = ledger.account(place);
            let [counted_at, changed_at] =
                [account.counted_at, account.changed_at].map(Timestamp::from_micros);
            Some(Seen { taken, changes: account.changes, counted_at, changed_at, has_own })
        })
        .flatten()
    })
}

/// Returns how much is taken, as this transaction sees it, and the pending deltas of others that could free
/// something. Reads both under one lock, so that nothing that comes free in between is missed. Returns `None` if
/// the count is not in memory.
pub fn look(id: Id) -> Option<(i64, Option<Others>)> {
    let key = key(id);
    TRANSACTION.with_borrow(|transaction| {
        with_ledger(|ledger| {
            let taken = transaction.taken(ledger, &key)?;
            let account = transaction.account(ledger, &key)?;
            Some((taken, ledger.others(account, owner())))
        })
        .flatten()
    })
}

/// Waits until a transaction, or the subtransaction with this number, that has changed a count has ended.
pub fn wait_for(transaction: u32) {
    let number = transaction.into();
    // SAFETY: this is the server's own wait for a transaction, with deadlock detection. A transaction must not
    // wait for itself; the number is that of another one. It was running when this transaction entered the count, so the
    // server still knows how it ended.
    let committed = unsafe {
        let none = std::ptr::null_mut();
        pg_sys::XactLockTableWait(number, none, std::ptr::null_mut(), pg_sys::XLTW_Oper::XLTW_None);
        pg_sys::TransactionIdDidCommit(number)
    };
    // If it had been prepared, nobody but who waited for it learns here that it has ended.
    let now = clock::now().micros();
    TRANSACTION.with_borrow(|own| with_ledger(|ledger| own.settle(ledger, transaction, committed, now)));
}

/// Lets nobody enter the counts of this database any more, when this transaction has committed. The next transaction
/// that needs one counts the pool again, once those that have entered have ended.
pub fn forget() {
    FORGETS.set(true);
}

/// A count, as `escrow_status` shows it.
pub struct EscrowStatus {
    /// How much is taken, by committed and by pending holds.
    pub taken: i64,
    /// The number of pending deltas that have changed the count.
    pub under_way: i64,
    /// When the holds were counted, in microseconds as in a `timestamptz`.
    pub counted_at: i64,
    /// When the count changed last, likewise.
    pub changed_at: i64,
}

/// Returns a count. Returns `None` if it is not in memory.
pub fn status(id: Id) -> Option<EscrowStatus> {
    let key = key(id);
    with_ledger(|ledger| {
        let place = ledger.find(&key)?;
        let account = ledger.account(place);
        Some(EscrowStatus {
            taken: account.taken,
            under_way: ledger.under_way(place),
            counted_at: account.counted_at,
            changed_at: account.changed_at,
        })
    })
    .flatten()
}

fn change(
    id: Id,
    changes: i64,
    change: impl FnOnce(&mut Transaction, &mut Ledger, &Key, By) -> Taken,
) -> Taken {
    let key = key(id);
    change_by(by(transaction(), changes), |transaction, ledger, by| change(transaction, ledger, &key, by))
}

/// Returns who changes a count at this moment, in which transaction, and by how much that raises the version.
pub(super) fn by(transaction: u32, changes: i64) -> By {
    // SAFETY: reads a variable of this process.
    let level = unsafe { pg_sys::GetCurrentSubTransactionId() };
    By { owner: owner(), level, now: clock::now().micros(), transaction, changes }
}

pub(super) fn change_by(by: By, change: impl FnOnce(&mut Transaction, &mut Ledger, By) -> Taken) -> Taken {
    TRANSACTION.with_borrow_mut(|transaction| {
        with_ledger(|ledger| change(transaction, ledger, by)).unwrap_or(Taken::Outside)
    })
}

/// Returns the number of this transaction or its current subtransaction. Assigns one if it has none.
pub(super) fn transaction() -> u32 {
    // SAFETY: raises an error in a transaction that may not write. The callers may write.
    unsafe { pg_sys::GetCurrentTransactionId().into_inner() }
}

/// Returns the number by which the ledger knows this process.
fn owner() -> u32 {
    // SAFETY: the server sets the value once, when the process starts.
    unsafe { pg_sys::MyProcPid as u32 }
}

fn key(id: Id) -> Key {
    Key {
        database: backend::this_database().to_u32(),
        file: backend::table(c"holds").file,
        id: *id.as_bytes(),
    }
}

/// Registers this module's listener for the ends of transactions, and reserves the memory if the library is being
/// preloaded.
pub fn register() {
    transaction::listen(on_event);
    memory::register();
}

fn on_event(event: TransactionEvent) {
    match event {
        TransactionEvent::BeforeCommit => {}
        TransactionEvent::BeforePrepare => {
            // SAFETY: reads a variable of this process. A transaction that has changed a count has a number.
            let number = unsafe { pg_sys::GetTopTransactionIdIfAny().into_inner() };
            TRANSACTION.with_borrow_mut(|own| with_ledger(|ledger| own.prepare(ledger, number)));
        }
        TransactionEvent::Ended { committed } => {
            UNCOUNTED.with_borrow_mut(Vec::clear);
            if FORGETS.take() && committed {
                let database = backend::this_database().to_u32();
                with_ledger(|ledger| ledger.retire_all(database));
            }
            end(|transaction, ledger, now| transaction.end(ledger, committed, now));
        }
        TransactionEvent::SubtransactionEnded { level, parent, committed } => {
            end(|transaction, ledger, now| transaction.end_level(ledger, level, parent, committed, now));
        }
    }
}

fn end(work: impl FnOnce(&mut Transaction, &mut Ledger, Micros)) {
    TRANSACTION.with_borrow_mut(|transaction| {
        if !transaction.is_idle() {
            let now = clock::now().micros();
            with_ledger(|ledger| work(transaction, ledger, now));
        }
    });
}
