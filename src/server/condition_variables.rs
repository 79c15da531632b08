//! Condition variables in shared memory, by name: a transaction that releases something wakes the sessions that
//! wait for it.
//!
//! A lease is not a lock of the server, so the server does not wake its waiters. A session that waits for a lease
//! sleeps on the condition variable of its name until the lease would expire. The session that releases the lease
//! earlier broadcasts after its commit. If the library is not preloaded, there is no shared memory, and the waiter
//! polls instead.
#![allow(unsafe_code)]

use super::backend::is_preloaded;
use super::hash;
use super::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};
use std::cell::RefCell;
use std::time::Duration;

/// The number of condition variables. Sessions that wait for names with the same bucket wake each other, which
/// costs each of them one lookup.
const COUNT: usize = 256;
/// How long a session sleeps before it looks again, if nobody can wake it.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The longest sleep of a session that can be woken. A change by other means than the extension's functions does
/// not broadcast, so the session must look by itself.
const MAX_SLEEP: Duration = Duration::from_secs(1);

struct ConditionVariables([pg_sys::ConditionVariable; COUNT]);

// SAFETY: the server's processes share condition variables by design.
unsafe impl PGRXSharedMemory for ConditionVariables {}

// Shared memory is never dropped, so nothing in it may own anything.
const _: () = assert!(!std::mem::needs_drop::<ConditionVariables>());

impl Default for ConditionVariables {
    fn default() -> Self {
        // SAFETY: all zeros is a valid value, which the initialization turns into an empty list of waiters. The
        // value refers to no address, so it can be moved into shared memory.
        unsafe {
            let mut variables: [pg_sys::ConditionVariable; COUNT] = std::mem::zeroed();
            variables.iter_mut().for_each(|variable| pg_sys::ConditionVariableInit(variable));
            Self(variables)
        }
    }
}

// SAFETY: no other lock has this name.
static CONDITION_VARIABLES: PgLwLock<ConditionVariables> = unsafe { PgLwLock::new(c"booking variables") };

std::thread_local! {
    /// The condition variables that this transaction broadcasts on when it commits.
    static TO_WAKE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Reserves the shared memory, if the library is being preloaded.
pub fn register() {
    if is_preloaded() {
        pg_shmem_init!(CONDITION_VARIABLES);
        transaction::listen(on_event);
    }
}

/// Wakes the sessions that wait for a name, once this transaction has committed.
pub fn broadcast(name: &str) {
    if !is_preloaded() {
        return;
    }
    TO_WAKE.with_borrow_mut(|to_wake| to_wake.push(hash::bucket(name, COUNT)));
}

fn on_event(event: TransactionEvent) {
    let TransactionEvent::Ended { committed } = event else { return };
    for number in TO_WAKE.take() {
        if committed {
            // SAFETY: the condition variable is in shared memory. A broadcast takes a spin lock and cannot fail.
            unsafe { pg_sys::ConditionVariableBroadcast(variable(number)) };
        }
    }
}

/// Sleeps until another session broadcasts for a name or `time` has passed. It may also return earlier, so the
/// caller must check again what it waits for.
pub fn sleep(name: &str, time: Duration) {
    let time = time.min(if is_preloaded() { MAX_SLEEP } else { POLL_INTERVAL }).max(Duration::from_millis(1));
    let millis = time.as_millis() as i64;
    if is_preloaded() {
        // SAFETY: the condition variable is in shared memory. The first call only adds this process to the waiters
        // and returns at once; the caller then checks again, so it misses no broadcast. The next call sleeps.
        unsafe {
            pg_sys::ConditionVariableTimedSleep(
                variable(hash::bucket(name, COUNT)),
                millis,
                pg_sys::PG_WAIT_EXTENSION,
            )
        };
    } else {
        let wake = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
        // SAFETY: the latch belongs to this process.
        unsafe {
            pg_sys::WaitLatch(pg_sys::MyLatch, wake as i32, millis, pg_sys::PG_WAIT_EXTENSION);
            pg_sys::ResetLatch(pg_sys::MyLatch);
        }
    }
    pgrx::check_for_interrupts!();
}

/// Removes this process from the waiters of the condition variable that it has slept on last.
pub fn cancel_sleep() {
    if is_preloaded() {
        // SAFETY: does nothing if this process waits for no condition variable.
        unsafe { pg_sys::ConditionVariableCancelSleep() };
    }
}

fn variable(number: usize) -> *mut pg_sys::ConditionVariable {
    // The address stays valid without the lock: the array never moves. Each condition variable has its own spin
    // lock.
    (&raw const CONDITION_VARIABLES.share().0[number]).cast_mut()
}
