//! Three transactions on two pools, with memory for the count of one. An exhaustive search tries every
//! interleaving of taking, giving back, savepoints, commits, rollbacks, counting, eviction and crashes. The model
//! runs the code that the extension runs. Beside it, the model keeps only the truth: what is committed, and what
//! each running transaction has done.

use booking_rules::escrow::{By, Taken, Transaction};
use stateright::{Checker, Model, Property};

use super::shared::{Memory, key};

const TRANSACTIONS: usize = 3;
const POOLS: usize = 2;
const LIMIT: i64 = 2;
/// The most steps of a transaction.
const STEPS: u8 = 3;

/// What a transaction has done at one of its subtransaction levels, on each pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Done {
    taken: [i64; POOLS],
    /// What it gave back, of committed holds and of its own.
    given: [i64; POOLS],
    entered: [bool; POOLS],
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct One {
    counts: Transaction,
    /// The transaction and, if it has one, its savepoint.
    levels: Vec<Done>,
    steps: u8,
    /// Whether it was prepared, and is yet to be committed or rolled back.
    prepared: bool,
}

impl One {
    fn sum(&self, of: impl Fn(&Done) -> i64) -> i64 {
        self.levels.iter().map(of).sum()
    }

    fn has_entered(&self, pool: usize) -> bool {
        self.levels.iter().any(|level| level.entered[pool])
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    memory: Memory,
    committed: [i64; POOLS],
    all: Vec<One>,
    /// Whether a request was refused although it would have fitted, whether the running transactions commit or
    /// not.
    refused_falsely: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Take { who: usize, pool: usize },
    Give { who: usize, pool: usize },
    Savepoint { who: usize },
    ToSavepoint { who: usize },
    Release { who: usize },
    Prepare { who: usize },
    Commit { who: usize },
    Rollback { who: usize },
    Crash,
}

struct Escrow;

fn owner(who: usize) -> u32 {
    who as u32 + 1
}

/// The number of a transaction, or of its savepoint.
fn number(who: usize, level: u32) -> u32 {
    10 * owner(who) + level
}

impl World {
    /// Enters the count of a pool. Counts the pool first if its count is not in memory and no other transaction
    /// has entered. Returns false if the transaction cannot enter.
    fn enter(&mut self, who: usize, pool: usize) -> bool {
        let by = self.by(who);
        let Self { memory, all, committed, .. } = self;
        let others = (0..all.len()).any(|n| n != who && all[n].has_entered(pool));
        let own = all[who].sum(|level| level.taken[pool] - level.given[pool]);
        let mut ledger = memory.ledger();
        if all[who].counts.enter(&mut ledger, &key(pool), by) == Taken::Outside {
            if others || own != 0 || ledger.open(&key(pool), committed[pool], 0).is_none() {
                return false;
            }
            assert_ne!(all[who].counts.enter(&mut ledger, &key(pool), by), Taken::Outside);
        }
        if let Some(level) = all[who].levels.last_mut() {
            level.entered[pool] = true;
        }
        true
    }

    fn by(&self, who: usize) -> By {
        {
            let level = self.all[who].levels.len() as u32;
            // How often a count was changed is left out here: the states would be endless.
            By { owner: owner(who), level, now: 0, transaction: number(who, level), changes: 0 }
        }
    }

    fn take(&mut self, who: usize, pool: usize) -> bool {
        if !self.enter(who, pool) {
            return false;
        }
        let by = self.by(who);
        let counts = &mut self.all[who].counts;
        match counts.take(&mut self.memory.ledger(), &key(pool), by, 1, LIMIT) {
            Taken::Yes { .. } => {
                if let Some(level) = self.all[who].levels.last_mut() {
                    level.taken[pool] += 1;
                }
            }
            Taken::Short { .. } => {
                let mut ledger = self.memory.ledger();
                let account =
                    self.all[who].counts.account(&mut ledger, &key(pool)).expect("it has entered it");
                // If there is nobody to wait for, the extension refuses. Then the pool must be full.
                if ledger.others(account, owner(who)).is_none() {
                    let own = self.all[who].sum(|level| level.taken[pool] - level.given[pool]);
                    self.refused_falsely |= self.committed[pool] + own < LIMIT;
                }
            }
            other => panic!("{other:?}"),
        }
        true
    }

    fn give(&mut self, who: usize, pool: usize) -> bool {
        // Only one transaction at a time can give back a committed hold: it locks the hold's row.
        let given = |one: &One| one.sum(|level| level.given[pool]);
        let own = self.all[who].sum(|level| level.taken[pool]);
        let by_all: i64 = self.all.iter().map(given).sum();
        if self.committed[pool] + own - by_all <= 0 || !self.enter(who, pool) {
            return false;
        }
        let by = self.by(who);
        let counts = &mut self.all[who].counts;
        counts.give(&mut self.memory.ledger(), &key(pool), by, 1);
        if let Some(level) = self.all[who].levels.last_mut() {
            level.given[pool] += 1;
        }
        true
    }

