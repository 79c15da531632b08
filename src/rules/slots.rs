//! Free slots: where a booking of a given length still fits.

use super::Micros;
use super::hours::merge;
use super::timeline::{Period, Segment, Timeline};
use std::collections::VecDeque;
use std::iter::Peekable;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct SlotRequest {
    /// The period that all slots lie in.
    pub within: Period,
    pub duration: Micros,
    /// The time from the start of one slot to the start of the next, counted from the opening of a window.
    pub step: Micros,
    /// The time after a slot that must be free as well.
    pub buffer: Micros,
}

/// Returns the slots that have something left, in the order of time, each with how much is left. `windows` are the
/// times at which the calendar is open: the slots are counted from the beginning of each window, and may go on
/// into the next window if the two touch.
///
/// The timeline must reach from the beginning of `request.within` to its end and the buffer after it. Returns
/// `None` if there are more than `max_slots` slots to look at.
pub fn free(
    timeline: &Timeline,
    windows: &[Period],
    request: &SlotRequest,
    max_slots: usize,
) -> Option<Vec<(Period, i64)>> {
    let open = merge(windows.iter().copied());
    let mut starts: Vec<Micros> = Vec::new();
    for window in windows {
        let last = window.to.min(request.within.to.saturating_sub(request.duration).saturating_add(1));
        // Skip the steps before the requested period.
        let skipped = request.within.from.saturating_sub(window.from).max(0);
        let steps = skipped.saturating_add(request.step - 1) / request.step;
        let mut start = window.from.saturating_add(steps.saturating_mul(request.step));
        while start < last {
            if starts.len() >= max_slots {
                return None;
            }
            starts.push(start);
            start = start.saturating_add(request.step);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    let is_open = |slot: Period| {
        let n = open.partition_point(|period| period.to <= slot.from);
        open.get(n).is_some_and(|period| period.contains(slot))
    };
    let mut least = Least::of(timeline.over(Period::ALWAYS));
    let slot = |start: Micros| {
        let slot = Period::new(start, start + request.duration);
        let left = least.during(slot.and(request.buffer))?;
        (left > 0 && is_open(slot)).then_some((slot, left))
    };
    Some(starts.into_iter().filter_map(slot).collect())
}

/// The least that is left during each of several periods, whose beginnings and ends rise. Slots can be as long as
/// the whole timeline and begin a moment apart. So this reads each segment once, not once for each slot: it is the
/// minimum of a sliding window (Lemire 2006).
struct Least<I: Iterator<Item = Segment>> {
    coming: Peekable<I>,
    /// The segments that can still be the tightest. A segment with no less left than a later one is dropped.
    candidates: VecDeque<Segment>,
}

impl<I: Iterator<Item = Segment>> Least<I> {
    fn of(segments: I) -> Self {
        Self { coming: segments.peekable(), candidates: VecDeque::new() }
    }

    /// Returns the least that is left during a period. Returns `None` if the timeline has no segment there.
    fn during(&mut self, period: Period) -> Option<i64> {
        while let Some(segment) = self.coming.next_if(|segment| segment.period.from < period.to) {
            while self.candidates.pop_back_if(|last| last.free() >= segment.free()).is_some() {}
            self.candidates.push_back(segment);
        }
        while self.candidates.pop_front_if(|first| first.period.to <= period.from).is_some() {}
        self.candidates.front().map(Segment::free)
    }
}
