//! What the launcher needs to know of each database, in shared memory: when its next hold runs out,
//! and how its last sweep went.
//!
//! A cache, and allowed to be wrong. A database that is not in it, since the table was full or the
//! server has just started, is looked at once a minute; a time that is too early costs a sweep
//! that finds nothing.
#![allow(unsafe_code)]

use crate::server::backend::{is_preloaded, this_database};
use crate::server::clock::Timestamp;
use crate::server::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init, pg_sys};
use std::cell::Cell;
use uuid::Uuid;

/// How many databases are remembered.
const MAX_DATABASES: usize = 256;
/// How much of an error's text is kept.
const ERROR_BYTES: usize = 512;

/// Nothing is known to be due.
pub const NEVER: i64 = i64::MAX;

/// What is remembered of one database.
#[derive(Clone, Copy)]
pub struct DatabaseEntry {
    pub database: pg_sys::Oid,
    /// When to sweep it next, in microseconds as a `timestamptz`.
    pub due: i64,
    /// Whether the last sweeper that was started came to its end.
    pub finished: bool,
    pub last_sweep: Option<i64>,
    pub last_expired: i64,
    pub total_expired: i64,
    pub last_error_at: Option<i64>,
    /// Whether the last sweep passed over something that failed.
    pub is_failing: bool,
    /// Where the purge goes on: the time and the id of the last hold that it has seen.
    purge_time: i64,
    purge_id: [u8; 16],
    /// Whether the last purge could not delete everything, and when the next one begins.
    pub purge_fails: bool,
    pub purge_again: i64,
    error: [u8; ERROR_BYTES],
    error_length: usize,
}

impl DatabaseEntry {
    const fn of(database: pg_sys::Oid) -> Self {
        Self {
            database,
            due: NEVER,
            finished: true,
            last_sweep: None,
            last_expired: 0,
            total_expired: 0,
            last_error_at: None,
            is_failing: false,
            purge_time: i64::MIN,
            purge_id: [0; 16],
            purge_fails: false,
            purge_again: i64::MIN,
            error: [0; ERROR_BYTES],
            error_length: 0,
        }
    }

    pub fn last_error(&self) -> Option<String> {
        self.last_error_at.map(|_| String::from_utf8_lossy(&self.error[..self.error_length]).into_owned())
    }

    pub fn purge_position(&self) -> (Timestamp, Uuid) {
        (Timestamp::from_micros(self.purge_time), Uuid::from_bytes(self.purge_id))
    }

    pub fn set_purge_position(&mut self, (time, id): (Timestamp, Uuid)) {
        self.purge_time = time.micros();
        self.purge_id = *id.as_bytes();
    }

    pub fn set_error(&mut self, message: &str, at: i64) {
        let length = message.floor_char_boundary(ERROR_BYTES);
        self.error[..length].copy_from_slice(&message.as_bytes()[..length]);
        self.error_length = length;
        self.last_error_at = Some(at);
    }
}

/// The table of databases.
pub struct Registry {
    launcher: i32,
    count: usize,
    entries: [DatabaseEntry; MAX_DATABASES],
}

// SAFETY: plain values, no pointer.
unsafe impl PGRXSharedMemory for Registry {}

impl Default for Registry {
    fn default() -> Self {
        Self { launcher: 0, count: 0, entries: [DatabaseEntry::of(pg_sys::InvalidOid); MAX_DATABASES] }
    }
}

impl Registry {
    fn find(&self, database: pg_sys::Oid) -> Option<&DatabaseEntry> {
        self.entries[..self.count].iter().find(|entry| entry.database == database)
    }

    /// The slot of a database, a new one where it has none. None where the table is full.
    fn find_or_add(&mut self, database: pg_sys::Oid) -> Option<&mut DatabaseEntry> {
        if let Some(n) = self.entries[..self.count].iter().position(|entry| entry.database == database) {
            return Some(&mut self.entries[n]);
        }
        if self.count == MAX_DATABASES {
            return None;
        }
        self.count += 1;
        let entry = &mut self.entries[self.count - 1];
        *entry = DatabaseEntry::of(database);
        Some(entry)
    }

    fn retain(&mut self, databases: &[pg_sys::Oid]) {
        let mut kept = 0;
        for n in 0..self.count {
            if databases.contains(&self.entries[n].database) {
                self.entries[kept] = self.entries[n];
                kept += 1;
            }
        }
        self.count = kept;
    }
}

// SAFETY: the name is the extension's own.
static REGISTRY: PgLwLock<Registry> = unsafe { PgLwLock::new(c"booking") };

/// Reserves the memory, where the library is preloaded.
pub fn reserve() {
    pg_shmem_init!(REGISTRY);
    transaction::listen(on_event);
}

std::thread_local! {
    /// The earliest expiry of what this transaction has placed.
    static PLACED: Cell<i64> = const { Cell::new(NEVER) };
}

/// Notes that a hold of this database runs out at a time, once its transaction has committed.
///
/// Not before: a sweep that ends between the note and the commit would not see the hold, take the
/// note for dealt with, and come again only with the next discovery.
pub fn expect_expiry(at: Timestamp) {
    if !is_preloaded() {
        return;
    }
    PLACED.set(PLACED.get().min(at.micros()));
}

/// Costs a shared lock where nothing is to be noted, as for nearly every hold, since those before it
/// run out earlier.
fn on_event(event: TransactionEvent) {
    let TransactionEvent::Ended { committed } = event else { return };
    let at = PLACED.replace(NEVER);
    if at == NEVER || !committed {
        return;
    }
    let database = this_database();
    let known = REGISTRY.share().find(database).is_some_and(|entry| entry.due <= at);
    if !known && let Some(entry) = REGISTRY.exclusive().find_or_add(database) {
        entry.due = entry.due.min(at);
    }
}

/// Changes what is remembered of a database. False where the table is full.
pub fn update(database: pg_sys::Oid, change: impl FnOnce(&mut DatabaseEntry)) -> bool {
    match REGISTRY.exclusive().find_or_add(database) {
        Some(entry) => {
            change(entry);
            true
        }
        None => false,
    }
}

/// What is remembered of a database.
pub fn read(database: pg_sys::Oid) -> Option<DatabaseEntry> {
    if is_preloaded() { REGISTRY.share().find(database).copied() } else { None }
}

/// Whether any database has something due.
pub fn is_any_due(now: i64) -> bool {
    let registry = REGISTRY.share();
    registry.entries[..registry.count].iter().any(|entry| entry.due <= now)
}

/// Forgets databases that are gone.
pub fn retain(databases: &[pg_sys::Oid]) {
    REGISTRY.exclusive().retain(databases);
}

/// Notes which process the launcher is.
pub fn set_launcher(pid: i32) {
    REGISTRY.exclusive().launcher = pid;
}

/// The launcher's process, 0 where it never started.
pub fn launcher() -> i32 {
    if is_preloaded() { REGISTRY.share().launcher } else { 0 }
}