    fn end(&mut self, who: usize, commits: bool) {
        let one = &mut self.all[who];
        one.counts.end(&mut self.memory.ledger(), commits, 0);
        if one.prepared {
            // Whoever waits for it learns how it has ended.
            for waiting in 0..TRANSACTIONS {
                self.all[waiting].counts.settle(&mut self.memory.ledger(), number(who, 1), commits, 0);
            }
        }
        let one = &mut self.all[who];
        for pool in 0..POOLS {
            if commits {
                self.committed[pool] += one.sum(|level| level.taken[pool] - level.given[pool]);
            }
        }
        self.all[who] = One { steps: one.steps, levels: vec![Done::default()], ..One::default() };
    }

    fn end_level(&mut self, who: usize, commits: bool) {
        let one = &mut self.all[who];
        let level = one.levels.len() as u32;
        one.counts.end_level(&mut self.memory.ledger(), level, level - 1, commits, 0);
        let Some(done) = one.levels.pop() else { return };
        if let (true, Some(around)) = (commits, one.levels.last_mut()) {
            for pool in 0..POOLS {
                around.taken[pool] += done.taken[pool];
                around.given[pool] += done.given[pool];
                around.entered[pool] |= done.entered[pool];
            }
        }
    }

    fn prepare(&mut self, who: usize) {
        let one = &mut self.all[who];
        one.counts.prepare(&mut self.memory.ledger(), number(who, 1));
        one.prepared = true;
    }

    fn is_quiet(&self) -> bool {
        self.all.iter().all(|one| one.counts.is_idle() && !one.prepared)
    }
}

impl Model for Escrow {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let one = One { levels: vec![Done::default()], ..One::default() };
        vec![World {
            memory: Memory::new(1, 8),
            committed: [1, 0],
            all: vec![one; TRANSACTIONS],
            refused_falsely: false,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Act>) {
        actions.push(Act::Crash);
        for (who, one) in world.all.iter().enumerate() {
            if one.steps < STEPS && !one.prepared {
                for pool in 0..POOLS {
                    actions.extend([Act::Take { who, pool }, Act::Give { who, pool }]);
                }
                if one.levels.len() == 1 {
                    actions.push(Act::Savepoint { who });
                }
            }
            // That the first one can be prepared is enough: with all of them the search takes five times as long.
            if who == 0 && one.levels.len() == 1 && !one.prepared && one.levels[0] != Done::default() {
                actions.push(Act::Prepare { who });
            }
            match one.levels.len() {
                1 => actions.extend([Act::Commit { who }, Act::Rollback { who }]),
                _ => actions.extend([Act::ToSavepoint { who }, Act::Release { who }]),
            }
        }
    }

    fn next_state(&self, before: &World, act: Act) -> Option<World> {
        let mut world = before.clone();
        let stepped = match act {
            Act::Take { who, pool } => world.take(who, pool).then_some(who),
            Act::Give { who, pool } => world.give(who, pool).then_some(who),
            Act::Savepoint { who } => {
                world.all[who].levels.push(Done::default());
                Some(who)
            }
            Act::ToSavepoint { who } => {
                return Some({
                    world.end_level(who, false);
                    world
                });
            }
            Act::Release { who } => {
                return Some({
                    world.end_level(who, true);
                    world
                });
            }
            Act::Prepare { who } => {
                return Some({
                    world.prepare(who);
                    world
                });
            }
            Act::Commit { who } => {
                return Some({
                    world.end(who, true);
                    world
                });
            }
            Act::Rollback { who } => {
                return Some({
                    world.end(who, false);
                    world
                });
            }
            Act::Crash => {
                world.memory = Memory::new(1, 8);
                // A prepared transaction survives, with its locks.
                for one in world.all.iter_mut().filter(|one| !one.prepared) {
                    *one = One { steps: one.steps, levels: vec![Done::default()], ..One::default() };
                }
                return Some(world);
            }
        };
        world.all[stepped?].steps += 1;
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is oversold", |_, world: &World| {
                world.committed.iter().all(|taken| (0..=LIMIT).contains(taken))
            }),
            Property::always("nothing is refused falsely", |_, world: &World| !world.refused_falsely),
            Property::always("once quiet, the count is what is taken", |_, world: &World| {
                let mut memory = world.memory.clone();
                let is_exact = |pool| memory.taken(pool).is_none_or(|taken| taken == world.committed[pool]);
                !world.is_quiet() || (0..POOLS).all(is_exact)
            }),
            Property::sometimes("a transaction takes beside a prepared one", |_, world: &World| {
                let takes = |one: &One| !one.prepared && one.sum(|level| level.taken[0]) > 0;
                world.all.iter().any(|one| one.prepared) && world.all.iter().any(takes)
            }),
            Property::sometimes("a pool is sold out", |_, world: &World| world.committed[0] == LIMIT),
            Property::sometimes("the other pool is counted", |_, world: &World| {
                world.memory.clone().taken(1).is_some()
            }),
            Property::sometimes("all transactions have pending deltas", |_, world: &World| {
                world.all.iter().all(|one| !one.counts.is_idle())
            }),
        ]
    }
}

#[test]
fn no_interleaving_oversells_leaks_or_refuses_falsely() {
    let checked = Escrow.checker().threads(2).spawn_bfs().join();
    println!("{} states", checked.unique_state_count());
    checked.assert_properties();
}
