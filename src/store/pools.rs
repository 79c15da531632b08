//! The room of pools: counted in their rows, or in escrow.

use super::pool_count;
use super::resources::{self, ResourceStatus, StoredResource, admits_all};
use super::statement::{Argument, Session, statement};
use crate::error::Error;
use crate::rules::Micros;
use crate::rules::escrow::Taken;
use crate::shared_memory::escrow::{self, Entered};
use crate::shared_memory::generations::{self, Cache, LIFETIME};
use uuid::Uuid;

/// Whether a request for room has already been found to keep a pool's rules, or is excused from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The statement refuses a pool that limits its holders, one that is waited for, and one that is closed.
    Nothing,
    /// What the holder has was counted, nothing of it is owed to others, and it may be closed.
    Everything,
}

statement!(TAKE (TEXTOID, INT8OID, INT8OID, BOOLOID)
    concat!("update booking.resources
     set taken = taken + $2, version = version + 1
     where name = $1 and kind = 'pool' and escrow is null
       and $2 <= capacity + overbooking - taken
       and ($4 or ", admits_all!(), ")
       and ($3 is null or version = $3)
     returning version, capacity + overbooking - taken, false"));

/// Takes room from a locked pool, in the one statement that cannot oversell: the condition is checked on
/// the row that is written, whatever lock is or is not held. None where any condition fails.
pub fn take(
    session: &Session,
    name: &str,
    quantity: i64,
    expected_version: Option<i64>,
    checked: Checked,
) -> Option<ResourceStatus> {
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Bigint(Some(quantity)),
        Argument::Bigint(expected_version),
        Argument::Boolean(checked == Checked::Everything),
    ];
    TAKE.with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)))
}

statement!(GIVE_BACK (TEXTOID, INT8OID)
    "update booking.resources
     set taken = taken - $2, version = version + 1
     where name = $1 and escrow is null
     returning version, case when kind = 'pool' then capacity + overbooking - taken end, waiting > 0");

/// Gives room back to a pool. None where the pool is gone.
///
/// Which kind it is costs a look where nothing can be remembered; there the row is asked first.
pub fn give_back(session: &Session, name: &str, quantity: i64) -> Result<Option<ResourceStatus>, Error> {
    if escrow::is_possible()
        && let Some(status) = give_back_in_escrow(session, name, quantity)?
    {
        return Ok(Some(status));
    }
    let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(quantity))];
    let status = GIVE_BACK
        .with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)));
    match status {
        None if !escrow::is_possible() => give_back_in_escrow(session, name, quantity),
        status => Ok(status),
    }
}

/// None where it is no escrow pool.
fn give_back_in_escrow(
    session: &Session,
    name: &str,
    quantity: i64,
) -> Result<Option<ResourceStatus>, Error> {
    let Some(CachedPool { escrow: Some(id), most, version, waits, .. }) = cached(session, name) else {
        return Ok(None);
    };
    let available = match escrow::give(id, quantity)? {
        true => escrow::taken(id).map(|taken| most - taken),
        false => Some(most - pool_count::count(session, name)),
    };
    Ok(Some(ResourceStatus { version, available, is_waited_for: waits }))
}

statement!(APPLY_DELTAS (TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID)
    "update booking.resources as resources
     set taken = taken + deltas.quantity, version = version + deltas.changes, waiting = waiting - deltas.offers
     from unnest($1, $2, $3, $4) as deltas(resource, quantity, changes, offers)
     where name = deltas.resource
       and deltas.quantity <= capacity + overbooking - taken
     returning name");

/// How much is taken from a pool in one call, and in how many steps: its version rises by them. And how many
/// of those who wait for a resource were given what they waited for.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolDelta {
    pub quantity: i64,
    pub changes: i64,
    pub offers: i64,
}

