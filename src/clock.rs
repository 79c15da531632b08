//! The one clock.
//!
//! Never `now()`: it is the start of the transaction, and stale by as long as that has run. Never
//! the statement's time: after a second spent waiting for a lock it is a second old. Read once a
//! lock is granted, and handed to statements as a parameter.

use crate::rules::Micros;

/// A `timestamptz`: microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(Micros);

impl Timestamp {
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

/// `clock_timestamp()`.
#[allow(unsafe_code)]
pub fn now() -> Timestamp {
    // SAFETY: reads the system's clock and touches nothing else.
    Timestamp(unsafe { pgrx::pg_sys::GetCurrentTimestamp() })
}
