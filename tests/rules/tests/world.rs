//! A pool with many holds, driven by random steps in the order in which the extension drives it, and
//! checked after each step by plain sums over all holds.

use std::cell::Cell;
use std::collections::BTreeMap;

use booking_rules::Micros;
use booking_rules::lifecycle::{
    Change, Hold, Late, State, Verdict, cancel, confirm, expire, extend, release,
};
use booking_rules::pool::{Admission, Pool, admit, readmit, resize};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

const CASES: u32 = 2030;
const STEPS: std::ops::Range<usize> = 490..510;
const MAX_TTL: Micros = 100;

#[derive(Clone, Debug)]
enum Step {
    Hold { quantity: i64, ttl: Micros, holder: usize, stale: bool },
    Confirm { which: usize, reference: u8, late: bool, stale: bool },
    Extend { which: usize, ttl: Micros, stale: bool },
    Release { which: usize, quantity: Option<i64>, stale: bool },
    Cancel { which: usize, quantity: Option<i64>, stale: bool },
    Sweep { limit: usize },
    SetCapacity { capacity: i64, stale: bool },
    SetOpen { open: bool },
    Purge,
    Wait { micros: Micros },
}

fn steps() -> impl Strategy<Value = Step> {
    // One request in eight was made with a version that is not the hold's any more.
    let stale = || (0..8u8).prop_map(|n| n == 7);
    let which = || 0..64usize;
    let part = || proptest::option::of(1..6i64);
    prop_oneof![
        8 => (1..5i64, 1..60i64, 0..4usize, stale())
            .prop_map(|(quantity, ttl, holder, stale)| Step::Hold { quantity, ttl, holder, stale }),
        8 => (which(), 0..3u8, any::<bool>(), stale())
            .prop_map(|(which, reference, late, stale)| Step::Confirm { which, reference, late, stale }),
        3 => (which(), 1..120i64, stale()).prop_map(|(which, ttl, stale)| Step::Extend { which, ttl, stale }),
        3 => (which(), part(), stale())
            .prop_map(|(which, quantity, stale)| Step::Release { which, quantity, stale }),
        4 => (which(), part(), stale())
            .prop_map(|(which, quantity, stale)| Step::Cancel { which, quantity, stale }),
        1 => (1..5usize).prop_map(|limit| Step::Sweep { limit }),
        1 => (0..30i64, stale()).prop_map(|(capacity, stale)| Step::SetCapacity { capacity, stale }),
        1 => (0..4u8).prop_map(|n| Step::SetOpen { open: n > 0 }),
        4 => Just(Step::Purge),
        6 => (0..20i64).prop_map(|micros| Step::Wait { micros }),
    ]
}

#[derive(Clone, Debug, PartialEq)]
struct Placed {
    holder: usize,
    hold: Hold,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Done,
    /// It was so before, or it was refused: not a row of it may have changed.
    Nothing,
    /// There was not enough room, though all that had expired was ended.
    NoRoom,
}

#[derive(Clone, Debug)]
struct World {
    pool: Pool,
    holds: BTreeMap<usize, Placed>,
    placed: usize,
    now: Micros,
    /// What has been confirmed and not cancelled, as its owners remember it.
    owed: BTreeMap<usize, i64>,
}

impl World {
    fn new(max_per_holder: Option<i64>, overbooking: i64) -> Self {
        let pool = Pool { capacity: 15, overbooking, taken: 0, version: 1, open: true, max_per_holder };
        Self { pool, holds: BTreeMap::new(), placed: 0, now: 0, owed: BTreeMap::new() }
    }

    /// The hold of a step, if there is any at all.
    fn pick(&self, which: usize) -> Option<usize> {
        let count = self.holds.len().max(1);
        self.holds.keys().nth(which % count).copied()
    }

    fn sum(&self, of: impl Fn(&Placed) -> bool) -> i64 {
        self.holds.values().filter(|placed| of(placed)).map(|placed| placed.hold.quantity).sum()
    }

