//! Which entries of a line are served: for a pool, for seats and for a calendar, against what an observer would
//! say.

use std::collections::BTreeSet;
use std::convert::Infallible;

use booking_rules::timeline::{Capacity, Fit, Period, Usage, fit};
use booking_rules::waitlist::{Answer, WaitlistServer, serve};
use proptest::prelude::*;

/// An entry of a line: it waits for a quantity, for seats or for some hours, and may be barred.
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

/// What the clerk gives out.
trait Stock: Clone {
    fn fits(&self, one: &One) -> bool;
    /// Gives an entry what it waits for, or sets it aside.
    fn take(&mut self, one: &One);
    /// Returns whether, once something is owed, nothing is left for later entries.
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

fn as_usage(one: &One) -> Usage {
    Usage { occupied: Period::new(one.from, one.to), quantity: one.quantity, is_held: true }
}

impl Stock for Calendar {
    fn fits(&self, one: &One) -> bool {
        let capacity = Capacity { usual: self.capacity, changes: Vec::new() };
        let fits = fit(&capacity, &self.usages, &[], Period::new(one.from, one.to), one.quantity);
        let is_left = matches!(fits, Fit::Fits { .. });
        // The same, found by looking at every hour.
        let taken = |hour: i64| -> i64 {
            let there =
                self.usages.iter().filter(|used| used.occupied.from <= hour && hour < used.occupied.to);
            there.map(|used| used.quantity).sum()
        };
        assert_eq!(is_left, (one.from..one.to).all(|hour| taken(hour) + one.quantity <= self.capacity));
        is_left
    }
    fn take(&mut self, one: &One) {
        self.usages.push(as_usage(one));
    }
    fn is_all_owed(&self) -> bool {
        false
    }
}

struct Clerk<S> {
    /// What is free for the next entry.
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

/// Serves a line. Returns the indexes of the served entries, and whether anything may be left for others.
fn run<S: Stock>(stock: &S, line: &[One], skip: bool) -> (Vec<usize>, bool) {
    let mut clerk = Clerk { left: stock.clone(), served: Vec::new(), next: 0 };
    let goes_on = serve(line, skip, &mut clerk).unwrap_or_else(|never| match never {});
    (clerk.served, goes_on)
}

/// Checks what must be true of every line, whatever the stock is.
fn judge<S: Stock>(stock: &S, line: &[One]) -> Result<(), TestCaseError> {
    let (served, goes_on) = run(stock, line, false);
    // Only the entries ahead decide whether an entry is served: as if each of them had what it waits for.
    let mut left = stock.clone();
    for (n, one) in line.iter().enumerate().filter(|(_, one)| !one.is_barred) {
        prop_assert_eq!(served.contains(&n), left.fits(one), "{} of {:?}", n, line);
        left.take(one);
    }
    prop_assert!(served.iter().all(|n| !line[*n].is_barred));
    // The clerk gave only what was in stock.
    let mut there = stock.clone();
    for n in &served {
        prop_assert!(there.fits(&line[*n]), "{} got what was not in stock", n);
        there.take(&line[*n]);
    }
    let all_served = line.iter().enumerate().all(|(n, one)| one.is_barred || served.contains(&n));
    prop_assert_eq!(goes_on, all_served || !stock.is_all_owed());
    // With `skip`, the clerk serves each entry that fits when the clerk reaches it, and no other.
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

/// If what was given comes back, every entry is served in the end, unless it is barred or could never fit.
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
        // Strict order: every served entry stood before all entries that were not served, except barred ones.
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
