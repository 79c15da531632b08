//! When a caller last expected a version of a pool, in shared memory: see `store::contention`.
#![allow(unsafe_code)]

use super::counters::Counters;
use crate::rules::Micros;
use crate::server::backend::is_preloaded;
use crate::server::clock;
use pgrx::prelude::*;
use pgrx::{PgLwLock, pg_shmem_init};

/// For how long such a pool stays in its row, in microseconds.
const LIFETIME: Micros = 60_000_000;

/// The times, in microseconds, by the bucket of a resource.
// SAFETY: no other lock has this name.
static EXPECTED: PgLwLock<Counters> = unsafe { PgLwLock::new(c"booking expected versions") };

/// Reserves the memory, if the library is being preloaded.
pub fn register() {
    if is_preloaded() {
        pg_shmem_init!(EXPECTED);
    }
}

/// Notes that a caller expects a version of a pool.
pub fn note(resource: &str) {
    if is_preloaded() {
        EXPECTED.exclusive().set(resource, clock::now().micros().max(0) as u64);
    }
}

/// Returns whether a caller has expected a version of the pool lately.
pub fn is_recent(resource: &str) -> bool {
    is_preloaded() && {
        let noted = EXPECTED.share().count(resource) as i64;
        clock::now().micros() < noted.saturating_add(LIFETIME)
    }
}
