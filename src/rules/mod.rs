//! Decisions, and nothing else: no PostgreSQL type, no clock, no input or output.
//!
//! Time reaches these functions as microseconds since any fixed epoch. That keeps them testable by
//! the million without a server (`tests/rules`).

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

/// A point in time, in microseconds since the epoch of whoever calls.
pub type Micros = i64;

/// Why a request was refused. A refusal is an answer, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not enough is left.
    Unavailable,
    /// The hold's time to live had run out.
    Expired,
    /// Confirmed already: under another reference, or where only a mere hold can be acted on.
    AlreadyConfirmed,
    /// Only held, never confirmed.
    NotConfirmed,
    /// Given back before it was confirmed.
    Released,
    /// Given back after it was confirmed.
    Cancelled,
    /// It changed since the caller read it.
    VersionMismatch,
    /// More than one holder may have.
    LimitExceeded,
    /// Not open for new holds.
    Closed,
}
