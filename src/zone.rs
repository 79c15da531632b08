//! Time zones, as the server knows them.
//!
//! The server's own tables and rules, not a library's: a night must begin here when it does for
//! `timestamp at time zone`. A time that a clock skips is taken as if the clock had not been changed
//! yet, one that comes twice as the second.
#![allow(unsafe_code)]

use crate::clock::Timestamp;
use crate::rules::Micros;
use pgrx::datum::IntoDatum;
use pgrx::{direct_function_call, pg_sys};
use std::ffi::{CStr, CString};

/// A zone that the server knows.
#[derive(Clone, Debug)]
pub struct Zone(String);

impl Zone {
    /// The zone of this name, as it is spelt in the server's list. None where it knows none.
    pub fn find(name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        // SAFETY: a string that ends in NUL; the result lives as long as the backend.
        unsafe {
            let zone = pg_sys::pg_tzset(name.as_ptr());
            if zone.is_null() {
                return None;
            }
            CStr::from_ptr(pg_sys::pg_get_timezone_name(zone)).to_str().ok().map(|name| Self(name.to_owned()))
        }
    }

    /// One that was found before.
    pub const fn known(name: String) -> Self {
        Self(name)
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// When the clock shows this: microseconds since 2000-01-01 00:00 on the clock.
    pub fn instant(&self, clock: Micros) -> Timestamp {
        Timestamp::from_micros(self.convert(pg_sys::timestamp_zone, clock))
    }

    /// The first moment at which the clock shows this or later, where it skips this. For hours: whoever closes
    /// at half past two does so when the clock is put forward from two to three.
    pub fn reached(&self, clock: Micros) -> Timestamp {
        let after = self.instant(clock);
        let skipped = self.clock(after).saturating_sub(clock);
        if skipped <= 0 {
            return after;
        }
        // The clock was put forward between these two.
        let (mut before, mut after) = (after.before(skipped), after);
        while before.after(1) < after {
            let middle = Timestamp::from_micros(before.micros().midpoint(after.micros()));
            if self.clock(middle) < clock { before = middle } else { after = middle }
        }
        after
    }

    /// What the clock shows at a moment.
    pub fn clock(&self, at: Timestamp) -> Micros {
        self.convert(pg_sys::timestamptz_zone, at.micros())
    }

    fn convert(&self, with: unsafe fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum, time: Micros) -> Micros {
        let arguments = [self.0.as_str().into_datum(), Some(pg_sys::Datum::from(time))];
        // SAFETY: both functions take a text and a time of 64 bits and return such a time; they raise
        // an error where it is out of range.
        unsafe { direct_function_call::<i64>(with, &arguments) }.unwrap_or(time)
    }
}

/// So many months after what the clock shows, on the same day of the month or its last.
pub fn months_after(clock: Micros, months: i32) -> Micros {
    let mut interval = pg_sys::Interval { time: 0, day: 0, month: months };
    let arguments = [Some(pg_sys::Datum::from(clock)), Some(pg_sys::Datum::from(&raw mut interval))];
    // SAFETY: a timestamp and a pointer to an interval, which is only read.
    unsafe { direct_function_call::<i64>(pg_sys::timestamp_pl_interval, &arguments) }.unwrap_or(clock)
}
