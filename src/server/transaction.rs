//! Who hears of the ends of transactions: one registry, in which each module that keeps something for the length of a
//! transaction has one listener. What a listener does is its module's matter, not this one's.
#![allow(unsafe_code)]

use pgrx::prelude::*;
use std::cell::RefCell;
use std::ffi::c_void;

/// What happens to a transaction of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEvent {
    /// It is about to commit and can still write, or fail.
    BeforeCommit,
    /// It is about to be prepared (PREPARE TRANSACTION), which an error prevents.
    BeforePrepare,
    /// It has committed or was prepared (`committed`), or was rolled back. Its locks are still held, so that others see
    /// what a listener does now before they get them. A listener must not fail.
    Ended { committed: bool },
    /// A savepoint, or a block with an exception handler, has become part of the level around it (`committed`), or was
    /// rolled back. Both levels are numbers that the server gives. A listener must not fail.
    SubtransactionEnded { level: u32, parent: u32, committed: bool },
}

/// Called for every event. Most events are none of its business, so it must return quickly.
pub type Listener = fn(TransactionEvent);

std::thread_local! {
    /// Filled while the library is loaded, and inherited by the processes that the postmaster forks.
    static LISTENERS: RefCell<Vec<Listener>> = const { RefCell::new(Vec::new()) };
}

/// Adds a listener, for as long as the process lives. To be called from `_PG_init`.
pub fn listen(listener: Listener) {
    LISTENERS.with_borrow_mut(|listeners| listeners.push(listener));
}

/// Has the server call back at the ends of transactions.
pub fn register() {
    // SAFETY: called once in each process that loads the library, and inherited by those it forks.
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
