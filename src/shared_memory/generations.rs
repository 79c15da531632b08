//! Generation counters of resources, so that a backend can cache the rows that it has read.
//!
//! A transaction that changes a resource otherwise than by holds (its capacity, its hours, its line, whether it is
//! open) has the resource lock in exclusive mode. It increments the counter in shared memory when it has
//! committed, before it releases the lock. So a transaction that has the lock and finds the same count as when it
//! read the row need not read the row again. For a hold on a calendar with one place, that saves a tenth of its
//! cost.
#![allow(unsafe_code)]

use super::counters::{self, COUNTERS, Counters};
use crate::rules::Micros;
use crate::server::backend::{self, is_preloaded};
use crate::server::clock::{self, Timestamp};
use crate::server::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PgLwLock, pg_shmem_init};
use std::cell::RefCell;
use std::collections::HashMap;

/// How often resources were changed.
// SAFETY: no other lock has this name.
static CHANGES: PgLwLock<Counters> = unsafe { PgLwLock::new(c"booking definitions") };

std::thread_local! {
    /// The counters of the resources that this transaction has changed.
    static CHANGED_HERE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Reserves the memory, if the library is being preloaded. Without it, nothing is cached.
pub fn register() {
    if is_preloaded() {
        pg_shmem_init!(CHANGES);
        transaction::listen(on_event);
    }
}

/// The count under which a row was read, and the table of resources: the extension may be dropped and created
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    table: pg_sys::Oid,
    count: u64,
}

/// Returns the generation of a resource. The caller has the resource lock and reads the row afterwards. Returns
/// `None` if nothing can be cached: there is no shared memory, or this transaction has changed resources itself
/// and may yet be rolled back.
pub fn generation(resource: &str) -> Option<Generation> {
    if !is_preloaded() || !CHANGED_HERE.with_borrow(Vec::is_empty) {
        return None;
    }
    let count = CHANGES.share().count(resource);
    Some(Generation { table: backend::table(c"resources").id, count })
}

/// Notes that this transaction has changed a resource otherwise than by holds. Its counter rises at the commit.
pub fn changed(resource: &str) {
    if !is_preloaded() {
        return;
    }
    CHANGED_HERE.with_borrow_mut(|changed| changed.push(counters::bucket(resource)));
}

/// Notes that any resource may have been changed by other means than the extension's functions. All counters rise
/// at the commit.
pub fn all_changed() {
    if is_preloaded() {
        CHANGED_HERE.with_borrow_mut(|changed| changed.extend(0..COUNTERS));
    }
}

fn on_event(event: TransactionEvent) {
    let TransactionEvent::Ended { committed } = event else { return };
    let changed = CHANGED_HERE.take();
    if committed {
        counters::increment(&CHANGES, changed);
    }
}

/// The usual lifetime of a cached value. A change by other means than the extension's functions is noticed after
/// this time.
pub const LIFETIME: Micros = 1_000_000;

/// A backend's cache of what it has read of resources, by their names. A value is valid while the resource's
/// generation stays the same, and at most for its lifetime.
pub struct Cache<T> {
    /// The most values. One more, and the cache is cleared first.
    max_entries: usize,
    all: RefCell<HashMap<String, Cached<T>>>,
}

struct Cached<T> {
    value: T,
    generation: Generation,
    until: Timestamp,
}

impl<T: Clone> Cache<T> {
    /// Makes an empty cache for at most so many values.
    pub fn new(max_entries: usize) -> Self {
        Self { max_entries, all: RefCell::default() }
    }

    /// Returns the cached value of a resource, or else what `read` returns: a value and its lifetime. Returns
    /// `None` if `read` does. The caller has the resource lock, so the value stays valid until the lock is
    /// released.
    pub fn get_or_load(&self, name: &str, read: impl FnOnce() -> Option<(T, Micros)>) -> Option<T> {
        // Read before the row: a change in between must make the cached value invalid.
        let (generation, now) = (generation(name), clock::now());
        let is_current = |seen: &&Cached<T>| Some(seen.generation) == generation && now < seen.until;
        let seen = self.all.borrow().get(name).filter(is_current).map(|seen| seen.value.clone());
        if seen.is_some() {
            return seen;
        }
        let (value, lifetime) = read()?;
        if let Some(generation) = generation {
            let mut all = self.all.borrow_mut();
            if all.len() >= self.max_entries {
                all.clear();
            }
            let until = now.after(lifetime);
            all.insert(name.to_owned(), Cached { value: value.clone(), generation, until });
        }
        Some(value)
    }
}
