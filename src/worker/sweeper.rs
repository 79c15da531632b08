//! A sweeper: connects to one database, ends what is overdue, notes when to come again, and goes.
#![allow(unsafe_code)]

use super::signals;
use crate::server::caught_error::message_of;
use crate::server::clock::{self, Timestamp};
use crate::server::installed;
use crate::server::settings;
use crate::shared_memory::registry::{self, NEVER};
use crate::verbs;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder};
use pgrx::prelude::*;
use std::ffi::CStr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// The longest a sweeper stays connected. The next sweep takes up a backlog. CREATE DATABASE with this one as its
/// template waits five seconds for a moment without connections, and finds one.
const MAX_CONNECTED: Duration = Duration::from_secs(2);

/// How long the launcher waits before it starts another sweeper after one that somebody terminated.
const AFTER_ENDED: i64 = 1_000_000;
/// How long the launcher waits after a sweep that failed, so that a lasting error does not fill the log.
const AFTER_ERROR: i64 = 10_000_000;
/// How long the worker waits after a purge that could not delete everything.
const PURGE_AFTER_ERROR: i64 = 60 * 60 * 1_000_000;

/// Starts a sweeper for a database and waits for its end.
pub fn run(database: pg_sys::Oid) {
    // Before the sweeper's first look: a hold that commits from here on is noted again.
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
    // An administrator may have terminated the sweeper before it noted its next time.
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
        entry.is_failing = true;
        entry.due = entry.due.min(now.after(AFTER_ERROR).micros());
        entry.finished = true;
    });
}

/// Runs a sweeper: the entry point of its process.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn booking_sweeper_main(argument: pg_sys::Datum) {
    signals::attach();
    let database = pg_sys::Oid::from(argument.value() as u32);
    BackgroundWorker::connect_worker_to_spi_by_oid(Some(database), None);
    reset_settings();
    PgTryBuilder::new(AssertUnwindSafe(|| sweep(database)))
        .catch_others(|error| {
            note_failure(database, &message_of(&error));
            error.rethrow()
        })
        .execute();
}

