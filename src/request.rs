//! Requests, once their arguments are read: which hold, what part of a resource, when, for how long. They are
//! plain values that every layer above `rules` may use. Reading arguments belongs in `api`, executing a request in
//! `verbs`.

use crate::rules::Micros;
use crate::rules::lifecycle::Late;
use crate::rules::timeline::Period;
use pgrx::pg_sys;
use uuid::Uuid;

/// The hold, or the basket, that a verb works on.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub hold_id: Uuid,
    /// The resource that the hold must be on, if the caller names one.
    pub resource: Option<&'a str>,
    pub expected_version: Option<i64>,
}

/// What a request wants of a resource.
#[derive(Clone, Debug)]
pub enum Want<'a> {
    /// A number of places of a pool.
    Quantity(i64),
    /// These seats, each once, in the order of their labels.
    Seats(Vec<&'a str>),
    /// A number of seats, the best that are free.
    Best { quantity: usize, section: Option<&'a str>, together: bool },
    /// A number of places of a calendar, for a whole period.
    Period { quantity: i64, when: When },
}

/// The period of a request, before the calendar's clock is known.
#[derive(Clone, Copy, Debug)]
pub enum When {
    During(Period),
    /// From the check-in of one day to the check-out of another, by the calendar's own clock. Days are counted
    /// from 2000-01-01.
    Nights {
        check_in: i32,
        check_out: i32,
    },
}

impl Want<'_> {
    pub fn quantity(&self) -> i64 {
        match self {
            Self::Quantity(quantity) => *quantity,
            Self::Seats(seats) => seats.len() as i64,
            Self::Best { quantity, .. } => *quantity as i64,
            Self::Period { quantity, .. } => *quantity,
        }
    }

    /// Returns whether the resource's row counts it.
    pub const fn is_of_pool(&self) -> bool {
        matches!(self, Self::Quantity(_))
    }
}

/// A request for one hold.
#[derive(Clone, Debug)]
pub struct Placement<'a> {
    /// The id that the hold gets, if it has one already: an offer has the id of the entry in the line.
    pub id: Option<Uuid>,
    pub resource: &'a str,
    pub want: Want<'a>,
    pub ttl: Micros,
    pub key: Option<&'a str>,
    /// The fingerprint of the request. The same key with another fingerprint is another request.
    pub fingerprint: Option<Uuid>,
    pub holder: Option<&'a str>,
    pub expected_version: Option<i64>,
    pub metadata: Option<pg_sys::Datum>,
}

/// The part of a hold that a call gives back. The whole hold if both fields are `None`.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub quantity: Option<i64>,
    /// The labels, in their order, none of them twice.
    pub seats: Option<&'a [&'a str]>,
}

/// A request to confirm a hold.
#[derive(Clone, Copy)]
pub struct Confirmation<'a> {
    pub target: Target<'a>,
    pub reference: Option<&'a str>,
    pub late: Late,
}

/// A request to change the capacity of a pool or a calendar.
#[derive(Clone, Copy)]
pub struct Resizing {
    /// The new capacity. `None` removes the capacity that was set for the period, so that the usual one applies
    /// again.
    pub capacity: Option<i64>,
    /// The period that it applies to. `None` sets the usual capacity.
    pub during: Option<Period>,
    pub expected_version: Option<i64>,
}

/// The step from one slot to the next. Months and days are counted on the calendar's own clock, `time` in
/// microseconds.
#[derive(Clone, Copy)]
pub struct Step {
    pub months: i32,
    pub days: i32,
    pub time: Micros,
}

/// A request for a lease.
#[derive(Clone, Copy)]
pub struct LeaseRequest<'a> {
    pub name: &'a str,
    pub holder: &'a str,
    pub ttl: Micros,
    /// How many holders the lease may have at once.
    pub slots: i32,
}
