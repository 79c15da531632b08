//! Heavyweight locks on resources, keys, holders, leases and places. Which of them a verb takes, and in which
//! order, is decided in `verbs`, not here.
//!
//! Under many waiters a row lock collapses: each wakes, re-reads the row, finds it changed and fights for it
//! again, and at 32 clients a conditional UPDATE falls to a third of its rate with one. PostgreSQL hands a
//! heavyweight lock from one waiter to the next, first come, first served, so the session that then reaches the
//! row finds it free.
//!
//! Without the locks, a locked pool's UPDATE and CHECK, and a seat's one owner column, still prevent overselling.
//! So does the exclusion constraint of a calendar with one place, except beside holds from a time of more places
//! and while the capacity is lowered to 0. Nothing in the tables protects a calendar with more places, which needs
//! the claims on days or the exclusive lock, nor an escrow pool, which needs its count and the share lock. For
//! every kind, repeated keys, the limit for each holder, the order of the waitlist and closing rest on the locks.
#![allow(unsafe_code)]

use super::subtransaction::{has_lock_timeout, until_lock_timeout};
use super::{Busy, LockWaitPolicy};
use crate::server::{backend, hash};
use pgrx::pg_sys;
use std::ffi::CStr;
use std::time::Duration;

/// In which mode a verb locks a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockMode {
    /// The verb takes or gives back some places beside other transactions that do the same. On seats and calendars
    /// it [claims](Claim) each place; an escrow pool has its count.
    Share,
    /// The verb decides on the whole resource.
    Exclusive,
}

/// Takes the lock of a resource, which PostgreSQL keeps until the transaction ends. Returns [`Busy`] if another
/// transaction has it and the policy does not allow to wait, or `lock_timeout` ran out.
///
/// The lock is of type "object", on the table of resources, with a hash of the name in place of the object's id.
/// No advisory lock of a user can have the same tag, and `pg_locks` shows it under the table's oid. If two names
/// have the same hash, their transactions wait for each other although they need not, and may deadlock (40P01); no
/// answer changes.
pub fn lock_resource(
    resource: &str,
    mode: LockMode,
    policy: LockWaitPolicy,
) -> Result<HeavyweightLock, Busy> {
    let mode = match mode {
        LockMode::Share => pg_sys::ShareLock,
        LockMode::Exclusive => pg_sys::ExclusiveLock,
    };
    HeavyweightLock::wait(tag(c"resources", &[resource.as_bytes()]), mode, policy)
}

/// Waits until no other transaction places holds under a key, and keeps others from it until the transaction ends.
/// A verb that has the resource in exclusive mode does not need it.
pub fn lock_key(key: &str, policy: LockWaitPolicy) -> Result<HeavyweightLock, Busy> {
    HeavyweightLock::wait(tag(c"holds", &[key.as_bytes()]), pg_sys::ExclusiveLock, policy)
}

/// Waits until no other transaction places holds for a holder on a resource, and keeps others from it until the
/// transaction ends, so that the verb can count what the holder has there. A verb that has the resource in
/// exclusive mode does not need it.
pub fn lock_holder(resource: &str, holder: &str, policy: LockWaitPolicy) -> Result<HeavyweightLock, Busy> {
    HeavyweightLock::wait(
        tag(c"holds", &[resource.as_bytes(), holder.as_bytes()]),
        pg_sys::ExclusiveLock,
        policy,
    )
}

/// A part of a resource that has a lock of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimTarget<'a> {
    Seat(&'a str),
    /// A day of a calendar: 24 hours in UTC, whatever the calendar's time zone. Bookings that overlap have a day
    /// in common.
    Day(i64),
}

/// Waits until no other transaction acquires a lease of this name, or waits for one to come free.
pub fn lock_lease(name: &str, policy: LockWaitPolicy) -> Result<HeavyweightLock, Busy> {
    HeavyweightLock::wait(tag(c"leases", &[name.as_bytes()]), pg_sys::ExclusiveLock, policy)
}

/// A lock that this transaction has until it ends, unless the verb releases it before.
#[derive(Clone, Copy)]
pub struct HeavyweightLock {
    tag: pg_sys::LOCKTAG,
    mode: u32,
    owner: pg_sys::ResourceOwner,
    /// Whether another transaction had the lock before.
    pub has_waited: bool,
    /// Whether the caller has written something under it, so that it must keep the lock.
    is_kept: bool,
}

impl HeavyweightLock {
    fn wait(tag: pg_sys::LOCKTAG, mode: u32, policy: LockWaitPolicy) -> Result<Self, Busy> {
        let (owner, has_waited) = wait(&tag, mode, policy)?;
        Ok(Self { tag, mode, owner, has_waited, is_kept: false })
    }

    /// Returns the lock as one that stays until the transaction ends, because the caller writes under it what others must
    /// not see half of.
    pub const fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }

    /// Returns how many transactions wait for the lock, at most: some of them may have it, if they share it.
    pub fn waiters(&self) -> usize {
        // SAFETY: the tag is complete. The count includes this transaction, which has the lock.
        let count = unsafe { pg_sys::LockWaiterCount(&self.tag) };
        usize::try_from(count - 1).unwrap_or(0)
    }

    /// Releases the lock before the transaction ends, unless it is to be kept. The caller has done nothing under it.
    pub fn release(self) {
        if self.is_kept {
            return;
        }
        // SAFETY: the tag is complete; at worst PostgreSQL warns that it does not have the lock. The owner exists,
        // because the call that took the lock releases it, at the same level of subtransaction.
        unsafe {
            let current = pg_sys::CurrentResourceOwner;
            pg_sys::CurrentResourceOwner = self.owner;
            pg_sys::LockRelease(&self.tag, self.mode as i32, false);
            pg_sys::CurrentResourceOwner = current;
        }
    }
}

