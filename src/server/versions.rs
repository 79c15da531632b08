//! Where PostgreSQL's C interface differs from version to version, each with the reason. No other file asks which version
//! it is built for.
#![allow(unsafe_code)]

use pgrx::pg_sys;

/// Returns the number of the file that a table's rows are in. PostgreSQL 16 renamed the node of a relation to its
/// locator.
///
/// # Safety
/// The relation must be an open one.
pub unsafe fn file_of(relation: pg_sys::Relation) -> u32 {
    // SAFETY: an open relation has a relcache entry.
    unsafe {
        #[cfg(feature = "pg15")]
        let file = (*relation).rd_node.relNode;
        #[cfg(not(feature = "pg15"))]
        let file = (*relation).rd_locator.relNumber;
        file.to_u32()
    }
}

/// Installs a C function as the handler of a signal. PostgreSQL 18 has one such function for the server and another one
/// for clients, and gave the server's the new name.
///
/// # Safety
/// The handler must be one that a signal may interrupt anything with.
pub unsafe fn set_signal_handler(signal: i32, handler: unsafe extern "C-unwind" fn(i32)) {
    // SAFETY: the server's own function.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        pg_sys::pqsignal(signal, Some(handler));
        #[cfg(feature = "pg18")]
        pg_sys::pqsignal_be(signal, Some(handler));
    }
}

/// Begins a scan of an index. PostgreSQL 18 can count what a scan does, which nobody asks for here.
///
/// # Safety
/// The relations must be an open table, and an open index of it.
pub unsafe fn index_beginscan(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    keys: i32,
) -> pg_sys::IndexScanDesc {
    // SAFETY: the caller vouches for the relations.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        let scan = pg_sys::index_beginscan(table, index, snapshot, keys, 0);
        #[cfg(feature = "pg18")]
        let scan = pg_sys::index_beginscan(table, index, snapshot, std::ptr::null_mut(), keys, 0);
        scan
    }
}

/// Writes a new version of a row, and waits for the transactions that have locked it. Returns the result, and whether
/// the new version needs entries in the indexes. PostgreSQL 16 tells apart the indexes that only summarize pages, and
/// a table that has one is not written this way.
///
/// # Safety
/// The relation must be open, and the slot must hold the new version.
pub unsafe fn table_tuple_update(
    table: pg_sys::Relation,
    position: pg_sys::ItemPointer,
    slot: *mut pg_sys::TupleTableSlot,
    command: pg_sys::CommandId,
    snapshot: pg_sys::Snapshot,
) -> (pg_sys::TM_Result::Type, bool) {
    let mut failure = pg_sys::TM_FailureData::default();
    let mut mode = 0;
    #[cfg(feature = "pg15")]
    let (mut indexes, all) = (false, true);
    #[cfg(not(feature = "pg15"))]
    let (mut indexes, all) = (pg_sys::TU_UpdateIndexes::TU_None, pg_sys::TU_UpdateIndexes::TU_All);
    let none = std::ptr::null_mut();
    // SAFETY: the caller vouches for the relation and the slot.
    let result = unsafe {
        pg_sys::table_tuple_update(
            table,
            position,
            slot,
            command,
            snapshot,
            none,
            true,
            &mut failure,
            &mut mode,
            &mut indexes,
        )
    };
    (result, indexes == all)
}
