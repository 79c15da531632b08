//! Draws a month of a calendar in text, for `booking.calendar_map`. What is free on each day is found by
//! `verbs::month`.

use crate::error::Error;
use crate::rules::hours::{WEEKDAYS, weekday};
use crate::verbs::{CalendarSlot, Month};
use pgrx::datum::Date;

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of a month.
pub struct Days {
    year: i32,
    month: u8,
    /// The first day, counted from 2000-01-01.
    pub first: i64,
    pub length: i64,
}

impl Days {
    /// Returns the month that the date lies in.
    pub fn of(date: Date) -> Result<Self, Error> {
        let days = date.to_pg_epoch_days();
        if days == i32::MIN || days == i32::MAX || !(1..=9998).contains(&date.year()) {
            return Err(Error::invalid("the month is not in the years 1 to 9998"));
        }
        let (year, month) = (date.year(), date.month());
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if is_leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        Ok(Self { year, month, first: i64::from(days) - i64::from(date.day()) + 1, length })
    }
}

/// Draws the weeks of the month, each as a line of days above a line with the places free on them.
pub fn draw(days: &Days, month: &Month) -> String {
    let left: Vec<String> = month.days.iter().map(left).collect();
    let width = left.iter().map(String::len).max().unwrap_or(0).max(3) + 2;
    let name = NAMES[usize::from(days.month).saturating_sub(1).min(11)];
    let title = format!("{name} {}, {}", days.year, month.zone);
    let mut drawing = format!("{title:^0$}", 7 * width).trim_end().to_owned();
    drawing.push('\n');
    let headings: String = WEEKDAYS.iter().map(|name| format!("{:>width$}", capitalised(name))).collect();
    drawing.push_str(&headings);
    let margin = weekday(days.first);
    let cells = || std::iter::repeat_n(None, margin).chain((0..left.len()).map(Some));
    let cells: Vec<Option<usize>> = cells().collect();
    for week in cells.chunks(7) {
        let line = |text: &dyn Fn(usize) -> String| -> String {
            week.iter().map(|cell| format!("{:>width$}", cell.map_or_else(String::new, text))).collect()
        };
        for text in [line(&|day| (day + 1).to_string()), line(&|day| left[day].clone())] {
            drawing.push('\n');
            drawing.push_str(text.trim_end());
        }
    }
    drawing.push_str(
        "\n\n  below each day: the fewest places free at any time   ~n at times none, at most n   0 none   - closed",
    );
    drawing
}

fn left(day: &CalendarSlot) -> String {
    let least = day.tightest.map_or(0, |tightest| tightest.free().max(0));
    match (day.is_open, least, day.most) {
        (false, _, _) => "-".to_owned(),
        (true, 0, 0) => "0".to_owned(),
        (true, 0, most) => format!("~{most}"),
        (true, least, _) => least.to_string(),
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
