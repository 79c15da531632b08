//! Waking whoever waits for something that a transaction has just given back.
//!
//! Leases are no locks of the server's: nothing hands them on. Who waits for one sleeps until it would run out,
//! and whoever gives it back before rings, once that is committed. Without the shared memory (the library is not
//! preloaded) the sleeper looks up now and then instead.
#![allow(unsafe_code)]

use super::backend::is_preloaded;
use super::hash;
use super::transaction::{self, TransactionEvent};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};
use std::cell::RefCell;
use std::time::Duration;

/// Names that share a bell wake each other, which costs them a look.
const COUNT: usize = 256;
/// How long somebody sleeps who will not be woken.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long somebody sleeps at the most: what is changed by other means than the extension's rings no bell.
const MAX_SLEEP: Duration = Duration::from_secs(1);

struct ConditionVariables([pg_sys::ConditionVariable; COUNT]);

// SAFETY: made to be shared by the server's processes.
unsafe impl PGRXSharedMemory for ConditionVariables {}

impl Default for ConditionVariables {
    fn default() -> Self {
        // SAFETY: all zero is a value of it, which the initialization then makes an empty queue; it refers
        // to no address, so that it can be moved to where it is shared.
        unsafe {
            let mut variables: [pg_sys::ConditionVariable; COUNT] = std::mem::zeroed();
            variables.iter_mut().for_each(|variable| pg_sys::ConditionVariableInit(variable));
            Self(variables)
        }
    }
}

// SAFETY: the name is the extension's own.
static CONDITION_VARIABLES: PgLwLock<ConditionVariables> = unsafe { PgLwLock::new(c"booking variables") };

std::thread_local! {
    /// What this transaction rings for.
    static TO_WAKE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Reserves the memory, where the library is preloaded.
pub fn register() {
    if is_preloaded() {
        pg_shmem_init!(CONDITION_VARIABLES);
        transaction::listen(on_event);
    }
}

/// Wakes those who wait for a name once this transaction has committed.
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
            // SAFETY: a condition variable in shared memory; waking takes a spin lock and cannot fail.
            unsafe { pg_sys::ConditionVariableBroadcast(variable(number)) };
        }
    }
}

/// Sleeps until somebody rings for a name, or this time has passed; or earlier, for no reason.
pub fn sleep(name: &str, time: Duration) {
    let time = time.min(if is_preloaded() { MAX_SLEEP } else { POLL_INTERVAL }).max(Duration::from_millis(1));
    let millis = time.as_millis() as i64;
    if is_preloaded() {
        // SAFETY: a bell in shared memory. The first call only lines up, and returns at once, so that the
        // caller looks again and misses no bell; the next one sleeps.
        unsafe {
            pg_sys::ConditionVariableTimedSleep(
                variable(hash::bucket(name, COUNT)),
                millis,
                pg_sys::PG_WAIT_EXTENSION,
            )
        };
    } else {
        let wake = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
        // SAFETY: the latch is this process's own.
        unsafe {
            pg_sys::WaitLatch(pg_sys::MyLatch, wake as i32, millis, pg_sys::PG_WAIT_EXTENSION);
            pg_sys::ResetLatch(pg_sys::MyLatch);
        }
    }
    pgrx::check_for_interrupts!();
}

/// Waits for no bell any more.
pub fn cancel_sleep() {
    if is_preloaded() {
        // SAFETY: does nothing where none is waited for.
        unsafe { pg_sys::ConditionVariableCancelSleep() };
    }
}

fn variable(number: usize) -> *mut pg_sys::ConditionVariable {
    // Where it lies never changes, and it has a lock of its own.
    (&raw const CONDITION_VARIABLES.share().0[number]).cast_mut()
}
