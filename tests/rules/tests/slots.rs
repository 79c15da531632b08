//! Free slots: the tests find them by trying every minute of a picture, and compare.

use booking_rules::Micros;
use booking_rules::slots::{self, SlotRequest};
use booking_rules::timeline::{Capacity, Period, Timeline, Usage};

#[path = "timeline/picture.rs"]
mod picture;
#[path = "timeline/random.rs"]
mod random;

use picture::{Booking, Clock, MINUTES, Minute, Said, paint, segment, usages};
use random::Random;

const CASES: u64 = 60_000;

/// A calendar, its hours and a request, in minutes of the picture.
#[derive(Debug)]
struct Case {
    clock: Clock,
    said: Said,
    bookings: Vec<Booking>,
    windows: Vec<(usize, usize)>,
    within: (usize, usize),
    duration: usize,
    step: usize,
    buffer: usize,
}

impl Case {
    fn random(random: &mut Random) -> Self {
        let clock = Clock::random(random);
        let said = Said::random(random, clock, 4);
        let bookings = (0..random.within(0, 6)).map(|_| Booking::random(random, 33)).collect();
        let buffer = if random.percent(40) { 0 } else { random.within(1, 15) as usize };
        // The buffer reaches beyond the requested period, and the picture must show it.
        let (from, to) = segment(random, MINUTES as i64);
        Self {
            clock,
            said,
            bookings,
            windows: windows(random),
            within: (from, to.min(MINUTES - buffer).max(from)),
            duration: random.within(1, 45) as usize,
            step: random.within(1, 30) as usize,
            buffer,
        }
    }

    /// Returns what the rules answer.
    fn answer(&self, max_slots: usize) -> Option<Vec<(Period, i64)>> {
        let long = |minutes: usize| minutes as Micros * self.clock.minute;
        let within = self.clock.period(self.within);
        let (live, _) = usages(self.clock, &self.bookings, self.buffer);
        let timeline = Timeline::of(&self.said.capacity, live, within.and(long(self.buffer)));
        let windows: Vec<Period> = self.windows.iter().map(|window| self.clock.period(*window)).collect();
        let request = SlotRequest {
            within,
            duration: long(self.duration),
            step: long(self.step),
            buffer: long(self.buffer),
        };
        slots::free(&timeline, &windows, &request, max_slots)
    }

    /// Returns how many slots begin in a minute: one for each window on whose grid the minute is.
    fn begins(&self, minute: usize) -> usize {
        let is_on_grid = |(from, to): &&(usize, usize)| {
            let mut start = *from;
            while start < minute {
                start += self.step;
            }
            start == minute && minute < *to
        };
        let is_asked = self.within.0 <= minute && minute + self.duration <= self.within.1;
        if is_asked { self.windows.iter().filter(is_on_grid).count() } else { 0 }
    }

    fn is_open(&self, minute: usize) -> bool {
        self.windows.iter().any(|(from, to)| *from <= minute && minute < *to)
    }

    /// Returns the right answer, found by trying every minute.
    fn right(&self, picture: &[Minute], seen: &mut [u64; 6]) -> Vec<(Period, i64)> {
        let mut right = Vec::new();
        for start in (0..MINUTES).filter(|minute| self.begins(*minute) > 0) {
            let end = start + self.duration;
            if !(start..end).all(|minute| self.is_open(minute)) {
                seen[0] += 1;
                continue;
            }
            let left = |minutes: &[Minute]| minutes.iter().map(Minute::free).min().expect("it lasts");
            let (alone, with_buffer) = (left(&picture[start..end]), left(&picture[start..end + self.buffer]));
            if with_buffer < 1 {
                seen[if alone < 1 { 1 } else { 2 }] += 1;
                continue;
            }
            let in_one_window = self.windows.iter().any(|(from, to)| *from <= start && end <= *to);
            seen[if !in_one_window {
                3
            } else if self.begins(start) > 1 {
                4
            } else {
                5
            }] += 1;
            right.push((self.clock.period((start, end)), with_buffer));
        }
        right
    }
}

/// Returns random windows in the order of time, of which some touch and some overlap.
fn windows(random: &mut Random) -> Vec<(usize, usize)> {
    let mut windows = Vec::new();
    let mut last: Option<usize> = None;
    for _ in 0..random.within(0, 4) {
        let (mut from, mut to) = segment(random, 80);
        if let (Some(last), true) = (last, random.percent(40)) {
            (from, to) = (last, (last + to - from).min(MINUTES));
        }
        if from < to {
            windows.push((from, to));
        }
        last = Some(to);
    }
    windows.sort_unstable();
    windows.dedup();
    windows
}

#[test]
fn slots_are_found_where_every_minute_of_them_is_open_and_has_one_left() {
    let mut random = Random(1);
    let mut seen = [0; 6];
    let mut empty = 0;
    for _ in 0..CASES {
        let case = Case::random(&mut random);
        let picture = paint(&case.said, &case.bookings, case.buffer);
        let right = case.right(&picture, &mut seen);
        let answer = case.answer(usize::MAX).expect("there is no limit");
        assert_eq!(answer, right, "{case:?}");
        empty += u64::from(right.is_empty());
    }
    // In this order: closed, full, full in the buffer, over several windows, on several grids, ordinary.
    assert!(seen.iter().all(|slots| *slots > CASES / 60), "{seen:?}");
    assert!((CASES / 10..CASES * 9 / 10).contains(&empty), "{empty}");
}

