//! Many transactions with nested savepoints, on more pools than there is memory for.

use booking_rules::escrow::{By, Taken, Transaction};
use proptest::prelude::*;

use super::shared::{Memory, key};

const POOLS: usize = 5;
const OWNERS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Take { who: usize, pool: usize, quantity: i64 },
    Give { who: usize, pool: usize },
    Savepoint { who: usize },
    EndLevel { who: usize, commits: bool },
    End { who: usize, commits: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..OWNERS;
    prop_oneof![
        5 => (who.clone(), 0..POOLS, 1..4_i64).prop_map(|(who, pool, quantity)| Step::Take { who, pool, quantity }),
        3 => (who.clone(), 0..POOLS).prop_map(|(who, pool)| Step::Give { who, pool }),
        3 => who.clone().prop_map(|who| Step::Savepoint { who }),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, commits)| Step::EndLevel { who, commits }),
        2 => (who, any::<bool>()).prop_map(|(who, commits)| Step::End { who, commits }),
    ]
}

/// A transaction, and how much it has taken or given back at each subtransaction level.
#[derive(Default)]
struct One {
    counts: Transaction,
    levels: Vec<[i64; POOLS]>,
    entered: Vec<[bool; POOLS]>,
}

impl One {
    fn net(&self, pool: usize) -> i64 {
        self.levels.iter().map(|level| level[pool]).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// At any moment, the count covers what is committed and what each transaction could still commit. When all
    /// transactions have ended, the count is exactly what is committed.
    #[test]
    fn the_count_is_never_below_what_is_taken(steps in prop::collection::vec(step(), 1..60), limit in 1..12_i64) {
        let mut memory = Memory::new(3, 24);
        let mut committed = [0_i64; POOLS];
        let mut all: Vec<One> = (0..OWNERS).map(|_| One::default()).collect();
        for one in &mut all {
            one.levels.push([0; POOLS]);
            one.entered.push([false; POOLS]);
        }
        for step in steps {
            match step {
                Step::Take { who, pool, quantity } => {
                    if !enter(&mut memory, &mut all, who, pool, committed[pool]) {
                        continue;
                    }
                    let by = by(&all, who);
                    let one = &mut all[who];
                    let taken = one.counts.take(&mut memory.ledger(), &key(pool), by, quantity, limit);
                    if let Taken::Yes { left } = taken {
                        prop_assert!(left >= 0);
                        *one.levels.last_mut().expect("a level").get_mut(pool).expect("a pool") += quantity;
                    }
                }
                Step::Give { who, pool } => {
                    // A transaction gives back only its own holds, or committed ones that no other transaction
                    // gives back.
                    let others: i64 = (0..OWNERS).filter(|n| *n != who).map(|n| all[n].net(pool).min(0)).sum();
                    let has = committed[pool] + others + all[who].net(pool);
                    if has <= 0 || !enter(&mut memory, &mut all, who, pool, committed[pool]) {
                        continue;
                    }
                    let by = by(&all, who);
                    let one = &mut all[who];
                    if let Taken::Yes { .. } = one.counts.give(&mut memory.ledger(), &key(pool), by, 1) {
                        *one.levels.last_mut().expect("a level").get_mut(pool).expect("a pool") -= 1;
                    }
                }
                Step::Savepoint { who } => {
                    all[who].levels.push([0; POOLS]);
                    all[who].entered.push([false; POOLS]);
                }
                Step::EndLevel { who, commits } if all[who].levels.len() > 1 => {
                    let one = &mut all[who];
                    let level = one.levels.len() as u32;
                    one.counts.end_level(&mut memory.ledger(), level, level - 1, commits, 0);
                    let done = one.levels.pop().expect("a level");
                    let entered = one.entered.pop().expect("a level");
                    if commits {
                        for pool in 0..POOLS {
                            one.levels.last_mut().expect("a level")[pool] += done[pool];
                            one.entered.last_mut().expect("a level")[pool] |= entered[pool];
                        }
                    }
                }
                Step::EndLevel { .. } => {}
                Step::End { who, commits } => end(&mut memory, &mut all, &mut committed, who, commits),
            }
            for (pool, committed) in committed.iter().enumerate() {
                if let Some(taken) = memory.taken(pool) {
                    let worst: i64 = all.iter().map(|one| one.net(pool).max(0)).sum();
                    prop_assert!(taken >= committed + worst, "{taken} of pool {pool} are too few");
                    prop_assert!(*committed <= limit);
                }
            }
        }
        for who in 0..OWNERS {
            end(&mut memory, &mut all, &mut committed, who, who % 2 == 0);
        }
        for (pool, committed) in committed.iter().enumerate() {
            prop_assert!(memory.taken(pool).is_none_or(|taken| taken == *committed));
        }
    }
}

fn by(all: &[One], who: usize) -> By {
    By { owner: who as u32 + 1, level: all[who].levels.len() as u32, now: 0, transaction: 1, changes: 1 }
}

fn enter(memory: &mut Memory, all: &mut [One], who: usize, pool: usize, committed: i64) -> bool {
    let by = by(all, who);
    let has_entered = |one: &One| one.entered.iter().any(|level| level[pool]);
    let others = (0..all.len()).any(|n| n != who && has_entered(&all[n]));
    let mut ledger = memory.ledger();
    let mut entered = all[who].counts.enter(&mut ledger, &key(pool), by);
    if entered == Taken::Outside {
        if others || all[who].net(pool) != 0 || ledger.open(&key(pool), committed, 0).is_none() {
            return false;
        }
        entered = all[who].counts.enter(&mut ledger, &key(pool), by);
    }
    if entered == Taken::NoRoom {
        return false;
    }
    all[who].entered.last_mut().expect("a level")[pool] = true;
    true
}

fn end(memory: &mut Memory, all: &mut [One], committed: &mut [i64; POOLS], who: usize, commits: bool) {
    all[who].counts.end(&mut memory.ledger(), commits, 0);
    for (pool, committed) in committed.iter_mut().enumerate() {
        *committed += if commits { all[who].net(pool) } else { 0 };
    }
    all[who] = One { levels: vec![[0; POOLS]], entered: vec![[false; POOLS]], ..One::default() };
}
