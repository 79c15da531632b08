//! What a transaction sees.
#![allow(unsafe_code)]

use crate::error::Error;
use pgrx::pg_sys;

/// Whether the transaction keeps its first snapshot to the end (REPEATABLE READ and above), so that
/// what it reads after a lock may be older than the lock.
pub fn is_repeatable_read() -> bool {
    // SAFETY: an int that only this thread writes.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// Ends with 40001 where what a kept snapshot shows is no longer so. For what no row stands for that
/// everybody writes: a key that is used for the first time, or what a holder has in all.
pub fn assert_unchanged<T: PartialEq>(shown: &T, now: impl FnOnce() -> T) {
    if is_repeatable_read() && *shown != now() {
        Error::serialization().raise();
    }
}
