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
