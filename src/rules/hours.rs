//! Opening hours: when a calendar is open in every week, on the clock of its own time zone.

use super::Micros;
use super::timeline::Period;
use std::ops::RangeInclusive;

pub const MINUTE: Micros = 60_000_000;
pub const DAY: Micros = 24 * 60 * MINUTE;

/// The names of the days of a week, from Monday.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One opening time, on one day of every week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The day on which it opens. Monday is 0.
    pub weekday: usize,
    /// When it opens, in minutes on the clock since the day began.
    pub opens: i64,
    /// When it closes, likewise. More than 24 hours: it closes on the next day.
    pub closes: i64,
}

impl Window {
    /// Reads `09:00-12:00`. If the second time is before the first, it is on the next day: `18:00-02:00`. Returns
    /// `None` if the text is anything else.
    pub fn parse(weekday: usize, text: &str) -> Option<Self> {
        let (opens, closes) = text.split_once('-')?;
        let (opens, closes) = (minutes(opens)?, minutes(closes)?);
        let closes = if closes < opens { closes + 24 * 60 } else { closes };
        (opens < closes && opens < 24 * 60).then_some(Self { weekday, opens, closes })
    }
}

/// Reads `09:00`, and `24:00` for the end of the day, as minutes. Returns `None` if the text is anything else.
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

/// The windows of every week, sorted and each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week(Vec<Window>);

impl Week {
    /// Makes a week of windows in any order.
    pub fn of(mut windows: Vec<Window>) -> Self {
        windows.sort_unstable();
        windows.dedup();
        Self(windows)
    }

    /// Reads lines as [`lines`](Self::lines) writes them. Returns `None` if one is anything else.
    pub fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let window = |line: &'a str| {
            let (weekday, hours) = line.split_once(' ')?;
            Window::parse(WEEKDAYS.iter().position(|name| *name == weekday)?, hours)
        };
        lines.map(window).collect::<Option<Vec<_>>>().map(Self::of)
    }

    /// Returns one line for each window: `mon 09:00-12:00`.
    pub fn lines(&self) -> Vec<String> {
        let clock = |at: i64| format!("{:02}:{:02}", at / 60, at % 60);
        let closes = |at: i64| if at > 24 * 60 { clock(at - 24 * 60) } else { clock(at) };
        let line = |window: &Window| {
            format!("{} {}-{}", WEEKDAYS[window.weekday], clock(window.opens), closes(window.closes))
        };
        self.0.iter().map(line).collect()
    }

    /// Returns the periods at which it is open on some days, one for each window, in the order of time. Days are
    /// counted from 2000-01-01. `instant` returns when the clock shows a time, which is in microseconds since
    /// 2000-01-01 00:00 on that clock.
    ///
    /// On days on which the clock is changed, a window lasts from when the clock reaches its opening to when it
    /// reaches its closing. A window that the clock skips is left out.
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

/// Returns the weekday of a day counted from 2000-01-01, which was a Saturday. Monday is 0.
pub const fn weekday(day: i64) -> usize {
    (day + 5).rem_euclid(7) as usize
}

/// Merges periods that overlap or touch. The periods come in the order of time.
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
