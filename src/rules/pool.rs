//! Whether a pool, a resource with a countable capacity, has room for a request.

use super::Refusal;

/// How a pool stands up to many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contention {
    /// What is taken is counted in its row, which one after the other locks.
    Locked,
    /// It is counted in shared memory, and nothing is locked.
    Escrow,
}

impl Contention {
    /// The word for it in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Escrow => "escrow",
        }
    }
}

/// What the decisions need to know of a pool, as read under its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    pub capacity: i64,
    pub overbooking: i64,
    /// What its holds take, expired ones included until that is written down.
    pub taken: i64,
    pub version: i64,
    pub open: bool,
    pub max_per_holder: Option<i64>,
}

impl Pool {
    /// How much can still be taken without ending an expired hold.
    pub fn free(&self) -> i64 {
        self.capacity + self.overbooking - self.taken
    }

    /// Returns whether a holder who has `owned` already may not have `quantity` more. The one place where
    /// `max_per_holder` is compared, for pools, seats and calendars alike.
    pub fn exceeds_limit(&self, quantity: i64, owned: i64) -> bool {
        self.max_per_holder.is_some_and(|limit| quantity > limit.saturating_sub(owned))
    }
}

/// The answer to a request for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Fits,
    /// It would fit if this much more were free: worth ending the pool's own expired holds for.
    Short(i64),
    Refuse(Refusal),
}

/// Whether a new hold may be placed. `owned` is what the holder has live on this pool, asked for
/// only where the pool has a limit.
pub fn admit(pool: &Pool, quantity: i64, expected_version: Option<i64>, owned: i64) -> Admission {
    if !pool.open {
        Admission::Refuse(Refusal::Closed)
    } else if expected_version.is_some_and(|expected| expected != pool.version) {
        Admission::Refuse(Refusal::VersionMismatch)
    } else {
        readmit(pool, quantity, quantity, owned)
    }
}

/// Whether a hold that had expired may have its place again. A pool that has closed since takes no
/// new holds, yet this one was placed while it was open. `room` is what must be taken anew: nothing
/// where the expiry was not written down yet.
pub fn readmit(pool: &Pool, quantity: i64, room: i64, owned: i64) -> Admission {
    if pool.exceeds_limit(quantity, owned) {
        Admission::Refuse(Refusal::LimitExceeded)
    } else if room > pool.free() {
        Admission::Short(room - pool.free())
    } else {
        Admission::Fits
    }
}

/// Whether the capacity may be set: what is taken must fit in it.
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
