//! The identity of this server's history. It differs after a standby is promoted, which may have lost the last
//! commits of its primary, and after a dump is restored into another server.
#![allow(unsafe_code)]

use pgrx::pg_sys;

/// Returns the server's system identifier and the timeline that it writes.
pub fn current() -> (i64, i32) {
    // SAFETY: reads values of the running server, which are set in every backend that may write.
    unsafe { (pg_sys::GetSystemIdentifier() as i64, pg_sys::GetWALInsertionTimeLine() as i32) }
}
