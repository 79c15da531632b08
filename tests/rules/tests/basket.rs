//! Decisions on baskets: every basket of three holds, against the same rules, stated in another way.

use booking_rules::basket::{self, BasketDecision};
use booking_rules::lifecycle::{self, Hold, Late, State, Verdict};
use booking_rules::{Micros, Refusal};

const NOW: Micros = 1_000_000;
const TTL: Micros = 60_000_000;

/// The states of an item, and whether its expiry is still to come. The expiry of a held one may be written down or
/// not.
const ITEMS: [(State, bool); 6] = [
    (State::Held, true),
    (State::Held, false),
    (State::Confirmed, true),
    (State::Released, true),
    (State::Cancelled, true),
    (State::Expired, false),
];

fn hold((state, in_time): (State, bool), version: i64) -> Hold {
    Hold {
        state,
        quantity: 2,
        placed_at: NOW - TTL,
        expires_at: if in_time { NOW + 1 } else { NOW },
        reference: (state == State::Confirmed).then(|| "payment".to_owned()),
        version,
    }
}

/// Calls `each` with every basket of three holds, with versions 1, 2 and 3.
fn every_basket(mut each: impl FnMut(&[&Hold])) {
    for a in ITEMS {
        for b in ITEMS {
            for c in ITEMS {
                each(&[&hold(a, 1), &hold(b, 2), &hold(c, 3)]);
            }
        }
    }
}

fn count_in(holds: &[&Hold], state: State) -> usize {
    holds.iter().filter(|hold| hold.state_at(NOW) == state).count()
}

/// Returns how many holds a decision changes, or the refusal.
fn told(decision: &BasketDecision) -> Result<usize, Refusal> {
    match decision {
        BasketDecision::Change(changes) | BasketDecision::Adopt(changes) => Ok(changes.len()),
        BasketDecision::Repeat => Ok(0),
        BasketDecision::Refuse(_, refusal) => Err(*refusal),
        BasketDecision::TooMuch(n) => panic!("nobody asked for a part, yet item {n} has too little"),
    }
}

fn confirm(holds: &[&Hold], reference: &str, late: Late, expected: Option<i64>) -> BasketDecision {
    let judge = |hold: &Hold| lifecycle::confirm(hold, Some(reference), None, late, NOW);
    basket::decide(holds, judge, |hold| basket::was_given_back(hold, NOW), expected)
}

#[test]
fn a_basket_is_confirmed_without_what_has_left_it_or_not_at_all() {
    every_basket(|holds| {
        let [held, expired, confirmed] =
            [State::Held, State::Expired, State::Confirmed].map(|s| count_in(holds, s));
        for late in [Late::Refuse, Late::Reacquire] {
            let answer = told(&confirm(holds, "payment", late, None));
            if held + expired + confirmed == 0 {
                assert!(
                    matches!(answer, Err(Refusal::Released | Refusal::Cancelled)),
                    "{holds:?}: {answer:?}"
                );
            } else if expired > 0 && late == Late::Refuse {
                assert_eq!(answer, Err(Refusal::Expired), "{holds:?}");
            } else {
                assert_eq!(answer, Ok(held + expired), "{holds:?}");
            }
            let other = told(&confirm(holds, "another payment", late, None));
            if confirmed > 0 {
                assert!(
                    matches!(other, Err(Refusal::AlreadyConfirmed | Refusal::Expired)),
                    "{holds:?}: {other:?}"
                );
            }
        }
    });
}

#[test]
fn a_basket_is_extended_only_while_all_that_is_left_of_it_is_held() {
    every_basket(|holds| {
        let judge = |hold: &Hold| lifecycle::extend(hold, TTL, 10 * TTL, None, NOW);
        let answer = told(&basket::decide(holds, judge, |hold| basket::was_given_back(hold, NOW), None));
        let left = holds.len() - count_in(holds, State::Released) - count_in(holds, State::Cancelled);
        let held = count_in(holds, State::Held);
        assert_eq!(answer.ok(), (held == left && left > 0).then_some(held), "{holds:?}");
    });
}

