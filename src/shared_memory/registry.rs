//! What the launcher needs to know of each database, in shared memory: when its next hold expires, and how its
//! last sweep went.
//!
//! This is a cache and may be wrong. The launcher sweeps every database once a minute, also one that is missing
//! here because the registry is full or the server has just started. A time that is too early costs a sweep that
//! finds nothing.
#![allow(unsafe_code)]

use crate::server::backend::{is_preloaded, this_database};
use crate::server::clock::Timestamp;
use crate::server::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init, pg_sys};
use std::cell::Cell;
use uuid::Uuid;

/// The most databases in the registry.
const MAX_DATABASES: usize = 256;
/// How much of an error's text is kept, in bytes.
const ERROR_BYTES: usize = 512;

/// The time of the next sweep if no hold is known to expire.
pub const NEVER: i64 = i64::MAX;

/// What the registry keeps of one database.
#[derive(Clone, Copy)]
pub struct DatabaseEntry {
    pub database: pg_sys::Oid,
    /// When to sweep it next. This and all other times are in microseconds, as in a `timestamptz`.
    pub due: i64,
    /// Whether the last sweeper that was started has come to its end.
    pub finished: bool,
    pub last_sweep: Option<i64>,
    /// How many holds the last sweep ended.
    pub last_expired: i64,
    /// How many holds all sweeps ended since the server started.
    pub total_expired: i64,
    pub last_error_at: Option<i64>,
    /// Whether the last sweep passed over something that failed.
    pub is_failing: bool,
    /// Where the purge goes on: the time and the id of the last hold that it has seen.
    purge_time: i64,
    purge_id: [u8; 16],
    /// Whether the last purge could not delete everything, and whether the one under way could not so far.
    pub purge_fails: bool,
    pub purge_passed_over: bool,
    /// When the next purge begins.
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
            purge_passed_over: false,
            purge_again: i64::MIN,
            error: [0; ERROR_BYTES],
            error_length: 0,
        }
    }

    /// Returns the text of the last error. Returns `None` if there was no error.
    pub fn last_error(&self) -> Option<String> {
        self.last_error_at.map(|_| String::from_utf8_lossy(&self.error[..self.error_length]).into_owned())
    }

    /// Returns where the purge goes on.
    pub fn purge_position(&self) -> (Timestamp, Uuid) {
        (Timestamp::from_micros(self.purge_time), Uuid::from_bytes(self.purge_id))
    }

    pub fn set_purge_position(&mut self, (time, id): (Timestamp, Uuid)) {
        self.purge_time = time.micros();
        self.purge_id = *id.as_bytes();
    }

    /// Keeps an error, its text cut to [`ERROR_BYTES`].
    pub fn set_error(&mut self, message: &str, at: i64) {
        let length = message.floor_char_boundary(ERROR_BYTES);
        self.error[..length].copy_from_slice(&message.as_bytes()[..length]);
        self.error_length = length;
        self.last_error_at = Some(at);
    }
}

/// The databases, and the launcher.
pub struct Registry {
    /// The process id of the launcher. 0: it has never started.
    launcher: i32,
    /// How many of the entries are in use.
    count: usize,
    entries: [DatabaseEntry; MAX_DATABASES],
}

// SAFETY: the registry holds plain values without pointers.
unsafe impl PGRXSharedMemory for Registry {}

// Shared memory is never dropped, so nothing in it may own anything.
const _: () = assert!(!std::mem::needs_drop::<Registry>());

impl Default for Registry {
    fn default() -> Self {
        Self { launcher: 0, count: 0, entries: [DatabaseEntry::of(pg_sys::InvalidOid); MAX_DATABASES] }
    }
}

impl Registry {
    fn find(&self, database: pg_sys::Oid) -> Option<&DatabaseEntry> {
        self.entries[..self.count].iter().find(|entry| entry.database == database)
    }

    /// Returns the entry of a database, and adds one if it has none. Returns `None` if the registry is full.
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

// SAFETY: no other lock has this name.
static REGISTRY: PgLwLock<Registry> = unsafe { PgLwLock::new(c"booking") };

/// Reserves the memory. The caller calls this only while the library is being preloaded.
pub fn reserve() {
    pg_shmem_init!(REGISTRY);
    transaction::listen(on_event);
}

std::thread_local! {
    /// The earliest expiry among the holds that this transaction has placed.
    static PLACED: Cell<i64> = const { Cell::new(NEVER) };
}

/// Notes, once this transaction has committed, that a hold of this database expires at a time.
///
/// Before the commit the note would get lost: a sweep that ended between the note and the commit would not see the
/// hold, would treat the note as done, and would come again only with the launcher's next discovery.
pub fn expect_expiry(at: Timestamp) {
    if !is_preloaded() {
        return;
    }
    PLACED.set(PLACED.get().min(at.micros()));
}

/// Writes the note of `expect_expiry`. For nearly every hold an earlier time is noted already, so this costs one
/// shared lock.
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

/// Changes the entry of a database. Returns false if the registry is full.
pub fn update(database: pg_sys::Oid, change: impl FnOnce(&mut DatabaseEntry)) -> bool {
    match REGISTRY.exclusive().find_or_add(database) {
        Some(entry) => {
            change(entry);
            true
        }
        None => false,
    }
}

/// Returns the entry of a database. Returns `None` if there is none, or no shared memory.
pub fn read(database: pg_sys::Oid) -> Option<DatabaseEntry> {
    if is_preloaded() { REGISTRY.share().find(database).copied() } else { None }
}

/// Returns whether a sweep of any database is due.
pub fn is_any_due(now: i64) -> bool {
    let registry = REGISTRY.share();
    registry.entries[..registry.count].iter().any(|entry| entry.due <= now)
}

/// Removes the entries of all databases that are not in the list: they were dropped, or take no connections any
/// more.
pub fn retain(databases: &[pg_sys::Oid]) {
    REGISTRY.exclusive().retain(databases);
}

/// Stores the launcher's process id.
pub fn set_launcher(pid: i32) {
    REGISTRY.exclusive().launcher = pid;
}

/// Returns the launcher's process id, or 0 if it has never started.
pub fn launcher() -> i32 {
    if is_preloaded() { REGISTRY.share().launcher } else { 0 }
}
