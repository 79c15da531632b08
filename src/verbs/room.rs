//! Deciding whether there is room. A resource that is short of it ends its own expired holds
//! first, so that nobody depends on the worker.

use super::Stop;
use crate::clock::{self, Timestamp};
use crate::error::Error;
use crate::rules::pool::{Admission, Pool};
use crate::settings;
use crate::store::{Busy, Patience, Session, holds, resources};

/// Reads a pool, whose locks the caller has, and decides; where only room is missing, ends expired
/// holds and decides again.
///
/// The second time without the expected version: ending them was this call's own change.
pub fn decide_with_room(
    session: &Session,
    resource: &str,
    expected_version: Option<i64>,
    patience: Patience,
    decide: impl Fn(&Pool, Option<i64>) -> Admission,
) -> Result<(Pool, Admission), Stop> {
    let pool = read(session, resource)?;
    let admission = decide(&pool, expected_version);
    if let Admission::Short(missing) = admission
        && reclaim(session, resource, missing, patience)?
    {
        let pool = read(session, resource)?;
        let admission = decide(&pool, None);
        return Ok((pool, admission));
    }
    Ok((pool, admission))
}

pub fn read(session: &Session, resource: &str) -> Result<Pool, Error> {
    resources::read(session, resource).ok_or_else(|| Error::no_resource(resource))
}

/// Ends expired holds of a resource, whose locks the caller has, until `missing` is free or none
/// is left. Returns whether the pool is worth another look.
///
/// First those that nobody has locked. A locked one may be confirmed this moment and its place
/// gone, or its transaction may roll back and the place come free: to refuse without waiting for
/// it would be a false "sold out". It is waited for only if that could make the request fit; and
/// then the clock is read again, since others may have run out meanwhile.
pub fn reclaim(session: &Session, resource: &str, missing: i64, patience: Patience) -> Result<bool, Busy> {
    let mut freed = 0;
    let mut waited = false;
    let result = loop {
        let now = clock::now();
        freed += end_due(session, resource, missing - freed, now);
        let locked = if freed < missing { holds::due_quantity(session, resource, now) } else { 0 };
        if locked == 0 || freed + locked < missing {
            break Ok(());
        }
        if let Err(busy) = holds::lock_due(session, resource, now, settings::sweep_batch(), patience) {
            break Err(busy);
        }
        waited = true;
    };
    if freed > 0 {
        resources::give_back(session, resource, freed);
    }
    result.map(|()| waited || freed > 0)
}

/// What a holder has live on a resource, whose locks the caller has.
///
/// One that has run out does not count, unless its confirmation is under way, begun in time: that
/// is waited for, or the holder would end up with both.
pub fn owned(session: &Session, resource: &str, holder: &str, patience: Patience) -> Result<i64, Busy> {
    holds::lock_due_of(session, resource, holder, clock::now(), patience)?;
    Ok(holds::owned(session, resource, holder, clock::now()))
}

fn end_due(session: &Session, resource: &str, missing: i64, now: Timestamp) -> i64 {
    let batch = settings::sweep_batch();
    let mut freed = 0;
    while freed < missing {
        let ended = holds::end_due(session, resource, now, batch);
        freed += ended.quantity;
        if ended.holds < batch {
            break;
        }
    }
    freed
}
