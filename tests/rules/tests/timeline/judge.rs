//! Whether there is room, told from the picture of a calendar alone.

use booking_rules::timeline::{Fit, Segment};

use crate::picture::{Clock, MINUTES, Minute};

/// What a request for some minutes must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Fits { left: i64, is_exclusive: bool },
    OnceEnded,
    Short { first: usize },
}

/// Looks at every minute asked for. `picture` has them all, those of the buffer included.
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

/// Asserts that a stretch has the numbers of each of its minutes, and returns which these are.
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

/// Asserts that the answer is the right one, and returns that.
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
