//! How much is taken of the pools that are everybody's: `contention => 'escrow'`.
//!
//! Where all want the same, one row's lock is the limit. Here the count is in shared memory: a hold takes from it
//! and inserts its row, and nothing else is written. The counts are a cache of what the holds add up to. They are
//! counted when a pool is first asked for, and nothing is stored that could drift. The rules are in
//! [`crate::rules::escrow`]; what is here ties them to the server's transactions.
//!
//! Whoever takes or gives back has a turn at the pool, shared with all others who do, and has *entered*: that keeps
//! its count in memory until the transaction ends. Where there is no room for that, the pool is had alone and
//! its holds are added up each time.
#![allow(unsafe_code)]

mod memory;

use crate::error::Error;
use crate::rules::Micros;
use crate::rules::escrow::{By, Key, Ledger, Others, Taken, Transaction};
use crate::server::backend::{self, is_preloaded};
use crate::server::clock;
use crate::server::transaction::{self, TransactionEvent};
use memory::with_ledger;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use uuid::Uuid;

std::thread_local! {
    static TRANSACTION: RefCell<Transaction> = const { RefCell::new(Transaction::new()) };
    /// Counts that this transaction has changed without having entered.
    static UNCOUNTED: RefCell<Vec<Key>> = const { RefCell::new(Vec::new()) };
    static FORGETS: Cell<bool> = const { Cell::new(false) };
}

/// A count's own id, which the pool's row names.
pub type Id = Uuid;

/// What came of entering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    Yes,
    /// It has to be counted first, by who has the pool alone.
    NotCounted,
    /// There is no room in memory: who has the pool alone can do without.
    NoRoom,
}

/// Whether there is memory for counts at all.
pub fn is_possible() -> bool {
    is_preloaded()
}

/// Keeps a count in memory until this transaction, or its present savepoint, ends.
pub fn enter(id: Id) -> Entered {
    // Before the count is looked up: after a TRUNCATE it is another one.
    backend::table_to_write(c"holds");
    if is_uncounted(&key(id)) {
        return Entered::NoRoom;
    }
    match change(id, |transaction, ledger, key, by| transaction.enter(ledger, key, by)) {
        Taken::Yes { .. } => Entered::Yes,
        Taken::NoRoom => Entered::NoRoom,
        Taken::Outside | Taken::Short { .. } => Entered::NotCounted,
    }
}

/// Notes how much is taken, counted by who has the pool alone, and enters.
pub fn count(id: Id, taken: i64) -> Entered {
    let (key, now) = (key(id), clock::now().micros());
    if is_uncounted(&key) {
        return Entered::NoRoom;
    }
    with_ledger(|ledger| ledger.find(&key).or_else(|| ledger.open(&key, taken, now)));
    match enter(id) {
        Entered::NotCounted => Entered::NoRoom,
        entered => entered,
    }
}

/// Notes that the pool is had alone and its holds are changed without its count in memory: it must not be counted
/// before this transaction is over, whose holds may yet be undone.
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

/// Takes so much, up to a bound. None where the transaction does without the count.
pub fn take(id: Id, quantity: i64, most: i64) -> Result<Option<Taken>, Error> {
    let transaction = transaction();
    let taken = change(id, |own, ledger, key, by| own.take(ledger, key, by, transaction, quantity, most));
    entered(id, taken)
}

/// Gives so much back: to others, when this transaction commits. Whether it was counted.
pub fn give(id: Id, quantity: i64) -> Result<bool, Error> {
    let transaction = transaction();
    let given = change(id, |own, ledger, key, by| own.give(ledger, key, by, transaction, quantity));
    Ok(entered(id, given)?.is_some())
}

fn entered(id: Id, taken: Taken) -> Result<Option<Taken>, Error> {
    match taken {
        Taken::Outside if is_uncounted(&key(id)) => Ok(None),
        Taken::Outside if !is_possible() => {
            do_without(id);
            Ok(None)
        }
        Taken::Outside => Err(Error::internal("a count was to be changed that was not entered")),
        Taken::NoRoom => Err(Error::escrow_full()),
        taken => Ok(Some(taken)),
    }
}

/// How much is taken, as this transaction sees it, where that is in memory.
pub fn taken(id: Id) -> Option<i64> {
    let key = key(id);
    if is_uncounted(&key) {
        return None;
    }
    TRANSACTION.with_borrow(|transaction| with_ledger(|ledger| transaction.taken(ledger, &key)).flatten())
}

/// How much is taken, as this transaction sees it, and what others have under way that could free something: both at
/// one moment, so that nothing can come free in between and be missed.
pub fn look(id: Id) -> Option<(i64, Option<Others>)> {
    let key = key(id);
    TRANSACTION.with_borrow(|transaction| {
        with_ledger(|ledger| {
            let taken = transaction.taken(ledger, &key)?;
            let account = ledger.find(&key)?;
            Some((taken, ledger.others(account, owner())))
        })
        .flatten()
    })
}

/// Waits until a transaction is over, or the savepoint that this was the number of.
pub fn wait_for(transaction: u32) {
    // SAFETY: the server's own wait for a transaction, with its search for deadlocks. It must not be this one,
    // and is not: it is another process's.
    unsafe {
        pg_sys::XactLockTableWait(
            transaction.into(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            pg_sys::XLTW_Oper::XLTW_None,
        );
    }
}

/// Forgets, when this transaction commits, all counts of this database that nobody has anything under way on: they are
/// counted anew.
pub fn forget() {
    FORGETS.set(true);
}

/// A count as it stands.
pub struct EscrowStatus {
    pub taken: i64,
    pub under_way: i64,
    pub counted_at: i64,
    pub changed_at: i64,
}

/// A count as it stands, where it is in memory.
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

fn change(id: Id, change: impl FnOnce(&mut Transaction, &mut Ledger, &Key, By) -> Taken) -> Taken {
    let key = key(id);
    // SAFETY: a number of this process's own.
    let level = unsafe { pg_sys::GetCurrentSubTransactionId() };
    let by = By { owner: owner(), level, now: clock::now().micros() };
    TRANSACTION.with_borrow_mut(|transaction| {
        with_ledger(|ledger| change(transaction, ledger, &key, by)).unwrap_or(Taken::Outside)
    })
}

/// This transaction's, or its savepoint's, number: assigned now, where it has none.
fn transaction() -> u32 {
    // SAFETY: raises an error where nothing may be written; the callers may.
    unsafe { pg_sys::GetCurrentTransactionId().into_inner() }
}

fn owner() -> u32 {
    // SAFETY: set once when the process starts.
    unsafe { pg_sys::MyProcPid as u32 }
}

fn key(id: Id) -> Key {
    Key {
        database: backend::this_database().to_u32(),
        file: backend::table(c"holds").file,
        id: *id.as_bytes(),
    }
}

/// Has the ends of transactions told to this module, and reserves the memory where the library is preloaded.
pub fn register() {
    transaction::listen(on_event);
    memory::register();
}

fn on_event(event: TransactionEvent) {
    match event {
        TransactionEvent::BeforeCommit => {}
        TransactionEvent::BeforePrepare => {
            let is_idle =
                TRANSACTION.with_borrow(Transaction::is_idle) && UNCOUNTED.with_borrow(Vec::is_empty);
            if !is_idle {
                Error::prepared_escrow().raise();
            }
        }
        TransactionEvent::Ended { committed } => {
            UNCOUNTED.with_borrow_mut(Vec::clear);
            if FORGETS.take() && committed {
                let database = backend::this_database().to_u32();
                with_ledger(|ledger| ledger.close_idle(database));
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
