//! The launcher: a process without a database that starts a sweeper for each database in which something is due.
#![allow(unsafe_code)]

use super::{signals, sweeper};
use crate::server::{clock, settings};
use crate::shared_memory::registry;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder};
use pgrx::prelude::*;
use std::ffi::CStr;
use std::time::{Duration, Instant};

/// The time after which the server restarts a launcher that died.
const RESTART_AFTER: Duration = Duration::from_secs(1);
/// The time after which the launcher sweeps every database, also those in which it knows of nothing due. A
/// database that was restored, or created from a template, has holds that no call has entered in the registry.
const DISCOVERY: Duration = Duration::from_secs(60);

/// Registers the launcher with the server, which starts it when recovery ends: not on a standby, and at once when
/// the standby is promoted. Registers nothing during pg_upgrade, which wants no writes.
pub fn register() {
    // SAFETY: the server sets the flag from its command line, and never changes it.
    if unsafe { pg_sys::IsBinaryUpgrade } {
        return;
    }
    BackgroundWorkerBuilder::new("booking launcher")
        .set_library("booking")
        .set_function("booking_launcher_main")
        .enable_spi_access()
        .set_restart_time(Some(RESTART_AFTER))
        .load();
}

/// Runs the launcher: the entry point of its process.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn booking_launcher_main(_argument: pg_sys::Datum) {
    signals::attach();
    // Without a database, the launcher can read the shared catalogs and is in nobody's way who drops a database.
    BackgroundWorker::connect_worker_to_spi(None, None);
    // SAFETY: the server sets it when the process starts.
    registry::set_launcher(unsafe { pg_sys::MyProcPid });
    let mut discovered: Option<Instant> = None;
    loop {
        if settings::worker() {
            let discover = discovered.is_none_or(|at| at.elapsed() >= DISCOVERY);
            if discover {
                discovered = Some(Instant::now());
            }
            sweep_what_is_due(discover);
        }
        signals::sleep(settings::sweep_interval());
    }
}

/// Runs one sweeper after the other, so that one of the server's worker slots is enough for any number of
/// databases.
fn sweep_what_is_due(discover: bool) {
    let now = clock::now().micros();
    let due = |database| registry::read(database).is_some_and(|entry| entry.due <= now);
    if !discover && !registry::is_any_due(now) {
        return;
    }
    let databases = databases();
    registry::retain(&databases.iter().map(|(oid, _)| *oid).collect::<Vec<_>>());
    for (database, name) in databases {
        if settings::sweeps(&name) && (discover || due(database)) {
            sweeper::run(database);
            signals::reload_settings();
            if !settings::worker() {
                return;
            }
        }
    }
}

/// Returns the databases that allow connections and are not templates.
fn databases() -> Vec<(pg_sys::Oid, String)> {
    let mut databases = Vec::new();
    // SAFETY: the scan of a shared catalog runs in a transaction of its own, as in the server's autovacuum
    // launcher. Names are copied before the scan ends.
    unsafe {
        pg_sys::StartTransactionCommand();
        // The catalog scan takes its own snapshot, but reading a toasted column needs an active one.
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        let catalog = pg_sys::table_open(pg_sys::DatabaseRelationId, pg_sys::AccessShareLock as i32);
        let scan = pg_sys::table_beginscan_catalog(catalog, 0, std::ptr::null_mut());
        loop {
            let tuple = pg_sys::heap_getnext(scan, pg_sys::ScanDirection::ForwardScanDirection);
            if tuple.is_null() {
                break;
            }
            let row = pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_database>(tuple);
            if (*row).datallowconn && !(*row).datistemplate {
                let name = CStr::from_ptr((*row).datname.data.as_ptr());
                databases.push(((*row).oid, name.to_string_lossy().into_owned()));
            }
        }
        pg_sys::table_endscan(scan);
        pg_sys::table_close(catalog, pg_sys::AccessShareLock as i32);
        pg_sys::PopActiveSnapshot();
        pg_sys::CommitTransactionCommand();
    }
    databases
}
