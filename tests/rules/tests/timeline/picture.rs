//! A calendar as a picture: what each of some minutes holds, and nothing about what lies between them.
//!
//! Everything here counts minutes from the picture's first. What the rules are told is the same on
//! another clock, whose beginning and whose minute are any.

use booking_rules::Micros;
use booking_rules::timeline::{Capacity, Period, Usage};

use crate::random::Random;

/// How many minutes a picture has.
pub const MINUTES: usize = 200;

/// A clock that the rules are shown: when the picture begins, and how long its minutes last.
///
/// Where a minute lasts 1, whatever is off by a microsecond is off by a minute.
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
pub enum Standing {
    Confirmed,
    Held,
    /// Held, and it has run out, and nobody has written that down yet.
    Overdue,
}

#[derive(Clone, Copy, Debug)]
pub struct Booking {
    pub from: usize,
    /// The first minute that is no longer asked for: from here on it is only the buffer.
    pub to: usize,
    pub quantity: i64,
    pub given_back: i64,
    pub standing: Standing,
}

impl Booking {
    pub fn random(random: &mut Random, overdue: i64) -> Self {
        let (from, to) = segment(random, 60);
        let quantity = random.within(1, 3);
        // A third is given back in part or whole.
        let given_back = if random.percent(33) { random.within(1, quantity) } else { 0 };
        let standing = match random.within(1, 100) {
            percent if percent <= overdue => Standing::Overdue,
            percent if percent % 2 == 0 => Standing::Held,
            _ => Standing::Confirmed,
        };
        Self { from, to, quantity, given_back, standing }
    }

    pub fn left(&self) -> i64 {
        self.quantity - self.given_back
    }
}

/// From when to when, not empty, no longer than so many minutes.
pub fn segment(random: &mut Random, longest: i64) -> (usize, usize) {
    let from = random.within(0, MINUTES as i64 - 2);
    let to = (from + random.within(1, longest)).min(MINUTES as i64 - 1);
    (from as usize, to as usize)
}

/// What is known of each minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    pub capacity: i64,
    pub confirmed: i64,
    pub held: i64,
    pub overdue: i64,
}

impl Minute {
    /// What is left if nothing overdue counts.
    pub fn free(&self) -> i64 {
        self.capacity - self.confirmed - self.held
    }
}

/// The capacity as the rules know it, and as it was said minute by minute.
#[derive(Clone, Debug)]
pub struct Said {
    pub capacity: Capacity,
    pub minutes: [i64; MINUTES],
}

impl Said {
    pub fn usual(usual: i64) -> Self {
        Self { capacity: Capacity { usual, changes: Vec::new() }, minutes: [usual; MINUTES] }
    }

    /// Says it for a while, or takes back what was said: to the rules and in the picture.
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

/// Paints the bookings, each with its buffer, over what was said of the capacity.
pub fn paint(said: &Said, bookings: &[Booking], buffer: usize) -> Vec<Minute> {
    let mut minutes: Vec<Minute> =
        said.minutes.iter().map(|capacity| Minute { capacity: *capacity, ..Minute::default() }).collect();
    for booking in bookings {
        for minute in &mut minutes[booking.from..(booking.to + buffer).min(MINUTES)] {
            match booking.standing {
                Standing::Confirmed => minute.confirmed += booking.left(),
                Standing::Held => minute.held += booking.left(),
                Standing::Overdue => minute.overdue += booking.left(),
            }
        }
    }
    minutes
}

/// What the rules are told of the bookings: those that count, and those that have run out.
pub fn usages<'a>(
    clock: Clock,
    bookings: impl IntoIterator<Item = &'a Booking>,
    buffer: usize,
) -> (Vec<Usage>, Vec<Usage>) {
    let (mut live, mut overdue) = (Vec::new(), Vec::new());
    for booking in bookings {
        let occupied = clock.period((booking.from, booking.to)).and(buffer as Micros * clock.minute);
        let is_held = booking.standing != Standing::Confirmed;
        let one = Usage { occupied, quantity: booking.left(), is_held };
        if booking.left() > 0 {
            if booking.standing == Standing::Overdue { overdue.push(one) } else { live.push(one) }
        }
    }
    (live, overdue)
}
