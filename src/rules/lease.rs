//! Leases: names that somebody has for a while, and the tokens by which it is told who came later.
//!
//! A token that rises with every grant is what fences off a holder who was paused and does not know that his
//! lease has passed on (Kleppmann, "How to do distributed locking", 2016; Burrows, "The Chubby lock service",
//! OSDI 2006, calls it a sequencer).

use super::Micros;

/// What a slot of a name was granted for last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// From 1: a name has as many as were ever had at once.
    pub slot: i32,
    pub holder: String,
    pub token: i64,
    pub expires_at: Micros,
    pub is_released: bool,
}

impl Lease {
    pub fn is_valid(&self, now: Micros) -> bool {
        !self.is_released && now < self.expires_at
    }
}

/// What becomes of a wish for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Who wishes has it already, and keeps the token.
    Again { slot: i32, token: i64 },
    /// It is to be had, with any of the free slots.
    New { token: i64 },
    /// As many have it as may. It is to be had again at this time, at the latest.
    Taken { until: Micros },
}

/// Decides on a wish for a name that `slots` may have at once. No token is given out again that was given out
/// before, for this name or, up to `floor`, for any.
pub fn acquire(leases: &[Lease], holder: &str, slots: i32, floor: i64, now: Micros) -> Grant {
    let valid = || leases.iter().filter(|lease| lease.is_valid(now));
    if let Some(lease) = valid().find(|lease| lease.holder == holder) {
        return Grant::Again { slot: lease.slot, token: lease.token };
    }
    let first = valid().map(|lease| lease.expires_at).min();
    match first {
        Some(until) if valid().count() >= slots.max(1) as usize => Grant::Taken { until },
        _ => {
            let last = leases.iter().map(|lease| lease.token).max().unwrap_or(0).max(floor);
            Grant::New { token: last.saturating_add(1) }
        }
    }
}

/// The slot that a new grant goes into, of those that are over and could be locked (`free`) or a new one. What is
/// over and could not be is kept from passing on by whoever checked it: it counts as had, and `Err` is one of
/// those to wait for.
pub fn slot(leases: &[Lease], free: &[i32], slots: i32, now: Micros) -> Result<i32, i32> {
    let kept = || leases.iter().filter(|lease| !lease.is_valid(now) && !free.contains(&lease.slot));
    let valid = leases.iter().filter(|lease| lease.is_valid(now)).count();
    match kept().next() {
        Some(kept_one) if valid + kept().count() >= slots.max(1) as usize => Err(kept_one.slot),
        _ => {
            let new = leases.iter().map(|lease| lease.slot).max().unwrap_or(0).saturating_add(1);
            Ok(free.iter().copied().min().unwrap_or(new))
        }
    }
}

/// What became of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    Valid,
    Released,
    /// Its time ran out, or it passed on to another.
    Expired,
    /// No such token was ever given out.
    Unknown,
}

/// How the lease with a token stands, and in which of the leases of its name it is.
pub fn state_of(leases: &[Lease], token: i64, now: Micros) -> LeaseState {
    match leases.iter().find(|lease| lease.token == token) {
        Some(lease) if lease.is_valid(now) => LeaseState::Valid,
        Some(lease) if lease.is_released => LeaseState::Released,
        Some(_) => LeaseState::Expired,
        // Whose slot was granted anew is gone from the rows; its token was lower than what is there.
        None if token > 0 && leases.iter().any(|lease| token < lease.token) => LeaseState::Expired,
        None => LeaseState::Unknown,
    }
}

/// A token so high that no history up to now, whatever of it was lost, has reached it: a name would have to be
/// granted a million times a second since 2025 to do so. Until the year 2297 it is a number that a
/// double-precision float, and so JSON in a browser, holds exactly. `now` counts from 2000, as PostgreSQL does.
pub const fn epoch(now: Micros) -> i64 {
    const YEAR_2025: Micros = 789_004_800_000_000;
    const MICROS: Micros = 1_000_000;
    const GRANTS: i64 = 1 << 20;
    let seconds = (now - YEAR_2025) / MICROS;
    if seconds < 0 { 0 } else { seconds.saturating_mul(GRANTS) }
}
