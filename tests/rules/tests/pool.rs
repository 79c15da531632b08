//! Random lives of a pool and its holds, against a model that keeps no count: it adds up its holds
//! anew after every step.

use booking_rules::Refusal;
use booking_rules::lifecycle::{self, Change, Hold, Late, State, Verdict};
use booking_rules::pool::{Admission, Pool, admit, readmit, resize};
use proptest::prelude::*;

const MAX_TTL: i64 = 50;
/// 4,000 lives of 256 steps: more than a million steps.
const LIVES: u32 = 4_000;
const STEPS: usize = 256;

#[derive(Clone, Debug)]
enum Step {
    Hold { holder: u8, quantity: i64, ttl: i64, stale: bool },
    Confirm { hold: usize, reference: u8, late: bool, stale: bool },
    Extend { hold: usize, ttl: i64 },
    Release { hold: usize, quantity: Option<i64> },
    Cancel { hold: usize, quantity: Option<i64> },
    Sweep { most: usize },
    Resize { capacity: i64 },
    Open(bool),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let hold = 0_usize..64;
    let quantity = prop::option::of(1_i64..4);
    prop_oneof![
        6 => (0_u8..4, 1_i64..5, 1_i64..=MAX_TTL, prop::bool::weighted(0.1))
            .prop_map(|(holder, quantity, ttl, stale)| Step::Hold { holder, quantity, ttl, stale }),
        4 => (hold.clone(), 0_u8..2, any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(hold, reference, late, stale)| Step::Confirm { hold, reference, late, stale }),
        2 => (hold.clone(), 1_i64..=MAX_TTL).prop_map(|(hold, ttl)| Step::Extend { hold, ttl }),
        3 => (hold.clone(), quantity.clone()).prop_map(|(hold, quantity)| Step::Release { hold, quantity }),
        3 => (hold, quantity).prop_map(|(hold, quantity)| Step::Cancel { hold, quantity }),
        1 => (0_usize..5).prop_map(|most| Step::Sweep { most }),
        1 => (0_i64..25).prop_map(|capacity| Step::Resize { capacity }),
        1 => prop::bool::weighted(0.9).prop_map(Step::Open),
        3 => (1_i64..20).prop_map(Step::Wait),
    ]
}

/// The extension's choreography without a database: what `verbs` does under its locks.
struct World {
    pool: Pool,
    holds: Vec<(u8, Hold)>,
    now: i64,
}

impl World {
    fn new(capacity: i64, overbooking: i64, max_per_holder: Option<i64>) -> Self {
        let pool = Pool { capacity, overbooking, taken: 0, version: 1, open: true, max_per_holder };
        Self { pool, holds: Vec::new(), now: 0 }
    }

    fn owned(&self, holder: u8) -> i64 {
        let live = |(of, hold): &&(u8, Hold)| *of == holder && hold.is_live(self.now);
        self.holds.iter().filter(live).map(|(_, hold)| hold.quantity).sum()
    }

    fn overdue(&self) -> Vec<usize> {
        let overdue = |n: &usize| {
            let hold = &self.holds[*n].1;
            hold.state == State::Held && self.now >= hold.expires_at
        };
        (0..self.holds.len()).filter(overdue).collect()
    }

    fn write(&mut self, n: usize, change: &Change, reference: Option<String>) {
        let hold = &mut self.holds[n].1;
        let due_version = if change.state == State::Expired { hold.version } else { hold.version + 1 };
        assert_eq!(change.version, due_version);
        assert!(change.expires_at >= hold.expires_at, "never shortened");
        assert!(change.expires_at <= hold.placed_at + MAX_TTL, "never beyond the longest");
        hold.state = change.state;
        hold.quantity = change.quantity;
        hold.expires_at = change.expires_at;
        hold.version = change.version;
        hold.reference = reference.or(hold.reference.take());
        self.pool.taken += change.room;
        self.pool.version += i64::from(change.room != 0);
    }

    fn sweep(&mut self, most: usize) {
        for n in self.overdue().into_iter().take(most) {
            let change = lifecycle::expire(&self.holds[n].1);
            self.write(n, &change, None);
        }
    }

