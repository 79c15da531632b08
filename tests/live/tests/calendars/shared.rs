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
    /// The holds that are confirmed and that no guest is changing, by their ids.
    pub promised: Mutex<BTreeMap<String, Stand>>,
}

/// Limits the rounds that may begin. Otherwise the guests of a fast machine would finish before the last crash.
#[derive(Default)]
pub struct Gate {
    /// The number of rounds that have begun, and the number that may.
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
