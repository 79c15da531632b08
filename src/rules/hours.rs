//! The hours at which something is open, week by week, on the clock of its own time zone.

use super::Micros;
use super::timeline::Period;
use std::ops::RangeInclusive;

pub const MINUTE: Micros = 60_000_000;
pub const DAY: Micros = 24 * 60 * MINUTE;

/// The days of a week, as they are written.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// From when to when, on one day of every week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// Monday is 0.
    pub weekday: usize,
    /// Minutes since the day began, on the clock. It may close on the next day.
    pub opens: i64,
    pub closes: i64,
}

impl Window {
    /// Reads `09:00-12:00`. What closes before it opens does so on the next day: `18:00-02:00`.
    pub fn parse(weekday: usize, text: &str) -> Option<Self> {
        let (opens, closes) = text.split_once('-')?;
        let (opens, closes) = (minutes(opens)?, minutes(closes)?);
        let closes = if closes < opens { closes + 24 * 60 } else { closes };
        (opens < closes && opens < 24 * 60).then_some(Self { weekday, opens, closes })
    }
}

/// Reads `09:00`, and `24:00` for the end of the day.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |digits: &str| match digits.len() {
        2 if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<i64>().ok(),
        _ => None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let at = hours * 60 + minutes;
    (minutes < 60 && at <= 24 * 60).then_some(at)
}

/// A week as it comes again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week(Vec<Window>);

impl Week {
    pub fn of(mut windows: Vec<Window>) -> Self {
        windows.sort_unstable();
        windows.dedup();
        Self(windows)
    }

    /// Reads lines as [`lines`](Self::lines) writes them.
    pub fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let window = |line: &'a str| {
            let (weekday, hours) = line.split_once(' ')?;
            Window::parse(WEEKDAYS.iter().position(|name| *name == weekday)?, hours)
        };
        lines.map(window).collect::<Option<Vec<_>>>().map(Self::of)
    }

    /// A line for each window: `mon 09:00-12:00`.
    pub fn lines(&self) -> Vec<String> {
        let clock = |at: i64| format!("{:02}:{:02}", at / 60, at % 60);
        let closes = |at: i64| if at > 24 * 60 { clock(at - 24 * 60) } else { clock(at) };
        let line = |window: &Window| {
            format!("{} {}-{}", WEEKDAYS[window.weekday], clock(window.opens), closes(window.closes))
        };
        self.0.iter().map(line).collect()
    }

    /// When it is open on some days, window by window. Days are counted from 2000-01-01, and `instant`
    /// tells when it is so late by the clock (in microseconds since that day began).
    ///
    /// On the days on which clocks are changed, a window is as long as it lasts, and nothing where the
    /// clock passes it over.
    pub fn open(&self, days: RangeInclusive<i64>, instant: impl Fn(Micros) -> Micros) -> Vec<Period> {
        let mut periods = Vec::new();
        for day in days {
            for window in self.0.iter().filter(|window| window.weekday == weekday(day)) {
                let at = |minutes: i64| instant(day * DAY + minutes * MINUTE);
                periods.push(Period::new(at(window.opens), at(window.closes)));
            }
        }
        periods.retain(|period| !period.is_empty());
        periods.sort_unstable();
        periods
    }
}

/// The day of the week of a day counted from 2000-01-01, a Saturday. Monday is 0.
pub const fn weekday(day: i64) -> usize {
    (day + 5).rem_euclid(7) as usize
}

/// Makes one of those that overlap or touch. They come in the order of time.
pub fn merge(periods: impl IntoIterator<Item = Period>) -> Vec<Period> {
    let mut merged: Vec<Period> = Vec::new();
    for period in periods {
        match merged.last_mut() {
            Some(last) if period.from <= last.to => last.to = last.to.max(period.to),
            _ => merged.push(period),
        }
    }
    merged
}
