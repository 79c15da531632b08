//! How often resources were changed otherwise than by holds, so that a backend can remember what it read.
//!
//! Whoever changes a resource's capacity, hours, line or whether it is open has it alone, and counts that in shared
//! memory when the transaction has committed and before others have their turn. Who has a turn and finds the
//! same count as when the row was read need not read it again: for a hold on a calendar with one place, a
//! tenth of its cost.
#![allow(unsafe_code)]

use crate::rules::Micros;
use crate::server::backend::{self, is_preloaded};
use crate::server::clock::{self, Timestamp};
use crate::server::hash;
use crate::server::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};
use std::cell::RefCell;
use std::collections::HashMap;

/// Resources that share a counter are read again more often than they must.
const COUNTERS: usize = 4096;

struct Changes([u64; COUNTERS]);

// SAFETY: plain values, no pointer.
unsafe impl PGRXSharedMemory for Changes {}

impl Default for Changes {
    fn default() -> Self {
        Self([0; COUNTERS])
    }
}

// SAFETY: the name is the extension's own.
static CHANGES: PgLwLock<Changes> = unsafe { PgLwLock::new(c"booking definitions") };

std::thread_local! {
    /// The counters of what this transaction has changed.
    static CHANGED_HERE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Reserves the memory, where the library is preloaded. Without it, nothing is remembered.
pub fn register() {
    if is_preloaded() {
        pg_shmem_init!(CHANGES);
        transaction::listen(on_event);
    }
}

/// Under which count of which table a row was read: the extension may be dropped and created again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    table: pg_sys::Oid,
    count: u64,
}

/// The edition of a resource, to be looked up behind a turn and before the row is read. None where nothing can be
/// remembered: there is no shared memory, or this transaction has changed resources itself and may yet be rolled
/// back.
pub fn generation(resource: &str) -> Option<Generation> {
    if !is_preloaded() || !CHANGED_HERE.with_borrow(Vec::is_empty) {
        return None;
    }
    let count = CHANGES.share().0[hash::bucket(resource, COUNTERS)];
    Some(Generation { table: backend::table(c"resources").id, count })
}

/// Notes that this transaction has changed a resource otherwise than by holds.
pub fn changed(resource: &str) {
    if !is_preloaded() {
        return;
    }
    CHANGED_HERE.with_borrow_mut(|changed| changed.push(hash::bucket(resource, COUNTERS)));
}

/// Notes that resources were changed by other means than the extension's, whichever.
pub fn all_changed() {
    if is_preloaded() {
        CHANGED_HERE.with_borrow_mut(|changed| changed.extend(0..COUNTERS));
    }
}

fn on_event(event: TransactionEvent) {
    let TransactionEvent::Ended { committed } = event else { return };
    let changed = CHANGED_HERE.take();
    if changed.is_empty() || !committed {
        return;
    }
    let mut counters = CHANGES.exclusive();
    for counter in changed {
        counters.0[counter] = counters.0[counter].wrapping_add(1);
    }
}

/// How long most of what is read is believed, but for its edition.
pub const LIFETIME: Micros = 1_000_000;

/// What a backend remembers of resources, by their names: each for as long as its edition lasts, and at the most for
/// the lifetime that it is given, after which what was changed by other means than the extension's is noticed.
pub struct Cache<T> {
    /// Of how many, before all are forgotten.
    most: usize,
    all: RefCell<HashMap<String, Cached<T>>>,
}

struct Cached<T> {
    value: T,
    generation: Generation,
    until: Timestamp,
}

impl<T: Clone> Cache<T> {
    pub fn new(most: usize) -> Self {
        Self { most, all: RefCell::default() }
    }

    /// What is remembered, or else what is read now and for how long that may be believed. The caller has a turn at
    /// the resource, so it stays so.
    pub fn get_or_load(&self, name: &str, read: impl FnOnce() -> Option<(T, Micros)>) -> Option<T> {
        // Before the row is read.
        let (generation, now) = (generation(name), clock::now());
        let is_current = |seen: &&Cached<T>| Some(seen.generation) == generation && now < seen.until;
        let seen = self.all.borrow().get(name).filter(is_current).map(|seen| seen.value.clone());
        if seen.is_some() {
            return seen;
        }
        let (value, lifetime) = read()?;
        if let Some(generation) = generation {
            let mut all = self.all.borrow_mut();
            if all.len() >= self.most {
                all.clear();
            }
            let until = now.after(lifetime);
            all.insert(name.to_owned(), Cached { value: value.clone(), generation, until });
        }
        Some(value)
    }
}
