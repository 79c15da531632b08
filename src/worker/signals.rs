//! How the worker's processes handle signals, sleep and reload settings.
#![allow(unsafe_code)]

use crate::server::versions;
use pgrx::bgworkers::{BackgroundWorker, SignalWakeFlags};
use pgrx::pg_sys;
use std::time::Duration;

const SIGTERM: i32 = pg_sys::SIGTERM as i32;

// SAFETY: the server exports this function with this type.
unsafe extern "C-unwind" {
    /// The server's own handler of SIGTERM. It is declared here because a handler must be the C function itself,
    /// and pgrx exports a Rust function around it.
    fn die(signal: i32);
}

/// Installs the signal handlers. SIGTERM ends the process at its next interrupt check, also while it waits for a
/// lock, as in any backend; pgrx's own handler would only set a flag. SIGHUP sets a flag that [`reload_settings`]
/// reads.
pub fn attach() {
    // SAFETY: the handler is the server's own, and is installed before signals are unblocked.
    unsafe { versions::set_signal_handler(SIGTERM, die) };
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP);
}

/// Sleeps until the time is up or a signal arrives. Then handles SIGTERM, a reload, and the barriers that DROP
/// DATABASE waits for in every process of the server.
pub fn sleep(time: Duration) {
    let wake = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    // SAFETY: the latch belongs to this process.
    unsafe {
        pg_sys::WaitLatch(pg_sys::MyLatch, wake as i32, millis, pg_sys::PG_WAIT_EXTENSION);
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
    pgrx::check_for_interrupts!();
    reload_settings();
}

/// Reads the configuration again if the server was asked to reload it.
pub fn reload_settings() {
    // SAFETY: the signal handler sets the flag; resetting it and reading the file is what the server's own
    // processes do.
    unsafe {
        if (&raw const pg_sys::ConfigReloadPending).read_volatile() != 0 {
            (&raw mut pg_sys::ConfigReloadPending).write_volatile(0);
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
        }
    }
}
