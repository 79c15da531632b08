//! Subtransactions: after a `lock_timeout`, the caller's transaction goes on; and what an attempt wrote, with the
//! row locks that it took, can be undone.
#![allow(unsafe_code)]

use super::Busy;
use crate::rules::Micros;
use crate::server::caught_error::{code_of, message_of};
use pgrx::PgSqlErrorCode::{
    self, ERRCODE_INSUFFICIENT_RESOURCES, ERRCODE_LOCK_NOT_AVAILABLE, ERRCODE_OPERATOR_INTERVENTION,
    ERRCODE_SYSTEM_ERROR, ERRCODE_TRANSACTION_ROLLBACK,
};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;

/// Returns whether `lock_timeout` is set, so that a wait for a lock can end in an error, which becomes the answer
/// `busy`.
pub fn has_lock_timeout() -> bool {
    // SAFETY: an int that only this thread writes.
    unsafe { pg_sys::LockTimeout > 0 }
}

/// Returns for how long a wait for a lock may last, or `None` if `lock_timeout` is not set.
pub fn lock_timeout() -> Option<Micros> {
    // SAFETY: an int that only this thread writes.
    let millis = unsafe { pg_sys::LockTimeout };
    (millis > 0).then_some(Micros::from(millis) * 1000)
}

/// Does something that may wait for a lock. Returns [`Busy`] if `lock_timeout` ran out (55P03).
///
/// If `lock_timeout` is not set, it starts no subtransaction. Callers that know whether the lock is free come here
/// only if it is not, so on a busy pool the subtransaction costs little. The locks that `wait` takes outlive it.
pub fn until_lock_timeout<T>(wait: impl FnOnce() -> T) -> Result<T, Busy> {
    if !has_lock_timeout() {
        return Ok(wait());
    }
    in_subtransaction(|| Ok(to_its_end(wait)), |error| is_lock_timeout(error).then_some(Err(Busy)))
}

/// Makes an attempt. If it returns `Err`, undoes all of it: what it wrote, and the row locks and heavyweight locks
/// that it took.
pub fn undo_unless_ok<T, E>(attempt: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    in_subtransaction(attempt, |_| None)
}

/// Waits for locks and releases them at once, so that the caller knows that the transactions that had them are
/// over. Returns [`Busy`] if `lock_timeout` ran out.
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

/// Runs something, then checks for interrupts. If `lock_timeout` runs out at the moment at which the lock is
/// granted, PostgreSQL raises the error only when it next checks for interrupts. Here the error still becomes the
/// answer `busy`; later it would reach the caller.
fn to_its_end<T>(wait: impl FnOnce() -> T) -> T {
    let result = wait();
    pgrx::check_for_interrupts!();
    result
}

/// Writes in a subtransaction. If a constraint or a trigger refuses it, rolls the subtransaction back and
/// returns the error's message. Raises what does not lie in the rows again: a cancelled query, the end of the
/// process, a lock that could not be had in time, a deadlock, a conflict with another transaction, a full
/// disk.
pub fn undo_refused_write<T>(write: impl FnOnce() -> T) -> Result<T, String> {
    in_subtransaction(|| Ok(write()), |error| (!is_passing(error)).then(|| Err(message_of(error))))
}

fn is_lock_timeout(error: &CaughtError) -> bool {
    code_of(error) == ERRCODE_LOCK_NOT_AVAILABLE
}

/// Returns whether the same statement may succeed later.
fn is_passing(error: &CaughtError) -> bool {
    let classes = [
        ERRCODE_TRANSACTION_ROLLBACK,
        ERRCODE_INSUFFICIENT_RESOURCES,
        ERRCODE_OPERATOR_INTERVENTION,
        ERRCODE_SYSTEM_ERROR,
    ];
    is_lock_timeout(error) || classes.map(class_of).contains(&class_of(code_of(error)))
}

/// Returns the class of an SQLSTATE, its first two characters, which are the lowest twelve bits.
fn class_of(code: PgSqlErrorCode) -> isize {
    code as isize & 0xFFF
}

/// Runs an attempt in a subtransaction, which it commits if the attempt returns `Ok` and rolls back
/// otherwise. Only a rollback lets PostgreSQL go on after an error, or release the lock of a row. If the
/// attempt raises an error, returns what `answer` makes of it; if that is `None`, raises the error again.
fn in_subtransaction<T, E>(
    attempt: impl FnOnce() -> Result<T, E>,
    answer: impl Fn(&CaughtError) -> Option<Result<T, E>>,
) -> Result<T, E> {
    // SAFETY: this is the pattern of PL/pgSQL's exception blocks. Every way out restores the memory context and
    // the resource owner. An error that is not answered here is raised again only after the subtransaction has
    // ended, so that an exception block of the caller finds the level of subtransaction that it expects.
    unsafe {
        let surroundings = Surroundings::current();
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(surroundings.memory);
        let roll_back = || {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
            surroundings.restore();
        };
        // Whether the subtransaction has ended already.
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

/// The memory context and the resource owner of the code around a subtransaction.
#[derive(Clone, Copy)]
struct Surroundings {
    memory: pg_sys::MemoryContext,
    owner: pg_sys::ResourceOwner,
}

impl std::panic::UnwindSafe for Surroundings {}
impl std::panic::RefUnwindSafe for Surroundings {}

impl Surroundings {
    /// Reads the current memory context and resource owner.
    ///
    /// # Safety
    /// The caller is inside a transaction, on the thread of the backend.
    unsafe fn current() -> Self {
        // SAFETY: two pointers that only this thread writes.
        unsafe { Self { memory: pg_sys::CurrentMemoryContext, owner: pg_sys::CurrentResourceOwner } }
    }

    /// Makes them the current ones again.
    ///
    /// # Safety
    /// The transaction or subtransaction in which `current` read them is the current one again.
    unsafe fn restore(self) {
        // SAFETY: both belong to that transaction, so they still exist.
        unsafe {
            pg_sys::MemoryContextSwitchTo(self.memory);
            pg_sys::CurrentResourceOwner = self.owner;
        }
    }
}
