//! Finding room on a calendar, over time. What has run out keeps nobody from its place, but it has to be
//! ended first: see [`patiently`](super::patience::patiently).

use super::{Stop, When};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::rules::hours::{DAY, merge};
use crate::rules::timeline::{Capacity, Fit, Period, Stretch, Use, fit};
use crate::settings;
use crate::store::Session;
use crate::store::calendar::{self, Overlap, StoredUse};
use crate::store::holds::Stay;
use crate::store::resources::{Calendar, StoredResource};
use uuid::Uuid;

/// The period that is meant, on a calendar's own clock.
pub fn stay_on(calendar: &Calendar, when: When) -> Result<Stay, Error> {
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
    Ok(Stay { during, occupied: during.and(calendar.buffer) })
}

/// When a calendar is open around a period, window by window.
pub fn windows(calendar: &Calendar, period: Period) -> Vec<Period> {
    let Some(week) = &calendar.week else { return vec![period] };
    let day = |at| calendar.zone.clock(Timestamp::from_micros(at)).div_euclid(DAY);
    // One that opens on the day before may close on this one.
    week.open(day(period.from) - 1..=day(period.to), |clock| calendar.zone.reached(clock).micros())
}

/// Whether a calendar is open during all of a period.
pub fn is_open(calendar: &Calendar, during: Period) -> bool {
    calendar.week.is_none() || merge(windows(calendar, during)).iter().any(|open| open.contains(during))
}

/// What is wanted of a calendar.
pub struct Wish<'a> {
    pub resource: &'a StoredResource,
    pub occupied: Period,
    pub quantity: i64,
    /// What takes places there besides what is written down.
    pub unwritten: Vec<Use>,
    /// The hold that it is for, whose place it has now keeps it from none.
    pub of: Option<Uuid>,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// How much is left at every moment then.
    pub left: i64,
    /// There is one place, and no other booking may overlap.
    pub is_sole: bool,
}

/// Looks for room, whose days the caller has claimed; ends what has run out where that helps, and has
/// to be undone where it is in vain. `Err` is where the least is left.
pub fn find_room(
    session: &Session,
    wish: &Wish,
    now: Timestamp,
    may_end: bool,
) -> Result<Result<Room, Stretch>, Stop> {
    let name = wish.resource.name.as_str();
    let Overlap { uses, changes } = calendar::overlap(session, wish.resource, wish.occupied);
    let capacity = Capacity { usual: wish.resource.pool.capacity, changes };
    match fit_among(session, name, &capacity, &uses, wish, now, may_end)? {
        Fit::Fits { left, is_sole } => Ok(Ok(Room { left, is_sole })),
        Fit::Short(stretch) => Ok(Err(stretch)),
        Fit::OnceEnded => Err(Error::internal("what was ended is still there").into()),
    }
}

/// The same among what was found already, under a capacity that may be another than the one in force.
pub fn fit_among(
    session: &Session,
    name: &str,
    capacity: &Capacity,
    uses: &[StoredUse],
    wish: &Wish,
    now: Timestamp,
    may_end: bool,
) -> Result<Fit, Stop> {
    let others = || uses.iter().filter(|one| Some(one.id) != wish.of);
    let live: Vec<Use> = others()
        .filter(|one| !one.is_overdue(now))
        .map(|one| one.taken)
        .chain(wish.unwritten.iter().copied())
        .collect();
    let overdue: Vec<&StoredUse> = others().filter(|one| one.is_overdue(now)).collect();
    let fit_beside = |overdue: &[&StoredUse]| {
        let overdue: Vec<Use> = overdue.iter().map(|one| one.taken).collect();
        fit(capacity, &live, &overdue, wish.occupied, wish.quantity)
    };
    match fit_beside(&overdue) {
        Fit::OnceEnded if !may_end => Err(Stop::TooShallow),
        Fit::OnceEnded => {
            let ids: Vec<Uuid> = overdue.iter().map(|one| one.id).collect();
            let ended = calendar::end_these(session, name, &ids, now);
            let locked: Vec<&StoredUse> =
                overdue.into_iter().filter(|one| !ended.contains(&one.id)).collect();
            match fit_beside(&locked) {
                Fit::OnceEnded => Err(Stop::Locked(locked.iter().map(|one| one.id).collect())),
                fit => Ok(fit),
            }
        }
        fit => Ok(fit),
    }
}
