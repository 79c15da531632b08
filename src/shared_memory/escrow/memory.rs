//! The shared memory of the counts. The postmaster reserves it when the server starts, as large as
//! `booking.escrow_entries` says; it is gone when the server stops or crashes.
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
/// How many pending deltas there is memory for, for each account.
const DELTAS_PER_ACCOUNT: usize = 8;
/// The least number of pending deltas there is memory for.
const MIN_DELTAS: usize = 4096;

/// The address of the memory, the same in every process of the server.
struct EscrowMemory(AtomicPtr<Parts>);

/// The addresses and lengths of its parts.
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

// The parts lie one behind the other in one piece of memory, which the server aligns to eight bytes at least:
// each begins where it may, if those before it are multiples of eight bytes long.
const _: () = {
    assert!(size_of::<Parts>().is_multiple_of(8) && align_of::<Parts>() <= 8);
    assert!(size_of::<Account>().is_multiple_of(8) && align_of::<Account>() <= 8);
    assert!(size_of::<PendingDelta>().is_multiple_of(8) && align_of::<PendingDelta>() <= 8);
    assert!(align_of::<u32>() <= 8);
    // Shared memory is never dropped, so nothing in it may own anything.
    assert!(!std::mem::needs_drop::<Head>() && !std::mem::needs_drop::<Account>());
    assert!(!std::mem::needs_drop::<PendingDelta>());
};

static MEMORY: EscrowMemory = EscrowMemory(AtomicPtr::new(std::ptr::null_mut()));

/// Returns how many accounts and pending deltas to reserve memory for.
fn sizes() -> (usize, usize) {
    let accounts = settings::escrow_entries();
    (accounts, (accounts * DELTAS_PER_ACCOUNT).max(MIN_DELTAS))
}

/// Returns the size of the memory in bytes. All parts lie in one piece: each is a multiple of eight bytes long,
/// except the last.
fn bytes() -> usize {
    let (accounts, deltas) = sizes();
    size_of::<Parts>()
        + accounts * size_of::<Account>()
        + deltas * size_of::<PendingDelta>()
        + accounts * size_of::<u32>()
}

// SAFETY: pgrx calls these functions in the server's hooks for shared memory, as it does for its own types.
impl PgSharedMemoryInitialization for EscrowMemory {
    type Value = bool;

    unsafe fn on_shmem_request(&'static self) {
        // SAFETY: runs in the hook in which memory can be reserved.
        unsafe {
            pg_sys::RequestAddinShmemSpace(bytes());
            pg_sys::RequestNamedLWLockTranche(NAME.as_ptr(), 1);
        }
    }

    unsafe fn on_shmem_startup(&'static self, _: bool) {
        let (entries, deltas_count) = sizes();
        // SAFETY: the size is the reserved one, and the parts lie one behind the other in it. No other process
        // uses the memory yet: the postmaster runs this before it forks.
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

/// Reserves the memory, if the library is being preloaded.
pub fn register() {
    if is_preloaded() {
        pg_shmem_init!(MEMORY = true);
    }
}

/// Returns the ledger in the memory.
///
/// # Safety
/// The parts have been written, and no other process or reference uses them meanwhile.
unsafe fn ledger<'m>(parts: *mut Parts) -> Ledger<'m> {
    // SAFETY: the lengths are those that the memory was reserved for, and all elements are plain numbers.
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

/// The lock on the ledger. Dropping it releases the lock, also if an error unwinds.
struct Locked(*mut pg_sys::LWLock);

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: releases the lock only if this process has it: after an error, the server may have released it
        // already.
        unsafe {
            if pg_sys::LWLockHeldByMe(self.0) {
                pg_sys::LWLockRelease(self.0);
            }
        }
    }
}

/// Runs `work` on the counts while it holds the lock, so that no other process sees them half changed. `work` must
/// not call the server and must not fail. Returns `None` if there is no such memory.
pub fn with_ledger<T>(work: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
    let parts = MEMORY.0.load(Ordering::Relaxed);
    if parts.is_null() {
        return None;
    }
    // SAFETY: the postmaster wrote the parts before it forked this process; the lock keeps all other processes
    // out.
    unsafe {
        let lock = (*parts).lock;
        pg_sys::LWLockAcquire(lock, pg_sys::LWLockMode::LW_EXCLUSIVE);
        let _locked = Locked(lock);
        Some(work(&mut ledger(parts)))
    }
}
