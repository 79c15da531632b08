//! Time zones, as the server knows them.
//!
//! This module uses the server's own tables and rules, not those of a library: a night must begin here when it
//! begins for `timestamp at time zone`. If a clock skips a time, it is converted as if the clock had not been
//! changed yet. If a time comes twice, the second one counts.
//!
//! There is one difference. `at time zone` looks among the session's abbreviations first: EST is in America for
//! one session and in Australia for another, and CET never has summer time. Here a name is always that of a zone,
//! so it means the same in every session.
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
    /// Returns the zone of this name, spelt as in the server's list. Returns `None` if the server knows no such
    /// zone.
    pub fn find(name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        // SAFETY: the string ends in NUL, and the result lives as long as the backend.
        unsafe {
            let zone = pg_sys::pg_tzset(name.as_ptr());
            if zone.is_null() {
                return None;
            }
            CStr::from_ptr(pg_sys::pg_get_timezone_name(zone)).to_str().ok().map(|name| Self(name.to_owned()))
        }
    }

    /// Returns the zone of a name that `find` has returned before and that the tables have kept.
    pub const fn known(name: String) -> Self {
        Self(name)
    }

    /// Returns the zone's name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Returns when the zone's clock shows `clock`, which is in microseconds since 2000-01-01 00:00 on that clock.
    pub fn instant(&self, clock: Micros) -> Timestamp {
        let mut parts = Parts::of(clock, None);
        // SAFETY: the server has filled in the parts of the time, and the zone stays loaded as long as the backend
        // lives.
        let mut offset = unsafe { pg_sys::DetermineTimeZoneOffset(&raw mut parts.time, self.loaded()) };
        Timestamp::from_micros(parts.together(Some(&mut offset)))
    }

    /// Returns when the zone's clock shows `clock`, or, if it skips that time, the first moment at which it shows
    /// a later one. Opening hours need this: a shop that closes at half past two closes when the clock is put
    /// forward from two to three.
    pub fn reached(&self, clock: Micros) -> Timestamp {
        let after = self.instant(clock);
        let skipped = self.clock(after).saturating_sub(clock);
        if skipped <= 0 {
            return after;
        }
        // The clock was put forward between `before` and `after`: a binary search finds the moment.
        let (mut before, mut after) = (after.before(skipped), after);
        while before.after(1) < after {
            let middle = Timestamp::from_micros(before.micros().midpoint(after.micros()));
            if self.clock(middle) < clock { before = middle } else { after = middle }
        }
        after
    }

    /// Returns what the zone's clock shows at a moment, in microseconds since 2000-01-01 00:00 on that clock.
    pub fn clock(&self, at: Timestamp) -> Micros {
        Parts::of(at.micros(), Some(self.loaded())).together(None)
    }

    fn loaded(&self) -> *mut pg_sys::pg_tz {
        let unknown = || Error::invalid(format!("time zone \"{}\" is not known any more", self.0));
        let Ok(name) = CString::new(self.0.as_str()) else { unknown().raise() };
        // SAFETY: the string ends in NUL.
        let zone = unsafe { pg_sys::pg_tzset(name.as_ptr()) };
        if zone.is_null() { unknown().raise() } else { zone }
    }
}

/// A time, split into year, month, day, hour, minute, second and microseconds.
struct Parts {
    time: pg_sys::pg_tm,
    micros: pg_sys::fsec_t,
}

impl Parts {
    /// Splits a time as the clock of `zone` shows it, or as it is if `zone` is `None`.
    fn of(time: Micros, zone: Option<*mut pg_sys::pg_tz>) -> Self {
        // SAFETY: the struct holds numbers and pointers, for which zero is a valid value. The server fills them
        // in.
        let mut parts = Self { time: unsafe { std::mem::zeroed() }, micros: 0 };
        let mut offset = 0;
        let wanted = if zone.is_some() { &raw mut offset } else { std::ptr::null_mut() };
        // SAFETY: every pointer is null, where the server allows that, or points to a variable of the type that
        // the server writes.
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

    /// Returns the time that the parts make up, `west` seconds west of Greenwich.
    fn together(mut self, west: Option<&mut i32>) -> Micros {
        let mut time = 0;
        let west = west.map_or(std::ptr::null_mut(), std::ptr::from_mut);
        // SAFETY: all pointers are null or point to variables of the types that the server reads and writes.
        let failed = unsafe { pg_sys::tm2timestamp(&raw mut self.time, self.micros, west, &raw mut time) };
        if failed == 0 { time } else { Error::invalid("the time is out of range").raise() }
    }
}

/// Returns what the clock shows `months` later, on the same day of the month, or on the month's last day if it is
/// shorter.
pub fn months_after(clock: Micros, months: i32) -> Micros {
    let mut interval = pg_sys::Interval { time: 0, day: 0, month: months };
    let arguments = [Some(pg_sys::Datum::from(clock)), Some(pg_sys::Datum::from(&raw mut interval))];
    // SAFETY: the function takes a timestamp and a pointer to an interval, which it only reads.
    unsafe { direct_function_call::<i64>(pg_sys::timestamp_pl_interval, &arguments) }.unwrap_or(clock)
}
