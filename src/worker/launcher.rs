//! The launcher: connected to no database, it starts a sweeper where something is due.
#![allow(unsafe_code)]

use super::{signals, sweeper};
use crate::server::{clock, settings};
use crate::shared_memory::registry;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder};
use pgrx::prelude::*;
use std::ffi::CStr;
use std::time::{Duration, Instant};

/// How long after the launcher died the server starts it again.
const RESTART_AFTER: Duration = Duration::from_secs(1);
/// How often databases with nothing known to be due are looked at: one that was restored or made
/// from a template came without a call that could have noted its holds.
const DISCOVERY: Duration = Duration::from_secs(60);

/// Registers the launcher with the server, which starts it once recovery is over: never on a
/// standby, and at once when that is promoted. Not during pg_upgrade, which wants no writes.
pub fn register() {
    // SAFETY: a flag of the command line.
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

/// Where the launcher's process begins.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn booking_launcher_main(_argument: pg_sys::Datum) {
    signals::attach();
    // No database: the shared catalogs can be read, and every database can be dropped.
    BackgroundWorker::connect_worker_to_spi(None, None);
    // SAFETY: set when the process started.
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

/// One sweeper after the other, so that however many databases there are, one of the server's
/// worker slots is enough.
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

/// The databases that can be connected to and are no templates.
fn databases() -> Vec<(pg_sys::Oid, String)> {
    let mut databases = Vec::new();
    // SAFETY: a scan of a shared catalog inside a transaction of its own, as the server's
    // autovacuum launcher does it; names are copied out before the tuples go.
    unsafe {
        pg_sys::StartTransactionCommand();
        // The catalog scan takes its own snapshot, but toasted columns want a registered one.
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
