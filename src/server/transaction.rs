//! Callbacks at the end of transactions: one list, to which each module that keeps something for the length of a
//! transaction adds one listener. What a listener does belongs into its own module.
#![allow(unsafe_code)]

use pgrx::prelude::*;
use std::cell::RefCell;
use std::ffi::c_void;

/// What happens to a transaction of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEvent {
    /// The transaction is about to commit. It can still write, or fail.
    BeforeCommit,
    /// PREPARE TRANSACTION is about to prepare it. A listener that raises an error prevents that.
    BeforePrepare,
    /// The transaction has committed or was prepared (`committed`), or was rolled back. It still holds its locks,
    /// so other transactions see what a listener does now before they get these locks. A listener must not fail.
    Ended { committed: bool },
    /// A subtransaction (a savepoint, or a block with an exception handler) has become part of its parent
    /// (`committed`), or was rolled back. `level` and `parent` are the numbers that the server gives to
    /// subtransactions. A listener must not fail.
    SubtransactionEnded { level: u32, parent: u32, committed: bool },
}

/// A function that is called for every event. It must return quickly from events that do not concern it.
pub type Listener = fn(TransactionEvent);

std::thread_local! {
    /// The listeners. `_PG_init` fills the list, and the processes that the postmaster forks inherit it.
    static LISTENERS: RefCell<Vec<Listener>> = const { RefCell::new(Vec::new()) };
}

/// Adds a listener for as long as the process lives. Only `_PG_init` calls this.
pub fn listen(listener: Listener) {
    LISTENERS.with_borrow_mut(|listeners| listeners.push(listener));
}

/// Registers the callbacks with the server.
pub fn register() {
    // SAFETY: runs once in each process that loads the library. Forked processes inherit the callbacks.
    unsafe {
        pg_sys::RegisterXactCallback(Some(on_transaction), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(on_subtransaction), std::ptr::null_mut());
    }
}

fn tell(event: TransactionEvent) {
    // A listener that raises an error unwinds through here, so nothing may stay borrowed.
    let count = LISTENERS.with_borrow(Vec::len);
    for n in 0..count {
        if let Some(listener) = LISTENERS.with_borrow(|listeners| listeners.get(n).copied()) {
            listener(event);
        }
    }
}

/// # Safety
/// Only the server calls it.
#[pg_guard]
unsafe extern "C-unwind" fn on_transaction(event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    use pg_sys::XactEvent::{
        XACT_EVENT_ABORT, XACT_EVENT_COMMIT, XACT_EVENT_PRE_COMMIT, XACT_EVENT_PRE_PREPARE,
        XACT_EVENT_PREPARE,
    };
    match event {
        XACT_EVENT_PRE_COMMIT => tell(TransactionEvent::BeforeCommit),
        XACT_EVENT_PRE_PREPARE => tell(TransactionEvent::BeforePrepare),
        XACT_EVENT_COMMIT | XACT_EVENT_PREPARE => tell(TransactionEvent::Ended { committed: true }),
        XACT_EVENT_ABORT => tell(TransactionEvent::Ended { committed: false }),
        _ => {}
    }
}

/// # Safety
/// Only the server calls it.
#[pg_guard]
unsafe extern "C-unwind" fn on_subtransaction(
    event: pg_sys::SubXactEvent::Type,
    level: pg_sys::SubTransactionId,
    parent: pg_sys::SubTransactionId,
    _argument: *mut c_void,
) {
    use pg_sys::SubXactEvent::{SUBXACT_EVENT_ABORT_SUB, SUBXACT_EVENT_COMMIT_SUB};
    let ended = |committed| TransactionEvent::SubtransactionEnded { level, parent, committed };
    match event {
        SUBXACT_EVENT_COMMIT_SUB => tell(ended(true)),
        SUBXACT_EVENT_ABORT_SUB => tell(ended(false)),
        _ => {}
    }
}
