//! Opening hours: how they are read and written, and random weeks on clocks that the tests walk through minute by
//! minute.

use std::collections::BTreeSet;

use booking_rules::Micros;
use booking_rules::hours::{DAY, MINUTE, WEEKDAYS, Week, Window, merge, weekday};
use booking_rules::timeline::Period;

#[path = "timeline/random.rs"]
mod random;
#[path = "hours/walk.rs"]
mod walk;

use random::Random;
use walk::{Changes, Hours, Twice};

const WEEKS: u64 = 200;

const GOOD: [(&str, i64, i64); 14] = [
    ("09:00-12:00", 540, 720),
    ("00:00-00:01", 0, 1),
    ("00:00-24:00", 0, 1440),
    ("23:59-24:00", 1439, 1440),
    ("22:00-24:00", 1320, 1440),
    // The end of one day is the beginning of the next day.
    ("22:00-00:00", 1320, 1440),
    ("18:00-02:00", 1080, 1560),
    ("23:59-00:01", 1439, 1441),
    ("00:02-00:01", 2, 1441),
    ("12:00-11:59", 720, 2159),
    ("23:59-23:58", 1439, 2878),
    ("09:00 - 12:00", 540, 720),
    (" 09:00-12:00 ", 540, 720),
    ("\t09:00-12:00\n", 540, 720),
];

const BAD: [&str; 48] = [
    "",
    "-",
    "--",
    ":-:",
    "09:00",
    "09:00-",
    "-12:00",
    "09:00-12",
    "09-12",
    "9:00-12:00",
    "09:00-9:30",
    "09:0-12:00",
    "009:00-12:00",
    "09:000-12:00",
    "09:00:00-12:00:00",
    "09:00-12:00-13:00",
    "09:00--12:00",
    "09:00–12:00",
    "09:00 12:00",
    "09.00-12.00",
    "0900-1200",
    "09 :00-12:00",
    "09: 00-12:00",
    "09:60-12:00",
    "09:00-12:60",
    "09:99-12:00",
    "24:01-12:00",
    "09:00-24:01",
    "25:00-12:00",
    "09:00-25:00",
    "99:00-99:30",
    // Nothing opens at 24:00: that time is 00:00 of the next day.
    "24:00-02:00",
    "24:00-24:00",
    "24:00-00:00",
    // These could mean no time or a whole day, so they are refused.
    "00:00-00:00",
    "09:00-09:00",
    "+9:00-12:00",
    "-9:00-12:00",
    "09:+1-12:00",
    "09:-1-12:00",
    "ab:cd-ef:gh",
    "09:00-12:0x",
    "09:00-12:00 x",
    "x 09:00-12:00",
    "09h00-12h00",
    "9am-5pm",
    "٠٩:٠٠-١٢:٠٠",
    "é:00-12:00",
];

#[test]
fn hours_are_read_as_they_are_written_on_a_door_and_nothing_else_is() {
    for (text, opens, closes) in GOOD {
        for weekday in 0..7 {
            assert_eq!(Window::parse(weekday, text), Some(Window { weekday, opens, closes }), "{text:?}");
        }
    }
    for text in BAD {
        assert_eq!(Window::parse(0, text), None, "{text:?}");
    }
}

#[test]
fn every_pair_of_times_is_read() {
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    for opens in (0..=1440).step_by(7).chain([1439, 1440]) {
        for closes in (0..=1440).step_by(5).chain([1439, 1440]) {
            // Walks along the clock from the opening to the closing.
            let steps = (1..=1440).find(|minutes| (opens + minutes) % 1440 == closes % 1440);
            let right = match steps {
                Some(length) if opens < 1440 && (length < 1440 || closes == 1440) => Some(opens + length),
                _ => None,
            };
            let text = format!("{}-{}", clock(opens), clock(closes));
            let read = Window::parse(3, &text);
            assert_eq!(read.map(|window| window.closes), right, "{text}");
            assert!(read.is_none_or(|window| window.opens == opens && window.weekday == 3), "{text}");
        }
    }
}

#[test]
fn a_week_is_written_as_it_is_read() {
    let mut random = Random(1);
    for _ in 0..5_000 {
        let hours: BTreeSet<Hours> = (0..random.within(0, 12)).map(|_| Hours::random(&mut random)).collect();
        let mut lines: Vec<String> = hours.iter().map(Hours::line).collect();
        let week = Week::read(lines.iter().map(String::as_str)).expect("all are good");
        // The same lines twice, in any order, make the same week.
        lines.extend(lines.clone());
        lines.reverse();
        assert_eq!(Week::read(lines.iter().map(String::as_str)), Some(week.clone()), "{lines:?}");
        let written = week.lines();
        assert_eq!(Week::read(written.iter().map(String::as_str)), Some(week), "{written:?}");
        let right: BTreeSet<String> = hours.iter().map(Hours::line).collect();
        assert_eq!(written.len(), hours.len(), "{written:?}");
        assert_eq!(written.into_iter().collect::<BTreeSet<_>>(), right);
    }
}

