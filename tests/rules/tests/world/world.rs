//! A pool and its holds. It calls the rules in the order in which the extension calls them.

use std::collections::BTreeMap;

use booking_rules::Micros;
use booking_rules::lifecycle::{
    Change, Hold, Late, State, Verdict, cancel, confirm, expire, extend, release,
};
use booking_rules::pool::{Admission, Pool, admit, readmit, resize};

use crate::MAX_TTL;
use crate::step::Step;

#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub holder: usize,
    pub hold: Hold,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    Done,
    /// The step was a repetition or was refused: it may have changed no row.
    Nothing,
    /// Too few places were free, although all expired holds were ended.
    NoRoom,
}

#[derive(Clone, Debug)]
pub struct World {
    pub pool: Pool,
    pub holds: BTreeMap<usize, Placed>,
    placed: usize,
    pub now: Micros,
    /// How many places are confirmed and not cancelled, by hold, as their holders remember it.
    pub owed: BTreeMap<usize, i64>,
}

impl World {
    pub fn new(max_per_holder: Option<i64>, overbooking: i64) -> Self {
        let pool = Pool { capacity: 15, overbooking, taken: 0, version: 1, open: true, max_per_holder };
        Self { pool, holds: BTreeMap::new(), placed: 0, now: 0, owed: BTreeMap::new() }
    }

    /// Returns the hold that a step means. Returns `None` if there are no holds.
    pub fn pick(&self, which: usize) -> Option<usize> {
        let count = self.holds.len().max(1);
        self.holds.keys().nth(which % count).copied()
    }

    pub fn sum(&self, of: impl Fn(&Placed) -> bool) -> i64 {
        self.holds.values().filter(|placed| of(placed)).map(|placed| placed.hold.quantity).sum()
    }

    pub fn live(&self, placed: &Placed) -> bool {
        match placed.hold.state {
            State::Confirmed => true,
            State::Held => self.now < placed.hold.expires_at,
            _ => false,
        }
    }

    pub fn live_of(&self, holder: usize) -> i64 {
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

    /// Ends overdue holds, the longest overdue first, until `missing` places are freed. Returns whether any was
    /// ended.
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
        if hold.state_at(self.now) == State::Expired {
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

    pub fn step(&mut self, step: &Step) -> Answer {
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
