//! The first row, from the front, that may still have `n` adjacent free seats.
//!
//! A venue that is sold from the front leaves thousands of single seats there. A party of two would read through
//! all of them in every call: at 60,000 seats, that leaves a tenth of the rate. So each backend remembers the
//! first row that had enough adjacent seats. The row stays right while seats are only taken. A transaction that
//! frees seats increments a counter in shared memory when it has committed, and every backend ignores what it
//! remembered under an older count.
//!
//! This is a cache and may be wrong: between the moment at which a release is visible and the moment at which it
//! is counted, a call may begin to read too far back. No call refuses because of the hint; before it refuses, it
//! reads the plan from the front.
#![allow(unsafe_code)]

use super::counters::{self, Counters};
use crate::rules::Micros;
use crate::server::backend::is_preloaded;
use crate::server::clock::{self, Timestamp};
use crate::server::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PgLwLock, pg_shmem_init};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// The most rows that a backend remembers.
const MAX_ENTRIES: usize = 256;
/// How long a backend believes a remembered row. A change by other means than the extension's functions is noticed
/// after this time.
const LIFETIME: Micros = 10_000_000;

/// How often seats were freed.
// SAFETY: no other lock has this name.
static FREED: PgLwLock<Counters> = unsafe { PgLwLock::new(c"booking seat hint") };

/// Registers the listener for the ends of transactions, and reserves the memory if the library is being preloaded.
/// Without the memory, nothing is remembered.
pub fn register() {
    transaction::listen(on_event);
    if is_preloaded() {
        pg_shmem_init!(FREED);
    }
}

/// What was searched for: the resource, the rank at which the search began, and the number of adjacent seats.
type SearchKey = (String, i32, usize);

/// The result of a search.
#[derive(Clone, Copy)]
struct Seen {
    /// The first row that had enough adjacent free seats.
    rank: i32,
    /// The resource's count before the plan was read.
    count: u64,
    /// When the plan was read.
    at: Timestamp,
}

std::thread_local! {
    static SEEN: RefCell<HashMap<SearchKey, Seen>> = RefCell::new(HashMap::new());
    /// The counters of the resources whose seats this transaction has freed.
    static FREED_HERE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// Whether this transaction has taken seats.
    static TOOK: Cell<bool> = const { Cell::new(false) };
}

/// Returns the count of a resource. The caller reads it before it reads the plan. Returns `None` without shared
/// memory: then nothing can be remembered.
pub fn count(resource: &str) -> Option<u64> {
    is_preloaded().then(|| FREED.share().count(resource))
}

/// Returns the row at which a search for `quantity` adjacent seats may begin, instead of at `from`. Returns `None`
/// if nothing is remembered, or seats were freed since.
pub fn first_free_row(resource: &str, from: i32, quantity: usize, count: u64) -> Option<i32> {
    SEEN.with_borrow(|seen| {
        let seen = seen.get(&(resource.to_owned(), from, quantity))?;
        let is_current = seen.count == count && clock::now() < seen.at.after(LIFETIME);
        is_current.then_some(seen.rank)
    })
}

/// Remembers that no row before `rank` has enough adjacent free seats.
///
/// A transaction that has taken seats remembers nothing: it sees its own seats as taken, and may yet be rolled
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

/// Notes that this transaction frees seats of a resource or adds seats to it.
pub fn freed(resource: &str) {
    SEEN.with_borrow_mut(HashMap::clear);
    if !is_preloaded() {
        return;
    }
    FREED_HERE.with_borrow_mut(|freed| freed.push(counters::bucket(resource)));
}

/// Notes that this transaction has taken or blocked seats.
pub fn took() {
    TOOK.set(true);
}

fn on_event(event: TransactionEvent) {
    let TransactionEvent::Ended { committed } = event else { return };
    TOOK.set(false);
    let freed = FREED_HERE.take();
    if committed {
        counters::increment(&FREED, freed);
    }
}
