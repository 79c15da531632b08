//! Reads periods, nights, intervals and opening hours, from arguments and from JSON.

use super::arguments::need;
use super::json::{NightsText, PeriodText};
use crate::error::Error;
use crate::limits::{MAX_BUFFER, MAX_WINDOWS};
use crate::request::{Step, When};
use crate::rules::Micros;
use crate::rules::hours::{WEEKDAYS, Week, Window};
use crate::rules::timeline::Period;
use crate::server::settings;
use pgrx::datum::{Date, Interval, Range, RangeBound, TimestampWithTimeZone};
use serde_json::Value;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The years 1 to 9999, in microseconds since 2000-01-01. In them every date can be written, and no sum of times
/// overflows.
const SENSIBLE: RangeInclusive<Micros> = -63_082_281_600_000_000..=252_455_615_999_999_999;
/// The same years, in days since 2000-01-01.
const SENSIBLE_DAYS: RangeInclusive<i32> = -730_119..=2_921_939;

/// Reads a period. Returns `None` if it is null. Raises 22023 if it is empty, has no beginning or no end, or is
/// longer than `booking.max_period`.
pub fn given(value: &Option<Range<TimestampWithTimeZone>>) -> Result<Option<Period>, Error> {
    let Some(range) = value else { return Ok(None) };
    let Some((lower, upper)) = &**range else { return Err(empty()) };
    let (Some(from), Some(to)) = (time_of(lower), time_of(upper)) else { return Err(unbounded()) };
    // [10:00,11:00] would take the first microsecond of the next slot, and (10:00,11:00) leave the first of
    // its own.
    match (lower, upper) {
        (RangeBound::Inclusive(_), RangeBound::Exclusive(_)) => checked(from, to).map(Some),
        _ => Err(wrong_bounds()),
    }
}

fn time_of(bound: &RangeBound<TimestampWithTimeZone>) -> Option<Micros> {
    let (RangeBound::Inclusive(time) | RangeBound::Exclusive(time)) = bound else { return None };
    let micros: i64 = (*time).into();
    (micros != i64::MIN && micros != i64::MAX).then_some(micros)
}

fn checked(from: Micros, to: Micros) -> Result<Period, Error> {
    let period = Period::new(from, to);
    if period.is_empty() {
        return Err(empty());
    }
    if !SENSIBLE.contains(&from) || !SENSIBLE.contains(&to) {
        return Err(Error::invalid("the period is not in the years 1 to 9999"));
    }
    if period.length() > settings::max_period() {
        return Err(Error::period_too_long(&settings::max_period_shown()));
    }
    Ok(period)
}

fn empty() -> Error {
    Error::invalid("the period is empty")
        .hint("A period must end after it begins: during => tstzrange('2026-12-24 15:00+01', '2026-12-24 16:00+01').")
}

fn wrong_bounds() -> Error {
    Error::invalid("the period must include its beginning and exclude its end")
        .detail("Periods that follow one another would overlap, or leave a gap.")
        .hint("Write [) around it: '[2026-12-24 15:00+01,2026-12-24 16:00+01)', as tstzrange(from, to) does.")
}

fn unbounded() -> Error {
    Error::invalid("the period must have a beginning and an end")
        .hint("Give both: during => tstzrange('2026-12-24 15:00+01', '2026-12-24 16:00+01').")
}

/// Reads nights, from the check-in of one day to the check-out of another.
pub fn nights(check_in: Date, check_out: Date) -> Result<When, Error> {
    let (check_in, check_out) = (check_in.to_pg_epoch_days(), check_out.to_pg_epoch_days());
    if !SENSIBLE_DAYS.contains(&check_in) || !SENSIBLE_DAYS.contains(&check_out) {
        return Err(Error::invalid("the nights are not in the years 1 to 9999"));
    }
    if check_out <= check_in {
        return Err(Error::invalid("check_out must be after check_in")
            .hint("One night goes from one date to the next."));
    }
    let nights = i64::from(check_out - check_in) * 24 * 60 * 60 * 1_000_000;
    // One day more is allowed here, for the times of check-in and check-out. The exact length is checked later, on
    // the calendar's clock.
    if nights > settings::max_period().saturating_add(24 * 60 * 60 * 1_000_000) {
        return Err(Error::period_too_long(&settings::max_period_shown()));
    }
    Ok(When::Nights { check_in, check_out })
}

