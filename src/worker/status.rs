//! What `booking.worker_status` shows.

use crate::server::{backend, settings};
use crate::shared_memory::registry::{self, DatabaseEntry};

/// The worker as this database sees it.
pub struct Status {
    /// `running`, `failing` (the last sweep passed over something: see the error), `off` (by `booking.worker`, or
    /// because `booking.databases` leaves this database out), `standby` (it waits for the promotion), `starting`, or
    /// `absent` (the library is not in shared_preload_libraries).
    pub state: &'static str,
    pub entry: Option<DatabaseEntry>,
}

pub fn status() -> Status {
    let entry = registry::read(backend::this_database());
    let state = if !backend::is_preloaded() {
        "absent"
    } else if in_recovery() {
        "standby"
    } else if !settings::worker() || !settings::sweeps(&backend::name_of_this_database()) {
        "off"
    } else if registry::launcher() == 0 {
        "starting"
    } else if entry.is_some_and(|entry| entry.is_failing) {
        "failing"
    } else {
        "running"
    };
    Status { state, entry }
}

#[allow(unsafe_code)]
fn in_recovery() -> bool {
    // SAFETY: reads the server's state.
    unsafe { pgrx::pg_sys::RecoveryInProgress() }
}
