//! Who is served out of a line, for a pool, for seats and for a calendar, against what a bystander would say.

use std::collections::BTreeSet;
use std::convert::Infallible;

use booking_rules::timeline::{Capacity, Fit, Period, Usage, fit};
use booking_rules::waitlist::{Answer, WaitlistServer, serve};
use proptest::prelude::*;

/// Somebody who waits: for so much, for these seats, during these hours; and perhaps barred.
#[derive(Clone, Debug)]
struct One {
    quantity: i64,
    seats: BTreeSet<u8>,
    from: i64,
    to: i64,
    is_barred: bool,
}

fn one() -> impl Strategy<Value = One> {
    (1..4_i64, prop::collection::btree_set(0..8_u8, 1..4), 0..20_i64, 1..8_i64, prop::bool::weighted(0.1))
        .prop_map(|(quantity, seats, from, length, is_barred)| One {
            quantity,
            seats,
            from,
            to: from + length,
            is_barred,
        })
}

/// What a counter gives out, and to whom.
trait Stock: Clone {
    fn fits(&self, one: &One) -> bool;
    /// Gives it, or sets it aside.
    fn take(&mut self, one: &One);
    /// Whether nothing is left for anybody who comes later.
    fn is_all_owed(&self) -> bool;
}

#[derive(Clone)]
struct Pool(i64);

impl Stock for Pool {
    fn fits(&self, one: &One) -> bool {
        one.quantity <= self.0
    }
    fn take(&mut self, one: &One) {
        self.0 -= one.quantity;
    }
    fn is_all_owed(&self) -> bool {
        true
    }
}

#[derive(Clone)]
struct Seats(BTreeSet<u8>);

impl Stock for Seats {
    fn fits(&self, one: &One) -> bool {
        one.seats.is_subset(&self.0)
    }
    fn take(&mut self, one: &One) {
        self.0.retain(|seat| !one.seats.contains(seat));
    }
    fn is_all_owed(&self) -> bool {
        false
    }
}

#[derive(Clone)]
struct Calendar {
    capacity: i64,
    usages: Vec<Usage>,
}

fn as_use(one: &One) -> Usage {
    Usage { occupied: Period::new(one.from, one.to), quantity: one.quantity, is_held: true }
}

impl Stock for Calendar {
    fn fits(&self, one: &One) -> bool {
        let capacity = Capacity { usual: self.capacity, changes: Vec::new() };
        let fits = fit(&capacity, &self.usages, &[], Period::new(one.from, one.to), one.quantity);
        let is_left = matches!(fits, Fit::Fits { .. });
        // Hour by hour.
        let taken = |hour: i64| -> i64 {
            let there =
                self.usages.iter().filter(|used| used.occupied.from <= hour && hour < used.occupied.to);
            there.map(|used| used.quantity).sum()
        };
        assert_eq!(is_left, (one.from..one.to).all(|hour| taken(hour) + one.quantity <= self.capacity));
        is_left
    }
    fn take(&mut self, one: &One) {
        self.usages.push(as_use(one));
    }
    fn is_all_owed(&self) -> bool {
        false
    }
}

struct Clerk<S> {
    /// What is free for who comes next.
    left: S,
    served: Vec<usize>,
    next: usize,
}

impl<S: Stock> WaitlistServer<One> for Clerk<S> {
    type Stop = Infallible;

    fn serve(&mut self, one: &One) -> Result<Answer, Infallible> {
        let n = self.next;
        self.next += 1;
        if one.is_barred {
            return Ok(Answer::Barred);
        }
        if !self.left.fits(one) {
            return Ok(Answer::Short);
        }
        self.left.take(one);
        self.served.push(n);
        Ok(Answer::Served)
    }

    fn owe(&mut self, one: &One) -> bool {
        self.left.take(one);
        self.left.is_all_owed()
    }
}

/// Who is served, by their places; and whether there may be anything left for others.
fn run<S: Stock>(stock: &S, line: &[One], skip: bool) -> (Vec<usize>, bool) {
    let mut clerk = Clerk { left: stock.clone(), served: Vec::new(), next: 0 };
    let goes_on = serve(line, skip, &mut clerk).unwrap_or_else(|never| match never {});
    (clerk.served, goes_on)
}

/// What holds of every line, whatever is given out.
fn judge<S: Stock>(stock: &S, line: &[One]) -> Result<(), TestCaseError> {
    let (served, goes_on) = run(stock, line, false);
    // Who is served is told by those ahead of him alone: as if each of them had what he asked for.
    let mut left = stock.clone();
    for (n, one) in line.iter().enumerate().filter(|(_, one)| !one.is_barred) {
        prop_assert_eq!(served.contains(&n), left.fits(one), "{} of {:?}", n, line);
        left.take(one);
    }
    prop_assert!(served.iter().all(|n| !line[*n].is_barred));
    // All that was given was there.
    let mut there = stock.clone();
    for n in &served {
        prop_assert!(there.fits(&line[*n]), "{} was given what was not there", n);
        there.take(&line[*n]);
    }
    let all_served = line.iter().enumerate().all(|(n, one)| one.is_barred || served.contains(&n));
    prop_assert_eq!(goes_on, all_served || !stock.is_all_owed());
    // Who may be passed by is, and nobody else: with "skip" each is served who fits when it is his turn.
    let (skipping, goes_on) = run(stock, line, true);
    prop_assert!(goes_on);
    let mut left = stock.clone();
    for (n, one) in line.iter().enumerate() {
        let fits = !one.is_barred && left.fits(one);
        prop_assert_eq!(skipping.contains(&n), fits);
        if fits {
            left.take(one);
        }
    }
    nobody_starves(stock, line)
}

/// As what was given comes back, all are served in the end who are not barred and could ever be.
fn nobody_starves<S: Stock>(stock: &S, line: &[One]) -> Result<(), TestCaseError> {
    let mut rest: Vec<One> = line.iter().filter(|one| stock.fits(one)).cloned().collect();
    loop {
        let (served, _) = run(stock, &rest, false);
        if served.is_empty() {
            break;
        }
        let mut n = 0..;
        rest.retain(|_| n.next().is_none_or(|n| !served.contains(&n)));
    }
    prop_assert!(rest.iter().all(|one| one.is_barred), "{:?} wait for ever", rest);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40_000, ..ProptestConfig::default() })]

    #[test]
    fn a_pools_line_is_served_in_its_order(line in prop::collection::vec(one(), 1..8), free in 0..10_i64) {
        judge(&Pool(free), &line)?;
        // Strictly: those who were served stood before all who were not, but for those who were barred.
        let (served, _) = run(&Pool(free), &line, false);
        let waits = (0..line.len()).find(|n| !served.contains(n) && !line[*n].is_barred);
        prop_assert!(waits.is_none_or(|first| served.iter().all(|n| *n < first)));
    }

    #[test]
    fn named_seats_are_owed_to_who_came_first(
        line in prop::collection::vec(one(), 1..8),
        free in prop::collection::btree_set(0..8_u8, 0..8),
    ) {
        judge(&Seats(free), &line)?;
    }

    #[test]
    fn a_calendars_line_is_served_hour_by_hour(
        line in prop::collection::vec(one(), 1..8),
        there in prop::collection::vec(one(), 0..5),
        capacity in 1..5_i64,
    ) {
        let mut calendar = Calendar { capacity, usages: Vec::new() };
        for one in &there {
            if calendar.fits(one) {
                calendar.take(one);
            }
        }
        judge(&calendar, &line)?;
    }
}
