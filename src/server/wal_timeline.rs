//! Which server's history this is: a promoted standby goes on from another point than the server it stood by
//! for, and a dump is restored into another server.
#![allow(unsafe_code)]

use pgrx::pg_sys;

/// The server's identifier, and the timeline that it writes.
pub fn current() -> (i64, i32) {
    // SAFETY: values of the running server's that a backend that may write has.
    unsafe {
        #[cfg(any(feature = "pg13", feature = "pg14"))]
        let timeline = pg_sys::ThisTimeLineID;
        #[cfg(not(any(feature = "pg13", feature = "pg14")))]
        let timeline = pg_sys::GetWALInsertionTimeLine();
        (pg_sys::GetSystemIdentifier() as i64, timeline as i32)
    }
}
