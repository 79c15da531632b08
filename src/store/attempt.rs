//! Waiting for a lock until `lock_timeout`, and living on when it has run out.
#![allow(unsafe_code)]

use super::Busy;
use pgrx::PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::panic::AssertUnwindSafe;

/// Whether a wait for a lock can end in an error that is to become an answer.
pub fn has_lock_timeout() -> bool {
    // SAFETY: an int that only this thread writes.
    unsafe { pg_sys::LockTimeout > 0 }
}

/// Does what may wait for a lock; [`Busy`] where `lock_timeout` ran out (55P03).
///
/// PostgreSQL can only go on after an error by rolling back a subtransaction. Starting one costs a
/// hot pool little, since this is reached only where somebody else has the lock already, and
/// nothing at all where no `lock_timeout` is set. Locks taken inside outlive it.
pub fn until_lock_timeout<T>(wait: impl FnOnce() -> T) -> Result<T, Busy> {
    if !has_lock_timeout() {
        return Ok(wait());
    }
    // SAFETY: the pattern of PL/pgSQL's exception blocks. Memory context and resource owner are
    // put back on every way out, and whatever error is not answered here is raised again only
    // after the subtransaction is gone, so that a caller's own block finds the level it expects.
    unsafe {
        let surroundings = Surroundings::current();
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(surroundings.memory);
        let roll_back = |_: &CaughtError| {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
            surroundings.restore();
        };
        let result = pg_sys::PgTryBuilder::new(AssertUnwindSafe(|| Ok(wait())))
            .catch_when(ERRCODE_LOCK_NOT_AVAILABLE, |error| {
                roll_back(&error);
                Err(Busy)
            })
            .catch_others(|error| {
                roll_back(&error);
                error.rethrow()
            })
            .execute();
        if result.is_ok() {
            pg_sys::ReleaseCurrentSubTransaction();
            surroundings.restore();
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
