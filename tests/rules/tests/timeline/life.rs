//! The long life of one calendar: each step asks the rules, and does what they allow.
//!
//! The life keeps no count. After each step it paints a new picture from the bookings.

use booking_rules::timeline::{Fit, fit};

use crate::judge::{Right, check};
use crate::picture::{Booking, BookingState, Clock, MINUTES, Said, paint, segment, usages};
use crate::random::Random;

/// The results of a step.
pub const KINDS: [&str; 14] = [
    "placed",
    "placed once others were ended",
    "refused",
    "given back in part",
    "given back whole",
    "confirmed",
    "confirmed late",
    "ran out",
    "swept",
    "moved",
    "moved once others were ended",
    "not moved",
    "capacity changed",
    "capacity kept",
];

pub struct Life {
    random: Random,
    clock: Clock,
    said: Said,
    buffer: usize,
    bookings: Vec<Booking>,
}

impl Life {
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let clock = Clock::random(&mut random);
        let said = Said::usual(random.within(1, 8));
        let buffer = random.within(0, 2) as usize * 5;
        Self { random, clock, said, buffer, bookings: Vec::new() }
    }

    /// Asserts that no minute has more taken than its capacity. An overdue booking keeps its places until it is
    /// ended.
    pub fn check(&self) {
        for (n, minute) in paint(&self.said, &self.bookings, self.buffer).iter().enumerate() {
            let taken = minute.confirmed + minute.held + minute.overdue;
            assert!(taken <= minute.capacity, "minute {n}, {minute:?}: {:?}", self.bookings);
        }
    }

    pub fn step(&mut self) -> usize {
        let kind = match self.random.within(1, 100) {
            1..=35 => Some(self.place()),
            36..=45 => self.give_back(),
            46..=51 => self.confirm(),
            52..=67 => self.run_out(),
            68..=69 => self.sweep(),
            70..=90 => self.reschedule(),
            _ => Some(self.change_capacity()),
        };
        // No booking is in the state that the step needs: place one instead.
        kind.unwrap_or_else(|| self.place())
    }

    /// Asks the rules about some minutes and the buffer after them, and checks the answer against the picture.
    fn ask(&self, said: &Said, bookings: &[Booking], asked: (usize, usize), quantity: i64) -> Right {
        let (live, overdue) = usages(self.clock, bookings, self.buffer);
        let answer: Fit = fit(&said.capacity, &live, &overdue, self.clock.period(asked), quantity);
        let picture = paint(said, bookings, self.buffer);
        check(answer, &picture, self.clock, asked, quantity)
            .unwrap_or_else(|wrong| panic!("{wrong}\n{said:?}\n{bookings:?}"))
    }

    fn occupied(&self, (from, to): (usize, usize)) -> (usize, usize) {
        (from, (to + self.buffer).min(MINUTES))
    }

    /// Ends the overdue bookings that reach into these minutes.
    fn end_overdue(&mut self, (from, to): (usize, usize)) {
        let buffer = self.buffer;
        let reaches = |booking: &Booking| booking.from < to && booking.to + buffer > from;
        self.bookings.retain(|booking| booking.state != BookingState::Overdue || !reaches(booking));
    }

    /// Returns a random booking in one of the states that `is_meant` accepts. Returns `None` if there is none.
    fn pick(&mut self, is_meant: impl Fn(BookingState) -> bool) -> Option<usize> {
        let meant: Vec<usize> =
            (0..self.bookings.len()).filter(|n| is_meant(self.bookings[*n].state)).collect();
        if meant.is_empty() {
            None
        } else {
            Some(meant[self.random.within(0, meant.len() as i64 - 1) as usize])
        }
    }

    fn place(&mut self) -> usize {
        let (from, to) = segment(&mut self.random, 50);
        let quantity = self.random.within(1, 3);
        let asked = self.occupied((from, to));
        let kind = match self.ask(&self.said, &self.bookings, asked, quantity) {
            Right::Short { .. } => return 2,
            Right::OnceEnded => {
                self.end_overdue(asked);
                1
            }
            Right::Fits { .. } => 0,
        };
        let state = if self.random.percent(60) { BookingState::Held } else { BookingState::Confirmed };
        self.bookings.push(Booking { from, to, quantity, given_back: 0, state });
        kind
    }

    fn give_back(&mut self) -> Option<usize> {
        let n = self.pick(|state| state != BookingState::Overdue)?;
        let booking = &mut self.bookings[n];
        let back = self.random.within(1, booking.left());
        booking.given_back += back;
        if booking.left() > 0 {
            return Some(3);
        }
        self.bookings.swap_remove(n);
        Some(4)
    }

    /// Confirms a booking. A late confirmation finds its places, since nobody else got them, and takes none.
    fn confirm(&mut self) -> Option<usize> {
        let n = self.pick(|state| state != BookingState::Confirmed)?;
        let late = self.bookings[n].state == BookingState::Overdue;
        self.bookings[n].state = BookingState::Confirmed;
        Some(if late { 6 } else { 5 })
    }

    fn run_out(&mut self) -> Option<usize> {
        let n = self.pick(|state| state == BookingState::Held)?;
        self.bookings[n].state = BookingState::Overdue;
        Some(7)
    }

    fn sweep(&mut self) -> Option<usize> {
        self.pick(|state| state == BookingState::Overdue)?;
        self.bookings.retain(|booking| booking.state != BookingState::Overdue);
        Some(8)
    }

    /// Moves a booking. The places that it has now do not count against the move.
    fn reschedule(&mut self) -> Option<usize> {
        let n = self.pick(|state| state != BookingState::Overdue)?;
        let moved = self.bookings.swap_remove(n);
        let (from, to) = if self.random.percent(50) {
            // A little earlier or later, so that the new period overlaps the present one.
            let from = (moved.from + self.random.within(0, 20) as usize).clamp(10, MINUTES - 2) - 10;
            (from, (from + moved.to - moved.from).min(MINUTES - 1))
        } else {
            segment(&mut self.random, 50)
        };
        let asked = self.occupied((from, to));
        let kind = match self.ask(&self.said, &self.bookings, asked, moved.left()) {
            Right::Short { .. } => 11,
            Right::OnceEnded => {
                self.end_overdue(asked);
                10
            }
            Right::Fits { .. } => 9,
        };
        self.bookings.push(if kind == 11 { moved } else { Booking { from, to, ..moved } });
        Some(kind)
    }

    /// Changes the capacity. It asks the rules for 0 places under the new capacity: these fit exactly if all
    /// bookings do.
    fn change_capacity(&mut self) -> usize {
        let during = segment(&mut self.random, 120);
        let capacity = if self.random.percent(30) { None } else { Some(self.random.within(0, 8)) };
        let mut changed = self.said.clone();
        changed.say(self.clock, during, capacity);
        match self.ask(&changed, &self.bookings, during, 0) {
            Right::Short { .. } => return 13,
            Right::OnceEnded => self.end_overdue(during),
            Right::Fits { .. } => {}
        }
        self.said = changed;
        12
    }
}
