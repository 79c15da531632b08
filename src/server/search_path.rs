//! The search path of the statements that the extension runs.
//!
//! The verbs run with their owner's rights, so no name in their statements may be looked up where a caller can create
//! objects. PostgreSQL would pin the path around a function that is declared with SET, at the price of 10,000
//! instructions for each call: a sixteenth of a hold. Here the first statement of a call pins it, and a call that needs
//! no statement looks no name up.
#![allow(unsafe_code)]

use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::{CStr, c_int};

/// The server's own schema, and the temporary one last, where no function or operator is looked for.
const PATH: &CStr = c"pg_catalog, pg_temp";

/// A search path that is pinned until this value is dropped.
#[derive(Default)]
pub struct PinnedPath(Cell<Option<Level>>);

/// Where the setting was saved.
#[derive(Clone, Copy)]
struct Level {
    nesting: c_int,
    subtransaction: pg_sys::SubTransactionId,
}

impl Level {
    /// Returns whether the setting is still saved there. The end of a subtransaction has restored it already.
    fn is_open(self) -> bool {
        // SAFETY: reads the stack of subtransactions.
        unsafe { pg_sys::SubTransactionIsActive(self.subtransaction) }
    }
}

impl PinnedPath {
    /// Pins the path, unless it is so already. It may not be, although it was pinned before: the end of a
    /// subtransaction restores the settings that were changed in it.
    pub fn pin(&self) {
        // SAFETY: the server keeps the setting as a text that ends with NUL, or null before it is first set.
        let is_pinned = unsafe {
            let path = pg_sys::namespace_search_path;
            !path.is_null() && CStr::from_ptr(path) == PATH
        };
        if is_pinned {
            return;
        }
        // SAFETY: as PostgreSQL does for a function that is declared with SET.
        let level = unsafe {
            let nesting = pg_sys::NewGUCNestLevel();
            pg_sys::set_config_option(
                c"search_path".as_ptr(),
                PATH.as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
            Level { nesting, subtransaction: pg_sys::GetCurrentSubTransactionId() }
        };
        // Restoring an outer level restores those inside of it.
        if !self.0.get().is_some_and(Level::is_open) {
            self.0.set(Some(level));
        }
    }
}

impl Drop for PinnedPath {
    fn drop(&mut self) {
        // An error is unwinding: the end of its transaction or subtransaction restores the setting.
        if std::thread::panicking() {
            return;
        }
        if let Some(level) = self.0.get().filter(|level| level.is_open()) {
            // SAFETY: the level was opened in a transaction or subtransaction that is still open.
            unsafe { pg_sys::AtEOXact_GUC(true, level.nesting) };
        }
    }
}
