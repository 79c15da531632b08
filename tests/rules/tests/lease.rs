//! Leases, against a world that remembers every grant.

use booking_rules::lease::{Grant, Lease, LeaseState, acquire, epoch, slot, state_of};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Acquire {
        holder: u8,
        slots: i32,
        ttl: i64,
    },
    Renew {
        grant: usize,
        ttl: i64,
    },
    Release {
        grant: usize,
    },
    /// A transaction checks a lease and locks its row: the lease passes to no other holder until the lock is
    /// released.
    Lock {
        grant: usize,
    },
    Unlock,
    Pass {
        time: i64,
    },
    /// The name's rows are deleted, and the floor rises to their highest token.
    Forget,
    /// The floor rises, as after a restore.
    Lift,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u8, 1..4, 1..20_i64).prop_map(|(holder, slots, ttl)| Step::Acquire { holder, slots, ttl }),
        2 => (0..40_usize, 1..20_i64).prop_map(|(grant, ttl)| Step::Renew { grant, ttl }),
        2 => (0..40_usize).prop_map(|grant| Step::Release { grant }),
        1 => (0..40_usize).prop_map(|grant| Step::Lock { grant }),
        1 => Just(Step::Unlock),
        3 => (1..15_i64).prop_map(|time| Step::Pass { time }),
        1 => Just(Step::Forget),
        1 => Just(Step::Lift),
    ]
}

/// A grant, as the world remembers it.
#[derive(Clone, Debug)]
struct Granted {
    token: i64,
    holder: String,
    expires_at: i64,
    is_released: bool,
    is_locked: bool,
}

impl Granted {
    fn is_live(&self, now: i64) -> bool {
        !self.is_released && now < self.expires_at
    }
}

/// The rows that the extension would have, and all grants.
#[derive(Default)]
struct World {
    rows: Vec<Lease>,
    floor: i64,
    now: i64,
    history: Vec<Granted>,
}

impl World {
    fn acquire(&mut self, holder: u8, slots: i32, ttl: i64) {
        let holder = format!("holder {holder}");
        let live: Vec<&Granted> = self.history.iter().filter(|one| one.is_live(self.now)).collect();
        let mine = live.iter().find(|one| one.holder == holder).map(|one| one.token);
        match acquire(&self.rows, &holder, slots, self.floor, self.now) {
            Grant::Again { token, .. } => {
                assert_eq!(Some(token), mine, "renewed a lease that the holder does not have");
                let until = self.now + ttl;
                self.of(
                    token,
                    |row| row.expires_at = row.expires_at.max(until),
                    |one| {
                        one.expires_at = one.expires_at.max(until);
                    },
                );
            }
            Grant::Taken { until } => {
                assert!(mine.is_none() && live.len() >= slots as usize, "{live:?}");
                assert_eq!(live.iter().map(|one| one.expires_at).min(), Some(until));
            }
            Grant::New { token } => {
                assert!(mine.is_none() && live.len() < slots as usize, "{live:?}");
                assert!(self.history.iter().all(|one| one.token < token), "{token} was granted before");
                self.grant(holder, slots, ttl, token);
            }
        }
    }

    fn grant(&mut self, holder: String, slots: i32, ttl: i64, token: i64) {
        let is_locked = |row: &Lease| self.history.iter().any(|one| one.token == row.token && one.is_locked);
        let over = |row: &&Lease| !row.is_valid(self.now);
        let free: Vec<i32> =
            self.rows.iter().filter(over).filter(|row| !is_locked(row)).map(|row| row.slot).collect();
        let in_use = self.history.iter().filter(|one| one.is_live(self.now) || self.keeps(one)).count();
        match slot(&self.rows, &free, slots, self.now) {
            Err(locked) => {
                assert!(in_use >= slots as usize, "a slot was refused though {in_use} are in use of {slots}");
                assert!(self.rows.iter().any(|row| row.slot == locked && is_locked(row)));
            }
            Ok(slot) => {
                assert!(in_use < slots as usize, "{in_use} are in use of {slots}");
                assert!(self.rows.iter().all(|row| row.slot != slot || free.contains(&slot)));
                self.rows.retain(|row| row.slot != slot);
                let expires_at = self.now + ttl;
                self.rows.push(Lease { slot, holder: holder.clone(), token, expires_at, is_released: false });
                self.history.push(Granted {
                    token,
                    holder,
                    expires_at,
                    is_released: false,
                    is_locked: false,
                });
            }
        }
    }

