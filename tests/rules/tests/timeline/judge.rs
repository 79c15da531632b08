//! The judge: says whether a request fits, from the picture of a calendar only. It shares no code with the rules.

use booking_rules::timeline::{Fit, Segment};

use crate::picture::{Clock, MINUTES, Minute};

/// The right answer to a request for some minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Fits { left: i64, is_exclusive: bool },
    OnceEnded,
    Short { first: usize },
}

/// Returns the right answer, found by looking at every requested minute. `picture` has them all, with those of the
/// buffer.
pub fn right(picture: &[Minute], (from, to): (usize, usize), quantity: i64) -> Right {
    let asked = &picture[from..to];
    let mut least = asked[0].free();
    let mut first = from;
    let mut with_overdue = true;
    let mut is_exclusive = true;
    for (n, minute) in asked.iter().enumerate() {
        if minute.free() < least {
            least = minute.free();
            first = from + n;
        }
        if minute.confirmed + minute.held + minute.overdue + quantity > minute.capacity {
            with_overdue = false;
        }
        if minute.capacity > 1 {
            is_exclusive = false;
        }
    }
    if least < quantity {
        Right::Short { first }
    } else if !with_overdue {
        Right::OnceEnded
    } else {
        Right::Fits { left: least - quantity, is_exclusive }
    }
}

/// Asserts that a segment has the numbers of each of its minutes, and returns its first minute and the one after
/// its last.
pub fn minutes_of(segment: &Segment, picture: &[Minute], clock: Clock) -> (usize, usize) {
    let minute = |at: i64| {
        let minute = (0..=MINUTES).find(|minute| clock.at(*minute) == at);
        minute.unwrap_or_else(|| panic!("between two minutes, or outside: {segment:?}, {clock:?}"))
    };
    let (from, to) = (minute(segment.period.from), minute(segment.period.to));
    assert!(from < to, "empty: {segment:?}");
    for (n, minute) in picture.iter().enumerate().take(to).skip(from) {
        let shown = (segment.capacity, segment.confirmed, segment.held);
        assert_eq!(shown, (minute.capacity, minute.confirmed, minute.held), "minute {n} in {segment:?}");
    }
    (from, to)
}

/// Compares an answer with the right one. Returns the right one, or as `Err` what is wrong.
pub fn check(
    answer: Fit,
    picture: &[Minute],
    clock: Clock,
    asked: (usize, usize),
    quantity: i64,
) -> Result<Right, String> {
    let right = right(picture, asked, quantity);
    let is_right = match (answer, right) {
        (Fit::Fits { left, is_exclusive }, right) => right == Right::Fits { left, is_exclusive },
        (Fit::OnceEnded, right) => right == Right::OnceEnded,
        (Fit::Short(segment), Right::Short { first }) => {
            let (from, to) = minutes_of(&segment, picture, clock);
            from == first && to <= asked.1
        }
        (Fit::Short(_), _) => false,
    };
    if is_right { Ok(right) } else { Err(format!("{answer:?} for {right:?}: {asked:?} of {quantity}")) }
}