/// Takes room from several pools, whose turns the caller has and whose rules it has looked after, and those
/// who got what they waited for from the count of who waits. Whether all of the pools had it; of locked pools nothing
/// is taken where one had not.
pub fn apply_deltas(session: &Session, deltas: &[(&StoredResource, PoolDelta)]) -> Result<bool, Error> {
    let served = deltas.iter().filter(|(_, delta)| delta.offers > 0);
    served.for_each(|(of, _)| generations::changed(&of.name));
    for (of, delta) in deltas {
        if let Some(id) = of.escrow
            && take_escrow(session, &of.name, id, delta.quantity, of.pool.capacity + of.pool.overbooking)?
                .is_none()
        {
            return Ok(false);
        }
    }
    // An escrow pool's row is only written where somebody waits no more.
    let written = deltas.iter().filter(|(of, delta)| of.escrow.is_none() || delta.offers > 0);
    let written: Vec<_> = written
        .map(|(of, delta)| match of.escrow {
            None => (of.name.as_str(), *delta),
            Some(_) => (of.name.as_str(), PoolDelta { offers: delta.offers, ..PoolDelta::default() }),
        })
        .collect();
    if written.is_empty() {
        return Ok(true);
    }
    let had = add_deltas(session, &written);
    if had.len() == written.len() {
        return Ok(true);
    }
    // Cheaper than a savepoint around what nearly always goes well.
    let back = written.iter().filter(|(name, _)| had.iter().any(|had| had == name));
    let back: Vec<_> = back
        .map(|&(name, PoolDelta { quantity, changes, offers })| {
            (name, PoolDelta { quantity: -quantity, changes: -changes, offers: -offers })
        })
        .collect();
    add_deltas(session, &back);
    Ok(false)
}

/// Adds up what is taken. Returns which pools had it.
fn add_deltas(session: &Session, deltas: &[(&str, PoolDelta)]) -> Vec<String> {
    let numbers = |of: fn(&PoolDelta) -> i64| deltas.iter().map(|(_, delta)| of(delta)).collect::<Vec<_>>();
    let arguments = [
        Argument::Texts(Some(&deltas.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
        Argument::Bigints(&numbers(|delta| delta.quantity)),
        Argument::Bigints(&numbers(|delta| delta.changes)),
        Argument::Bigints(&numbers(|delta| delta.offers)),
    ];
    APPLY_DELTAS.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

/// What a backend knows of a pool without reading its row each time.
#[derive(Clone, Copy, Debug)]
pub struct CachedPool {
    /// The id of its count, where it is an escrow pool.
    pub escrow: Option<Uuid>,
    /// How much can be taken in all.
    pub most: i64,
    pub version: i64,
    /// Whether all that is to be asked of it is whether there is room: it is open, no holder is limited, and
    /// nobody waits.
    pub is_plain: bool,
    pub is_limited: bool,
    pub waits: bool,
}

/// How long it is believed where all that is made of it is that the pool is a locked one: everything else is read from
/// the row that is written. With the usual lifetime, a session that books a thousand pools in turn reads each row once more for nearly
/// every hold.
const LIFETIME_OF_LOCKED: Micros = 60_000_000;

std::thread_local! {
    static CACHED: Cache<CachedPool> = Cache::new(4096);
}

/// What is known of a resource; none where there is none of this name. True as long as the caller has a turn there.
pub fn cached(session: &Session, name: &str) -> Option<CachedPool> {
    let read = || {
        let found = resources::read_now(session, name)?;
        let pool = &found.pool;
        let cached = CachedPool {
            escrow: found.escrow,
            most: pool.capacity + pool.overbooking,
            version: pool.version,
            is_plain: found.admits_all(),
            is_limited: pool.max_per_holder.is_some(),
            waits: found.waiting > 0,
        };
        Some((cached, if cached.escrow.is_some() { LIFETIME } else { LIFETIME_OF_LOCKED }))
    };
    CACHED.with(|memory| memory.get_or_load(name, read))
}

/// The id of a resource's count, where it is an escrow pool.
pub fn escrow(session: &Session, name: &str) -> Option<Uuid> {
    cached(session, name)?.escrow
}

/// Where it is an escrow pool that the caller has alone: has its count in memory for as long as this transaction lasts,
/// or does without it.
pub fn enter_exclusive(session: &Session, name: &str) {
    // Without the memory all do without.
    let Some(id) = escrow::is_possible().then(|| escrow(session, name)).flatten() else { return };
    let entered = match escrow::enter(id) {
        Entered::NotCounted => escrow::count(id, pool_count::count(session, name)),
        entered => entered,
    };
    if entered != Entered::Yes {
        escrow::do_without(id);
    }
}

/// Takes room from an escrow pool, up to a bound. What is left, or none where it is short.
pub fn take_escrow(
    session: &Session,
    name: &str,
    id: Uuid,
    quantity: i64,
    most: i64,
) -> Result<Option<i64>, Error> {
    Ok(match escrow::take(id, quantity, most)? {
        Some(Taken::Yes { left }) => Some(left),
        Some(_) => None,
        None => Some(most - pool_count::count(session, name) - quantity).filter(|left| *left >= 0),
    })
}