    fn place(&mut self, holder: u8, quantity: i64, ttl: i64, stale: bool) {
        let expected = stale.then_some(self.pool.version - 1);
        let owned = self.owned(holder);
        let live: i64 = self.live();
        let mut admission = admit(&self.pool, quantity, expected, owned);
        if let Admission::Short(_) = admission {
            self.sweep(usize::MAX);
            admission = admit(&self.pool, quantity, None, owned);
        }
        let over_limit = self.pool.max_per_holder.is_some_and(|most| owned + quantity > most);
        let fits = live + quantity <= self.pool.capacity + self.pool.overbooking;
        // The model's own answer, from what is live by the clock, whatever was swept.
        match admission {
            Admission::Fits => assert!(fits && self.pool.open && !stale && !over_limit),
            Admission::Short(_) => assert!(!fits && self.pool.open && !stale && !over_limit),
            Admission::Refuse(Refusal::Closed) => assert!(!self.pool.open),
            Admission::Refuse(Refusal::VersionMismatch) => assert!(stale),
            Admission::Refuse(Refusal::LimitExceeded) => assert!(over_limit),
            Admission::Refuse(other) => panic!("{other:?}"),
        }
        if admission == Admission::Fits {
            self.pool.taken += quantity;
            self.pool.version += 1;
            let hold = Hold {
                state: State::Held,
                quantity,
                placed_at: self.now,
                expires_at: self.now + ttl,
                reference: None,
                version: 1,
            };
            self.holds.push((holder, hold));
        }
    }

    fn confirm(&mut self, n: usize, reference: u8, late: bool, stale: bool) {
        let (holder, hold) = self.holds[n].clone();
        let reference = Some(reference.to_string());
        let expected = stale.then_some(hold.version - 1);
        let late = if late { Late::Reacquire } else { Late::Refuse };
        let verdict = lifecycle::confirm(&hold, reference.as_deref(), expected, late, self.now);
        let Verdict::Change(change) = verdict else { return };
        if hold.standing(self.now) == State::Expired {
            let owned = self.owned(holder);
            if let Admission::Short(_) = readmit(&self.pool, hold.quantity, change.room, owned) {
                self.sweep(usize::MAX);
            }
            if readmit(&self.pool, hold.quantity, change.room, owned) != Admission::Fits {
                return;
            }
        }
        self.write(n, &change, reference);
    }

    fn take(&mut self, step: &Step) {
        let pick = |n: usize| n % self.holds.len().max(1);
        match *step {
            Step::Hold { holder, quantity, ttl, stale } => self.place(holder, quantity, ttl, stale),
            Step::Wait(time) => self.now += time,
            Step::Sweep { most } => self.sweep(most),
            Step::Open(open) => self.pool.open = open,
            Step::Resize { capacity } => {
                self.sweep(usize::MAX);
                if resize(&self.pool, capacity, None) == Admission::Fits {
                    self.pool.capacity = capacity;
                }
            }
            _ if self.holds.is_empty() => {}
            Step::Confirm { hold, reference, late, stale } => {
                self.confirm(pick(hold), reference, late, stale);
            }
            Step::Extend { hold, ttl } => {
                let n = pick(hold);
                let verdict = lifecycle::extend(&self.holds[n].1, ttl, MAX_TTL, None, self.now);
                self.follow(n, verdict);
            }
            Step::Release { hold, quantity } => {
                let n = pick(hold);
                let verdict = lifecycle::release(&self.holds[n].1, quantity, None, self.now);
                self.follow(n, verdict);
            }
            Step::Cancel { hold, quantity } => {
                let n = pick(hold);
                let verdict = lifecycle::cancel(&self.holds[n].1, quantity, None, self.now);
                self.follow(n, verdict);
            }
        }
    }

    fn follow(&mut self, n: usize, verdict: Verdict) {
        if let Verdict::Change(change) = verdict {
            self.write(n, &change, None);
        }
    }

    fn live(&self) -> i64 {
        self.holds.iter().filter(|(_, hold)| hold.is_live(self.now)).map(|(_, hold)| hold.quantity).sum()
    }

    fn check(&self) {
        let counted: i64 =
            self.holds.iter().filter(|(_, h)| h.state.takes_room()).map(|(_, h)| h.quantity).sum();
        assert_eq!(self.pool.taken, counted, "the count is what the holds take");
        assert!(counted <= self.pool.capacity + self.pool.overbooking, "never oversold");
        assert!(self.live() <= counted, "nothing live is left uncounted");
        if let Some(most) = self.pool.max_per_holder {
            for holder in 0..4 {
                assert!(self.owned(holder) <= most, "holder {holder} has more than {most}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: LIVES, max_shrink_iters: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn a_pool_keeps_its_promises(
        capacity in 0_i64..20,
        overbooking in 0_i64..3,
        max_per_holder in prop::option::of(1_i64..8),
        steps in prop::collection::vec(step(), STEPS..=STEPS),
    ) {
        let mut world = World::new(capacity, overbooking, max_per_holder);
        for step in &steps {
            let confirmed: Vec<_> = world.holds.iter().map(|(_, hold)| hold.state == State::Confirmed).collect();
            world.take(step);
            world.check();
            // Only a cancellation ends what was confirmed.
            if !matches!(step, Step::Cancel { .. }) {
                for (n, was) in confirmed.into_iter().enumerate() {
                    prop_assert!(!was || world.holds[n].1.state == State::Confirmed, "hold {n} was lost");
                }
            }
        }
    }
}