#[test]
fn a_week_is_written_from_monday_on() {
    let lines = ["sun 20:00-03:00", "mon 14:00-24:00", "wed 09:00-10:00", "mon 09:00-12:00"];
    let week = Week::read(lines.into_iter()).expect("all are good");
    assert_eq!(week.lines(), ["mon 09:00-12:00", "mon 14:00-24:00", "wed 09:00-10:00", "sun 20:00-03:00"]);
    assert_eq!(Week::read([].into_iter()), Some(Week::default()));
    for bad in ["", "mon", "mon ", "Mon 09:00-12:00", "monday 09:00-12:00", "09:00-12:00", "mon,09:00-12:00"]
    {
        assert_eq!(Week::read([bad, lines[0]].into_iter()), None, "{bad:?}");
        assert_eq!(Week::read([lines[0], bad].into_iter()), None, "{bad:?}");
    }
}

/// Dates, as days since 2000-01-01, and their weekdays.
const DATES: [(&str, i64, &str); 12] = [
    ("1582-10-15, the first of the calendar", -152_384, "fri"),
    ("1900-01-01", -36_524, "mon"),
    ("1969-07-20", -11_122, "sun"),
    ("1970-01-01", -10_957, "thu"),
    ("1999-12-31", -1, "fri"),
    ("2000-01-01", 0, "sat"),
    ("2000-01-02", 1, "sun"),
    ("2000-01-03", 2, "mon"),
    ("2000-02-29", 59, "tue"),
    ("2024-02-29", 8_825, "thu"),
    ("2026-12-25", 9_855, "fri"),
    ("2100-01-01", 36_525, "fri"),
];

#[test]
fn days_of_the_week_are_those_of_the_calendar() {
    for (date, day, name) in DATES {
        assert_eq!(WEEKDAYS[weekday(day)], name, "{date}");
    }
    for day in -1_000_000..1_000_000 {
        assert_eq!(weekday(day + 1), if weekday(day) == 6 { 0 } else { weekday(day) + 1 }, "{day}");
    }
}

/// Checks the single windows and the periods into which they merge.
#[test]
fn a_week_is_open_in_the_minutes_that_are_in_its_hours() {
    let mut random = Random(2);
    let mut seen = [0; 3];
    for _ in 0..WEEKS {
        let changes = Changes::none(random.within(-2000, 2000));
        let hours = Hours::some(&mut random);
        let (mut windows, minutes) = walk::open(&hours, &changes, Twice::First);
        let open = walk::read(&hours).open(changes.days(), |clock| clock);
        let told: Vec<(i64, i64)> = open.iter().map(|period| in_minutes(*period)).collect();
        assert!(open.is_sorted(), "{open:?}");
        windows.sort_unstable();
        assert_eq!(told, windows, "{hours:?}");
        let merged: Vec<(i64, i64)> = merge(open).into_iter().map(in_minutes).collect();
        assert_eq!(merged, walk::segments(&minutes), "{hours:?}");
        seen[0] += u64::from(merged.len() < windows.len());
        seen[1] += u64::from(hours.iter().any(Hours::is_overnight));
        seen[2] += u64::from(hours.iter().any(|hours| hours.closes == 1440));
    }
    assert!(seen.iter().all(|weeks| *weeks > WEEKS / 5), "{seen:?}");
}

fn in_minutes(period: Period) -> (i64, i64) {
    assert_eq!((period.from % MINUTE, period.to % MINUTE), (0, 0), "{period:?}");
    (period.from / MINUTE, period.to / MINUTE)
}

