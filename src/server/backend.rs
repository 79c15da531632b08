//! What a process of the server knows of itself: its database, whether the library was preloaded, and which tables
//! the extension has in that database.
#![allow(unsafe_code)]

use super::versions;
use crate::error::Error;
use pgrx::prelude::*;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

static PRELOADED: AtomicBool = AtomicBool::new(false);

/// Notes whether the server is preloading the library. Shared memory can be reserved only then. Raises 55000 if this
/// process has another copy of the library already.
///
/// PostgreSQL tells libraries apart by their paths, and then by their inodes. A file that an upgrade has replaced is
/// the same library to it, and the server goes on with the one that it has preloaded. But if a session finds the
/// library by another path, it loads a second copy. That copy would know nothing of the counts in shared memory, and
/// could sell a place of an escrow pool twice.
pub fn register() {
    // SAFETY: the server keeps the variable for the life of the process, and forked processes inherit it.
    unsafe {
        let copy = pg_sys::find_rendezvous_variable(c"booking library".as_ptr());
        if !(*copy).is_null() {
            Error::second_library().raise();
        }
        *copy = (&raw const PRELOADED).cast_mut().cast();
    }
    // SAFETY: reads a flag that the postmaster sets while it loads its libraries.
    let preloads = unsafe { pg_sys::process_shared_preload_libraries_in_progress };
    // Every process that the postmaster forks inherits the value.
    PRELOADED.store(preloads, Ordering::Relaxed);
}

/// Returns whether the library was preloaded. Shared memory and the worker exist only then.
pub fn is_preloaded() -> bool {
    PRELOADED.load(Ordering::Relaxed)
}

/// Returns the database that this process is connected to.
pub fn this_database() -> pg_sys::Oid {
    // SAFETY: the server sets the value once, when the backend connects.
    unsafe { pg_sys::MyDatabaseId }
}

/// Returns the name of that database.
pub fn name_of_this_database() -> String {
    // SAFETY: the server returns a copy of the name, or null if the database was dropped, which this process prevents.
    unsafe {
        let name = pg_sys::get_database_name(this_database());
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    }
}

/// A table of the extension.
#[derive(Clone, Copy)]
pub struct Table {
    pub id: pg_sys::Oid,
    /// The file that the rows are in. TRUNCATE puts another one in its place.
    pub file: u32,
}

std::thread_local! {
    /// The tables that this process has looked up. The server's invalidation of any of them clears the list.
    static TABLES: RefCell<Vec<(&'static CStr, Table)>> = const { RefCell::new(Vec::new()) };
    static WATCHES: Cell<bool> = const { Cell::new(false) };
}

/// Returns a table of the extension, from a cache of this process. One call needs several tables, some of them
/// many times: without the cache, the lookups in the server's own caches would take a twentieth of the time of a
/// hold.
pub fn table(name: &'static CStr) -> Table {
    let known =
        |tables: &Vec<(&CStr, Table)>| tables.iter().find(|(of, _)| *of == name).map(|(_, table)| *table);
    if let Some(table) = TABLES.with_borrow(known) {
        return table;
    }
    watch();
    let table = look_up(name);
    if table.id != pg_sys::InvalidOid {
        TABLES.with_borrow_mut(|tables| tables.push((name, table)));
    }
    table
}

/// Takes a ROW EXCLUSIVE lock on a table of the extension and returns it. Until this transaction ends, no other
/// transaction can replace the table's file.
pub fn table_to_write(name: &'static CStr) -> Table {
    let id = table(name).id;
    if id != pg_sys::InvalidOid {
        // SAFETY: takes the lock that an INSERT takes. When the server grants it, it first delivers all invalidations
        // of the table to this process, so the lookup below is current.
        unsafe { pg_sys::LockRelationOid(id, pg_sys::RowExclusiveLock as pg_sys::LOCKMODE) };
    }
    table(name)
}

fn look_up(name: &CStr) -> Table {
    // SAFETY: looks the names up in the system caches, which raises an error if the schema does not exist, and the
    // table in the relation cache.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"booking".as_ptr(), false);
        let id = pg_sys::get_relname_relid(name.as_ptr(), schema);
        let relation =
            if id == pg_sys::InvalidOid { std::ptr::null_mut() } else { pg_sys::RelationIdGetRelation(id) };
        if relation.is_null() {
            return Table { id: pg_sys::InvalidOid, file: 0 };
        }
        let file = versions::file_of(relation);
        pg_sys::RelationClose(relation);
        Table { id, file }
    }
}

/// Registers `forget` for invalidations of tables, once in each process.
fn watch() {
    if !WATCHES.replace(true) {
        // SAFETY: a backend registers the callback once, and it lives as long as the backend.
        unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(forget), pg_sys::Datum::null()) };
    }
}

/// Forgets the tables that were looked up, if one of them has changed.
///
/// # Safety
/// Only the server calls it.
#[pg_guard]
unsafe extern "C-unwind" fn forget(_argument: pg_sys::Datum, changed: pg_sys::Oid) {
    // An invalid id stands for every table.
    TABLES.with_borrow_mut(|tables| {
        if changed == pg_sys::InvalidOid || tables.iter().any(|(_, table)| table.id == changed) {
            tables.clear();
        }
    });
}
