//! The one clock.
//!
//! Callers read it after a lock is granted and hand the time to statements as a parameter. SQL's `now()` is never
//! used: it is the start of the transaction, and as old as the transaction. Nor is `statement_timestamp()`: after
//! a second spent waiting for a lock it is a second old.

use crate::rules::Micros;
use pgrx::pg_sys;
use std::ffi::{CStr, c_char};

/// The size of the buffer for a time as text, in bytes, with the NUL at its end.
const MAX_TEXT: usize = pg_sys::MAXDATELEN as usize + 1;

/// A `timestamptz`: microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(Micros);

impl Timestamp {
    /// PostgreSQL's `-infinity`: before every time in a table.
    pub const FIRST: Self = Self(Micros::MIN);

    /// PostgreSQL's `infinity`.
    pub const INFINITY: Self = Self(Micros::MAX);

    /// Returns the time that is so many microseconds after 2000-01-01 UTC.
    pub const fn from_micros(micros: Micros) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 2000-01-01 UTC.
    pub const fn micros(self) -> Micros {
        self.0
    }

    /// Returns the time that is `micros` later, or `INFINITY` if that is out of range.
    pub const fn after(self, micros: Micros) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Returns the time that is `micros` earlier, or the earliest number if that is out of range.
    pub const fn before(self, micros: Micros) -> Self {
        Self(self.0.saturating_sub(micros))
    }
}

impl Timestamp {
    /// Returns the time as PostgreSQL writes it into JSON: ISO 8601, in the session's time zone.
    #[allow(unsafe_code)]
    pub fn iso(self) -> String {
        let mut text = [0 as c_char; MAX_TEXT];
        // SAFETY: the buffer is as long as the server's own for this purpose, and the server ends the text with
        // NUL.
        unsafe {
            let time = pg_sys::Datum::from(self.0);
            pg_sys::JsonEncodeDateTime(text.as_mut_ptr(), time, pg_sys::TIMESTAMPTZOID, std::ptr::null());
            CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned()
        }
    }
}

/// Returns what `clock_timestamp()` returns.
#[allow(unsafe_code)]
pub fn now() -> Timestamp {
    // SAFETY: reads the system's clock and touches nothing else.
    Timestamp(unsafe { pg_sys::GetCurrentTimestamp() })
}

/// Gives this transaction its number (xid), if it has none, and then reads the clock.
///
/// The order matters to `changes()`. It waits for every transaction that has a number, so a transaction that gets
/// its number later must also read a later time than `changes()` has read. In the other order, `changes()` missed
/// the change of a writer that read the clock, was suspended, and got its number after `changes()` had looked.
#[allow(unsafe_code)]
pub fn now_to_write() -> Timestamp {
    // SAFETY: raises an error in a transaction that may not write. The callers may write.
    unsafe { pg_sys::GetCurrentTransactionId() };
    now()
}