/// Reads a period in JSON: `["2026-12-24T15:00:00+01:00", "2026-12-24T16:00:00+01:00"]`, or the text of a range.
/// Returns `None` if the value is neither.
pub fn of_text(text: PeriodText) -> Option<Result<Period, Error>> {
    let (lower, upper, ends) = match text {
        PeriodText::Times(lower, upper) => (lower, upper, ("[", ")")),
        PeriodText::Range(text) => {
            let text = text.trim();
            let (inner, ends) =
                (text.get(1..text.len().checked_sub(1)?)?, (text.get(..1)?, text.get(text.len() - 1..)?));
            let (lower, upper) = inner.split_once(',')?;
            (lower, upper, ends)
        }
    };
    let time = |text: &str| {
        let text = text.trim().trim_matches('"');
        if text.is_empty() { Some(None) } else { TimestampWithTimeZone::from_str(text).ok().map(Some) }
    };
    let (lower, upper) = (time(lower)?, time(upper)?);
    let end = |time: Option<TimestampWithTimeZone>, is_in: bool| match time {
        None => RangeBound::Infinite,
        Some(time) if is_in => RangeBound::Inclusive(time),
        Some(time) => RangeBound::Exclusive(time),
    };
    let (lower_in, upper_in) = match ends {
        ("[" | "(", ")" | "]") => (ends.0 == "[", ends.1 == "]"),
        _ => return None,
    };
    let range = Range::new(end(lower, lower_in), end(upper, upper_in));
    Some(given(&Some(range)).and_then(|period| need(period, "during")))
}

/// Reads nights out of JSON: `["2026-12-24", "2026-12-27"]`. Returns `None` if a date is none.
pub fn nights_of_text(NightsText([check_in, check_out]): NightsText) -> Option<Result<When, Error>> {
    Some(nights(Date::from_str(check_in).ok()?, Date::from_str(check_out).ok()?))
}

/// Reads a duration in elapsed time: a day counts 24 hours, whatever the clock shows. Raises 22023 unless it is
/// above zero.
pub fn duration(value: Option<Interval>, argument: &str) -> Result<Micros, Error> {
    let micros = hours(need(value, argument)?, argument)?;
    if micros <= 0 {
        return Err(Error::invalid(format!("{argument} must be greater than zero")));
    }
    if micros > settings::max_period() {
        return Err(Error::invalid(format!("{argument} is longer than allowed"))
            .detail(format!("booking.max_period is {}.", settings::max_period_shown())));
    }
    Ok(micros)
}

/// Reads the buffer after each booking.
pub fn buffer(value: Option<Interval>) -> Result<Micros, Error> {
    match hours(need(value, "buffer")?, "buffer")? {
        micros if micros < 0 => Err(Error::invalid("buffer must not be negative")),
        micros if micros > MAX_BUFFER => Err(Error::invalid("buffer must not be longer than 31 days")),
        micros => Ok(micros),
    }
}

/// Returns the length of an interval in elapsed time. Raises 22023 if it contains months.
fn hours(interval: Interval, argument: &str) -> Result<Micros, Error> {
    if interval.months() != 0 {
        return Err(Error::invalid(format!("{argument} must not contain months"))
            .hint("Months differ in length. Use days, each of 24 hours."));
    }
    Micros::try_from(interval.as_micros()).map_err(|_| Error::invalid(format!("{argument} is too long")))
}

/// Reads the step from one slot to the next. Its days and months are counted on the calendar's clock.
pub fn step(value: Option<Interval>) -> Result<Step, Error> {
    let interval = need(value, "step")?;
    let step = Step { months: interval.months(), days: interval.days(), time: interval.micros() };
    if step.months < 0 || step.days < 0 || step.time < 0 || interval.as_micros() <= 0 {
        return Err(Error::invalid("step must be greater than zero"));
    }
    if interval.as_micros() > i128::from(settings::max_period()) {
        return Err(Error::invalid("step is longer than allowed")
            .detail(format!("booking.max_period is {}.", settings::max_period_shown())));
    }
    Ok(step)
}

/// Reads the opening hours of a week: `{"mon": ["09:00-12:00", "13:00-17:00"]}`. A day that is not named is
/// closed.
pub fn week(value: &Value) -> Result<Week, Error> {
    let Value::Object(days) = value else {
        return Err(Error::invalid("argument \"hours\" must be a JSON object").hint(EXAMPLE));
    };
    let mut windows = Vec::new();
    for (name, hours) in days {
        let weekday = WEEKDAYS.iter().position(|weekday| weekday == name).ok_or_else(|| {
            Error::invalid(format!("\"{name}\" is not a day of the week"))
                .hint(format!("The days are {}.", WEEKDAYS.join(", ")))
        })?;
        let hours = hours.as_array().ok_or_else(|| {
            Error::invalid(format!("the hours of \"{name}\" must be an array of texts")).hint(EXAMPLE)
        })?;
        if hours.len() > MAX_WINDOWS {
            return Err(Error::limit(format!("more than {MAX_WINDOWS} windows on \"{name}\"")));
        }
        for text in hours {
            let window = text.as_str().and_then(|text| Window::parse(weekday, text)).ok_or_else(|| {
                Error::invalid(format!("invalid hours for \"{name}\": {text}")).hint(EXAMPLE)
            })?;
            windows.push(window);
        }
    }
    Ok(Week::of(windows))
}

const EXAMPLE: &str = "Example: {\"mon\": [\"09:00-12:00\", \"13:00-17:00\"], \"fri\": [\"18:00-02:00\"], \"sat\": [\"00:00-24:00\"]}. \
                       Write hours and minutes with two digits each. A window that closes before it opens closes on the next day.";