impl ClaimTarget<'_> {
    fn tag(self, resource: &str) -> pg_sys::LOCKTAG {
        match self {
            Self::Seat(label) => tag(c"seats", &[resource.as_bytes(), label.as_bytes()]),
            Self::Day(day) => tag(c"capacity_changes", &[resource.as_bytes(), &day.to_le_bytes()]),
        }
    }
}

/// The lock of a place, which a verb claims before it takes the place or gives it back. PostgreSQL keeps it until
/// the transaction ends, unless the verb releases it because it did not change the place.
#[derive(Clone, Copy)]
pub struct Claim(HeavyweightLock);

impl Claim {
    /// Claims a place. If that happens in a subtransaction, its rollback releases the claim.
    pub fn wait(resource: &str, place: ClaimTarget, policy: LockWaitPolicy) -> Result<Self, Busy> {
        HeavyweightLock::wait(place.tag(resource), pg_sys::ExclusiveLock, policy).map(Self)
    }

    /// Waits until no other transaction claims a place, and does not claim it.
    ///
    /// It waits for the lock in share mode, which all who wait like this get at the same time. In exclusive mode,
    /// PostgreSQL would hand the lock to each of them in turn, and nobody could claim the place meanwhile.
    pub fn await_none(resource: &str, place: ClaimTarget, policy: LockWaitPolicy) -> Result<(), Busy> {
        HeavyweightLock::wait(place.tag(resource), pg_sys::ShareLock, policy).map(HeavyweightLock::release)
    }

    /// Releases the claim. The caller has not changed the place.
    pub fn release(self) {
        self.0.release();
    }
}

/// Takes a lock. Returns the resource owner under which PostgreSQL keeps it, without which it cannot be released, and
/// whether it had to wait.
fn wait(
    tag: &pg_sys::LOCKTAG,
    mode: u32,
    policy: LockWaitPolicy,
) -> Result<(pg_sys::ResourceOwner, bool), Busy> {
    let waits = match (acquire(tag, mode, true), policy) {
        (true, _) => false,
        (false, LockWaitPolicy::NoWait) if acquire_from_ended(tag, mode) => false,
        (false, LockWaitPolicy::NoWait) => return Err(Busy),
        (false, LockWaitPolicy::Wait) => true,
    };
    if waits {
        until_lock_timeout(|| {
            acquire(tag, mode, false);
        })?;
    }
    // SAFETY: pointers that only this thread writes.
    unsafe {
        // With `lock_timeout`, a subtransaction took the lock and left it to the transaction around when it ended.
        let is_inherited = waits && has_lock_timeout();
        let owner =
            if is_inherited { pg_sys::CurTransactionResourceOwner } else { pg_sys::CurrentResourceOwner };
        Ok((owner, waits))
    }
}

/// How often, and after how long, a call looks again whether transactions that are over have released a lock.
const RELEASE_LOOKS: u32 = 1_000;
const RELEASE_PAUSE: Duration = Duration::from_micros(100);

/// Takes a lock that only transactions have which are over. Returns false if another transaction has it.
///
/// At its end a transaction releases its locks one after the other. A call that waited for it at a row wakes as soon
/// as the first of them is released. Without this, the call found the resource locked and answered `busy`, although
/// nobody was left to wait for: on a busy machine in one of 25 late confirmations that had waited.
fn acquire_from_ended(tag: &pg_sys::LOCKTAG, mode: u32) -> bool {
    for _ in 0..RELEASE_LOOKS {
        if has_live_owner(tag, mode) {
            return false;
        }
        if acquire(tag, mode, true) {
            return true;
        }
        std::thread::sleep(RELEASE_PAUSE);
        pgrx::check_for_interrupts!();
    }
    false
}

/// Returns whether a transaction that is not over has the lock in a mode that conflicts.
fn has_live_owner(tag: &pg_sys::LOCKTAG, mode: u32) -> bool {
    let mut count = 0;
    // SAFETY: the tag is complete. The server returns an array that it has allocated in the current context, without
    // the transactions that have no virtual id any more, since they are over.
    unsafe {
        pg_sys::pfree(pg_sys::GetLockConflicts(tag, mode as i32, &mut count).cast());
    }
    count > 0
}

/// Takes a lock. Returns false if `dont_wait` is true and another transaction has the lock.
fn acquire(tag: &pg_sys::LOCKTAG, mode: u32, dont_wait: bool) -> bool {
    // SAFETY: the tag is complete. A deadlock, a time-out and a cancellation raise an error.
    let result = unsafe { pg_sys::LockAcquire(tag, mode as i32, false, dont_wait) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

/// Makes the tag of a lock: the class is the table, and the object's id is a hash of the parts.
fn tag(table: &'static CStr, parts: &[&[u8]]) -> pg_sys::LOCKTAG {
    let hash = hash::hash(parts);
    pg_sys::LOCKTAG {
        locktag_field1: backend::this_database().to_u32(),
        locktag_field2: backend::table(table).id.to_u32(),
        locktag_field3: hash as u32,
        locktag_field4: (hash >> 32) as u16,
        locktag_type: pg_sys::LockTagType::LOCKTAG_OBJECT as u8,
        locktag_lockmethodid: pg_sys::DEFAULT_LOCKMETHOD as u8,
    }
}
