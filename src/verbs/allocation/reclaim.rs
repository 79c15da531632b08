//! Making room. A resource that is short of it ends its own expired holds first, so that nobody
//! depends on the worker.
//!
//! A locked one may be confirmed this moment and its place gone, or its transaction may roll back and
//! the place come free: to refuse without waiting for it would be a false "sold out". It is waited for
//! only if that could make the request fit; and then the clock is read again, since others may have
//! run out meanwhile. See [`retry_after_wait`](super::retry::retry_after_wait).

use super::Interrupt;
use super::stop::Retry;
use crate::error::Error;
use crate::rules::pool::{Admission, Pool};
use crate::server::clock::{self, Timestamp};
use crate::server::settings;
use crate::shared_memory::escrow;
use crate::store::{Session, overdue, pools, resources};
use std::collections::HashSet;
use uuid::Uuid;

/// Reads a pool, whose locks the caller has, and decides; where only room is missing, ends expired
/// holds and decides again.
///
/// The second time without the expected version: ending them was this call's own change.
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
        shortage(session, resource, missing, pool.taken).or_again()?;
    }
    Ok((pool, admission))
}

/// What came of ending expired holds.
pub struct Reclaimed {
    pub freed: i64,
    /// Those that others have locked, where they could free what is still missing.
    pub locked: Vec<Uuid>,
}

impl Reclaimed {
    /// How much was freed, where there is nothing to wait for.
    pub fn or_wait(self) -> Result<i64, Retry> {
        if self.locked.is_empty() { Ok(self.freed) } else { Err(Retry::Locked(self.locked)) }
    }
}

/// The most overdue holds, locked by others, that are waited for at once.
pub const MAX_LOCKED: i64 = 10_000;

/// Ends expired holds of a pool, whose locks the caller has, until `missing` is free or none is left
/// that nobody else has locked.
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
        // What is still there is locked by others.
        let locked = overdue::due(session, resource, now, MAX_LOCKED);
        let quantity: i64 = locked.iter().map(|due| due.quantity).sum();
        if quantity > 0 && freed + quantity >= missing {
            return Ok(Reclaimed { freed, locked: locked.iter().map(|due| due.id).collect() });
        }
    }
    Ok(Reclaimed { freed, locked: Vec::new() })
}

/// What is still short of an escrow pool that others take from at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// There is no more, whatever becomes of what is under way.
    Lasting,
    /// What this transaction of another has under way could be enough.
    Passing(u32),
    /// It is over.
    Over,
}

/// Whether a pool that was found to be short of so much, when so much was taken, is so still. A locked pool is, which
/// nobody else can change.
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
    /// Nothing, where it lasts; or what to do before all is looked at anew.
    pub fn or_again(self) -> Result<(), Retry> {
        match self {
            Self::Lasting => Ok(()),
            Self::Passing(transaction) => Err(Retry::UnderWay(transaction)),
            Self::Over => Err(Retry::Stale),
        }
    }
}

/// What a holder has live on a resource, whose locks the caller has.
///
/// One that has run out does not count, unless its confirmation is under way, begun in time: that
/// is waited for, or the holder would end up with both.
pub fn owned(session: &Session, resource: &str, holder: &str, now: Timestamp) -> Result<i64, Interrupt> {
    let due = overdue::due_of(session, resource, holder, now);
    if !due.is_empty() {
        all_or_wait(&due, &overdue::lock_free(session, &due))?;
    }
    Ok(overdue::owned(session, resource, holder, now))
}

/// Whether everything wanted was to be had; the rest has to be waited for.
pub fn all_or_wait(wanted: &[Uuid], had: &[Uuid]) -> Result<(), Retry> {
    let had: HashSet<&Uuid> = had.iter().collect();
    let rest: Vec<Uuid> = wanted.iter().filter(|id| !had.contains(id)).copied().collect();
    if rest.is_empty() { Ok(()) } else { Err(Retry::Locked(rest)) }
}
