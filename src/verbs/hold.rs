//! Placing a hold.

use super::room::{decide_with_room, owned, read};
use super::{Stop, settle, take_turn};
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::pool::{Admission, admit};
use crate::rules::{Micros, Refusal};
use crate::store::holds::{self, NewHold, StoredHold};
use crate::store::resources::{self, Checked, Level};
use crate::store::{Patience, Session};
use crate::worker;
use pgrx::pg_sys;
use uuid::Uuid;

/// What is asked for.
pub struct Placement<'a> {
    pub resource: &'a str,
    pub quantity: i64,
    pub ttl: Micros,
    pub key: Option<&'a str>,
    /// What the key stands for: the same key with another fingerprint is another request.
    pub fingerprint: Option<Uuid>,
    pub holder: Option<&'a str>,
    pub expected_version: Option<i64>,
    pub patience: Patience,
    pub metadata: Option<pg_sys::Datum>,
}

/// Holds part of a pool for a while.
pub fn hold(placement: &Placement) -> Result<Outcome, Error> {
    settle(place(&Session::to_write(c"booking.hold()"), placement))
}

fn place(session: &Session, placement: &Placement) -> Result<Outcome, Stop> {
    take_turn(session, placement.resource, placement.patience)?;
    // Behind the lock: of two that use one key at once, the second finds what the first wrote.
    if let Some(key) = placement.key
        && let Some(earlier) = holds::by_key(session, key, placement.resource)
    {
        return Ok(replay(placement, &earlier));
    }
    // Nearly every hold ends here. Only one that this statement refuses asks why.
    let taken = resources::take(
        session,
        placement.resource,
        placement.quantity,
        placement.expected_version,
        Checked::Nothing,
    );
    match taken {
        Some(level) => Ok(write(session, placement, level)),
        None => deliberate(session, placement),
    }
}

fn replay(placement: &Placement, earlier: &StoredHold) -> Outcome {
    if earlier.fingerprint != placement.fingerprint {
        return Outcome::key_reused(earlier);
    }
    let now = clock::now();
    Outcome::repeated(earlier, earlier.hold.is_live(now.micros()), now)
}

/// The way of a request that needs more than one look: the pool limits its holders, or it is full,
/// closed, another version, or not there.
fn deliberate(session: &Session, placement: &Placement) -> Result<Outcome, Stop> {
    let Placement { resource, quantity, expected_version, .. } = *placement;
    let limit = read(session, resource)?.max_per_holder;
    let owned = match (limit, placement.holder) {
        (None, _) => 0,
        (Some(_), Some(holder)) => owned(session, resource, holder, placement.patience)?,
        (Some(limit), None) => {
            let detail = format!("Resource \"{resource}\" allows each holder {limit} at most.");
            return Err(Error::null("holder").detail(detail).into());
        }
    };
    let (pool, admission) = decide_with_room(
        session,
        resource,
        expected_version,
        placement.patience,
        |pool, expected_version| admit(pool, quantity, expected_version, owned),
    )?;
    let level = Level { version: pool.version, available: pool.free() };
    match admission {
        Admission::Fits => resources::take(session, resource, quantity, None, Checked::Limit)
            .map(|level| write(session, placement, level))
            .ok_or_else(|| Error::no_resource(resource).into()),
        Admission::Short(_) => Ok(Outcome::unavailable(quantity, level)),
        Admission::Refuse(Refusal::LimitExceeded) => {
            Ok(Outcome::limit_exceeded(level, quantity, owned, limit))
        }
        Admission::Refuse(refusal) => Ok(Outcome::refused_resource(refusal, level.version)),
    }
}

fn write(session: &Session, placement: &Placement, level: Level) -> Outcome {
    let id = Uuid::now_v7();
    // Only now is every lock granted, so only now does the time to live begin.
    let placed_at = clock::now();
    let expires_at = placed_at.after(placement.ttl);
    holds::insert(
        session,
        &NewHold {
            id,
            resource: placement.resource,
            quantity: placement.quantity,
            placed_at,
            expires_at,
            key: placement.key,
            fingerprint: placement.fingerprint,
            holder: placement.holder,
            metadata: placement.metadata,
        },
    );
    worker::expect_expiry(expires_at);
    Outcome::placed(id, expires_at, level)
}
