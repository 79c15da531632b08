//! How much of a calendar is taken over time, and how much is left.
//!
//! The peak counts, never the sum: two bookings one after the other take one place. So this module goes through
//! the times at which anything changes in their order, as a sweep line does (Shamos and Hoey 1976), and the moment
//! at which the least is left decides.

use super::Micros;

/// A period of time, with an exclusive end: a period that begins there does not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    pub from: Micros,
    pub to: Micros,
}

impl Period {
    pub const ALWAYS: Self = Self { from: Micros::MIN, to: Micros::MAX };

    pub const fn new(from: Micros, to: Micros) -> Self {
        Self { from, to }
    }

    pub const fn is_empty(self) -> bool {
        self.from >= self.to
    }

    pub const fn length(self) -> Micros {
        self.to.saturating_sub(self.from)
    }

    /// Returns the part that two periods have in common. Returns `None` if they do not overlap.
    pub fn common(self, other: Self) -> Option<Self> {
        let common = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (!common.is_empty()).then_some(common)
    }

    pub const fn contains(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// Returns the period with the buffer after it.
    pub const fn and(self, buffer: Micros) -> Self {
        Self { from: self.from, to: self.to.saturating_add(buffer) }
    }
}

/// What one booking takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The booked period with its buffer: nobody else can have these places meanwhile.
    pub occupied: Period,
    /// The number of places.
    pub quantity: i64,
    /// Whether it is held and not confirmed yet.
    pub is_held: bool,
}

/// The capacity over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The calendar's own capacity, outside the changes.
    pub usual: i64,
    /// The periods with another capacity: disjoint, in the order of time.
    pub changes: Vec<(Period, i64)>,
}

impl Capacity {
    /// Returns the capacity at a moment.
    pub fn at(&self, moment: Micros) -> i64 {
        let changed = self.changes.iter().find(|(period, _)| period.from <= moment && moment < period.to);
        changed.map_or(self.usual, |(_, capacity)| *capacity)
    }

    /// Changes the capacity during a period, or makes it the usual one again (`None`). Earlier changes before and
    /// after that period stay.
    pub fn change(&mut self, during: Period, capacity: Option<i64>) {
        let mut changes = Vec::with_capacity(self.changes.len() + 2);
        for &(period, earlier) in &self.changes {
            let before = Period { to: period.to.min(during.from), ..period };
            let after = Period { from: period.from.max(during.to), ..period };
            changes.extend(
                [before, after].into_iter().filter(|rest| !rest.is_empty()).map(|rest| (rest, earlier)),
            );
        }
        changes.extend(capacity.map(|capacity| (during, capacity)));
        changes.sort_unstable_by_key(|(period, _)| period.from);
        self.changes = changes;
    }
}

/// A period in which nothing changes, and what is taken then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub period: Period,
    pub capacity: i64,
    pub confirmed: i64,
    pub held: i64,
}

impl Segment {
    /// Returns how much is left: a negative number if the capacity is exceeded.
    pub const fn free(&self) -> i64 {
        self.capacity.saturating_sub(self.confirmed).saturating_sub(self.held)
    }
}

/// A calendar over time: one segment after the other, without a gap.
#[derive(Clone, Debug)]
pub struct Timeline(Vec<Segment>);

impl Timeline {
    /// Adds up the usages in the period `within`.
    pub fn of(capacity: &Capacity, usages: impl IntoIterator<Item = Usage>, within: Period) -> Self {
        let mut steps: Vec<(Micros, i64, i64)> = Vec::new();
        for one in usages {
            if let Some(period) = one.occupied.common(within) {
                let (confirmed, held) = if one.is_held { (0, one.quantity) } else { (one.quantity, 0) };
                steps.extend([(period.from, confirmed, held), (period.to, -confirmed, -held)]);
            }
        }
        let mut capacities = Vec::new();
        for (period, _) in &capacity.changes {
            capacities.extend(period.common(within).into_iter().flat_map(|period| [period.from, period.to]));
        }
        // At the same moment, ends come before beginnings: the sum of both could overflow.
        steps.sort_unstable();
        let mut times: Vec<Micros> = steps.iter().map(|(at, _, _)| *at).chain(capacities).collect();
        times.extend([within.from, within.to]);
        times.sort_unstable();
        times.dedup();
        let (mut steps, mut changes) = (steps.into_iter().peekable(), capacity.changes.iter().peekable());
        let (mut confirmed, mut held) = (0_i64, 0_i64);
        let segment = |pair: &[Micros]| {
            let period = Period::new(pair[0], pair[1]);
            while let Some((_, of_confirmed, of_held)) = steps.next_if(|(at, _, _)| *at <= period.from) {
                confirmed = confirmed.saturating_add(of_confirmed);
                held = held.saturating_add(of_held);
            }
            while changes.next_if(|(change, _)| change.to <= period.from).is_some() {}
            let changed = changes.peek().filter(|(change, _)| change.from <= period.from);
            let capacity = changed.map_or(capacity.usual, |(_, capacity)| *capacity);
            Segment { period, capacity, confirmed, held }
        };
        Self(times.windows(2).map(segment).collect())
    }

    /// Iterates over the segments in a period. The first and the last are cut to it.
    pub fn over(&self, period: Period) -> impl Iterator<Item = Segment> {
        let first = self.0.partition_point(|segment| segment.period.to <= period.from);
        self.0[first..].iter().map_while(move |segment| {
            segment.period.common(period).map(|period| Segment { period, ..*segment })
        })
    }

    /// Returns the segment of a period in which the least is left; of several, the first. Returns `None` if the
    /// timeline has no segment there.
    pub fn tightest(&self, period: Period) -> Option<Segment> {
        self.over(period).min_by_key(Segment::free)
    }
}

/// Whether a request fits into a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    Fits {
        /// How much is left afterwards, at the tightest moment.
        left: i64,
        /// Whether the capacity is at most one during the whole period, so that no other booking may overlap.
        is_exclusive: bool,
    },
    /// The request would fit if overdue holds were ended.
    OnceEnded,
    /// The request does not fit. The segment is the one with the least left.
    Short(Segment),
}

/// Decides whether `quantity` places fit into a calendar at every moment of a period, with the buffer after it.
///
/// Overdue holds keep their places until their expiry is written down, so that a late confirmation finds them.
/// They do not keep others from these places.
pub fn fit(capacity: &Capacity, live: &[Usage], overdue: &[Usage], occupied: Period, quantity: i64) -> Fit {
    let live = || live.iter().copied();
    let timeline = Timeline::of(capacity, live(), occupied);
    let Some(tightest) = timeline.tightest(occupied) else {
        return Fit::Fits { left: 0, is_exclusive: false };
    };
    if tightest.free() < quantity {
        return Fit::Short(tightest);
    }
    if !overdue.is_empty() {
        let all = Timeline::of(capacity, live().chain(overdue.iter().copied()), occupied);
        if all.tightest(occupied).is_some_and(|tightest| tightest.free() < quantity) {
            return Fit::OnceEnded;
        }
    }
    let is_exclusive = timeline.over(occupied).all(|segment| segment.capacity <= 1);
    Fit::Fits { left: tightest.free() - quantity, is_exclusive }
}
