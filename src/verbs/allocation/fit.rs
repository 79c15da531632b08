//! Whether a period fits into a calendar. An overdue hold does not keep anybody from its place, but the call that
//! needs the place has to end the hold first: see [`retry_after_wait`](super::retry::retry_after_wait).

use super::stop::{Interrupt, Retry};
use crate::error::Error;
use crate::request::When;
use crate::rules::hours::{DAY, merge};
use crate::rules::timeline::{Capacity, Fit, Period, Segment, Usage, fit};
use crate::server::clock::Timestamp;
use crate::server::settings;
use crate::store::Session;
use crate::store::calendar::{self, Overlap, StoredUsage};
use crate::store::holds::BookedPeriod;
use crate::store::resources::{Calendar, StoredResource};
use uuid::Uuid;

/// Returns the booked period that a request means, on the calendar's own clock, and with the calendar's buffer.
pub fn booked_period_on(calendar: &Calendar, when: When) -> Result<BookedPeriod, Error> {
    let during = match when {
        When::During(period) => period,
        When::Nights { check_in, check_out } => {
            let at = |day: i32, clock| calendar.zone.instant(i64::from(day) * DAY + clock).micros();
            let nights = Period::new(at(check_in, calendar.check_in), at(check_out, calendar.check_out));
            if nights.is_empty() {
                return Err(Error::no_such_nights(calendar.zone.name()));
            }
            nights
        }
    };
    if during.length() > settings::max_period() {
        return Err(Error::period_too_long(&settings::max_period_shown()));
    }
    Ok(BookedPeriod { during, occupied: during.and(calendar.buffer) })
}

/// Returns the windows in which a calendar is open around a period.
pub fn windows(calendar: &Calendar, period: Period) -> Vec<Period> {
    let Some(week) = &calendar.week else { return vec![period] };
    let day = |at| calendar.zone.clock(Timestamp::from_micros(at)).div_euclid(DAY);
    // A window that opens on the day before may close on this one.
    week.open(day(period.from) - 1..=day(period.to), |clock| calendar.zone.reached(clock).micros())
}

/// Returns whether a calendar is open during all of a period.
pub fn is_open(calendar: &Calendar, during: Period) -> bool {
    calendar.week.is_none() || merge(windows(calendar, during)).iter().any(|open| open.contains(during))
}

/// A request for places of a calendar.
pub struct PeriodRequest<'a> {
    pub resource: &'a StoredResource,
    pub occupied: Period,
    pub quantity: i64,
    /// Usages beside those in the table: what this call has given, and what is owed to the waitlist.
    pub unwritten: Vec<Usage>,
    /// The hold that the request is for, if it exists already: its present place does not count against it.
    pub of: Option<Uuid>,
}

/// How a period fits.
#[derive(Clone, Copy, Debug)]
pub struct PeriodFit {
    /// How much is left at the moment of the period at which the least is left.
    pub left: i64,
    /// Whether the capacity is at most one during the whole period, so that no other booking may overlap.
    pub is_exclusive: bool,
}

/// Decides whether a period fits, on days that the caller has claimed. `Err` inside is the segment where the least
/// is left.
///
/// With `may_end`, ends overdue holds if that helps. The caller rolls this back if the attempt fails.
pub fn find_fit(
    session: &Session,
    request: &PeriodRequest,
    now: Timestamp,
    may_end: bool,
) -> Result<Result<PeriodFit, Segment>, Interrupt> {
    let name = request.resource.name.as_str();
    let Overlap { usages, changes } = calendar::overlap(session, request.resource, request.occupied);
    let capacity = Capacity { usual: request.resource.pool.capacity, changes };
    match fit_among(session, name, &capacity, &usages, request, now, may_end)? {
        Fit::Fits { left, is_exclusive } => Ok(Ok(PeriodFit { left, is_exclusive })),
        Fit::Short(segment) => Ok(Err(segment)),
        Fit::OnceEnded => Err(Error::internal("overdue holds are still there after their end").into()),
    }
}

/// Decides the same among usages that the caller has read, under a capacity that may differ from the one in force.
pub fn fit_among(
    session: &Session,
    name: &str,
    capacity: &Capacity,
    usages: &[StoredUsage],
    request: &PeriodRequest,
    now: Timestamp,
    may_end: bool,
) -> Result<Fit, Interrupt> {
    let others = || usages.iter().filter(|one| Some(one.id) != request.of);
    let live: Vec<Usage> = others()
        .filter(|one| !one.is_overdue(now))
        .map(|one| one.taken)
        .chain(request.unwritten.iter().copied())
        .collect();
    let overdue: Vec<&StoredUsage> = others().filter(|one| one.is_overdue(now)).collect();
    let fit_beside = |overdue: &[&StoredUsage]| {
        let overdue: Vec<Usage> = overdue.iter().map(|one| one.taken).collect();
        fit(capacity, &live, &overdue, request.occupied, request.quantity)
    };
    match fit_beside(&overdue) {
        Fit::OnceEnded if !may_end => Err(Retry::NeedsExpiry.into()),
        Fit::OnceEnded => {
            let ids: Vec<Uuid> = overdue.iter().map(|one| one.id).collect();
            let ended = calendar::end_these(session, name, &ids, now);
            let locked: Vec<&StoredUsage> =
                overdue.into_iter().filter(|one| !ended.contains(&one.id)).collect();
            match fit_beside(&locked) {
                Fit::OnceEnded => Err(Retry::Locked(locked.iter().map(|one| one.id).collect()).into()),
                fit => Ok(fit),
            }
        }
        fit => Ok(fit),
    }
}
