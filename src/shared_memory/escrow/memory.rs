//! The memory that the counts are in: reserved when the server starts, as large as `booking.escrow_entries` says,
//! and gone when it stops or crashes.
#![allow(unsafe_code)]

use crate::rules::escrow::{Account, Head, Ledger, PendingDelta};
use crate::server::backend::is_preloaded;
use crate::server::settings;
use pgrx::pg_shmem_init;
use pgrx::prelude::*;
use pgrx::shmem::PgSharedMemoryInitialization;
use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, Ordering};

const NAME: &CStr = c"booking escrow";
/// How many transactions there is room for that have something under way, per account.
const DELTAS_PER_ACCOUNT: usize = 8;
/// And at the least.
const MIN_DELTAS: usize = 4096;

/// Where the memory is; the same address in every process of the server.
struct EscrowMemory(AtomicPtr<Parts>);

/// Where its parts are.
#[repr(C)]
struct Parts {
    lock: *mut pg_sys::LWLock,
    head: Head,
    buckets: *mut u32,
    accounts: *mut Account,
    deltas: *mut PendingDelta,
    entries: usize,
    deltas_count: usize,
}

static MEMORY: EscrowMemory = EscrowMemory(AtomicPtr::new(std::ptr::null_mut()));

/// How many accounts and stakes there is to be room for.
fn sizes() -> (usize, usize) {
    let accounts = settings::escrow_entries();
    (accounts, (accounts * DELTAS_PER_ACCOUNT).max(MIN_DELTAS))
}

/// All of it in one piece: each part is a multiple of eight bytes long, or the last.
fn bytes() -> usize {
    let (accounts, deltas) = sizes();
    size_of::<Parts>()
        + accounts * size_of::<Account>()
        + deltas * size_of::<PendingDelta>()
        + accounts * size_of::<u32>()
}

// SAFETY: implements what pgrx calls in the server's hooks for shared memory, as it does for its own types.
impl PgSharedMemoryInitialization for EscrowMemory {
    type Value = bool;

    unsafe fn on_shmem_request(&'static self) {
        // SAFETY: called where memory can be reserved.
        unsafe {
            pg_sys::RequestAddinShmemSpace(bytes());
            pg_sys::RequestNamedLWLockTranche(NAME.as_ptr(), 1);
        }
    }

    unsafe fn on_shmem_startup(&'static self, _: bool) {
        let (entries, deltas_count) = sizes();
        // SAFETY: the size is what was reserved, and the parts lie one behind the other in it. Nobody else is
        // there yet: the postmaster does this before it forks.
        unsafe {
            let mut found = false;
            let parts = pg_sys::ShmemInitStruct(NAME.as_ptr(), bytes(), &mut found).cast::<Parts>();
            if !found {
                let accounts = parts.add(1).cast::<Account>();
                let deltas = accounts.add(entries).cast::<PendingDelta>();
                let buckets = deltas.add(deltas_count).cast::<u32>();
                let lock = &raw mut (*pg_sys::GetNamedLWLockTranche(NAME.as_ptr())).lock;
                std::ptr::write_bytes(parts.cast::<u8>(), 0, bytes());
                (&raw mut (*parts).lock).write(lock);
                (&raw mut (*parts).head).write(Head::EMPTY);
                (&raw mut (*parts).accounts).write(accounts);
                (&raw mut (*parts).deltas).write(deltas);
                (&raw mut (*parts).buckets).write(buckets);
                (&raw mut (*parts).entries).write(entries);
                (&raw mut (*parts).deltas_count).write(deltas_count);
                ledger(parts).clear();
            }
            self.0.store(parts, Ordering::Relaxed);
        }
    }
}

/// Reserves the memory, where the library is preloaded.
pub fn register() {
    if is_preloaded() {
        pg_shmem_init!(MEMORY = true);
    }
}

/// # Safety
/// The parts have been written, and nobody else uses them meanwhile.
unsafe fn ledger<'m>(parts: *mut Parts) -> Ledger<'m> {
    // SAFETY: as many of each as there was room reserved for, all of it plain numbers.
    unsafe {
        let &Parts { accounts, deltas, buckets, entries, deltas_count, .. } = &*parts;
        Ledger {
            head: &mut (*parts).head,
            buckets: std::slice::from_raw_parts_mut(buckets, entries),
            accounts: std::slice::from_raw_parts_mut(accounts, entries),
            deltas: std::slice::from_raw_parts_mut(deltas, deltas_count),
        }
    }
}

/// Releases the lock on every way out, an error included.
struct Locked(*mut pg_sys::LWLock);

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: where an error is on its way the server has let go of all such locks already, or will.
        unsafe {
            if pg_sys::LWLockHeldByMe(self.0) {
                pg_sys::LWLockRelease(self.0);
            }
        }
    }
}

/// Does something to the counts that nobody sees half done. None where there is no such memory. It must not call
/// the server, nor fail.
pub fn with_ledger<T>(work: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
    let parts = MEMORY.0.load(Ordering::Relaxed);
    if parts.is_null() {
        return None;
    }
    // SAFETY: written before this process was forked; the lock keeps all others out.
    unsafe {
        let lock = (*parts).lock;
        pg_sys::LWLockAcquire(lock, pg_sys::LWLockMode::LW_EXCLUSIVE);
        let _locked = Locked(lock);
        Some(work(&mut ledger(parts)))
    }
}
