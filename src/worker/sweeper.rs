//! A sweeper: connects to one database, ends what is overdue, notes when to come again, and goes.
#![allow(unsafe_code)]

use super::signals;
use crate::server::{clock, settings};
use crate::shared_memory::registry::{self, NEVER};
use crate::verbs;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder};
use pgrx::prelude::*;
use std::ffi::CStr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// The longest a sweeper stays connected: a backlog is taken up again at the next tick, and CREATE
/// DATABASE with this one as its template, which waits five seconds for a moment without
/// connections, finds one.
const SHIFT: Duration = Duration::from_secs(2);

/// How long after a sweeper was ended before its time another one is started.
const AFTER_ENDED: i64 = 1_000_000;
/// The same after one that failed: a lasting error must not fill the log.
const AFTER_ERROR: i64 = 10_000_000;

/// Starts a sweeper for a database and waits for its end.
pub fn run(database: pg_sys::Oid) {
    // Before its first look: what commits from here on is noted again by itself.
    registry::update(database, |entry| {
        entry.due = NEVER;
        entry.finished = false;
    });
    let started = BackgroundWorkerBuilder::new("booking sweeper")
        .set_library("booking")
        .set_function("booking_sweeper_main")
        .enable_spi_access()
        .set_argument(database.into_datum())
        // SAFETY: set when the process started.
        .set_notify_pid(unsafe { pg_sys::MyProcPid })
        .load_dynamic();
    match started {
        Ok(sweeper) => drop(sweeper.wait_for_shutdown()),
        Err(_) => note_failure(database, "no worker process was free: raise max_worker_processes"),
    }
    // Ended by somebody before it could say when to come again.
    let again = clock::now().after(AFTER_ENDED).micros();
    registry::update(database, |entry| {
        if !entry.finished {
            entry.due = entry.due.min(again);
        }
    });
}

fn note_failure(database: pg_sys::Oid, message: &str) {
    let now = clock::now();
    registry::update(database, |entry| {
        entry.set_error(message, now.micros());
        entry.due = entry.due.min(now.after(AFTER_ERROR).micros());
        entry.finished = true;
    });
}

/// Where a sweeper's process begins.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn booking_sweeper_main(argument: pg_sys::Datum) {
    signals::attach();
    let database = pg_sys::Oid::from(argument.value() as u32);
    BackgroundWorker::connect_worker_to_spi_by_oid(Some(database), None);
    settle_in();
    PgTryBuilder::new(AssertUnwindSafe(|| sweep(database)))
        .catch_others(|error| {
            note_error(database, &error);
            error.rethrow()
        })
        .execute();
}

fn note_error(database: pg_sys::Oid, error: &pg_sys::panic::CaughtError) {
    use pg_sys::panic::CaughtError::{ErrorReport, PostgresError, RustPanic};
    let (PostgresError(report) | ErrorReport(report) | RustPanic { ereport: report, .. }) = error;
    note_failure(database, report.message());
}

/// Settings that a database or a role may have changed and a sweep must not depend on.
fn settle_in() {
    for (name, value) in [
        (c"search_path", c"pg_catalog, pg_temp"),
        // Whatever has the lock, a sweep can come again: it must never keep DROP DATABASE waiting,
        // which gives up after five seconds.
        (c"lock_timeout", c"1s"),
        (c"statement_timeout", c"0"),
        (c"default_transaction_isolation", c"read committed"),
        (c"default_transaction_read_only", c"off"),
        (c"default_transaction_deferrable", c"off"),
        // A sweep that a crash takes back is done again.
        (c"synchronous_commit", c"off"),
    ] {
        set(name, value);
    }
}

fn set(name: &CStr, value: &CStr) {
    // SAFETY: two strings that end in NUL; the value is checked by the server.
    unsafe {
        pg_sys::SetConfigOption(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_SUSET,
            pg_sys::GucSource::PGC_S_OVERRIDE,
        );
    }
}

