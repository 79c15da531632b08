//! Reclaiming. A verb that finds too little left ends the resource's own overdue holds first, so that no answer
//! depends on the worker.
//!
//! Another transaction may have an overdue hold locked. It may confirm the hold, or roll back and leave it
//! overdue, so to refuse without waiting would be a false "sold out". The verb waits only if the locked holds
//! could make the request fit. Then it reads the clock again, because other holds may have run out meanwhile. See
//! [`retry_after_wait`](super::retry::retry_after_wait).

use super::stop::Interrupt;
use super::stop::Retry;
use crate::error::Error;
use crate::rules::pool::{Admission, Pool};
use crate::server::clock::{self, Timestamp};
use crate::server::settings;
use crate::shared_memory::escrow;
use crate::store::{Session, overdue, pools, resources};
use std::collections::HashSet;
use uuid::Uuid;

/// Reads a pool, whose lock the caller has, and decides. If too little is left, ends overdue holds and decides
/// again.
///
/// The second decision gets no expected version, because ending the holds has raised the version.
pub fn decide_with_reclaim(
    session: &Session,
    resource: &str,
    expected_version: Option<i64>,
    decide: impl Fn(&Pool, Option<i64>) -> Admission,
) -> Result<(Pool, Admission), Interrupt> {
    let mut pool = resources::read_existing(session, resource)?.pool;
    let mut admission = decide(&pool, expected_version);
    if let Admission::Short(missing) = admission
        && reclaim(session, resource, missing, clock::now())?.or_wait()? > 0
    {
        pool = resources::read_existing(session, resource)?.pool;
        admission = decide(&pool, None);
    }
    if let Admission::Short(missing) = admission {
        shortage(session, resource, missing, pool.taken).or_retry()?;
    }
    Ok((pool, admission))
}

/// What came of ending overdue holds.
pub struct Reclaimed {
    /// How many places were freed.
    pub freed: i64,
    /// The overdue holds that others have locked; empty if they could not free what is still missing.
    pub locked: Vec<Uuid>,
}

impl Reclaimed {
    /// Returns how much was freed, or `Err` if the call has to wait for locked holds.
    pub fn or_wait(self) -> Result<i64, Retry> {
        if self.locked.is_empty() { Ok(self.freed) } else { Err(Retry::Locked(self.locked)) }
    }
}

/// The most overdue holds, locked by others, that a call waits for at once.
pub const MAX_LOCKED: i64 = 10_000;

/// Ends overdue holds of a pool, whose lock the caller has, until `missing` places are free or all that are left
/// are locked by others.
pub fn reclaim(session: &Session, resource: &str, missing: i64, now: Timestamp) -> Result<Reclaimed, Error> {
    let batch = settings::sweep_batch();
    let mut freed = 0;
    while freed < missing {
        let ended = overdue::end_due(session, resource, now, batch);
        freed += ended.quantity;
        if ended.holds < batch {
            break;
        }
    }
    if freed > 0 {
        pools::give_back(session, resource, freed)?;
    }
    if freed < missing {
        // The loop ended all that it could lock, so what is still overdue is locked by others.
        let locked = overdue::due(session, resource, now, MAX_LOCKED);
        let quantity: i64 = locked.iter().map(|due| due.quantity).sum();
        if quantity > 0 && freed + quantity >= missing {
            return Ok(Reclaimed { freed, locked: locked.iter().map(|due| due.id).collect() });
        }
    }
    Ok(Reclaimed { freed, locked: Vec::new() })
}

/// What becomes of a shortage in an escrow pool that others take from at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// Too little is left, whatever becomes of the changes under way.
    Lasting,
    /// The changes that others have under way could free enough. The call waits for this transaction first.
    Passing(u32),
    /// Enough came free meanwhile.
    Over,
}

/// Returns whether a pool still lacks `missing`, which it lacked when `taken` was taken. A locked pool still does,
/// because the caller's lock keeps others from changing it.
pub fn shortage(session: &Session, resource: &str, missing: i64, taken: i64) -> Shortage {
    let Some((now, others)) = pools::escrow(session, resource).and_then(escrow::look) else {
        return Shortage::Lasting;
    };
    match others {
        _ if missing <= taken - now => Shortage::Over,
        Some(others) if missing - (taken - now) <= others.gain => Shortage::Passing(others.transaction),
        _ => Shortage::Lasting,
    }
}

impl Shortage {
    /// Returns `Ok` if the shortage lasts, so that the call may refuse, or `Err` with the reason to look again.
    pub fn or_retry(self) -> Result<(), Retry> {
        match self {
            Self::Lasting => Ok(()),
            Self::Passing(transaction) => Err(Retry::UnderWay(transaction)),
            Self::Over => Err(Retry::Stale),
        }
    }
}

/// Returns how much a holder has live on a resource, whose locks the caller has.
///
/// An overdue hold does not count. But another transaction that has it locked may have begun in time to confirm
/// it. So this returns `Err` to make the call wait for that transaction, or else the holder could end up with
/// both.
pub fn owned(session: &Session, resource: &str, holder: &str, now: Timestamp) -> Result<i64, Interrupt> {
    let due = overdue::due_of(session, resource, holder, now);
    if !due.is_empty() {
        all_or_wait(&due, &overdue::lock_free(session, &due))?;
    }
    Ok(overdue::owned(session, resource, holder, now))
}

/// Returns `Ok` if the call ended, or locked, all holds of `wanted`, and `Err` with the rest to wait for if not.
pub fn all_or_wait(wanted: &[Uuid], done: &[Uuid]) -> Result<(), Retry> {
    let done: HashSet<&Uuid> = done.iter().collect();
    let rest: Vec<Uuid> = wanted.iter().filter(|id| !done.contains(id)).copied().collect();
    if rest.is_empty() { Ok(()) } else { Err(Retry::Locked(rest)) }
}
