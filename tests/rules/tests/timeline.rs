//! What fits over time: the judge checks the answers minute by minute against pictures of the calendar.

use booking_rules::timeline::{Capacity, Fit, Period, Segment, Timeline, Usage, fit};

#[path = "timeline/judge.rs"]
mod judge;
#[path = "timeline/life.rs"]
mod life;
#[path = "timeline/picture.rs"]
mod picture;
#[path = "timeline/random.rs"]
mod random;

use judge::{Right, check, minutes_of};
use life::Life;
use picture::{Booking, Clock, MINUTES, Minute, Said, paint, segment, usages};
use random::Random;

const CASES: u64 = 200_000;

/// A random calendar: what the rules receive, and its picture.
struct Case {
    clock: Clock,
    said: Said,
    live: Vec<Usage>,
    overdue: Vec<Usage>,
    buffer: usize,
    picture: Vec<Minute>,
}

impl Case {
    fn random(random: &mut Random) -> Self {
        let clock = Clock::random(random);
        // A calendar that never has more than one place is a case of its own.
        let most = if random.percent(20) { 1 } else { 6 };
        let said = Said::random(random, clock, most);
        let buffer = if random.percent(40) { 0 } else { random.within(1, 15) as usize };
        let bookings: Vec<Booking> = (0..random.within(0, 12)).map(|_| Booking::random(random, 33)).collect();
        let (live, overdue) = usages(clock, &bookings, buffer);
        let picture = paint(&said, &bookings, buffer);
        Self { clock, said, live, overdue, buffer, picture }
    }

    fn timeline(&self, within: (usize, usize)) -> Timeline {
        Timeline::of(&self.said.capacity, self.live.iter().copied(), self.clock.period(within))
    }
}

#[test]
fn a_request_is_told_what_every_single_minute_says() {
    let mut random = Random(1);
    let mut seen = [0; 5];
    for _ in 0..CASES {
        let case = Case::random(&mut random);
        let (from, to) = segment(&mut random, 40);
        let asked = (from, (to + case.buffer).min(MINUTES));
        let quantity = random.within(1, 3);
        let occupied = case.clock.period(asked);
        let answer = fit(&case.said.capacity, &case.live, &case.overdue, occupied, quantity);
        let right = check(answer, &case.picture, case.clock, asked, quantity).unwrap_or_else(|wrong| {
            panic!("{wrong}\n{:?}\n{:?}\n{:?}", case.said.capacity, case.live, case.overdue)
        });
        seen[match right {
            Right::Fits { is_exclusive: true, .. } => 0,
            Right::Fits { left: 0, .. } => 1,
            Right::Fits { .. } => 2,
            Right::OnceEnded => 3,
            Right::Short { .. } => 4,
        }] += 1;
    }
    assert!(seen.iter().all(|cases| *cases > CASES / 50), "{seen:?}");
}

/// The segments follow one another without a gap, in every part of a timeline.
#[test]
fn a_timeline_shows_every_minute_as_it_is() {
    let mut random = Random(2);
    let mut seen = [0; 3];
    for _ in 0..CASES / 4 {
        let case = Case::random(&mut random);
        let (whole, part) = (segment(&mut random, MINUTES as i64), segment(&mut random, 60));
        let timeline = case.timeline(whole);
        let (from, to) = (whole.0.max(part.0), whole.1.min(part.1));
        let mut next = from;
        let mut tightest: Option<(i64, usize)> = None;
        for segment in timeline.over(case.clock.period(part)) {
            let (begins, ends) = minutes_of(&segment, &case.picture, case.clock);
            assert_eq!(begins, next, "a gap, or twice: {segment:?} of {part:?} in {timeline:?}");
            next = ends;
            let free = case.picture[begins].free();
            assert_eq!(segment.free(), free);
            if tightest.is_none_or(|(least, _)| free < least) {
                tightest = Some((free, begins));
            }
        }
        assert_eq!(next, from.max(to), "cut short or too long: {part:?} of {timeline:?}");
        let told = timeline.tightest(case.clock.period(part));
        let told = told.map(|it| (it.free(), minutes_of(&it, &case.picture, case.clock).0));
        assert_eq!(told, tightest, "{part:?} of {timeline:?}");
        seen[if from >= to { 0 } else { usize::from((from, to) == part) + 1 }] += 1;
    }
    assert!(seen.iter().all(|cases| *cases > CASES / 80), "{seen:?}");
}

#[test]
fn what_was_said_of_the_capacity_last_is_in_force() {
    let mut random = Random(3);
    let mut seen = [0; 3];
    for _ in 0..CASES / 4 {
        let clock = Clock::random(&mut random);
        let said = Said::random(&mut random, clock, 6);
        let Capacity { usual, changes } = &said.capacity;
        let disjoint = changes.is_sorted_by(|(one, _), (next, _)| one.to <= next.from);
        assert!(disjoint, "they overlap or are out of order: {changes:?}");
        assert!(changes.iter().all(|(period, _)| period.from < period.to), "one is empty: {changes:?}");
        for (minute, right) in said.minutes.iter().enumerate() {
            let (from, to) = (clock.at(minute), clock.at(minute + 1));
            let mut told = *usual;
            for (period, capacity) in changes {
                if period.from <= from && to <= period.to {
                    told = *capacity;
                }
            }
            assert_eq!(told, *right, "minute {minute}, usually {usual}: {changes:?}");
        }
        seen[changes.len().min(2)] += 1;
    }
    assert!(seen.iter().all(|cases| *cases > CASES / 40), "{seen:?}");
}

