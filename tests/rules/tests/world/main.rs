//! A pool with many holds: the test runs a million random steps and compares with plain sums over all holds after
//! each of them.

mod step;
mod world;

use std::cell::Cell;

use booking_rules::Micros;
use booking_rules::lifecycle::{Hold, State};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use step::Step;
use world::{Answer, World};

const CASES: u32 = 2030;
const STEPS: std::ops::Range<usize> = 490..510;
/// The longest time to live of a hold, in the time units of the steps.
const MAX_TTL: Micros = 100;

/// Checks what must be true at any moment.
fn check_world(world: &World) -> Result<(), TestCaseError> {
    let pool = &world.pool;
    let taken = world.sum(|placed| matches!(placed.hold.state, State::Held | State::Confirmed));
    prop_assert_eq!(pool.taken, taken, "taken is what the holds take");
    prop_assert!(taken <= pool.capacity + pool.overbooking, "oversold: {:?}", pool);
    prop_assert!(world.sum(|placed| world.live(placed)) <= taken, "more is live than taken");
    if let Some(limit) = pool.max_per_holder {
        for holder in 0..4 {
            prop_assert!(world.live_of(holder) <= limit, "holder {} has more than {}", holder, limit);
        }
    }
    for (id, quantity) in &world.owed {
        let hold = world.holds.get(id).map(|placed| &placed.hold);
        prop_assert!(
            hold.is_some_and(|hold| hold.state == State::Confirmed && hold.quantity == *quantity),
            "{} confirmed of hold {} were lost: {:?}",
            quantity,
            id,
            hold
        );
    }
    let confirmed = world.sum(|placed| placed.hold.state == State::Confirmed);
    prop_assert_eq!(confirmed, world.owed.values().sum::<i64>(), "confirmed without a request");
    Ok(())
}

/// Checks that one step did to a hold only what it may do.
fn check_hold(now: Micros, before: &Hold, after: &Hold) -> Result<(), TestCaseError> {
    if before == after {
        return Ok(());
    }
    if after.state == State::Expired {
        prop_assert!(before.state == State::Held && before.expires_at <= now, "ended before its time");
        prop_assert_eq!(after, &Hold { state: State::Expired, ..before.clone() }, "expiry is the clock's");
        return Ok(());
    }
    prop_assert_eq!(after.version, before.version + 1, "one change, one version");
    prop_assert!(after.expires_at >= before.expires_at, "shortened");
    prop_assert!(after.expires_at <= after.placed_at + MAX_TTL, "extended beyond the limit");
    prop_assert!((1..=before.quantity).contains(&after.quantity), "a hold never grows");
    prop_assert_eq!(after.placed_at, before.placed_at);
    let allowed = matches!(
        (before.state, after.state),
        (State::Held, State::Held | State::Confirmed | State::Released)
            | (State::Confirmed, State::Confirmed | State::Cancelled)
            | (State::Expired, State::Confirmed)
    );
    prop_assert!(allowed, "{:?} became {:?}", before.state, after.state);
    Ok(())
}

/// Checks the answer by what was live before the step, and by nothing else: it must not depend on a sweep.
fn check_answer(before: &World, step: &Step, answer: Answer) -> Result<(), TestCaseError> {
    let live = before.sum(|placed| before.live(placed));
    let size = before.pool.capacity + before.pool.overbooking;
    match (step, answer) {
        (Step::Hold { quantity, holder, stale, .. }, answer) => {
            let limit = before.pool.max_per_holder.unwrap_or(i64::MAX);
            let refused = !before.pool.open || *stale || before.live_of(*holder) + quantity > limit;
            let right = if refused {
                Answer::Nothing
            } else if live + quantity <= size {
                Answer::Done
            } else {
                Answer::NoRoom
            };
            prop_assert_eq!(answer, right, "{} live of {}", live, size);
        }
        (Step::SetCapacity { capacity, stale: false }, answer) => {
            let fits = live <= capacity + before.pool.overbooking;
            prop_assert_eq!(answer == Answer::Done, fits, "{} live, {} wanted", live, capacity);
        }
        (Step::Confirm { which, .. }, Answer::NoRoom) => {
            let hold = &before.holds[&before.pick(*which).unwrap()].hold;
            prop_assert!(
                live + hold.quantity > size,
                "{} more than {} live of {}",
                hold.quantity,
                live,
                size
            );
        }
        _ => {}
    }
    Ok(())
}

fn check_step(before: &World, after: &World, step: &Step, answer: Answer) -> Result<(), TestCaseError> {
    check_answer(before, step, answer)?;
    check_world(after)?;
    let mut changed = 0;
    for (id, old) in &before.holds {
        match after.holds.get(id) {
            Some(new) => {
                check_hold(after.now, &old.hold, &new.hold)?;
                prop_assert_eq!(new.holder, old.holder);
                changed += usize::from(old != new && new.hold.state != State::Expired);
            }
            None => prop_assert!(matches!(step, Step::Purge), "a hold vanished"),
        }
    }
    prop_assert!(changed <= 1, "a step touched {} holds", changed);
    if answer == Answer::Nothing {
        prop_assert_eq!(&before.holds, &after.holds, "it was refused");
        prop_assert_eq!(&before.pool, &after.pool, "it was refused");
    } else if answer == Answer::NoRoom {
        prop_assert_eq!(changed, 0, "there was no room");
        prop_assert_eq!(before.holds.len(), after.holds.len(), "there was no room");
    }
    Ok(())
}

#[test]
fn a_million_random_steps_never_break_a_pool() {
    let answers = [const { Cell::new(0) }; 3];
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let worlds = (
        proptest::option::of(2..8i64),
        0..3i64,
        proptest::collection::vec(any::<u64>().prop_map(Step::from_number), STEPS),
    );
    let result = TestRunner::new(config).run(&worlds, |(max_per_holder, overbooking, steps)| {
        let mut world = World::new(max_per_holder, overbooking);
        for (number, step) in steps.iter().enumerate() {
            let before = world.clone();
            let answer = world.step(step);
            check_step(&before, &world, step, answer).map_err(|error| {
                TestCaseError::fail(format!("step {number}, {step:?} → {answer:?}: {error}\n{before:#?}"))
            })?;
            let seen = &answers[answer as usize];
            seen.set(seen.get() + 1);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let answers = answers.map(|count| count.get());
    assert!(answers.iter().sum::<u64>() >= 1_000_000, "too few steps: {answers:?}");
    assert!(answers.iter().all(|count| *count >= 10_000), "one answer is hardly ever given: {answers:?}");
}
