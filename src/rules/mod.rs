//! Decisions: pure functions from what a caller has read to what it must do. No PostgreSQL type, no clock, no
//! input or output and no knowledge of tables belongs here.
//!
//! Time reaches these functions as microseconds since any fixed epoch. So `tests/rules` tests them by the million
//! without a server.

pub mod basket;
pub mod escrow;
pub mod hours;
pub mod lease;
pub mod lifecycle;
pub mod pool;
pub mod seating;
pub mod slots;
pub mod timeline;
pub mod waitlist;

/// A point in time, in microseconds since the caller's epoch; or a length of time, in microseconds.
pub type Micros = i64;

/// Why a request was refused. A refusal is an answer, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not enough is left.
    Unavailable,
    /// The hold's time to live had run out.
    Expired,
    /// The hold is confirmed already: with another reference, or the request needs a hold that is not confirmed.
    AlreadyConfirmed,
    /// The hold was never confirmed.
    NotConfirmed,
    /// The hold was given back before it was confirmed.
    Released,
    /// The hold was given back after it was confirmed.
    Cancelled,
    /// The hold or the resource has changed since the caller read it.
    VersionMismatch,
    /// The holder would have more than one holder may have.
    LimitExceeded,
    /// The resource is not open for new holds.
    Closed,
}
