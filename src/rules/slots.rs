//! Where something of a certain length still fits.

use super::Micros;
use super::hours::merge;
use super::timeline::{Period, Segment, Timeline};
use std::collections::VecDeque;
use std::iter::Peekable;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct SlotRequest {
    /// All of it lies in here.
    pub within: Period,
    pub duration: Micros,
    /// From one beginning to the next, counted from when it opens.
    pub step: Micros,
    /// What has to be free after it as well.
    pub buffer: Micros,
}

/// Goes through the slots that could be had, in the order of time, with how much is left in each:
/// those with something left. `windows` is when it is open, window by window: slots are counted from
/// the beginning of each, and may go on into the next where that touches.
///
/// The timeline reaches from the beginning of `request.within` to its end and the buffer after it. None
/// where there are more slots to look at than `most`.
pub fn free(
    timeline: &Timeline,
    windows: &[Period],
    request: &SlotRequest,
    most: usize,
) -> Option<Vec<(Period, i64)>> {
    let open = merge(windows.iter().copied());
    let mut starts: Vec<Micros> = Vec::new();
    for window in windows {
        let last = window.to.min(request.within.to.saturating_sub(request.duration).saturating_add(1));
        // The first that is not before what is asked about.
        let skipped = request.within.from.saturating_sub(window.from).max(0);
        let steps = skipped.saturating_add(request.step - 1) / request.step;
        let mut start = window.from.saturating_add(steps.saturating_mul(request.step));
        while start < last {
            if starts.len() >= most {
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

/// The least that is left during periods that begin and end one after the other. Slots can be as long as
/// everything there is and lie a moment apart, so each stretch is looked at once and not once for each slot:
/// the minimum of a sliding window (Lemire 2006).
struct Least<I: Iterator<Item = Segment>> {
    coming: Peekable<I>,
    /// Those that can still be the tightest: what is less tight than one after it is left out.
    candidates: VecDeque<Segment>,
}

impl<I: Iterator<Item = Segment>> Least<I> {
    fn of(segments: I) -> Self {
        Self { coming: segments.peekable(), candidates: VecDeque::new() }
    }

    fn during(&mut self, period: Period) -> Option<i64> {
        while let Some(segment) = self.coming.next_if(|segment| segment.period.from < period.to) {
            while self.candidates.pop_back_if(|last| last.free() >= segment.free()).is_some() {}
            self.candidates.push_back(segment);
        }
        while self.candidates.pop_front_if(|first| first.period.to <= period.from).is_some() {}
        self.candidates.front().map(Segment::free)
    }
}
