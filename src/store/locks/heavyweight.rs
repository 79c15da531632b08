//! The queue before a resource.
//!
//! A row that many want collapses under its own waiters: each wakes, re-reads the row, finds it
//! changed and fights for it again, and at 32 clients a conditional UPDATE falls to a third of its
//! rate with one. A heavyweight lock hands itself to one waiter after the other, first come, first
//! served, so that who reaches the row finds it free. The row stays what correctness rests on:
//! this lock may be missing (on another node, say) and nothing is oversold.
#![allow(unsafe_code)]

use super::subtransaction::{has_lock_timeout, until_lock_timeout};
use super::{Busy, LockWaitPolicy};
use crate::server::{backend, hash};
use pgrx::pg_sys;
use std::ffi::CStr;

/// How much of a resource a turn is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockMode {
    /// Some of its places, beside others who want some: the places themselves are [claimed](Claim).
    Share,
    /// All of it.
    Exclusive,
}

/// Waits for its turn at a resource, and keeps it until the transaction ends.
///
/// The lock is an "object" lock on the table of resources with a hash of the name in place of the
/// object's id: no user's advisory lock can meet it, and `pg_locks` shows it under the table's oid.
/// Two names with one hash share a turn, which costs them speed alone.
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

/// Waits until nobody else places holds under a key, where no turn alone at a resource does so.
pub fn lock_key(key: &str, policy: LockWaitPolicy) -> Result<HeavyweightLock, Busy> {
    HeavyweightLock::wait(tag(c"holds", &[key.as_bytes()]), pg_sys::ExclusiveLock, policy)
}

/// Waits until nobody else places holds for a holder on a resource, so that what the holder has can
/// be counted there, where no turn alone at the resource does so.
pub fn lock_holder(resource: &str, holder: &str, policy: LockWaitPolicy) -> Result<HeavyweightLock, Busy> {
    HeavyweightLock::wait(
        tag(c"holds", &[resource.as_bytes(), holder.as_bytes()]),
        pg_sys::ExclusiveLock,
        policy,
    )
}

/// A part of a resource with a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimTarget<'a> {
    Seat(&'a str),
    /// A day of a calendar, of 24 hours and without regard to its time zone. Bookings that overlap have a day in
    /// common.
    Day(i64),
}

/// Waits until nobody else is acquiring a lease, or waiting for it to come free.
pub fn lock_lease(name: &str, policy: LockWaitPolicy) -> Result<HeavyweightLock, Busy> {
    HeavyweightLock::wait(tag(c"leases", &[name.as_bytes()]), pg_sys::ExclusiveLock, policy)
}

/// A lock that was waited for in line, kept until the transaction ends unless it is let go.
#[derive(Clone, Copy)]
pub struct HeavyweightLock {
    tag: pg_sys::LOCKTAG,
    mode: u32,
    owner: pg_sys::ResourceOwner,
}

impl HeavyweightLock {
    fn wait(tag: pg_sys::LOCKTAG, mode: u32, policy: LockWaitPolicy) -> Result<Self, Busy> {
        wait(&tag, mode, policy).map(|owner| Self { tag, mode, owner })
    }

    /// Lets go of it, where nothing was done under it.
    pub fn release(self) {
        // SAFETY: a complete tag; at worst a warning that the lock is not held. The owner lives: it is let
        // go in the call, and at the level of transaction, that took it.
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

/// A place's own queue, which whoever is about to take or give back the place claims first. Kept until
/// the transaction ends, or let go where nothing was taken.
#[derive(Clone, Copy)]
pub struct Claim(HeavyweightLock);

impl Claim {
    /// Waits for it; in a subtransaction that is rolled back, it is let go again.
    pub fn wait(resource: &str, place: ClaimTarget, policy: LockWaitPolicy) -> Result<Self, Busy> {
        HeavyweightLock::wait(place.tag(resource), pg_sys::ExclusiveLock, policy).map(Self)
    }

    /// Waits until nobody has it, and does not take it.
    ///
    /// Shared with all who wait like this: in a queue of those who want it for themselves, each would
    /// be handed it in turn and let it go, and as long as one was waiting nobody could claim the place.
    pub fn await_none(resource: &str, place: ClaimTarget, policy: LockWaitPolicy) -> Result<(), Busy> {
        HeavyweightLock::wait(place.tag(resource), pg_sys::ShareLock, policy).map(HeavyweightLock::release)
    }

    pub fn release(self) {
        self.0.release();
    }
}

/// Takes a lock, and tells whose it then is: only in its owner's name can it be let go.
fn wait(tag: &pg_sys::LOCKTAG, mode: u32, policy: LockWaitPolicy) -> Result<pg_sys::ResourceOwner, Busy> {
    let waits = !acquire(tag, mode, true);
    if waits && policy == LockWaitPolicy::NoWait {
        return Err(Busy);
    }
    if waits {
        until_lock_timeout(|| {
            acquire(tag, mode, false);
        })?;
    }
    // SAFETY: pointers that only this thread writes.
    unsafe {
        // The subtransaction that ended with `lock_timeout` has left it to the transaction around.
        let is_inherited = waits && has_lock_timeout();
        Ok(if is_inherited { pg_sys::CurTransactionResourceOwner } else { pg_sys::CurrentResourceOwner })
    }
}

fn acquire(tag: &pg_sys::LOCKTAG, mode: u32, or_leave: bool) -> bool {
    // SAFETY: a complete tag; raises an error on deadlock, time-out and cancellation.
    let result = unsafe { pg_sys::LockAcquire(tag, mode as i32, false, or_leave) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

/// The tag of a lock on what some parts name, as if a hash of them were the id of an object of the table.
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
