//! Decisions on the holds of one id, all or nothing: the items of a basket, or one hold.

use super::lifecycle::{Change, Hold, State, Verdict};
use super::{Micros, Refusal};

/// The decision on a request about the holds of one id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BasketDecision {
    /// Write these changes, each with the index of its hold.
    Change(Vec<(usize, Change)>),
    /// Write these: the holds are confirmed already and adopt the reference, and nothing else changes.
    Adopt(Vec<(usize, Change)>),
    /// Write nothing: the holds are already as the request wants them.
    Repeat,
    /// Refuse, because of the hold with this index.
    Refuse(usize, Refusal),
    /// Raise an error: the hold with this index has less than the request gives back.
    TooMuch(usize),
}

/// Decides on a request by the verdict on each hold.
///
/// A hold that has left the basket does not count: it was given back, or expired, one by one. If all have left,
/// every one of them counts.
///
/// `expected_version` is the basket's. For a single hold, `judge` has compared the version already.
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

/// Returns a basket's version: 1 when it is placed, and higher after each change of any of its holds.
pub fn version(holds: &[&Hold]) -> i64 {
    1 + holds.iter().map(|hold| hold.version - 1).sum::<i64>()
}

/// Returns when a basket expires: when the first of its holds that are still held does. For a released or expired
/// basket, returns when the first of its holds would have expired. Returns `None` for a confirmed or cancelled
/// basket: it has no expiry.
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

/// Returns the state of a basket: held while any of its holds is held, else confirmed while any is confirmed. When
/// all have ended, an expiry comes before a cancellation, and that before a release.
pub fn state_at(holds: &[&Hold], now: Micros) -> State {
    [State::Held, State::Confirmed, State::Expired, State::Cancelled, State::Released]
        .into_iter()
        .find(|state| holds.iter().any(|hold| hold.state_at(now) == *state))
        .unwrap_or(State::Released)
}

/// Returns whether a hold was given back. A confirmation or an extension of its basket passes over it.
pub fn was_given_back(hold: &Hold, now: Micros) -> bool {
    matches!(hold.state_at(now), State::Released | State::Cancelled)
}

/// Returns whether a hold ended without a confirmation. A cancellation of its basket passes over it.
pub fn ended_unconfirmed(hold: &Hold, now: Micros) -> bool {
    matches!(hold.state_at(now), State::Released | State::Expired)
}
