//! What becomes of several holds that were placed together, and of one alone: all of it, or nothing.

use super::lifecycle::{Change, Hold, State, Verdict};
use super::{Micros, Refusal};

/// What is to become of a request about some holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BasketDecision {
    /// Write these: the place of each in the basket, and its change.
    Change(Vec<(usize, Change)>),
    /// Write these, which are confirmed already and adopt the reference: nothing else changes.
    Adopt(Vec<(usize, Change)>),
    /// Nothing to write: it is so already.
    Repeat,
    /// No, because of this one.
    Refuse(usize, Refusal),
    /// One has less than was asked to be given back.
    TooMuch(usize),
}

/// Judges all, passing over those that have left the basket: given back or run out one by one, they
/// are no longer what it is about. Where all of them have, the last word on the first counts.
///
/// `expected_version` is the basket's; a hold alone has had its own compared by `judge`.
pub fn decide(
    holds: &[&Hold],
    judge: impl Fn(&Hold) -> Verdict,
    has_left: impl Fn(&Hold) -> bool,
    expected_version: Option<i64>,
) -> BasketDecision {
    let all_have_left = holds.iter().all(|hold| has_left(hold));
    let mut changes = Vec::new();
    let mut is_adoption = true;
    for (n, hold) in holds.iter().enumerate() {
        if has_left(hold) && !all_have_left {
            continue;
        }
        match judge(hold) {
            Verdict::Change(change) => {
                is_adoption = false;
                changes.push((n, change));
            }
            Verdict::Adopt(change) => changes.push((n, change)),
            Verdict::Repeat => {}
            Verdict::Refuse(refusal) => return BasketDecision::Refuse(n, refusal),
            Verdict::TooMuch => return BasketDecision::TooMuch(n),
        }
    }
    match changes.first() {
        None => BasketDecision::Repeat,
        // A repeated call: the caller may still know the version from before the confirmation.
        Some(_) if is_adoption => BasketDecision::Adopt(changes),
        Some((n, _)) if expected_version.is_some_and(|expected| expected != version(holds)) => {
            BasketDecision::Refuse(*n, Refusal::VersionMismatch)
        }
        Some(_) => BasketDecision::Change(changes),
    }
}

/// A basket's version: 1 when it is placed, and higher after every change of any of its holds.
pub fn version(holds: &[&Hold]) -> i64 {
    1 + holds.iter().map(|hold| hold.version - 1).sum::<i64>()
}

/// When a basket runs out: with the first of its holds that is only held. `None` once it is confirmed: it has no expiry
/// any more. Of one that ended unconfirmed, when its first hold would have run out.
pub fn expires_at(holds: &[&Hold], now: Micros) -> Option<Micros> {
    let state = state_at(holds, now);
    let first =
        |of: &dyn Fn(&Hold) -> bool| holds.iter().filter(|hold| of(hold)).map(|hold| hold.expires_at).min();
    match state {
        State::Confirmed | State::Cancelled => None,
        State::Held => first(&|hold| hold.state_at(now) == State::Held),
        State::Released | State::Expired => first(&|_| true),
    }
}

/// Where a basket stands: held while any of it is only held, else confirmed while any of it is; when
/// all is over, as the most of it ended by no wish of the caller's.
pub fn state_at(holds: &[&Hold], now: Micros) -> State {
    [State::Held, State::Confirmed, State::Expired, State::Cancelled, State::Released]
        .into_iter()
        .find(|state| holds.iter().any(|hold| hold.state_at(now) == *state))
        .unwrap_or(State::Released)
}

/// Given back one by one: nothing that a confirmation or an extension is about any more.
pub fn was_given_back(hold: &Hold, now: Micros) -> bool {
    matches!(hold.state_at(now), State::Released | State::Cancelled)
}

/// Never confirmed, and over: nothing that a cancellation is about.
pub fn ended_unconfirmed(hold: &Hold, now: Micros) -> bool {
    matches!(hold.state_at(now), State::Released | State::Expired)
}
