//! What a transaction sees.
#![allow(unsafe_code)]

use pgrx::pg_sys;

/// Whether the transaction keeps its first snapshot to the end (REPEATABLE READ and above), so that
/// what it reads after a lock may be older than the lock.
pub fn is_kept() -> bool {
    // SAFETY: an int that only this thread writes.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}
