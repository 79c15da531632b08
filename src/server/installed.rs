//! Whether the library and the extension that this database has are of one version.
//!
//! A package brings a new library, and `alter extension booking update` the functions and tables for it. Between the
//! two, or after a step back, a library would run statements on tables that it does not know.
#![allow(unsafe_code)]

use crate::error::Error;
use pgrx::prelude::*;
use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::num::NonZeroUsize;

/// The version of the library.
pub const LIBRARY_VERSION: &str = env!("CARGO_PKG_VERSION");

std::thread_local! {
    /// How often this process was told that a function of its database has changed.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    /// The value of `CHANGES` before the look that found the versions to be the same.
    static CHECKED_AT: Cell<Option<u64>> = const { Cell::new(None) };
    static WATCHES: Cell<bool> = const { Cell::new(false) };
}

/// Raises 55000 unless the extension in this database has the version of the library. Looks only once, and again after
/// a function was created or replaced: every upgrade script begins with that.
pub fn check() {
    let changes = CHANGES.get();
    if CHECKED_AT.get() == Some(changes) {
        return;
    }
    watch();
    if let Some(version) = version_in_database()
        && version != LIBRARY_VERSION
    {
        Error::other_version(&version, LIBRARY_VERSION).raise();
    }
    // What changed during the look is looked at in the next call.
    CHECKED_AT.set(Some(changes));
}

/// Returns the version of the extension in this database, or `None` if it was dropped.
fn version_in_database() -> Option<String> {
    // SAFETY: an index scan of a catalog, as the server's own get_extension_oid does it. The row is read before the
    // scan ends, and a catalog's row has every column that its header declares.
    unsafe {
        let mut key = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyInit(
            &mut key,
            pg_sys::Anum_pg_extension_extname as pg_sys::AttrNumber,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::Oid::from(pg_sys::F_NAMEEQ),
            pg_sys::Datum::from(c"booking".as_ptr()),
        );
        let catalog = pg_sys::table_open(pg_sys::ExtensionRelationId, pg_sys::AccessShareLock as i32);
        let scan = pg_sys::systable_beginscan(
            catalog,
            pg_sys::ExtensionNameIndexId.into(),
            true,
            std::ptr::null_mut(),
            1,
            &mut key,
        );
        let row = pg_sys::systable_getnext(scan);
        let mut version = None;
        if !row.is_null() {
            let column = NonZeroUsize::new(pg_sys::Anum_pg_extension_extversion as usize);
            let datum =
                column.and_then(|column| pgrx::htup::heap_getattr_raw(row, column, (*catalog).rd_att));
            version = datum.map(|datum| {
                let text = pg_sys::text_to_cstring(datum.cast_mut_ptr());
                CStr::from_ptr(text).to_string_lossy().into_owned()
            });
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(catalog, pg_sys::AccessShareLock as i32);
        version
    }
}

/// Registers `count_change` for changes of functions, once in each process.
fn watch() {
    if !WATCHES.replace(true) {
        // SAFETY: a backend registers the callback once, and it lives as long as the backend.
        unsafe {
            pg_sys::CacheRegisterSyscacheCallback(
                pg_sys::SysCacheIdentifier::PROCOID as c_int,
                Some(count_change),
                pg_sys::Datum::null(),
            );
        }
    }
}

/// Counts a change of a function.
///
/// # Safety
/// Only the server calls it.
#[pg_guard]
unsafe extern "C-unwind" fn count_change(_argument: pg_sys::Datum, _cache: c_int, _hash: u32) {
    CHANGES.set(CHANGES.get() + 1);
}