#[test]
fn more_slots_than_may_be_looked_at_are_no_answer_and_as_many_are() {
    let mut random = Random(2);
    let mut seen = [0; 3];
    for _ in 0..CASES / 6 {
        let case = Case::random(&mut random);
        let looked_at: usize = (0..MINUTES).map(|minute| case.begins(minute)).sum();
        let beginnings = (0..MINUTES).filter(|minute| case.begins(*minute) > 0).count();
        let answer = case.answer(usize::MAX);
        assert!(answer.is_some());
        assert_eq!(case.answer(looked_at), answer, "{looked_at}: {case:?}");
        assert_eq!(case.answer(looked_at + 1), answer, "{looked_at}: {case:?}");
        // The rules may count a slot that begins in two windows once or twice.
        if let Some(fewer) = beginnings.checked_sub(1) {
            assert_eq!(case.answer(fewer), None, "{beginnings}: {case:?}");
            assert_eq!(case.answer(fewer / 2), None, "{beginnings}: {case:?}");
        }
        seen[beginnings.min(2)] += 1;
    }
    assert!(seen.iter().all(|cases| *cases > CASES / 300), "{seen:?}");
}

/// Reads a time of day (`09:30`) as minutes, so that the tables below are easy to read.
fn at(clock: &str) -> Micros {
    let (hours, minutes) = clock.split_once(':').expect("hours and minutes");
    hours.parse::<Micros>().expect("hours") * 60 + minutes.parse::<Micros>().expect("minutes")
}

fn between(text: &str) -> Period {
    let (from, to) = text.split_once('-').expect("from and to");
    Period::new(at(from), at(to))
}

/// Asserts which slots of half an hour a calendar with one place has.
fn finds(windows: &[&str], within: &str, step: Micros, buffer: Micros, taken: &[&str], right: &[&str]) {
    let request = SlotRequest { within: between(within), duration: 30, step, buffer };
    let usages =
        taken.iter().map(|text| Usage { occupied: between(text).and(buffer), quantity: 1, is_held: false });
    let capacity = Capacity { usual: 1, changes: Vec::new() };
    let timeline = Timeline::of(&capacity, usages, request.within.and(buffer));
    let windows: Vec<Period> = windows.iter().map(|text| between(text)).collect();
    let found = slots::free(&timeline, &windows, &request, 1_000).expect("they are few");
    let right: Vec<(Period, i64)> =
        right.iter().map(|start| (Period::new(at(start), at(start) + 30), 1)).collect();
    assert_eq!(found, right, "{windows:?} within {within}");
}

#[test]
fn slots_are_counted_from_the_opening_whatever_is_asked_about() {
    let morning = ["09:10-11:00"];
    finds(&morning, "00:00-24:00", 30, 0, &[], &["09:10", "09:40", "10:10"]);
    finds(&morning, "09:10-10:40", 30, 0, &[], &["09:10", "09:40", "10:10"]);
    finds(&morning, "09:11-10:39", 30, 0, &[], &["09:40"]);
    finds(&morning, "09:15-24:00", 30, 0, &[], &["09:40", "10:10"]);
    finds(&morning, "09:40-10:09", 30, 0, &[], &[]);
    finds(&morning, "11:00-12:00", 30, 0, &[], &[]);
    // Each window has a grid of its own.
    finds(&["09:10-10:00", "14:00-15:00"], "00:00-24:00", 40, 0, &[], &["09:10", "14:00"]);
    finds(&["09:10-10:00", "14:00-15:00"], "00:00-24:00", 20, 0, &[], &["09:10", "09:30", "14:00", "14:20"]);
}

#[test]
fn a_slot_goes_on_where_the_next_window_touches_and_only_there() {
    let all = "00:00-24:00";
    finds(&["09:00-10:00", "10:00-11:00"], all, 45, 0, &[], &["09:00", "09:45", "10:00"]);
    finds(&["09:00-10:00", "10:01-11:01"], all, 45, 0, &[], &["09:00", "10:01"]);
    finds(&["22:00-24:00", "24:00-26:00"], "23:00-25:00", 45, 0, &[], &["23:30", "24:00"]);
}

#[test]
fn the_buffer_must_be_free_and_need_not_be_open() {
    let (window, all) = (["09:00-10:00"], "00:00-24:00");
    finds(&window, all, 30, 15, &[], &["09:00", "09:30"]);
    finds(&window, all, 15, 15, &["09:45-10:00"], &["09:00"]);
    finds(&window, all, 15, 16, &["09:45-10:00"], &[]);
    finds(&window, all, 15, 15, &["08:45-09:00"], &["09:15", "09:30"]);
    // The buffer must be free even if it lies after the requested period.
    finds(&window, "09:00-09:30", 30, 15, &["09:44-10:00"], &[]);
    finds(&window, "09:00-09:30", 30, 15, &["09:45-10:00"], &["09:00"]);
}

#[test]
fn the_longest_lengths_do_not_overflow() {
    let (within, windows) = (Period::new(10, 100), [Period::new(0, 60), Period::new(60, 90)]);
    let capacity = Capacity { usual: 1, changes: Vec::new() };
    let timeline = Timeline::of(&capacity, [], Period::new(0, Micros::MAX));
    let starts = |within: Period, duration: Micros, step: Micros, buffer: Micros| {
        let request = SlotRequest { within, duration, step, buffer };
        let found = slots::free(&timeline, &windows, &request, 10).expect("they are few");
        found.into_iter().map(|(slot, _)| slot.from).collect::<Vec<_>>()
    };
    for step in [100, Micros::MAX / 2, Micros::MAX - 1, Micros::MAX] {
        for buffer in [0, Micros::MAX - 100, Micros::MAX] {
            // The second slot of the first window would begin after the window has closed.
            assert_eq!(starts(within, 5, step, buffer), [60], "{step} {buffer}");
            assert_eq!(starts(Period::new(0, Micros::MAX), 5, step, buffer), [0, 60], "{step} {buffer}");
            assert_eq!(starts(within, Micros::MAX, step, buffer), [], "{step} {buffer}");
        }
    }
}
