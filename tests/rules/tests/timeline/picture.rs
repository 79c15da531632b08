//! A calendar as a picture: the numbers of each of some minutes, and nothing about the time between them.
//!
//! Everything here counts minutes from the first one of the picture. The rules receive the same on another clock,
//! which begins at any time and whose minutes have any length.

use booking_rules::Micros;
use booking_rules::timeline::{Capacity, Period, Usage};

use crate::random::Random;

/// The number of minutes in a picture.
pub const MINUTES: usize = 200;

/// The clock that the rules see: when the picture begins, and how long its minutes last.
///
/// If a minute lasts 1, an error of one microsecond is an error of one minute.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub begins: Micros,
    pub minute: Micros,
}

impl Clock {
    pub fn random(random: &mut Random) -> Self {
        let minute = if random.percent(50) { 1 } else { 60_000_000 };
        Self { begins: random.within(-1000, 1000) * 7919, minute }
    }

    pub fn at(self, minute: usize) -> Micros {
        self.begins + minute as Micros * self.minute
    }

    pub fn period(self, (from, to): (usize, usize)) -> Period {
        Period { from: self.at(from), to: self.at(to) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookingState {
    Confirmed,
    Held,
    /// Held and expired, and the expiry is not written down yet.
    Overdue,
}

#[derive(Clone, Copy, Debug)]
pub struct Booking {
    pub from: usize,
    /// The first minute after the booked period, where the buffer begins.
    pub to: usize,
    pub quantity: i64,
    pub given_back: i64,
    pub state: BookingState,
}

impl Booking {
    pub fn random(random: &mut Random, overdue: i64) -> Self {
        let (from, to) = segment(random, 60);
        let quantity = random.within(1, 3);
        // A third of the bookings are given back in part or as a whole.
        let given_back = if random.percent(33) { random.within(1, quantity) } else { 0 };
        let state = match random.within(1, 100) {
            percent if percent <= overdue => BookingState::Overdue,
            percent if percent % 2 == 0 => BookingState::Held,
            _ => BookingState::Confirmed,
        };
        Self { from, to, quantity, given_back, state }
    }

    pub fn left(&self) -> i64 {
        self.quantity - self.given_back
    }
}

/// Returns a random segment of 1 to `longest` minutes: its first minute and the one after its last.
pub fn segment(random: &mut Random, longest: i64) -> (usize, usize) {
    let from = random.within(0, MINUTES as i64 - 2);
    let to = (from + random.within(1, longest)).min(MINUTES as i64 - 1);
    (from as usize, to as usize)
}

/// The numbers of one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    pub capacity: i64,
    pub confirmed: i64,
    pub held: i64,
    pub overdue: i64,
}

impl Minute {
    /// Returns what is left if overdue bookings do not count.
    pub fn free(&self) -> i64 {
        self.capacity - self.confirmed - self.held
    }
}

/// The capacity, as the rules know it and minute by minute.
#[derive(Clone, Debug)]
pub struct Said {
    pub capacity: Capacity,
    pub minutes: [i64; MINUTES],
}

impl Said {
    pub fn usual(usual: i64) -> Self {
        Self { capacity: Capacity { usual, changes: Vec::new() }, minutes: [usual; MINUTES] }
    }

    /// Changes the capacity during some minutes, or makes it the usual one again: for the rules and in the
    /// picture.
    pub fn say(&mut self, clock: Clock, during: (usize, usize), capacity: Option<i64>) {
        self.capacity.change(clock.period(during), capacity);
        for minute in during.0..during.1 {
            self.minutes[minute] = match capacity {
                Some(capacity) => capacity,
                None => self.capacity.usual,
            };
        }
    }

    pub fn random(random: &mut Random, clock: Clock, most: i64) -> Self {
        let mut said = Self::usual(random.within(0, most));
        for _ in 0..random.within(0, 6) {
            let during = segment(random, 90);
            let capacity = if random.percent(30) { None } else { Some(random.within(0, most)) };
            said.say(clock, during, capacity);
        }
        said
    }
}

/// Returns the picture of the capacity and the bookings, each with its buffer.
pub fn paint(said: &Said, bookings: &[Booking], buffer: usize) -> Vec<Minute> {
    let mut minutes: Vec<Minute> =
        said.minutes.iter().map(|capacity| Minute { capacity: *capacity, ..Minute::default() }).collect();
    for booking in bookings {
        for minute in &mut minutes[booking.from..(booking.to + buffer).min(MINUTES)] {
            match booking.state {
                BookingState::Confirmed => minute.confirmed += booking.left(),
                BookingState::Held => minute.held += booking.left(),
                BookingState::Overdue => minute.overdue += booking.left(),
            }
        }
    }
    minutes
}

/// Returns the bookings as the rules receive them: the live ones, and the overdue ones.
pub fn usages<'a>(
    clock: Clock,
    bookings: impl IntoIterator<Item = &'a Booking>,
    buffer: usize,
) -> (Vec<Usage>, Vec<Usage>) {
    let (mut live, mut overdue) = (Vec::new(), Vec::new());
    for booking in bookings {
        let occupied = clock.period((booking.from, booking.to)).and(buffer as Micros * clock.minute);
        let is_held = booking.state != BookingState::Confirmed;
        let one = Usage { occupied, quantity: booking.left(), is_held };
        if booking.left() > 0 {
            if booking.state == BookingState::Overdue { overdue.push(one) } else { live.push(one) }
        }
    }
    (live, overdue)
}