    /// Returns whether a lock keeps the slot of a grant from passing to another holder.
    fn keeps(&self, one: &Granted) -> bool {
        one.is_locked && self.rows.iter().any(|row| row.token == one.token)
    }

    fn of(&mut self, token: i64, row: impl Fn(&mut Lease), one: impl Fn(&mut Granted)) {
        self.rows.iter_mut().filter(|row| row.token == token).for_each(row);
        self.history.iter_mut().filter(|one| one.token == token).for_each(one);
    }

    fn run(&mut self, step: Step) {
        let token = |grant: usize| self.history.get(grant).map(|one| one.token);
        match step {
            Step::Acquire { holder, slots, ttl } => self.acquire(holder, slots, ttl),
            Step::Renew { grant, ttl } => {
                let Some(token) = token(grant) else { return };
                if state_of(&self.rows, token, self.now) == LeaseState::Valid {
                    let until = self.now + ttl;
                    self.of(
                        token,
                        |row| row.expires_at = row.expires_at.max(until),
                        |one| {
                            one.expires_at = one.expires_at.max(until);
                        },
                    );
                }
            }
            Step::Release { grant } => {
                let Some(token) = token(grant) else { return };
                if state_of(&self.rows, token, self.now) == LeaseState::Valid {
                    self.of(token, |row| row.is_released = true, |one| one.is_released = true);
                }
            }
            Step::Lock { grant } => {
                let Some(token) = token(grant) else { return };
                if state_of(&self.rows, token, self.now) == LeaseState::Valid {
                    self.of(token, |_| {}, |one| one.is_locked = true);
                }
            }
            Step::Unlock => self.history.iter_mut().for_each(|one| one.is_locked = false),
            Step::Pass { time } => self.now += time,
            Step::Forget => {
                let is_over = self.history.iter().all(|one| !one.is_live(self.now) && !one.is_locked);
                if is_over {
                    self.floor = self.rows.iter().map(|row| row.token).max().unwrap_or(0).max(self.floor);
                    self.rows.clear();
                }
            }
            Step::Lift => self.floor += 1_000_000,
        }
    }

    /// Asserts that the state of every token is what happened to its lease.
    fn look(&self) {
        for one in &self.history {
            let said = state_of(&self.rows, one.token, self.now);
            let is_there = self.rows.iter().any(|row| row.token == one.token);
            match said {
                LeaseState::Valid => assert!(one.is_live(self.now), "{one:?} has ended"),
                LeaseState::Released => assert!(one.is_released, "{one:?} was not released"),
                LeaseState::Expired => assert!(!one.is_live(self.now), "{one:?} is valid"),
                LeaseState::Unknown => assert!(!is_there && !one.is_live(self.now), "{one:?} was known"),
            }
        }
        let unknown = self.history.iter().map(|one| one.token).max().unwrap_or(0).max(self.floor) + 1;
        assert_eq!(state_of(&self.rows, unknown, self.now), LeaseState::Unknown);
        assert_eq!(state_of(&self.rows, 0, self.now), LeaseState::Unknown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    /// More than a hundred thousand steps: a name never has more valid leases than slots, and each token is higher
    /// than all before.
    #[test]
    fn tokens_rise_and_no_more_have_a_name_than_may(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::default();
        for step in steps {
            world.run(step);
            world.look();
        }
    }

    /// A later epoch is higher by more than the grants that a name can have had in between, and a float holds it
    /// exactly.
    #[test]
    fn epochs_rise_with_the_clock(second in 789_004_801_i64..9_380_000_000, later in 1..100_000_000_i64) {
        let micros = 1_000_000;
        let (first, next) = (epoch(second * micros), epoch((second + later) * micros));
        prop_assert_eq!(next - first, later << 20);
        prop_assert!(first > 0 && next > first);
        prop_assert_eq!(first as f64 as i64, first);
    }
}

#[test]
fn before_2025_and_for_ever_an_epoch_is_a_number() {
    assert_eq!(epoch(0), 0);
    assert_eq!(epoch(789_004_800_000_000), 0);
    assert_eq!(epoch(789_004_801_000_000), 1 << 20);
    assert!(epoch(i64::MAX) > 0);
    assert_eq!(epoch(i64::MIN + 1_000_000_000_000_000), 0);
}
