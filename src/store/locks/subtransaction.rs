//! Waiting for a lock until `lock_timeout`, and living on when it has run out.
#![allow(unsafe_code)]

use super::Busy;
use crate::rules::Micros;
use pgrx::PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE;
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
    in_subtransaction(|| Ok(to_its_end(wait)), || Some(Err(Busy)))
}

/// Does something, and undoes all of it where it fails: what was written, and the locks of rows and
/// resources that were taken meanwhile.
pub fn undo_unless_ok<T, E>(attempt: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    in_subtransaction(attempt, || None)
}

/// Waits for locks and lets go of them at once: only to know that whoever had them is through.
pub fn wait_only(wait: impl FnOnce()) -> Result<(), Busy> {
    let waited = in_subtransaction(
        || {
            to_its_end(wait);
            Err::<(), _>(None)
        },
        || has_lock_timeout().then_some(Err(Some(Busy))),
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

/// Runs something in a subtransaction, kept where it is `Ok` and rolled back where it is not: the
/// only way in which PostgreSQL goes on after an error, or gives back a lock on a row. A lock that
/// was not to be had (55P03) ends in what `on_timeout` says, or is raised again like every error.
fn in_subtransaction<T, E>(
    attempt: impl FnOnce() -> Result<T, E>,
    on_timeout: impl Fn() -> Option<Result<T, E>>,
) -> Result<T, E> {
    // SAFETY: the pattern of PL/pgSQL's exception blocks. Memory context and resource owner are
    // put back on every way out, and whatever error is not answered here is raised again only
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
        let (on_timeout, is_gone) = (AssertUnwindSafe(on_timeout), &gone);
        let result = pg_sys::PgTryBuilder::new(AssertUnwindSafe(attempt))
            .catch_when(ERRCODE_LOCK_NOT_AVAILABLE, |error: CaughtError| {
                let (on_timeout, is_gone) = (&on_timeout, is_gone);
                roll_back();
                is_gone.set(true);
                (on_timeout.0)().unwrap_or_else(|| error.rethrow())
            })
            .catch_others(|error| {
                roll_back();
                error.rethrow()
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