/// Returns a confirmed booking.
fn booked(from: i64, to: i64, quantity: i64) -> Usage {
    Usage { occupied: Period::new(from, to), quantity, is_held: false }
}

fn of_one_place() -> Capacity {
    Capacity { usual: 1, changes: Vec::new() }
}

const SOLE: Fit = Fit::Fits { left: 0, is_exclusive: true };

#[test]
fn back_to_back_is_no_conflict_and_with_a_buffer_it_is() {
    let taken = Period::new(100, 200);
    for buffer in 0..=3 {
        let taken = [Usage { occupied: taken.and(buffer), ..booked(0, 0, 1) }];
        for (from, to) in (50..=250).flat_map(|from| [1, 10, 100].map(|length| (from, from + length))) {
            // One booking and its buffer must end before the other begins.
            let clear = to + buffer <= 100 || from >= 200 + buffer;
            let answer = fit(&of_one_place(), &taken, &[], Period::new(from, to).and(buffer), 1);
            assert_eq!(answer == SOLE, clear, "from {from} to {to} with {buffer}: {answer:?}");
        }
    }
}

#[test]
fn two_that_follow_one_another_take_one_place() {
    let capacity = Capacity { usual: 2, changes: Vec::new() };
    let chain: Vec<Usage> = (0..10).map(|n| booked(n * 10, n * 10 + 10, 1)).collect();
    let whole = Period::new(0, 100);
    assert_eq!(fit(&capacity, &chain, &[], whole, 1), Fit::Fits { left: 0, is_exclusive: false });
    assert_eq!(fit(&of_one_place(), &[], &chain, whole, 1), Fit::OnceEnded);
    let first = Segment { period: Period::new(0, 10), capacity: 2, confirmed: 1, held: 0 };
    assert_eq!(fit(&capacity, &chain, &[], whole, 2), Fit::Short(first));
}

/// Capacity and overbooking together may reach the largest number.
#[test]
fn the_largest_quantities_do_not_overflow() {
    let most = i64::MAX - 1;
    let (some, more) = (most / 100 * 55, most / 100 * 90);
    let capacity = Capacity { usual: most, changes: vec![(Period::new(40, 50), 0)] };
    let chain = [(0, 10, some), (10, 20, more), (20, 30, some), (30, 40, most), (50, 60, most)];
    for (is_held, is_reversed) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut usages = chain.map(|(from, to, quantity)| Usage { is_held, ..booked(from, to, quantity) });
        if is_reversed {
            usages.reverse();
        }
        let timeline = Timeline::of(&capacity, usages, Period::new(0, 60));
        let free: Vec<i64> = timeline.over(Period::new(0, 60)).map(|segment| segment.free()).collect();
        assert_eq!(free, [most - some, most - more, most - some, 0, 0, 0], "{timeline:?}");
        for (from, to, quantity) in [(5, 15, most - some), (15, 25, most - some), (0, 60, 1)] {
            let period = Period::new(from, to);
            let answer = fit(&capacity, &usages, &[], period, quantity);
            assert!(matches!(answer, Fit::Short(_)), "{from}-{to}: {answer:?}");
            let answer = fit(&capacity, &[], &usages[..], period, quantity);
            let right = if to == 60 { matches!(answer, Fit::Short(_)) } else { answer == Fit::OnceEnded };
            assert!(right, "{from}-{to}: {answer:?}");
        }
        let answer = fit(&capacity, &usages, &[], Period::new(5, 15), most - more);
        assert_eq!(answer, Fit::Fits { left: 0, is_exclusive: false });
    }
}

#[test]
fn what_never_ends_is_judged_like_the_rest() {
    let for_ever = Period::new(i64::MIN, i64::MAX);
    assert_eq!(for_ever.and(i64::MAX), for_ever);
    assert_eq!(for_ever.length(), i64::MAX);
    let taken = [Usage { occupied: for_ever, ..booked(0, 0, 1) }];
    let capacity = Capacity { usual: 1, changes: vec![(Period::new(10, i64::MAX), 2)] };
    for period in [for_ever, Period::new(i64::MIN, 0), Period::new(9, 11), Period::new(0, i64::MAX)] {
        let answer = fit(&capacity, &taken, &[], period, 1);
        let before = Period { to: period.to.min(10), ..period };
        let tightest = Segment { period: before, capacity: 1, confirmed: 1, held: 0 };
        assert_eq!(answer, Fit::Short(tightest), "{period:?}");
    }
    let later = Period::new(10, i64::MAX).and(1);
    assert_eq!(fit(&capacity, &taken, &[], later, 1), Fit::Fits { left: 0, is_exclusive: false });
}

#[test]
fn no_minute_ever_has_more_taken_than_there_is() {
    let mut seen = [0; life::KINDS.len()];
    for seed in 0..40 {
        let mut life = Life::new(seed);
        for _ in 0..2_000 {
            let kind = life.step();
            life.check();
            seen[kind] += 1;
        }
    }
    assert_eq!(seen.iter().sum::<u64>(), 80_000);
    let counted: Vec<_> = life::KINDS.iter().zip(seen).collect();
    assert!(seen.iter().all(|steps| *steps > 200), "{counted:?}");
}
