//! Why a verb ends early, and why an attempt does.
//!
//! A [`Stop`] is an end: an answer or an error. A [`Retry`] is a reason to look again, which only the loop in
//! [`retry`](super::retry) knows what to do with.

use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::locks::Busy;
use uuid::Uuid;

/// What ends a verb early.
pub enum Stop {
    /// Another transaction has a lock, and the caller does not wait (any longer): an answer.
    Busy,
    /// Misuse, which is raised.
    Error(Error),
    /// An answer that nothing may be left written for.
    Refused(Box<Outcome>),
}

/// Why an attempt has to be made again.
pub enum Retry {
    /// Other transactions have these overdue holds locked; what becomes of the holds decides.
    Locked(Vec<Uuid>),
    /// This transaction of another session has a pending change of an escrow pool; its end decides.
    UnderWay(u32),
    /// Another transaction is about to take this seat; whether it does decides.
    Contested { resource: String, seat: String },
    /// Only ending overdue holds could help, which the cheap pass does not do.
    NeedsExpiry,
    /// What was read as free was taken before it could be written.
    Stale,
}

/// What ends an attempt early: for good, or to be made again.
pub enum Interrupt {
    Stop(Stop),
    Retry(Retry),
}

impl Interrupt {
    /// The same, about one of several requests.
    pub fn of_item(self, what: &str, n: usize) -> Self {
        match self {
            Self::Stop(Stop::Error(error)) => Self::Stop(Stop::Error(error.of_item(what, n))),
            interrupt => interrupt,
        }
    }
}

impl From<Busy> for Stop {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Stop> for Interrupt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Busy> for Interrupt {
    fn from(busy: Busy) -> Self {
        Self::Stop(busy.into())
    }
}

impl From<Error> for Interrupt {
    fn from(error: Error) -> Self {
        Self::Stop(error.into())
    }
}

impl From<Retry> for Interrupt {
    fn from(retry: Retry) -> Self {
        Self::Retry(retry)
    }
}

/// Makes the answer of a verb: a refusal and "busy" are answers, misuse is raised.
pub fn settle(result: Result<Outcome, Stop>) -> Result<Outcome, Error> {
    result.or_else(|stop| match stop {
        Stop::Busy => Ok(Outcome::busy()),
        Stop::Refused(outcome) => Ok(*outcome),
        Stop::Error(error) => Err(error),
    })
}