#[test]
fn a_basket_is_released_unless_any_of_it_is_confirmed() {
    every_basket(|holds| {
        let judge = |hold: &Hold| lifecycle::release(hold, None, None, NOW);
        let answer = told(&basket::decide(holds, judge, |_| false, None));
        let unwritten = holds.iter().filter(|hold| hold.state == State::Held).count();
        let expected = if count_in(holds, State::Confirmed) > 0 {
            Err(Refusal::AlreadyConfirmed)
        } else {
            Ok(unwritten)
        };
        assert_eq!(answer, expected, "{holds:?}");
    });
}

#[test]
fn a_basket_is_cancelled_without_what_was_never_confirmed_and_is_over() {
    every_basket(|holds| {
        let judge = |hold: &Hold| lifecycle::cancel(hold, None, None, NOW);
        let has_left = |hold: &Hold| basket::ended_unconfirmed(hold, NOW);
        let answer = told(&basket::decide(holds, judge, has_left, None));
        let confirmed = count_in(holds, State::Confirmed);
        let is_over = count_in(holds, State::Held) == 0 && confirmed + count_in(holds, State::Cancelled) > 0;
        assert_eq!(answer, if is_over { Ok(confirmed) } else { Err(Refusal::NotConfirmed) }, "{holds:?}");
    });
}

#[test]
fn every_change_of_an_item_is_one_of_the_basket_and_a_repetition_asks_for_no_version() {
    every_basket(|holds| {
        let version = basket::version(holds);
        assert_eq!(version, 4, "three items, changed 0, 1 and 2 times");
        let right = confirm(holds, "payment", Late::Reacquire, Some(version));
        assert_eq!(right, confirm(holds, "payment", Late::Reacquire, None));
        let stale = confirm(holds, "payment", Late::Reacquire, Some(version - 1));
        match told(&right) {
            Ok(changes) if changes > 0 => assert_eq!(told(&stale), Err(Refusal::VersionMismatch)),
            _ => assert_eq!(stale, right),
        }
        if let BasketDecision::Change(changes) = right {
            let after: i64 = changes.iter().map(|(n, change)| change.version - holds[*n].version).sum();
            assert_eq!(after, changes.len() as i64);
        }
    });
}

#[test]
fn a_basket_stands_where_the_liveliest_of_it_does() {
    every_basket(|holds| {
        let state = basket::state_at(holds, NOW);
        let order = [State::Held, State::Confirmed, State::Expired, State::Cancelled, State::Released];
        let place = |state: State| order.iter().position(|other| *other == state).unwrap();
        let liveliest = holds.iter().map(|hold| place(hold.state_at(NOW))).min().unwrap();
        assert_eq!(place(state), liveliest, "{holds:?}");
        let held = holds.iter().filter(|hold| hold.state_at(NOW) == State::Held);
        let first_held = held.map(|hold| hold.expires_at).min();
        match state {
            State::Held => assert_eq!(basket::expires_at(holds, NOW), first_held, "{holds:?}"),
            State::Confirmed | State::Cancelled => {
                assert_eq!(basket::expires_at(holds, NOW), None, "{holds:?}")
            }
            State::Released | State::Expired => {
                assert!(basket::expires_at(holds, NOW).is_some(), "{holds:?}")
            }
        }
    });
}

#[test]
fn one_hold_is_judged_as_if_there_were_no_basket() {
    for item in ITEMS {
        let hold = hold(item, 5);
        for expected in [None, Some(5), Some(4)] {
            let judge = |hold: &Hold| lifecycle::confirm(hold, None, expected, Late::Refuse, NOW);
            let decision = basket::decide(&[&hold], judge, |hold| basket::was_given_back(hold, NOW), None);
            match judge(&hold) {
                Verdict::Change(change) => assert_eq!(decision, BasketDecision::Change(vec![(0, change)])),
                Verdict::Adopt(change) => assert_eq!(decision, BasketDecision::Adopt(vec![(0, change)])),
                Verdict::Repeat => assert_eq!(decision, BasketDecision::Repeat),
                Verdict::Refuse(refusal) => assert_eq!(decision, BasketDecision::Refuse(0, refusal)),
                Verdict::TooMuch => unreachable!("nothing is given back"),
            }
        }
    }
}
