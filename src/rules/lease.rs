//! Leases: locks with a name and a time to live, and the tokens that show which grant came later.
//!
//! The token rises with every grant. So a service can fence off a holder that was paused and does not know that
//! its lease has passed to another holder (Kleppmann, "How to do distributed locking", 2016; Burrows, "The Chubby
//! lock service", OSDI 2006, calls the token a sequencer).

use super::Micros;

/// The last grant of a slot of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The number of the slot, from 1. A name has as many slots as it ever had valid leases at once.
    pub slot: i32,
    pub holder: String,
    pub token: i64,
    pub expires_at: Micros,
    pub is_released: bool,
}

impl Lease {
    /// Returns whether the lease is valid at a moment: not released, and before its expiry.
    pub fn is_valid(&self, now: Micros) -> bool {
        !self.is_released && now < self.expires_at
    }
}

/// The decision on a request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The holder has a valid lease already and keeps its token.
    Again { slot: i32, token: i64 },
    /// Grant a new lease with this token, in any free slot.
    New { token: i64 },
    /// All slots are taken. The first of these leases expires at this time, unless its holder renews it.
    Taken { until: Micros },
}

/// Decides on a request for a lease on a name that `slots` holders may have at once. A new token is higher than
/// every token of this name and higher than `floor`, so no token is granted twice.
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

/// Returns the slot for a new grant: one whose lease has ended and whose row the caller could lock (`free`), or a
/// new one.
///
/// If a lease has ended but the caller could not lock its row, then a transaction that has checked the lease keeps
/// it from passing to another holder. Such a slot counts as taken. Returns `Err` with one of these slots if no
/// other slot is left: the caller must wait for its row.
pub fn slot(leases: &[Lease], free: &[i32], slots: i32, now: Micros) -> Result<i32, i32> {
    let locked = || leases.iter().filter(|lease| !lease.is_valid(now) && !free.contains(&lease.slot));
    let valid = leases.iter().filter(|lease| lease.is_valid(now)).count();
    match locked().next() {
        Some(first) if valid + locked().count() >= slots.max(1) as usize => Err(first.slot),
        _ => {
            let new = leases.iter().map(|lease| lease.slot).max().unwrap_or(0).saturating_add(1);
            Ok(free.iter().copied().min().unwrap_or(new))
        }
    }
}

/// The state of the lease with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    Valid,
    Released,
    /// The lease has expired, or its slot was granted again.
    Expired,
    /// The token was never granted for this name.
    Unknown,
}

/// Returns the state of the lease with a token, given all leases of its name.
pub fn state_of(leases: &[Lease], token: i64, now: Micros) -> LeaseState {
    match leases.iter().find(|lease| lease.token == token) {
        Some(lease) if lease.is_valid(now) => LeaseState::Valid,
        Some(lease) if lease.is_released => LeaseState::Released,
        Some(_) => LeaseState::Expired,
        // A slot that was granted again has lost its old token, which was lower than the token it has now.
        None if token > 0 && leases.iter().any(|lease| token < lease.token) => LeaseState::Expired,
        None => LeaseState::Unknown,
    }
}

/// Returns a token so high that no grant up to now can have reached it, even if some grants were lost: that would
/// take a million grants of a name each second since 2025. Until the year 2297 a double-precision float, and so
/// JSON in a browser, holds the number exactly. `now` counts from 2000, as in PostgreSQL.
pub const fn epoch(now: Micros) -> i64 {
    const YEAR_2025: Micros = 789_004_800_000_000;
    const MICROS: Micros = 1_000_000;
    const GRANTS: i64 = 1 << 20;
    let seconds = (now - YEAR_2025) / MICROS;
    if seconds < 0 { 0 } else { seconds.saturating_mul(GRANTS) }
}