/// Resets settings that a database or a role may have changed.
fn reset_settings() {
    for (name, value) in [
        (c"search_path", c"pg_catalog, pg_temp"),
        // The sweeper gives up a lock after a second: it must not keep DROP DATABASE waiting, which gives up after
        // five.
        (c"lock_timeout", c"1s"),
        (c"statement_timeout", c"0"),
        (c"default_transaction_isolation", c"read committed"),
        (c"default_transaction_read_only", c"off"),
        (c"default_transaction_deferrable", c"off"),
        // The next sweep repeats a sweep that a crash takes back.
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

/// What a sweeper did, and what kept it from doing more.
#[derive(Default)]
struct Report {
    expired: i64,
    /// What PostgreSQL said of the first thing that failed and was passed over.
    failure: Option<String>,
}

impl Report {
    /// Notes that something failed. The rest goes on.
    fn fail(&mut self, what: &str, message: String) {
        pgrx::warning!("booking sweeper: {what} failed and was passed over: {message}");
        self.failure.get_or_insert(message);
    }
}

fn sweep(database: pg_sys::Oid) {
    let begun = Instant::now();
    match in_transaction(c"looking for the extension", installed::check) {
        Ok(Some(())) => {}
        Ok(None) => {
            registry::update(database, |entry| entry.finished = true);
            return;
        }
        Err(message) => return note_failure(database, &message),
    }
    let in_time = || {
        signals::reload_settings();
        begun.elapsed() < MAX_CONNECTED && settings::worker()
    };
    let mut report = Report::default();
    sweep_all(&mut report, &in_time);
    sweep_each(&mut report, &in_time);
    purge(database, &mut report, &in_time);
    let next = in_transaction(c"looking for the next expiry", verbs::next_expiry);
    finish(database, report, next.ok().flatten().flatten());
}

/// Notes when to come again, and how it went.
fn finish(database: pg_sys::Oid, report: Report, next: Option<Timestamp>) {
    let now = clock::now();
    registry::update(database, |entry| {
        let next = match (&report.failure, next) {
            // The holds of what failed are still overdue, so the next expiry is now.
            (Some(_), next) => Some(next.unwrap_or(now).max(now.after(AFTER_ERROR))),
            (None, next) => next,
        };
        entry.due = next.map_or(entry.due, |next| entry.due.min(next.micros()));
        entry.finished = true;
        entry.is_failing = report.failure.is_some() || entry.purge_fails;
        if let Some(message) = &report.failure {
            entry.set_error(message, now.micros());
        }
        entry.last_sweep = Some(now.micros());
        entry.last_expired = report.expired;
        entry.total_expired += report.expired;
    });
}

/// Ends overdue holds, with a statement for all resources of a kind.
fn sweep_all(report: &mut Report, in_time: &impl Fn() -> bool) {
    let batch = settings::sweep_batch();
    let sweep = || verbs::expire(batch, verbs::Sweep::ByWorker).unwrap_or_else(|error| error.raise());
    while in_time() {
        match in_transaction(c"ending overdue holds", sweep) {
            Ok(ended) => {
                let ended = ended.unwrap_or(0);
                report.expired += ended;
                if ended < batch {
                    return;
                }
            }
            // One failing resource fails the whole statement, so `sweep_each` tries each alone.
            Err(message) => return report.fail("ending overdue holds", message),
        }
    }
}

/// Ends overdue holds of one resource at a time: of the resources that `sweep_all` skipped because they were
/// locked, as a busy one always is, or that failed. Each has its own transaction, so the sweeper waits for a
/// lock while it has no other, and a resource that fails keeps no other.
fn sweep_each(report: &mut Report, in_time: &impl Fn() -> bool) {
    let batch = settings::sweep_batch();
    let mut tried: Vec<String> = Vec::new();
    while in_time() {
        let except: Vec<&str> = tried.iter().map(String::as_str).collect();
        let overdue =
            in_transaction(c"looking for busy resources", || verbs::overdue_resources(batch, &except));
        let overdue = overdue.ok().flatten().unwrap_or_default();
        if overdue.is_empty() {
            return;
        }
        for resource in overdue {
            if !in_time() {
                return;
            }
            let sweep = || {
                verbs::expire_on(&resource, batch, verbs::Sweep::ByWorker)
                    .unwrap_or_else(|error| error.raise())
            };
            match in_transaction(c"ending overdue holds of one resource", sweep) {
                // The resource may be gone by now, and its holds with it.
                Ok(ended) => report.expired += ended.flatten().unwrap_or(0),
                Err(message) => report.fail(&format!("ending overdue holds of \"{resource}\""), message),
            }
            tried.push(resource);
        }
    }
}

/// Deletes old holds. A pass over all of them may take several sweeps. After a pass that found holds which it
/// could not delete, the next one begins an hour later.
fn purge(database: pg_sys::Oid, report: &mut Report, in_time: &impl Fn() -> bool) {
    let Some(entry) = registry::read(database) else { return };
    if clock::now().micros() < entry.purge_again {
        return;
    }
    let batch = settings::sweep_batch();
    let mut position = entry.purge_position();
    let (mut passed_over, mut is_complete, mut again) = (None, false, 0);
    while in_time() && !is_complete {
        let purge = || verbs::purge_part(settings::retention(), batch, position);
        match in_transaction(c"purging old holds", purge) {
            Ok(Some(purged)) => {
                passed_over = passed_over.or(purged.failure);
                is_complete = purged.position.is_none();
                position = purged.position.unwrap_or(position);
            }
            Ok(None) => return,
            Err(message) => {
                report.fail("purging old holds", message);
                again = AFTER_ERROR;
                break;
            }
        }
    }
    if let Some(message) = &passed_over {
        pgrx::warning!("booking sweeper: old holds could not be deleted and were passed over: {message}");
    }
    note_purge(database, position, is_complete, again, passed_over);
}

/// Notes where the purge goes on and when, and whether it passed over holds. This does not delay the next sweep.
fn note_purge(
    database: pg_sys::Oid,
    position: verbs::PurgePosition,
    is_complete: bool,
    again: i64,
    passed_over: Option<String>,
) {
    let now = clock::now();
    registry::update(database, |entry| {
        entry.purge_passed_over |= passed_over.is_some();
        entry.purge_fails |= passed_over.is_some();
        if let Some(message) = &passed_over {
            entry.set_error(message, now.micros());
        }
        entry.set_purge_position(if is_complete { verbs::PURGE_START } else { position });
        entry.purge_again = now.after(again).micros();
        if is_complete {
            entry.purge_fails = entry.purge_passed_over;
            entry.purge_passed_over = false;
            entry.purge_again = now.after(if entry.purge_fails { PURGE_AFTER_ERROR } else { 0 }).micros();
        }
    });
}

/// Runs something in a transaction, as the owner of the tables and in a restricted context: nothing that a
/// user can define runs with the rights of the superuser that every worker starts as. Returns `None` if this
/// database does not have the extension (any more). Returns an error as its message, and rolls the
/// transaction back.
fn in_transaction<T>(activity: &'static CStr, work: impl FnOnce() -> T) -> Result<Option<T>, String> {
    PgTryBuilder::new(AssertUnwindSafe(|| Ok(transact(activity, work))))
        .catch_others(|error| {
            // SAFETY: outside the failed transaction's work, as after an error in the server's own workers.
            unsafe { pg_sys::AbortOutOfAnyTransaction() };
            Err(message_of(&error))
        })
        .execute()
}

fn transact<T>(activity: &'static CStr, work: impl FnOnce() -> T) -> Option<T> {
    // SAFETY: the frame of a transaction as in the server's own workers. An error rolls it back above.
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
