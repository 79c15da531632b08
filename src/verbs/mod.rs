//! The transitions, one verb a function: which locks, in which order, what is read under them, whom
//! to ask, what to write. `rules` decides and `store` does; here is the choreography between.

mod basket;
mod batch;
mod calendar;
mod confirm;
mod allocation;
mod extend;
mod fitting;
mod give_back;
mod hold;
mod lease;
mod policy;
mod reacquire;
mod reschedule;
mod resource;
mod room;
mod seats;
mod swap;
mod transfer;
mod locks;
mod upkeep;
mod view;
mod waitlist;

pub use basket::{Basket, hold_all};
pub use batch::hold_each;
pub use calendar::{Resizing, create_calendar, set_hours};
pub use confirm::{Confirmation, confirm};
pub use extend::extend;
pub use give_back::{Part, cancel, release};
pub use hold::hold;
pub use lease::{PeriodRequest, acquire_lease, after_restore, check_lease, release_lease, renew_lease};
pub use reschedule::reschedule;
pub use resource::{create_pool, drop_resource, set_capacity, set_contention, set_open};
pub use seats::{Plan, create_seats, set_blocked};
pub use swap::swap_seats;
pub use transfer::transfer;
pub use upkeep::{Sweep, expire, expire_on, next_expiry, overdue_resources, purge};
pub use view::{Month, Slot, Step, availability, find, free_slots, month, slots};
pub use waitlist::{join_waitlist, leave_waitlist};

pub use crate::escrow::standing;

use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::{Micros, self};
use crate::rules::basket::BasketDecision;
use crate::rules::lifecycle::{Hold, Verdict};
use crate::rules::timeline::Period;
use crate::server::clock::Timestamp;
use crate::store::holds::{HoldGroup, NewHold, BookedPeriod};
use crate::store::locks::Busy;
use crate::store::resources::Kind;
use crate::store::waitlist::Entry;
use pgrx::pg_sys;
use std::ffi::CStr;
use locks::max_days;
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
    /// What it is asked with.
    const fn verb(&self) -> &'static CStr {
        match self {
            Self::Best { .. } => c"booking.hold_best()",
            Self::Period { when: When::Nights { .. }, .. } => c"booking.hold_nights()",
            Self::Quantity(_) | Self::Seats(_) | Self::Period { .. } => c"booking.hold()",
        }
    }

    fn quantity(&self) -> i64 {
        match self {
            Self::Quantity(quantity) => *quantity,
            Self::Seats(seats) => seats.len() as i64,
            Self::Best { quantity, .. } => *quantity as i64,
            Self::Period { quantity, .. } => *quantity,
        }
    }

    /// Whether it is to be counted in the resource's row.
    const fn is_of_pool(&self) -> bool {
        matches!(self, Self::Quantity(_))
    }

    /// How many places are claimed for it at the most; a calendar's buffer comes on top of that.
    fn places(&self) -> usize {
        match self {
            Self::Quantity(_) => 0,
            Self::Seats(seats) => seats.len(),
            Self::Best { quantity, .. } => *quantity,
            Self::Period { when: When::During(period), .. } => max_days(period.length()),
            Self::Period { when: When::Nights { check_in, check_out }, .. } => {
                check_in.abs_diff(*check_out) as usize + 2
            }
        }
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

impl<'a> Placement<'a> {
    /// What somebody waits for.
    fn of_entry(entry: &'a Entry, kind: Kind) -> Result<Self, Error> {
        let want = match (&entry.seats, entry.during) {
            (Some(labels), _) => Want::Seats(labels.iter().map(String::as_str).collect()),
            (None, Some(period)) => Want::Period { quantity: entry.quantity, when: When::During(period) },
            (None, None) => Want::Quantity(entry.quantity),
        };
        Ok(Self {
            id: Some(entry.id),
            resource: &entry.resource,
            want: allocation::any_of(kind, want)?,
            ttl: entry.offer_ttl,
            key: None,
            fingerprint: None,
            holder: entry.holder.as_deref(),
            expected_version: None,
            metadata: entry.metadata,
        })
    }

    /// The hold that is placed for it, in no basket.
    fn hold(&self, id: Uuid, allotment: Allotment, placed_at: Timestamp) -> NewHold<'a> {
        NewHold {
            id,
            resource: self.resource,
            basket: None,
            item: 1,
            quantity: self.want.quantity(),
            seats: allotment.seats,
            booked: allotment.booked,
            placed_at,
            expires_at: placed_at.after(self.ttl),
            key: self.key,
            fingerprint: self.fingerprint,
            holder: self.holder,
            metadata: self.metadata,
        }
    }
}

/// What of its resource a request gets: nothing to be told apart, where that is a pool.
#[derive(Default)]
struct Allotment {
    seats: Option<Vec<String>>,
    /// When, and whether no other may overlap.
    booked: Option<(BookedPeriod, bool)>,
    /// How much is left then, where that is known.
    left: Option<i64>,
}

/// What ends an attempt early.
pub enum Stop {
    /// A lock was not to be had: an answer.
    Busy,
    /// Misuse, which is raised.
    Error(Error),
    /// An answer that nothing may be left written for.
    Refused(Box<Outcome>),
    /// Others have these overdue holds locked; what becomes of them decides.
    Locked(Vec<Uuid>),
    /// This transaction of another has part of an escrow pool under way; what becomes of it decides.
    UnderWay(u32),
    /// Others are about to take this seat; whether they do decides.
    Contested { resource: String, seat: String },
    /// Only ending overdue holds could help: to be tried again by who may do so.
    NeedsExpiry,
    /// What had been read as free was taken when it was to be written: to be tried again.
    Stale,
}

impl Stop {
    /// The same, about one of several requests.
    fn of_item(self, what: &str, n: usize) -> Self {
        match self {
            Self::Error(error) => Self::Error(error.of_item(what, n)),
            stop => stop,
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

/// What the rules say to holds that are locked. An expected version is that of a hold alone, or of a
/// basket, never of one of its items.
fn judge(
    group: &HoldGroup,
    expected_version: Option<i64>,
    decide: impl Fn(&Hold, Option<i64>) -> Verdict,
    has_left: impl Fn(&Hold) -> bool,
) -> BasketDecision {
    let (of_one, of_basket) = match group.basket {
        None => (expected_version, None),
        Some(_) => (None, expected_version),
    };
    rules::basket::decide(&group.lifecycles(), |hold| decide(hold, of_one), has_left, of_basket)
}

fn settle(result: Result<Outcome, Stop>) -> Result<Outcome, Error> {
    result.or_else(|stop| match stop {
        Stop::Busy => Ok(Outcome::busy()),
        Stop::Refused(outcome) => Ok(*outcome),
        Stop::Error(error) => Err(error),
        Stop::Locked(_) | Stop::UnderWay(_) | Stop::Contested { .. } | Stop::NeedsExpiry | Stop::Stale => {
            Err(Error::internal("an attempt ended without an answer"))
        }
    })
}
