//! Whether a commit must have reached the disk before it is answered.
#![allow(unsafe_code)]

use super::transaction::{self, TransactionEvent};
use pgrx::pg_sys;
use std::cell::Cell;

/// Has this transaction's commit reach the disk before it is answered, whatever `synchronous_commit` says: what
/// a crash takes back must never have been promised.
pub fn commit_durably() {
    // SAFETY: sets a flag of the current transaction's.
    unsafe { pg_sys::ForceSyncCommit() };
}

/// Changes that need not outlive a crash. Where a transaction does nothing else, nobody waits for the disk at its
/// commit, as if `synchronous_commit` were off: for a lock that is taken and given back, half of the waiting.
pub struct AsyncCommit {
    is_all: bool,
}

std::thread_local! {
    /// Up to where the transaction has written to the log, where all of that may be forgotten.
    static WRITTEN: Cell<pg_sys::XLogRecPtr> = const { Cell::new(0) };
    /// The setting, while the transaction commits by another.
    static SETTING: Cell<Option<i32>> = const { Cell::new(None) };
}

impl AsyncCommit {
    /// To be called before the changes.
    pub fn begin() -> Self {
        // SAFETY: two values of this process's own.
        let (written, has_id) = unsafe {
            let id = pg_sys::GetTopTransactionIdIfAny();
            (pg_sys::XactLastRecEnd, id != pg_sys::InvalidTransactionId)
        };
        Self { is_all: written == WRITTEN.get() && (written != 0 || !has_id) }
    }

    /// To be called after the changes.
    pub fn end(self) {
        if !self.is_all {
            return;
        }
        // SAFETY: a value of this process's own.
        WRITTEN.set(unsafe { pg_sys::XactLastRecEnd });
    }
}

/// Whatever else the transaction has written since, moved the end of what it wrote.
fn relax() {
    let written = WRITTEN.get();
    // SAFETY: a setting, and a value of this process's own; the setting is put back when the transaction is over.
    unsafe {
        if written != 0 && pg_sys::XactLastRecEnd == written {
            SETTING.set(Some(pg_sys::synchronous_commit));
            pg_sys::synchronous_commit = pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_OFF as i32;
        }
    }
}

/// Has commits told to this module.
pub fn register() {
    transaction::listen(on_event);
}

fn on_event(event: TransactionEvent) {
    match event {
        TransactionEvent::BeforeCommit => relax(),
        TransactionEvent::Ended { .. } => {
            WRITTEN.set(0);
            if let Some(setting) = SETTING.take() {
                // SAFETY: the setting as it was before.
                unsafe { pg_sys::synchronous_commit = setting };
            }
        }
        TransactionEvent::BeforePrepare | TransactionEvent::SubtransactionEnded { .. } => {}
    }
}
