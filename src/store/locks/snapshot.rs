//! What the transaction's snapshot shows, and whether that still holds.
#![allow(unsafe_code)]

use crate::error::Error;
use pgrx::pg_sys;

/// Returns whether the transaction runs in REPEATABLE READ or above. It then keeps its first snapshot to the end,
/// so what it reads behind a lock may be older than the lock.
pub fn is_repeatable_read() -> bool {
    // SAFETY: an int that only this thread writes.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// In REPEATABLE READ and above, raises 40001 if `now`, which is read with a new snapshot, differs from what the
/// transaction's snapshot has shown. It is for facts that no single row stands for, so that PostgreSQL cannot
/// notice the change: whether a key was used, what a holder has in total.
pub fn assert_unchanged<T: PartialEq>(shown: &T, now: impl FnOnce() -> T) {
    if is_repeatable_read() && *shown != now() {
        Error::serialization().raise();
    }
}
