//! The functions that only read. They take no lock and work on a standby.

use super::allocation::fit::{is_open, windows};
use super::allocation::owed::owed;
use super::missing::missing;
use crate::error::Error;
use crate::limits::MAX_SLOTS;
use crate::outcome::Outcome;
use crate::request::{Step, Target};
use crate::rules::Micros;
use crate::rules::hours::{DAY, merge};
use crate::rules::slots::{self, SlotRequest};
use crate::rules::timeline::{Capacity, Period, Segment, Timeline, Usage};
use crate::server::clock::{self, Timestamp};
use crate::store::calendar::{self, Overlap};
use crate::store::resources::{self, Kind, StoredResource};
use crate::store::usage::{self, ResourceUsage};
use crate::store::{Session, holds};

/// Returns the state of a hold or a basket now.
pub fn find(target: Target) -> Outcome {
    let session = Session::open();
    holds::look(&session, target.hold_id, target.resource)
        .map_or_else(|| missing(&session, target, false), |group| Outcome::found(&group, clock::now()))
}

/// Returns the usage of a resource now. For a calendar, returns the usage at that moment of the period at which
/// the least is left.
pub fn availability(resource: &str, during: Option<Period>) -> Result<ResourceUsage, Error> {
    let session = Session::open();
    availability_of(&session, &resources::read_existing(&session, resource)?, during)
}

fn availability_of(
    session: &Session,
    stored: &StoredResource,
    during: Option<Period>,
) -> Result<ResourceUsage, Error> {
    let (resource, now) = (stored.name.as_str(), clock::now());
    match (stored.kind, during) {
        (Kind::Calendar, _) => usage_over_time(
            session,
            stored,
            during.unwrap_or(Period::new(now.micros(), now.micros() + 1)),
            now,
        ),
        (_, Some(_)) => Err(Error::no_calendar(resource)),
        (_, None) => usage::usage(session, stored, now).ok_or_else(|| Error::no_resource(resource)),
    }
}

/// Returns how much of a resource is left for a new hold now; of a calendar, during a period.
pub fn available(resource: &str, during: Option<Period>) -> Result<i64, Error> {
    let session = Session::open();
    if during.is_none()
        && let Some(available) = usage::available_at_a_glance(resource, clock::now())
    {
        return Ok(available);
    }
    let stored = resources::read_existing(&session, resource)?;
    Ok(availability_of(&session, &stored, during)?.available)
}

fn usage_over_time(
    session: &Session,
    stored: &StoredResource,
    during: Period,
    now: Timestamp,
) -> Result<ResourceUsage, Error> {
    let calendar = stored.as_calendar()?;
    let view = View::of(session, stored, during.and(calendar.buffer), now);
    let tightest = view
        .timeline
        .tightest(view.period)
        .ok_or_else(|| Error::internal("a calendar has no segment in a period"))?;
    let left = view.left(session, stored)?.tightest(view.period).map_or(0, |tightest| tightest.free());
    let available = if stored.pool.open && is_open(calendar, during) { left.max(0) } else { 0 };
    Ok(ResourceUsage {
        capacity: tightest.capacity,
        confirmed: tightest.confirmed,
        held: tightest.held,
        available,
        version: stored.pool.version,
        next_expiry: view.next_expiry,
    })
}

/// What a session sees of a calendar in a period, without overdue holds.
struct View {
    period: Period,
    capacity: Capacity,
    taken: Vec<Usage>,
    timeline: Timeline,
    next_expiry: Option<Timestamp>,
}

impl View {
    fn of(session: &Session, stored: &StoredResource, period: Period, now: Timestamp) -> Self {
        let Overlap { usages, changes } = calendar::seen(session, stored, period);
        let live = || usages.iter().filter(|one| !one.is_overdue(now));
        let capacity = Capacity { usual: stored.pool.capacity, changes };
        let taken: Vec<Usage> = live().map(|one| one.taken).collect();
        Self {
            period,
            timeline: Timeline::of(&capacity, taken.iter().copied(), period),
            next_expiry: live().filter(|one| one.taken.is_held).map(|one| one.expires_at).min(),
            capacity,
            taken,
        }
    }

    /// Returns the timeline with what is owed to the waitlist counted as taken.
    fn left(&self, session: &Session, stored: &StoredResource) -> Result<Timeline, Error> {
        let owed = owed(session, stored)?.usages;
        Ok(match owed.is_empty() {
            true => self.timeline.clone(),
            false => Timeline::of(&self.capacity, self.taken.iter().copied().chain(owed), self.period),
        })
    }
}

