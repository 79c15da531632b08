//! Whether the server answers a COMMIT before or after its record has reached the disk.
#![allow(unsafe_code)]

use super::transaction::{self, TransactionEvent};
use pgrx::pg_sys;
use std::cell::Cell;

/// Makes this transaction commit synchronously, whatever `synchronous_commit` says. The caller has promised
/// something (a token) that a crash must not take back.
pub fn commit_durably() {
    // SAFETY: sets a flag of the current transaction.
    unsafe { pg_sys::ForceSyncCommit() };
}

/// A group of changes that may be lost in a crash. If a transaction makes no other changes, it commits as if
/// `synchronous_commit` were off. For a lease that is acquired and released, that halves the waiting for the disk.
pub struct AsyncCommit {
    /// Whether the transaction had written nothing else when these changes began.
    is_all: bool,
}

std::thread_local! {
    /// The end of this transaction's last WAL record, if all of its records may be lost in a crash; otherwise 0.
    static WRITTEN: Cell<pg_sys::XLogRecPtr> = const { Cell::new(0) };
    /// The session's `synchronous_commit`, while the transaction commits with another value.
    static SETTING: Cell<Option<i32>> = const { Cell::new(None) };
}

impl AsyncCommit {
    /// Begins such changes. The caller calls this before it writes.
    pub fn begin() -> Self {
        // SAFETY: reads two variables of this process.
        let (written, has_id) = unsafe {
            let id = pg_sys::GetTopTransactionIdIfAny();
            (pg_sys::XactLastRecEnd, id != pg_sys::InvalidTransactionId)
        };
        Self { is_all: written == WRITTEN.get() && (written != 0 || !has_id) }
    }

    /// Ends such changes. The caller calls this after it has written.
    pub fn end(self) {
        if !self.is_all {
            return;
        }
        // SAFETY: reads a variable of this process.
        WRITTEN.set(unsafe { pg_sys::XactLastRecEnd });
    }
}

/// Turns `synchronous_commit` off for this commit if the transaction wrote nothing after the last `AsyncCommit`.
/// Any other write has moved `XactLastRecEnd`.
fn relax() {
    let written = WRITTEN.get();
    // SAFETY: reads a variable of this process and writes a setting. `on_event` restores the setting when the
    // transaction has ended.
    unsafe {
        if written != 0 && pg_sys::XactLastRecEnd == written {
            SETTING.set(Some(pg_sys::synchronous_commit));
            pg_sys::synchronous_commit = pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_OFF as i32;
        }
    }
}

/// Registers this module's listener for the ends of transactions.
pub fn register() {
    transaction::listen(on_event);
}

fn on_event(event: TransactionEvent) {
    match event {
        TransactionEvent::BeforeCommit => relax(),
        TransactionEvent::Ended { .. } => {
            WRITTEN.set(0);
            if let Some(setting) = SETTING.take() {
                // SAFETY: restores the value that `relax` has saved.
                unsafe { pg_sys::synchronous_commit = setting };
            }
        }
        TransactionEvent::BeforePrepare | TransactionEvent::SubtransactionEnded { .. } => {}
    }
}