    fn live(&self, placed: &Placed) -> bool {
        match placed.hold.state {
            State::Confirmed => true,
            State::Held => self.now < placed.hold.expires_at,
            _ => false,
        }
    }

    fn live_of(&self, holder: usize) -> i64 {
        self.sum(|placed| placed.holder == holder && self.live(placed))
    }

    fn write(&mut self, id: usize, change: &Change) {
        let hold = &mut self.holds.get_mut(&id).expect("a hold that was just read").hold;
        hold.state = change.state;
        hold.quantity = change.quantity;
        hold.expires_at = change.expires_at;
        hold.version = change.version;
        self.move_room(change.room);
    }

    fn move_room(&mut self, room: i64) {
        if room != 0 {
            self.pool.taken += room;
            self.pool.version += 1;
        }
    }

    /// Ends what is overdue, the longest overdue first, until so much is free. Returns whether any was.
    fn reclaim(&mut self, missing: i64) -> bool {
        let mut freed = 0;
        for id in self.overdue() {
            if freed < missing {
                let change = expire(&self.holds[&id].hold);
                freed -= change.room;
                self.write(id, &change);
            }
        }
        freed > 0
    }

    fn overdue(&self) -> Vec<usize> {
        let due = |hold: &Hold| hold.state == State::Held && hold.expires_at <= self.now;
        let mut ids: Vec<_> =
            self.holds.iter().filter(|(_, placed)| due(&placed.hold)).map(|(id, _)| *id).collect();
        ids.sort_by_key(|id| self.holds[id].hold.expires_at);
        ids
    }

    fn with_room(
        &mut self,
        expected: Option<i64>,
        decide: impl Fn(&Pool, Option<i64>) -> Admission,
    ) -> Answer {
        let mut admission = decide(&self.pool, expected);
        if let Admission::Short(missing) = admission
            && self.reclaim(missing)
        {
            admission = decide(&self.pool, None);
        }
        match admission {
            Admission::Fits => Answer::Done,
            Admission::Short(_) => Answer::NoRoom,
            Admission::Refuse(_) => Answer::Nothing,
        }
    }

    fn expected_of_pool(&self, stale: bool) -> Option<i64> {
        stale.then_some(self.pool.version - 1)
    }

    fn hold(&mut self, quantity: i64, ttl: Micros, holder: usize, stale: bool) -> Answer {
        let owned = self.live_of(holder);
        let answer = self
            .with_room(self.expected_of_pool(stale), |pool, expected| admit(pool, quantity, expected, owned));
        if answer == Answer::Done {
            let hold = Hold {
                state: State::Held,
                quantity,
                placed_at: self.now,
                expires_at: self.now + ttl,
                reference: None,
                version: 1,
            };
            self.holds.insert(self.placed, Placed { holder, hold });
            self.placed += 1;
            self.move_room(quantity);
        }
        answer
    }

    fn confirm(&mut self, id: usize, reference: Option<&str>, late: Late, stale: bool) -> Answer {
        let Placed { holder, hold } = self.holds[&id].clone();
        let expected = stale.then_some(hold.version + 1);
        let Verdict::Change(change) = confirm(&hold, reference, expected, late, self.now) else {
            return Answer::Nothing;
        };
        if hold.standing(self.now) == State::Expired {
            let owned = self.live_of(holder);
            let answer = self.with_room(None, |pool, _| readmit(pool, hold.quantity, change.room, owned));
            if answer != Answer::Done {
                return answer;
            }
        }
        self.write(id, &change);
        self.holds.get_mut(&id).expect("it was just written").hold.reference = reference.map(str::to_owned);
        self.owed.insert(id, hold.quantity);
        Answer::Done
    }

    fn act(&mut self, id: usize, decide: impl Fn(&Hold, Micros) -> Verdict) -> Option<Change> {
        match decide(&self.holds[&id].hold, self.now) {
            Verdict::Change(change) => {
                self.write(id, &change);
                Some(change)
            }
            _ => None,
        }
    }

