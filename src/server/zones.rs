//! Time zones, as the server knows them.
//!
//! The server's own tables and rules, not a library's: a night must begin here when it does for
//! `timestamp at time zone`. A time that a clock skips is taken as if the clock had not been changed
//! yet, one that comes twice as the second.
//!
//! Those operators look among the session's abbreviations first, so that to one session EST is in
//! America and to another in Australia, and CET never has a summer. Here a name is a zone's: the same
//! for everybody.
#![allow(unsafe_code)]

use super::clock::Timestamp;
use crate::error::Error;
use crate::rules::Micros;
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
        let mut parts = Parts::of(clock, None);
        // SAFETY: the parts of a time, and a zone that stays loaded as long as the backend lives.
        let mut offset = unsafe { pg_sys::DetermineTimeZoneOffset(&raw mut parts.time, self.loaded()) };
        Timestamp::from_micros(parts.together(Some(&mut offset)))
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
        Parts::of(at.micros(), Some(self.loaded())).together(None)
    }

    fn loaded(&self) -> *mut pg_sys::pg_tz {
        let unknown = || Error::invalid(format!("time zone \"{}\" is not known any more", self.0));
        let Ok(name) = CString::new(self.0.as_str()) else { unknown().raise() };
        // SAFETY: a string that ends in NUL.
        let zone = unsafe { pg_sys::pg_tzset(name.as_ptr()) };
        if zone.is_null() { unknown().raise() } else { zone }
    }
}

/// A time, taken apart.
struct Parts {
    time: pg_sys::pg_tm,
    micros: pg_sys::fsec_t,
}

impl Parts {
    /// As a zone's clock shows it; as it is where there is none.
    fn of(time: Micros, zone: Option<*mut pg_sys::pg_tz>) -> Self {
        // SAFETY: numbers and pointers, for which zero is a value; the server fills them in.
        let mut parts = Self { time: unsafe { std::mem::zeroed() }, micros: 0 };
        let mut offset = 0;
        let wanted = if zone.is_some() { &raw mut offset } else { std::ptr::null_mut() };
        // SAFETY: everything that is written to is as large as the server takes it for.
        let failed = unsafe {
            pg_sys::timestamp2tm(
                time,
                wanted,
                &raw mut parts.time,
                &raw mut parts.micros,
                std::ptr::null_mut(),
                zone.unwrap_or(std::ptr::null_mut()),
            )
        };
        if failed == 0 { parts } else { Error::invalid("the time is out of range").raise() }
    }

    /// The time again, so many seconds west of Greenwich.
    fn together(mut self, west: Option<&mut i32>) -> Micros {
        let mut time = 0;
        let west = west.map_or(std::ptr::null_mut(), std::ptr::from_mut);
        // SAFETY: as above.
        let failed = unsafe { pg_sys::tm2timestamp(&raw mut self.time, self.micros, west, &raw mut time) };
        if failed == 0 { time } else { Error::invalid("the time is out of range").raise() }
    }
}

/// So many months after what the clock shows, on the same day of the month or its last.
pub fn months_after(clock: Micros, months: i32) -> Micros {
    let mut interval = pg_sys::Interval { time: 0, day: 0, month: months };
    let arguments = [Some(pg_sys::Datum::from(clock)), Some(pg_sys::Datum::from(&raw mut interval))];
    // SAFETY: a timestamp and a pointer to an interval, which is only read.
    unsafe { direct_function_call::<i64>(pg_sys::timestamp_pl_interval, &arguments) }.unwrap_or(clock)
}
