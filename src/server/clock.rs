//! The one clock.
//!
//! Never `now()`: it is the start of the transaction, and stale by as long as that has run. Never
//! the statement's time: after a second spent waiting for a lock it is a second old. Read once a
//! lock is granted, and handed to statements as a parameter.

use crate::rules::Micros;
use pgrx::pg_sys;
use std::ffi::{CStr, c_char};

/// The longest that the server writes of a time, and its end.
const MAX_TEXT: usize = pg_sys::MAXDATELEN as usize + 1;

/// A `timestamptz`: microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(Micros);

impl Timestamp {
    /// Before every time that a table holds.
    pub const FIRST: Self = Self(Micros::MIN);

    /// What never comes.
    pub const INFINITY: Self = Self(Micros::MAX);

    pub const fn from_micros(micros: Micros) -> Self {
        Self(micros)
    }

    pub const fn micros(self) -> Micros {
        self.0
    }

    /// This long after; the far future where that cannot be written down.
    pub const fn after(self, micros: Micros) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This long before.
    pub const fn before(self, micros: Micros) -> Self {
        Self(self.0.saturating_sub(micros))
    }
}

impl Timestamp {
    /// As PostgreSQL writes it into JSON: ISO 8601, in the session's time zone.
    #[allow(unsafe_code)]
    pub fn iso(self) -> String {
        let mut text = [0 as c_char; MAX_TEXT];
        // SAFETY: the buffer is as long as the server's own for this; what is written ends in NUL.
        unsafe {
            let time = pg_sys::Datum::from(self.0);
            pg_sys::JsonEncodeDateTime(text.as_mut_ptr(), time, pg_sys::TIMESTAMPTZOID, std::ptr::null());
            CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned()
        }
    }
}

/// `clock_timestamp()`.
#[allow(unsafe_code)]
pub fn now() -> Timestamp {
    // SAFETY: reads the system's clock and touches nothing else.
    Timestamp(unsafe { pg_sys::GetCurrentTimestamp() })
}

/// The clock, read once this transaction has its number. `changes()` waits for whoever has one, and whoever gets one
/// after it has looked must read a later time than it did: the other way round, a change was missed whose time had
/// been read first and whose writer then rested.
#[allow(unsafe_code)]
pub fn now_to_write() -> Timestamp {
    // SAFETY: raises an error where nothing may be written; the callers may.
    unsafe { pg_sys::GetCurrentTransactionId() };
    now()
}
