//! What the guests share.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Condvar, Mutex};

use crate::record::{Record, Stand};

#[derive(Default)]
pub struct Shared {
    pub record: Mutex<Record>,
    pub rounds: AtomicUsize,
    pub gate: Gate,
    /// Confirmed, and nothing else is being asked of it: by the hold.
    pub promised: Mutex<BTreeMap<String, Stand>>,
}

/// Lets so many rounds begin. Without it a quick machine's guests are through before the last crash.
#[derive(Default)]
pub struct Gate {
    /// How many have begun, and how many may.
    rounds: Mutex<(usize, usize)>,
    opened: Condvar,
}

impl Gate {
    pub fn open_up_to(&self, rounds: usize) {
        self.rounds.lock().expect("no guest panicked").1 = rounds;
        self.opened.notify_all();
    }

    pub fn pass(&self) {
        let rounds = self.rounds.lock().expect("no guest panicked");
        let mut rounds =
            self.opened.wait_while(rounds, |(begun, may)| begun >= may).expect("no guest panicked");
        rounds.0 += 1;
    }
}

impl Shared {
    pub fn note<T>(&self, what: impl FnOnce(&mut Record) -> T) -> T {
        what(&mut self.record.lock().expect("no guest panicked"))
    }
}
