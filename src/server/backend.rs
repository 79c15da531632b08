//! What a process of the server knows of itself: its database, whether the library was preloaded, and
//! when its transactions end.
#![allow(unsafe_code)]

use pgrx::prelude::*;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

static PRELOADED: AtomicBool = AtomicBool::new(false);

/// Notes whether the library is being preloaded, the only time at which shared memory can be reserved.
pub fn register() {
    // SAFETY: a flag of the postmaster's that is set while it loads its libraries.
    let preloads = unsafe { pg_sys::process_shared_preload_libraries_in_progress };
    // Inherited by every process that the postmaster forks.
    PRELOADED.store(preloads, Ordering::Relaxed);
}

/// Whether the library was preloaded, so that there is shared memory and can be a worker.
pub fn is_preloaded() -> bool {
    PRELOADED.load(Ordering::Relaxed)
}

pub fn this_database() -> pg_sys::Oid {
    // SAFETY: set once when the backend connects.
    unsafe { pg_sys::MyDatabaseId }
}

/// A table of the extension's, and the file that it is in: another one after a TRUNCATE.
#[derive(Clone, Copy)]
pub struct Table {
    pub id: pg_sys::Oid,
    pub file: u32,
}

std::thread_local! {
    /// The tables that were looked up, until the server tells of a change to any.
    static TABLES: RefCell<Vec<(&'static CStr, Table)>> = const { RefCell::new(Vec::new()) };
    static WATCHES: Cell<bool> = const { Cell::new(false) };
}

/// A table of the extension's, as this transaction knows it. A call looks several up, some of them again and again:
/// in the server's own caches that would be a twentieth of a hold.
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

/// The same once nobody can replace it any more before this transaction is over.
pub fn table_to_write(name: &'static CStr) -> Table {
    // SAFETY: the lock that an INSERT takes. Whoever is granted it has been told of all changes before.
    unsafe { pg_sys::LockRelationOid(table(name).id, pg_sys::RowExclusiveLock as pg_sys::LOCKMODE) };
    table(name)
}

fn look_up(name: &CStr) -> Table {
    // SAFETY: looks names up in the system caches, which raises an error where there is no such schema, and the
    // table in the cache of relations.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"booking".as_ptr(), false);
        let id = pg_sys::get_relname_relid(name.as_ptr(), schema);
        let relation =
            if id == pg_sys::InvalidOid { std::ptr::null_mut() } else { pg_sys::RelationIdGetRelation(id) };
        if relation.is_null() {
            return Table { id: pg_sys::InvalidOid, file: 0 };
        }
        #[cfg(any(feature = "pg13", feature = "pg14", feature = "pg15"))]
        let file = (*relation).rd_node.relNode.to_u32();
        #[cfg(not(any(feature = "pg13", feature = "pg14", feature = "pg15")))]
        let file = (*relation).rd_locator.relNumber.to_u32();
        pg_sys::RelationClose(relation);
        Table { id, file }
    }
}

/// Has the server tell of changes to tables.
fn watch() {
    if !WATCHES.replace(true) {
        // SAFETY: registered once in a backend, for as long as that lives.
        unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(forget), pg_sys::Datum::null()) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn forget(_argument: pg_sys::Datum, changed: pg_sys::Oid) {
    // Some table, or nobody knows which.
    TABLES.with_borrow_mut(|tables| {
        if changed == pg_sys::InvalidOid || tables.iter().any(|(_, table)| table.id == changed) {
            tables.clear();
        }
    });
}
