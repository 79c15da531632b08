//! Why a verb or one of its attempts ends early.
//!
//! A [`Stop`] ends the verb, with an answer or an error. A [`Retry`] ends the attempt and says what the answer
//! depends on; the loop in [`retry`](super::retry) waits for that and makes another attempt.

use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::locks::Busy;
use uuid::Uuid;

/// What ends a verb early.
pub enum Stop {
    /// Another transaction has a lock, and the policy does not allow to wait for it (any longer). The answer is
    /// `busy`.
    Busy,
    /// Misuse, which is raised.
    Error(Error),
    /// A refusal. What the attempt has written is rolled back.
    Refused(Box<Outcome>),
}

/// Why a call makes another attempt.
pub enum Retry {
    /// Other transactions have these overdue holds locked. The answer depends on whether they confirm them.
    Locked(Vec<Uuid>),
    /// Another session's transaction, of this id, has pending deltas of an escrow pool. The answer depends on its
    /// end.
    UnderWay(u32),
    /// Another transaction has claimed this seat. The answer depends on whether it takes the seat.
    Contested { resource: String, seat: String },
    /// Ending overdue holds, or waiting, could change the answer. The cheap pass does neither.
    NeedsExpiry,
    /// Another transaction changed what this attempt had read.
    Stale,
}

/// What ends an attempt early: the end of the verb, or a reason for another attempt.
pub enum Interrupt {
    Stop(Stop),
    Retry(Retry),
}

impl Interrupt {
    /// Names the request in the error, if this is one: `what` is "item" or "request", `n` counts from 1.
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

/// Makes the answer of a verb: a refusal and `busy` are answers, misuse stays an error.
pub fn settle(result: Result<Outcome, Stop>) -> Result<Outcome, Error> {
    result.or_else(|stop| match stop {
        Stop::Busy => Ok(Outcome::busy()),
        Stop::Refused(outcome) => Ok(*outcome),
        Stop::Error(error) => Err(error),
    })
}
