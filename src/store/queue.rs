//! The queue before a resource.
//!
//! A row that many want collapses under its own waiters: each wakes, re-reads the row, finds it
//! changed and fights for it again, and at 32 clients a conditional UPDATE falls to a third of its
//! rate with one. A heavyweight lock hands itself to one waiter after the other, first come, first
//! served, so that who reaches the row finds it free. The row stays what correctness rests on:
//! this lock may be missing (on another node, say) and nothing is oversold.
#![allow(unsafe_code)]

use super::attempt::until_lock_timeout;
use super::{Busy, Patience};
use pgrx::pg_sys;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Waits for its turn at a resource, and keeps it until the transaction ends.
///
/// The lock is an "object" lock on the table of resources with a hash of the name in place of the
/// object's id: no user's advisory lock can meet it, and `pg_locks` shows it under the table's oid.
/// Two names with one hash share a turn, which costs them speed alone.
pub fn line_up(resource: &str, patience: Patience) -> Result<(), Busy> {
    let tag = tag(resource);
    if acquire(&tag, true) {
        return Ok(());
    }
    match patience {
        Patience::NoWait => Err(Busy),
        Patience::Wait => until_lock_timeout(|| {
            acquire(&tag, false);
        }),
    }
}

fn acquire(tag: &pg_sys::LOCKTAG, or_leave: bool) -> bool {
    // SAFETY: a complete tag; raises an error on deadlock, time-out and cancellation.
    let result = unsafe { pg_sys::LockAcquire(tag, pg_sys::ExclusiveLock as i32, false, or_leave) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

fn tag(resource: &str) -> pg_sys::LOCKTAG {
    let mut hasher = DefaultHasher::new();
    resource.hash(&mut hasher);
    let hash = hasher.finish();
    // SAFETY: reads the backend's database and looks two names up in the system caches.
    let (database, table) = unsafe {
        let schema = pg_sys::get_namespace_oid(c"booking".as_ptr(), false);
        (pg_sys::MyDatabaseId, pg_sys::get_relname_relid(c"resources".as_ptr(), schema))
    };
    pg_sys::LOCKTAG {
        locktag_field1: database.to_u32(),
        locktag_field2: table.to_u32(),
        locktag_field3: hash as u32,
        locktag_field4: (hash >> 32) as u16,
        locktag_type: pg_sys::LockTagType::LOCKTAG_OBJECT as u8,
        locktag_lockmethodid: pg_sys::DEFAULT_LOCKMETHOD as u8,
    }
}
