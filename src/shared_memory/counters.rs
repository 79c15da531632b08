//! Counters in shared memory, one for each hash of a resource's name. A backend remembers a count beside what
//! it has read, and notices by it that something changed since.
#![allow(unsafe_code)]

use crate::server::hash;
use pgrx::{PGRXSharedMemory, PgLwLock};

/// The number of counters. Resources that share a counter are read again more often than they must.
pub const COUNTERS: usize = 4096;

/// The counters: how often something happened, by the bucket of a resource.
pub struct Counters([u64; COUNTERS]);

// SAFETY: the counters are plain values without pointers.
unsafe impl PGRXSharedMemory for Counters {}

// Shared memory is never dropped, so nothing in it may own anything.
const _: () = assert!(!std::mem::needs_drop::<Counters>());

impl Default for Counters {
    fn default() -> Self {
        Self([0; COUNTERS])
    }
}

impl Counters {
    /// Sets the count of a resource.
    pub fn set(&mut self, resource: &str, count: u64) {
        self.0[bucket(resource)] = count;
    }

    /// Returns the count of a resource.
    pub fn count(&self, resource: &str) -> u64 {
        self.0[bucket(resource)]
    }
}

/// Returns which counter belongs to a resource.
pub fn bucket(resource: &str) -> usize {
    hash::bucket(resource, COUNTERS)
}

/// Increments the counters that a transaction has noted, once it has committed.
pub fn increment(counters: &PgLwLock<Counters>, noted: Vec<usize>) {
    if noted.is_empty() {
        return;
    }
    let mut counters = counters.exclusive();
    for bucket in noted {
        counters.0[bucket] = counters.0[bucket].wrapping_add(1);
    }
}