/// The usage of a calendar in one slot.
pub struct CalendarSlot {
    pub period: Period,
    /// The segment with the least left while the calendar is open; `None` if it is closed during the whole slot.
    pub tightest: Option<Segment>,
    /// The most places that are left at any moment while the calendar is open.
    pub most: i64,
    /// Whether the calendar is open, with a capacity above 0, at any moment.
    pub is_open: bool,
}

/// Returns a calendar slot by slot, from the beginning of a period to its end.
pub fn slots(resource: &str, during: Period, step: Step) -> Result<Vec<CalendarSlot>, Error> {
    let session = Session::open();
    let stored = resources::read_existing(&session, resource)?;
    let calendar = stored.as_calendar()?;
    let periods = steps(&calendar.zone, during, step)?;
    slots_of(&session, &stored, during, &periods)
}

fn slots_of(
    session: &Session,
    stored: &StoredResource,
    during: Period,
    periods: &[Period],
) -> Result<Vec<CalendarSlot>, Error> {
    let view = View::of(session, stored, during, clock::now());
    let open = merge(windows(stored.as_calendar()?, during));
    let slot = |period: &Period| {
        let first = open.partition_point(|open| open.to <= period.from);
        let opened = open[first..].iter().map_while(|open| open.common(*period));
        let segments: Vec<Segment> = opened.flat_map(|open| view.timeline.over(open)).collect();
        let most = segments.iter().map(Segment::free).max().unwrap_or(0).max(0);
        let is_open = segments.iter().any(|segment| segment.capacity > 0);
        CalendarSlot {
            period: *period,
            tightest: segments.into_iter().min_by_key(Segment::free),
            most,
            is_open,
        }
    };
    Ok(periods.iter().map(slot).collect())
}

/// Divides a period into slots. Returns `Err` if they are more than [`MAX_SLOTS`].
fn steps(zone: &crate::server::zones::Zone, during: Period, step: Step) -> Result<Vec<Period>, Error> {
    let clock = zone.clock(Timestamp::from_micros(during.from));
    let start = |n: i32| {
        if (step.months, step.days) == (0, 0) {
            return during.from.saturating_add(step.time.saturating_mul(i64::from(n)));
        }
        let months = crate::server::zones::months_after(clock, step.months.saturating_mul(n));
        let days = i64::from(step.days) * i64::from(n) * DAY;
        let time = step.time.saturating_mul(i64::from(n));
        zone.instant(months.saturating_add(days)).micros().saturating_add(time)
    };
    let mut periods = Vec::new();
    let mut from = during.from;
    for n in 1.. {
        let to = start(n).min(during.to);
        // If a zone's clock skips a whole day, that day has no slot.
        if from < to {
            periods.push(Period::new(from, to));
            from = to;
        }
        if to >= during.to {
            break;
        }
        if n as usize >= MAX_SLOTS {
            return Err(Error::too_many_slots(MAX_SLOTS));
        }
    }
    Ok(periods)
}

/// Returns the periods of this length that are still free, with how many places are left in each.
pub fn free_slots(
    resource: &str,
    during: Period,
    duration: Micros,
    step: Micros,
) -> Result<Vec<(Period, i64)>, Error> {
    let session = Session::open();
    let stored = resources::read_existing(&session, resource)?;
    let calendar = stored.as_calendar()?;
    let view = View::of(&session, &stored, during.and(calendar.buffer), clock::now());
    let left = view.left(&session, &stored)?;
    let request = SlotRequest { within: during, duration, step, buffer: calendar.buffer };
    slots::free(&left, &windows(calendar, during), &request, MAX_SLOTS)
        .ok_or_else(|| Error::too_many_slots(MAX_SLOTS))
}

/// A month on a calendar's own clock.
pub struct Month {
    /// The name of the calendar's time zone.
    pub zone: String,
    /// The days, in their order.
    pub days: Vec<CalendarSlot>,
}

/// Returns the days of a month. `first` is its first day, counted from 2000-01-01; `length` is how many it has.
pub fn month(resource: &str, first: i64, length: i64) -> Result<Month, Error> {
    let session = Session::open();
    let stored = resources::read_existing(&session, resource)?;
    let zone = &stored.as_calendar()?.zone;
    let midnight = |day: i64| zone.instant((first + day) * DAY).micros();
    let days: Vec<Period> = (0..length).map(|day| Period::new(midnight(day), midnight(day + 1))).collect();
    let all = Period::new(midnight(0), midnight(length));
    Ok(Month { zone: zone.name().to_owned(), days: slots_of(&session, &stored, all, &days)? })
}
