//! Waiting for a lock until `lock_timeout`, and living on when it has run out.
#![allow(unsafe_code)]

use super::Busy;
use crate::rules::Micros;
use crate::server::caught_error::{code_of, message_of};
use pgrx::PgSqlErrorCode::{
    ERRCODE_ADMIN_SHUTDOWN, ERRCODE_CRASH_SHUTDOWN, ERRCODE_LOCK_NOT_AVAILABLE, ERRCODE_QUERY_CANCELED,
};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;

/// Whether a wait for a lock can end in an error that is to become an answer.
pub fn has_lock_timeout() -> bool {
    // SAFETY: an int that only this thread writes.
    unsafe { pg_sys::LockTimeout > 0 }
}

/// For how long a wait for a lock may last, where that is bounded.
pub fn lock_timeout() -> Option<Micros> {
    // SAFETY: an int that only this thread writes.
    let millis = unsafe { pg_sys::LockTimeout };
    (millis > 0).then_some(Micros::from(millis) * 1000)
}

/// Does what may wait for a lock; [`Busy`] where `lock_timeout` ran out (55P03).
///
/// Starting a subtransaction costs a hot pool little, since this is reached only where somebody else
/// has the lock already, and nothing at all where no `lock_timeout` is set. Locks taken inside
/// outlive it.
pub fn until_lock_timeout<T>(wait: impl FnOnce() -> T) -> Result<T, Busy> {
    if !has_lock_timeout() {
        return Ok(wait());
    }
    in_subtransaction(|| Ok(to_its_end(wait)), |error| is_lock_timeout(error).then_some(Err(Busy)))
}

/// Does something, and undoes all of it where it fails: what was written, and the locks of rows and
/// resources that were taken meanwhile.
pub fn undo_unless_ok<T, E>(attempt: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    in_subtransaction(attempt, |_| None)
}

/// Waits for locks and lets go of them at once: only to know that whoever had them is through.
pub fn wait_only(wait: impl FnOnce()) -> Result<(), Busy> {
    let waited = in_subtransaction(
        || {
            to_its_end(wait);
            Err::<(), _>(None)
        },
        |error| (has_lock_timeout() && is_lock_timeout(error)).then_some(Err(Some(Busy))),
    );
    match waited {
        Err(Some(busy)) => Err(busy),
        _ => Ok(()),
    }
}

/// Where `lock_timeout` runs out in the moment in which the lock is granted, the server says so only when it
/// next looks for interrupts: here, where that is an answer, and not later, where it would be an error.
fn to_its_end<T>(wait: impl FnOnce() -> T) -> T {
    let result = wait();
    pgrx::check_for_interrupts!();
    result
}

/// Does something, and undoes it if PostgreSQL raises an error: returns the error's message. A cancelled query and the end
/// of the process stay errors.
pub fn undo_on_error<T>(attempt: impl FnOnce() -> T) -> Result<T, String> {
    in_subtransaction(|| Ok(attempt()), |error| (!is_cancellation(error)).then(|| Err(message_of(error))))
}

fn is_lock_timeout(error: &CaughtError) -> bool {
    code_of(error) == ERRCODE_LOCK_NOT_AVAILABLE
}

fn is_cancellation(error: &CaughtError) -> bool {
    let code = code_of(error);
    [ERRCODE_QUERY_CANCELED, ERRCODE_ADMIN_SHUTDOWN, ERRCODE_CRASH_SHUTDOWN].contains(&code)
}

/// Runs something in a subtransaction, which is committed if it returns `Ok` and rolled back otherwise: the only way in
/// which PostgreSQL goes on after an error, or gives back a lock on a row. `answer` says what an error ends in; `None`
/// raises it again.
fn in_subtransaction<T, E>(
    attempt: impl FnOnce() -> Result<T, E>,
    answer: impl Fn(&CaughtError) -> Option<Result<T, E>>,
) -> Result<T, E> {
    // SAFETY: the pattern of PL/pgSQL's exception blocks. Memory context and resource owner are
    // put back on every way out, and an error that is not answered here is raised again only
    // after the subtransaction is gone, so that a caller's own block finds the level it expects.
    unsafe {
        let surroundings = Surroundings::current();
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(surroundings.memory);
        let roll_back = || {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
            surroundings.restore();
        };
        // Whether the subtransaction is gone already.
        let gone = AssertUnwindSafe(Cell::new(false));
        let (answer, is_gone) = (AssertUnwindSafe(answer), &gone);
        let result = pg_sys::PgTryBuilder::new(AssertUnwindSafe(attempt))
            .catch_others(|error| {
                let (answer, is_gone) = (&answer, is_gone);
                roll_back();
                is_gone.set(true);
                (answer.0)(&error).unwrap_or_else(|| error.rethrow())
            })
            .execute();
        if !gone.get() {
            if result.is_ok() {
                pg_sys::ReleaseCurrentSubTransaction();
                surroundings.restore();
            } else {
                roll_back();
            }
        }
        result
    }
}

#[derive(Clone, Copy)]
struct Surroundings {
    memory: pg_sys::MemoryContext,
    owner: pg_sys::ResourceOwner,
}

impl std::panic::UnwindSafe for Surroundings {}
impl std::panic::RefUnwindSafe for Surroundings {}

impl Surroundings {
    unsafe fn current() -> Self {
        // SAFETY: two pointers that only this thread writes.
        unsafe { Self { memory: pg_sys::CurrentMemoryContext, owner: pg_sys::CurrentResourceOwner } }
    }

    unsafe fn restore(self) {
        // SAFETY: both belong to the surrounding transaction and have outlived the inner one.
        unsafe {
            pg_sys::MemoryContextSwitchTo(self.memory);
            pg_sys::CurrentResourceOwner = self.owner;
        }
    }
}