    fn cancel(&mut self, id: usize, quantity: Option<i64>, expected: Option<i64>) -> Answer {
        let change = self.act(id, |hold, now| cancel(hold, quantity, expected, now));
        match (change, quantity) {
            (None, _) => return Answer::Nothing,
            (Some(_), Some(part)) if part < self.owed[&id] => *self.owed.get_mut(&id).unwrap() -= part,
            _ => drop(self.owed.remove(&id)),
        }
        Answer::Done
    }

    fn step(&mut self, step: &Step) -> Answer {
        let stale_of =
            |world: &Self, id: usize, stale: bool| stale.then_some(world.holds[&id].hold.version - 1);
        let of = |done: bool| if done { Answer::Done } else { Answer::Nothing };
        match *step {
            Step::Hold { quantity, ttl, holder, stale } => self.hold(quantity, ttl, holder, stale),
            Step::Confirm { which, reference, late, stale } => {
                self.pick(which).map_or(Answer::Nothing, |id| {
                    let reference = [None, Some("payment 1"), Some("payment 2")][usize::from(reference)];
                    self.confirm(id, reference, if late { Late::Reacquire } else { Late::Refuse }, stale)
                })
            }
            Step::Extend { which, ttl, stale } => self.pick(which).map_or(Answer::Nothing, |id| {
                let expected = stale_of(self, id, stale);
                of(self.act(id, |hold, now| extend(hold, ttl, MAX_TTL, expected, now)).is_some())
            }),
            Step::Release { which, quantity, stale } => self.pick(which).map_or(Answer::Nothing, |id| {
                let expected = stale_of(self, id, stale);
                of(self.act(id, |hold, now| release(hold, quantity, expected, now)).is_some())
            }),
            Step::Cancel { which, quantity, stale } => self
                .pick(which)
                .map_or(Answer::Nothing, |id| self.cancel(id, quantity, stale_of(self, id, stale))),
            Step::Sweep { limit } => {
                for id in self.overdue().into_iter().take(limit) {
                    let change = expire(&self.holds[&id].hold);
                    self.write(id, &change);
                }
                Answer::Done
            }
            Step::SetCapacity { capacity, stale } => {
                let expected = self.expected_of_pool(stale);
                let answer = self.with_room(expected, |pool, expected| resize(pool, capacity, expected));
                if answer == Answer::Done {
                    self.pool.capacity = capacity;
                    self.pool.version += 1;
                }
                answer
            }
            Step::SetOpen { open } => {
                self.pool.open = open;
                Answer::Done
            }
            Step::Purge => {
                self.holds.retain(|_, placed| placed.hold.state.takes_room());
                Answer::Done
            }
            Step::Wait { micros } => {
                self.now += micros;
                Answer::Done
            }
        }
    }
}

/// What must hold at any moment.
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
    prop_assert_eq!(confirmed, world.owed.values().sum::<i64>(), "confirmed without anybody's asking");
    Ok(())
}

/// What a single step may do to a hold.
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
    let allowed = match (before.state, after.state) {
        (State::Held, State::Held | State::Confirmed | State::Released) => true,
        (State::Confirmed, State::Confirmed | State::Cancelled) => true,
        (State::Expired, State::Confirmed) => true,
        _ => false,
    };
    prop_assert!(allowed, "{:?} became {:?}", before.state, after.state);
    Ok(())
}

/// The answer, judged by what was live and nothing else: no sweep may have a say in it.
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
    let count = Cell::new(0);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let worlds = (proptest::option::of(2..8i64), 0..3i64, proptest::collection::vec(steps(), STEPS));
    let result = TestRunner::new(config).run(&worlds, |(max_per_holder, overbooking, steps)| {
        let mut world = World::new(max_per_holder, overbooking);
        for (number, step) in steps.iter().enumerate() {
            let before = world.clone();
            let answer = world.step(step);
            check_step(&before, &world, step, answer).map_err(|error| {
                TestCaseError::fail(format!("step {number}, {step:?} → {answer:?}: {error}\n{before:#?}"))
            })?;
            count.set(count.get() + 1);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(count.get() >= 1_000_000, "only {} steps", count.get());
}