fn sweep(database: pg_sys::Oid) {
    let begun = Instant::now();
    if in_transaction(c"looking for the extension", || ()).is_none() {
        registry::update(database, |entry| entry.finished = true);
        return;
    }
    let mut expired = 0;
    let mut in_time = || {
        signals::reload_settings();
        begun.elapsed() < SHIFT && settings::worker()
    };
    let batch = settings::sweep_batch();
    while in_time() {
        let sweep = || verbs::expire(batch, verbs::Sweep::ByWorker).unwrap_or_else(|error| error.raise());
        let ended = in_transaction(c"ending overdue holds", sweep).unwrap_or(0);
        expired += ended;
        if ended < batch {
            break;
        }
    }
    expired += sweep_busy(batch, &mut in_time);
    while in_time() {
        let purged =
            in_transaction(c"purging old holds", || verbs::purge(settings::retention(), batch)).unwrap_or(0);
        if purged < batch {
            break;
        }
    }
    let next = in_transaction(c"looking for the next expiry", verbs::next_expiry).flatten();
    let now = clock::now().micros();
    registry::update(database, |entry| {
        entry.due = next.map_or(entry.due, |next| entry.due.min(next.micros()));
        entry.finished = true;
        entry.last_sweep = Some(now);
        entry.last_expired = expired;
        entry.total_expired += expired;
    });
}

/// Ends the overdue holds of resources that were locked when they were passed over: a hot one
/// always is. For each its turn is waited for like everybody does, in a transaction of its own,
/// so that no lock is held while the next is waited for.
fn sweep_busy(batch: i64, in_time: &mut impl FnMut() -> bool) -> i64 {
    let passed_over =
        in_transaction(c"looking for busy resources", || verbs::overdue_resources(batch)).unwrap_or_default();
    let mut expired = 0;
    for resource in passed_over {
        if !in_time() {
            break;
        }
        let ended = in_transaction(c"ending overdue holds in turn", || {
            // The resource may be gone by now, and its holds with it.
            verbs::expire_on(&resource, batch, verbs::Sweep::ByWorker).unwrap_or(0)
        });
        expired += ended.unwrap_or(0);
    }
    expired
}

/// Runs something in a transaction, as the owner of the tables and in a restricted context: nothing
/// that a user can define runs with the rights of the superuser that every worker starts as. None
/// where this database does not have the extension, or has it no more.
fn in_transaction<T>(activity: &'static CStr, work: impl FnOnce() -> T) -> Option<T> {
    // SAFETY: the frame of a transaction as in the server's own workers. An error ends the
    // process, and with it the transaction.
    unsafe {
        pg_sys::SetCurrentStatementStartTimestamp();
        pg_sys::StartTransactionCommand();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, activity.as_ptr());
        let result = owner().map(|owner| {
            let (mut user, mut context) = (pg_sys::InvalidOid, 0);
            pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
            let restricted = pg_sys::SECURITY_RESTRICTED_OPERATION | pg_sys::SECURITY_LOCAL_USERID_CHANGE;
            pg_sys::SetUserIdAndSecContext(owner, restricted as i32);
            let result = work();
            pg_sys::SetUserIdAndSecContext(user, context);
            result
        });
        pg_sys::PopActiveSnapshot();
        pg_sys::CommitTransactionCommand();
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_IDLE, std::ptr::null());
        result
    }
}

/// The owner of the extension's table of holds, where the extension is installed: a schema and a
/// table of these names that somebody else made do not count.
fn owner() -> Option<pg_sys::Oid> {
    // SAFETY: look-ups in the catalogs, inside a transaction.
    unsafe {
        let extension = pg_sys::get_extension_oid(c"booking".as_ptr(), true);
        let schema = pg_sys::get_namespace_oid(c"booking".as_ptr(), true);
        if extension == pg_sys::InvalidOid || schema == pg_sys::InvalidOid {
            return None;
        }
        // What DROP EXTENSION locks first, too. Else it would have one of the tables and wait for
        // another, which this transaction has, and be the one to end in a deadlock.
        pg_sys::LockDatabaseObject(
            pg_sys::ExtensionRelationId,
            extension,
            0,
            pg_sys::AccessShareLock as pg_sys::LOCKMODE,
        );
        if pg_sys::get_extension_oid(c"booking".as_ptr(), true) != extension {
            return None;
        }
        let table = pg_sys::get_relname_relid(c"holds".as_ptr(), schema);
        let class = pg_sys::RelationRelationId;
        if table == pg_sys::InvalidOid || pg_sys::getExtensionOfObject(class, table) != extension {
            return None;
        }
        let row =
            pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as i32, pg_sys::Datum::from(table));
        if row.is_null() {
            return None;
        }
        let owner = (*pg_sys::heap_tuple_get_struct::<pg_sys::FormData_pg_class>(row)).relowner;
        pg_sys::ReleaseSysCache(row);
        Some(owner)
    }
}
