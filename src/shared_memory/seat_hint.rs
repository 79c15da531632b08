//! How far from the front a plan has no so many free seats side by side any more.
//!
//! A venue that is sold from the front leaves single seats there, thousands of them, which a party of
//! two would read through in every call: at 60,000 seats, a tenth of the rate. So each backend
//! remembers where it found the first row that would do. That stays true while seats are only taken.
//! Whoever frees some counts that, in shared memory, when the transaction has committed; and what was
//! remembered under another count is forgotten.
//!
//! A cache, and allowed to be wrong: between the moment at which a release can be seen and the one at
//! which it is counted, a call may look too far behind. Nothing is refused on its word; before that,
//! the plan is read from the front.
#![allow(unsafe_code)]

use crate::rules::Micros;
use crate::server::backend::is_preloaded;
use crate::server::clock::{self, Timestamp};
use crate::server::hash;
use crate::server::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Resources that share a counter forget more often than they must.
const COUNTERS: usize = 4096;
/// How many places a backend remembers.
const MAX_ENTRIES: usize = 256;
/// What was changed by other means than the extension's is noticed after this time.
const LIFETIME: Micros = 10_000_000;

/// How often seats were freed, by a hash of the resource.
struct Freed([u64; COUNTERS]);

// SAFETY: plain values, no pointer.
unsafe impl PGRXSharedMemory for Freed {}

impl Default for Freed {
    fn default() -> Self {
        Self([0; COUNTERS])
    }
}

// SAFETY: the name is the extension's own.
static FREED: PgLwLock<Freed> = unsafe { PgLwLock::new(c"booking frontier") };

/// Reserves the memory, where the library is preloaded. Without it, nothing is remembered.
pub fn register() {
    transaction::listen(on_event);
    if is_preloaded() {
        pg_shmem_init!(FREED);
    }
}

/// What part of a plan was looked at: the resource, the first rank, and for how many.
type Look = (String, i32, usize);

/// From which rank on there are seats, under which count, and when that was seen.
#[derive(Clone, Copy)]
struct Seen {
    rank: i32,
    count: u64,
    at: Timestamp,
}

std::thread_local! {
    static SEEN: RefCell<HashMap<Look, Seen>> = RefCell::new(HashMap::new());
    /// The counters of what this transaction has freed.
    static FREED_HERE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    static TOOK: Cell<bool> = const { Cell::new(false) };
}

/// The count of a resource, to be read before its plan is. None where nothing can be remembered.
pub fn count(resource: &str) -> Option<u64> {
    is_preloaded().then(|| FREED.share().0[hash::bucket(resource, COUNTERS)])
}

/// From which rank on to look.
pub fn first_free_row(resource: &str, from: i32, quantity: usize, count: u64) -> Option<i32> {
    SEEN.with_borrow(|seen| {
        let seen = seen.get(&(resource.to_owned(), from, quantity))?;
        let is_current = seen.count == count && clock::now() < seen.at.after(LIFETIME);
        is_current.then_some(seen.rank)
    })
}

/// Notes that no row before this one would do.
///
/// Not by a transaction that has taken seats already: it sees those as taken, and may yet be rolled
/// back.
pub fn remember(resource: &str, from: i32, quantity: usize, count: u64, rank: i32) {
    if TOOK.get() {
        return;
    }
    SEEN.with_borrow_mut(|seen| {
        if seen.len() >= MAX_ENTRIES {
            seen.clear();
        }
        seen.insert((resource.to_owned(), from, quantity), Seen { rank, count, at: clock::now() });
    });
}

/// Notes that seats of a resource come free with this transaction, or that it gets new ones.
pub fn freed(resource: &str) {
    SEEN.with_borrow_mut(HashMap::clear);
    if !is_preloaded() {
        return;
    }
    FREED_HERE.with_borrow_mut(|freed| freed.push(hash::bucket(resource, COUNTERS)));
}

/// Notes that this transaction has taken seats off the plan.
pub fn took() {
    TOOK.set(true);
}

fn on_event(event: TransactionEvent) {
    let TransactionEvent::Ended { committed } = event else { return };
    TOOK.set(false);
    let freed = FREED_HERE.take();
    if freed.is_empty() || !committed {
        return;
    }
    let mut counters = FREED.exclusive();
    for counter in freed {
        counters.0[counter] = counters.0[counter].wrapping_add(1);
    }
}
