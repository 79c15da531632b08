//! Whether a request fits into a pool: a resource with a countable capacity.

use super::{Micros, Refusal};

/// How a pool counts what many transactions take at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contention {
    /// The count is in the pool's row, which one transaction after the other locks.
    Locked,
    /// The count is in shared memory, and no transaction locks the pool's row to take from it.
    Escrow,
    /// The count is in the pool's row, and moves to shared memory while many transactions wait for the row.
    Auto,
}

impl Contention {
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Locked, Self::Escrow, Self::Auto].into_iter().find(|contention| contention.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Escrow => "escrow",
            Self::Auto => "auto",
        }
    }
}

/// What the decisions need to know of a pool, as read under the resource lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    pub capacity: i64,
    pub overbooking: i64,
    /// How many places its holds take, with expired ones until their expiry is written down.
    pub taken: i64,
    pub version: i64,
    /// Whether the pool takes new holds.
    pub open: bool,
    /// How many places one holder may have. `None`: as many as there are.
    pub max_per_holder: Option<i64>,
}

impl Pool {
    /// Returns how many places can still be taken without ending an expired hold.
    pub fn free(&self) -> i64 {
        self.capacity + self.overbooking - self.taken
    }

    /// Returns whether a holder who has `owned` already may not have `quantity` more. The one place where
    /// `max_per_holder` is compared, for pools, seats and calendars alike.
    pub fn exceeds_limit(&self, quantity: i64, owned: i64) -> bool {
        self.max_per_holder.is_some_and(|limit| quantity > limit.saturating_sub(owned))
    }
}

/// The answer to a request for places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Fits,
    /// The request would fit if so many more places were free. The caller may reclaim them from expired holds.
    Short(i64),
    Refuse(Refusal),
}

/// Decides whether a new hold may be placed. `owned` is how many places the holder has live on this pool; it
/// matters only if the pool has a limit.
pub fn admit(pool: &Pool, quantity: i64, expected_version: Option<i64>, owned: i64) -> Admission {
    if !pool.open {
        Admission::Refuse(Refusal::Closed)
    } else if expected_version.is_some_and(|expected| expected != pool.version) {
        Admission::Refuse(Refusal::VersionMismatch)
    } else {
        readmit(pool, quantity, quantity, owned)
    }
}

/// Decides whether an expired hold may have its places again. The pool may have closed since: it takes no new
/// holds then, but this hold was placed while it was open. `room` is how many places must be taken once more: 0 if
/// the expiry is not written down yet.
pub fn readmit(pool: &Pool, quantity: i64, room: i64, owned: i64) -> Admission {
    if pool.exceeds_limit(quantity, owned) {
        Admission::Refuse(Refusal::LimitExceeded)
    } else if room > pool.free() {
        Admission::Short(room - pool.free())
    } else {
        Admission::Fits
    }
}

/// The beginning of 2025 in microseconds since 2000, and how many changes a pool can have in a second at the very most.
const BEGINNING_OF_2025: Micros = 789_004_800_000_000;
const MAX_CHANGES_A_SECOND: i64 = 1 << 20;

/// Returns a version that is higher than any that the pool can have had, if nobody knows how often it has changed since
/// its row was written. `now` is in microseconds since 2000.
///
/// It is the number of seconds since 2025, times more changes than a second has. So it is higher than a version that was
/// made like this before and has risen since.
pub fn version_after_loss(version: i64, now: Micros) -> i64 {
    let seconds = (now - BEGINNING_OF_2025).max(0) / 1_000_000 + 1;
    seconds.saturating_mul(MAX_CHANGES_A_SECOND).max(version.saturating_add(MAX_CHANGES_A_SECOND))
}

/// Decides whether the capacity may be set: what is taken must fit into it.
pub fn resize(pool: &Pool, capacity: i64, expected_version: Option<i64>) -> Admission {
    let missing = pool.taken - capacity - pool.overbooking;
    if expected_version.is_some_and(|expected| expected != pool.version) {
        Admission::Refuse(Refusal::VersionMismatch)
    } else if missing > 0 {
        Admission::Short(missing)
    } else {
        Admission::Fits
    }
}
