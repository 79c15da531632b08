//! How much of a calendar is taken over time, and how much is left.
//!
//! What counts is the peak and never the sum: two bookings one after the other take one place. So the
//! times at which anything changes are gone through in their order, as a sweep line does (Shamos and
//! Hoey 1976), and the moment at which the least is left decides.

use super::Micros;

/// A stretch of time. The moment it ends is not in it: one that begins there does not overlap.
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

    /// What two of them have in common, if anything.
    pub fn common(self, other: Self) -> Option<Self> {
        let common = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (!common.is_empty()).then_some(common)
    }

    pub const fn contains(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// The same and so much after it.
    pub const fn and(self, buffer: Micros) -> Self {
        Self { from: self.from, to: self.to.saturating_add(buffer) }
    }
}

/// What one booking takes, for as long as its place cannot be another's: its buffer included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub occupied: Period,
    pub quantity: i64,
    /// Only held so far.
    pub is_held: bool,
}

/// The capacity over time: the calendar's own, but where it was changed for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    pub usual: i64,
    /// Disjoint, in the order of time.
    pub changes: Vec<(Period, i64)>,
}

impl Capacity {
    /// The capacity in force at a moment.
    pub fn at(&self, moment: Micros) -> i64 {
        let changed = self.changes.iter().find(|(period, _)| period.from <= moment && moment < period.to);
        changed.map_or(self.usual, |(_, capacity)| *capacity)
    }

    /// Changes the capacity for a while, or makes it the usual one again. What was said of the time
    /// before and after stays.
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

/// A stretch of time in which nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub period: Period,
    pub capacity: i64,
    pub confirmed: i64,
    pub held: i64,
}

impl Segment {
    /// How much is left; less than nothing where the capacity was exceeded.
    pub const fn free(&self) -> i64 {
        self.capacity.saturating_sub(self.confirmed).saturating_sub(self.held)
    }
}

/// A calendar over time: one stretch after the other, without a gap.
#[derive(Clone, Debug)]
pub struct Timeline(Vec<Segment>);

impl Timeline {
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
        // At the same moment what ends comes before what begins: both together may be more than can be
        // counted.
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

    /// What of it lies in a period.
    pub fn over(&self, period: Period) -> impl Iterator<Item = Segment> {
        let first = self.0.partition_point(|segment| segment.period.to <= period.from);
        self.0[first..].iter().map_while(move |segment| {
            segment.period.common(period).map(|period| Segment { period, ..*segment })
        })
    }

    /// Where the least is left, and the first of such stretches.
    pub fn tightest(&self, period: Period) -> Option<Segment> {
        self.over(period).min_by_key(Segment::free)
    }
}

/// Whether there is room over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    Fits {
        /// How much is left at every moment then.
        left: i64,
        /// The capacity is one at the most, all the time: no other booking may overlap.
        is_exclusive: bool,
    },
    /// It would if holds that have run out were ended.
    OnceEnded,
    /// It does not, and this is where the least is left.
    Short(Segment),
}

/// Whether so much fits into a calendar at every moment of a period, the buffer after it included.
///
/// Holds that have run out keep their place until that is written down, so that a late confirmation
/// finds it; but they keep nobody else from it.
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