#[test]
fn a_week_is_as_open_as_it_lasts_while_clocks_are_changed() {
    let mut random = Random(3);
    let mut seen = [0; 4];
    for _ in 0..WEEKS * 2 {
        let changes = Changes::random(&mut random);
        let twice = if random.percent(50) { Twice::First } else { Twice::Second };
        let mut hours = Hours::some(&mut random);
        hours.extend(changes.hours_nearby(&mut random));
        let (mut windows, minutes) = walk::open(&hours, &changes, twice);
        let open = walk::read(&hours).open(changes.days(), |clock| {
            assert_eq!(clock % MINUTE, 0);
            changes.instant(clock / MINUTE, twice) * MINUTE
        });
        let told: Vec<(i64, i64)> = open.iter().map(|period| in_minutes(*period)).collect();
        seen[0] += windows.iter().filter(|(from, to)| from >= to).count();
        windows.retain(|(from, to)| from < to);
        windows.sort_unstable();
        assert_eq!(told, windows, "{twice:?} {changes:?} {hours:?}");
        let merged: Vec<(i64, i64)> = merge(open).into_iter().map(in_minutes).collect();
        assert_eq!(merged, walk::segments(&minutes), "{changes:?} {hours:?}");
        let hours: BTreeSet<i64> = hours.iter().map(Hours::length).collect();
        let odd = |(from, to): &&(i64, i64)| !hours.contains(&(to - from));
        seen[1] += windows.iter().filter(odd).count();
        seen[if twice == Twice::First { 2 } else { 3 }] += 1;
    }
    assert!(seen.iter().all(|cases| *cases > 100), "{seen:?}");
}

/// Returns when a clock as in Berlin shows a time. On Sunday 2026-03-29 at two the clock is put forward to three,
/// and on 2026-10-25 at three back to two.
fn like_berlin(clock: Micros) -> Micros {
    const SPRING: Micros = 9_584 * DAY + 120 * MINUTE;
    const AUTUMN: Micros = 9_794 * DAY + 180 * MINUTE;
    let summer = 60 * MINUTE;
    match clock {
        _ if clock < SPRING => clock,
        _ if clock < SPRING + summer => SPRING,
        // The clock shows this twice: the later moment counts.
        _ if clock < AUTUMN - summer => clock - summer,
        _ => clock,
    }
}

#[test]
fn what_the_clock_passes_over_is_not_open_and_what_it_repeats_is_open_longer() {
    let minutes = |day: i64, hours: &str| {
        let line = format!("sun {hours}");
        let week = Week::read([line.as_str()].into_iter()).expect("it is good");
        let open = week.open(day..=day, like_berlin);
        assert!(open.len() < 2, "{open:?}");
        open.first().map_or(0, |period| period.length() / MINUTE)
    };
    let (ordinary, spring, autumn) = (9_584 - 7, 9_584, 9_794);
    let table = [
        ("02:00-03:00", 60, 0, 60),
        ("02:15-02:45", 30, 0, 30),
        ("02:00-02:01", 1, 0, 1),
        ("01:00-02:00", 60, 60, 120),
        ("01:00-02:30", 90, 60, 150),
        ("01:00-03:00", 120, 60, 180),
        ("01:59-03:01", 62, 2, 122),
        ("02:30-04:00", 90, 60, 90),
        ("03:00-04:00", 60, 60, 60),
        ("00:00-24:00", 1440, 1380, 1500),
        ("00:00-02:00", 120, 120, 180),
        ("22:00-02:00", 240, 240, 240),
    ];
    for (hours, usually, forward, back) in table {
        assert_eq!(minutes(ordinary, hours), usually, "{hours}");
        assert_eq!(minutes(spring, hours), forward, "{hours} in spring");
        assert_eq!(minutes(autumn, hours), back, "{hours} in autumn");
    }
}

#[test]
fn hours_that_touch_are_one() {
    let lines =
        ["mon 09:00-12:00", "mon 12:00-13:00", "mon 13:01-14:00", "sun 20:00-24:00", "mon 00:00-02:00"];
    let week = Week::read(lines.into_iter()).expect("all are good");
    // 2000-01-02 was a Sunday.
    let open = week.open(1..=2, |clock| clock - DAY);
    let minutes = |from: i64, to: i64| Period::new(from * MINUTE, to * MINUTE);
    let monday = 1440;
    let right = [
        minutes(1200, monday + 120),
        minutes(monday + 540, monday + 780),
        minutes(monday + 781, monday + 840),
    ];
    assert_eq!(open.len(), 5);
    assert_eq!(merge(open), right);
}

#[test]
fn merging_leaves_the_segments_that_are_covered() {
    let mut random = Random(4);
    for _ in 0..20_000 {
        let mut periods: Vec<Period> = Vec::new();
        for _ in 0..random.within(0, 8) {
            let from = random.within(0, 60);
            periods.push(Period::new(from, from + random.within(1, 15)));
        }
        periods.sort_unstable();
        let covered: Vec<i64> = periods.iter().flat_map(|period| period.from..period.to).collect();
        let merged: Vec<(i64, i64)> =
            merge(periods.iter().copied()).iter().map(|period| (period.from, period.to)).collect();
        assert_eq!(merged, walk::segments(&covered), "{periods:?}");
    }
}
