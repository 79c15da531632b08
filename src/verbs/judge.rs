//! Asking the rules about the holds of one id: a single hold, or a basket.

use crate::request::Confirmation;
use crate::rules::basket::{self, BasketDecision};
use crate::rules::lifecycle::{self, Hold, Verdict};
use crate::rules::{self, Micros};
use crate::store::holds::HoldGroup;

/// Asks the rules about holds that the caller has locked. `expected_version` is compared with the version of a
/// single hold or of a whole basket, never with that of one item.
pub fn judge(
    group: &HoldGroup,
    expected_version: Option<i64>,
    decide: impl Fn(&Hold, Option<i64>) -> Verdict,
    has_left: impl Fn(&Hold) -> bool,
) -> BasketDecision {
    let (of_one, of_basket) = match group.basket {
        None => (expected_version, None),
        Some(_) => (None, expected_version),
    };
    rules::basket::decide(&group.lifecycles(), |hold| decide(hold, of_one), has_left, of_basket)
}

/// Asks the rules about confirming holds that the caller has locked.
pub fn judge_confirmation(confirmation: &Confirmation, group: &HoldGroup, now: Micros) -> BasketDecision {
    let Confirmation { target, reference, late } = *confirmation;
    let decide = |hold: &Hold, expected| lifecycle::confirm(hold, reference, expected, late, now);
    judge(group, target.expected_version, decide, |hold| basket::was_given_back(hold, now))
}
