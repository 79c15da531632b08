//! What a caller asks for, once its arguments are read: which hold, what part of a resource, when, for how long. Plain
//! values that every layer above `rules` may use. How a request is read belongs into `api`, what becomes of it into `verbs`.

use crate::rules::Micros;
use crate::rules::lifecycle::Late;
use crate::rules::timeline::Period;
use pgrx::pg_sys;
use uuid::Uuid;

/// Which hold a verb is about, or which basket.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub hold_id: Uuid,
    /// Where given, the hold must be on this resource.
    pub resource: Option<&'a str>,
    pub expected_version: Option<i64>,
}

/// What part of a resource is wanted.
#[derive(Clone, Debug)]
pub enum Want<'a> {
    /// So much of a pool.
    Quantity(i64),
    /// These seats, each once, in the order of their labels.
    Seats(Vec<&'a str>),
    /// So many seats, the best there are.
    Best { quantity: usize, section: Option<&'a str>, together: bool },
    /// So much of a calendar, all the time.
    Period { quantity: i64, when: When },
}

/// When something is wanted.
#[derive(Clone, Copy, Debug)]
pub enum When {
    During(Period),
    /// From one day's check-in to another's check-out, by the calendar's own clock. Days are counted
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

    /// Whether it is to be counted in the resource's row.
    pub const fn is_of_pool(&self) -> bool {
        matches!(self, Self::Quantity(_))
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Placement<'a> {
    /// The id that the hold will have, where that is known already: to who waited for it.
    pub id: Option<Uuid>,
    pub resource: &'a str,
    pub want: Want<'a>,
    pub ttl: Micros,
    pub key: Option<&'a str>,
    /// What the key stands for: the same key with another fingerprint is another request.
    pub fingerprint: Option<Uuid>,
    pub holder: Option<&'a str>,
    pub expected_version: Option<i64>,
    pub metadata: Option<pg_sys::Datum>,
}

/// How much of a hold is given back: all of it where neither is said.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub quantity: Option<i64>,
    /// Each once, in the order of their labels.
    pub seats: Option<&'a [&'a str]>,
}

/// How to confirm.
#[derive(Clone, Copy)]
pub struct Confirmation<'a> {
    pub target: Target<'a>,
    pub reference: Option<&'a str>,
    pub late: Late,
}

/// What the capacity of a calendar is to be.
#[derive(Clone, Copy)]
pub struct Resizing {
    /// None: the usual one again.
    pub capacity: Option<i64>,
    /// None: for ever, where nothing else is said of a period.
    pub during: Option<Period>,
    pub expected_version: Option<i64>,
}

/// A step from one slot to the next: its days and months on the calendar's own clock.
#[derive(Clone, Copy)]
pub struct Step {
    pub months: i32,
    pub days: i32,
    pub time: Micros,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub struct LeaseRequest<'a> {
    pub name: &'a str,
    pub holder: &'a str,
    pub ttl: Micros,
    /// How many may have the name at once.
    pub slots: i32,
}
