//! What is taken of pools, in their rows or in the counts of escrow pools. What a pool is changes in
//! `definitions`, and whether a request may have its quantity is decided in `verbs::allocation`.

use super::direct::{Key, Row, RowLock};
use super::pool_count;
use super::resources::{self, ResourceStatus, StoredResource, admits_all};
use super::statement::{Argument, Session, statement};
use super::tables::resources as columns;
use crate::error::Error;
use crate::rules::Micros;
use crate::rules::escrow::Taken;
use crate::rules::pool::Contention;
use crate::shared_memory::escrow::{self, Entered};
use crate::shared_memory::generations::{self, Cache, LIFETIME};
use uuid::Uuid;

/// What the caller has checked before it takes from a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Nothing. The statement takes nothing from a pool that is closed, limits its holders, or has a waitlist.
    Nothing,
    /// Everything but the quantity: the limit for the holder, and that nobody waits for what is taken. The
    /// statement does not look whether the pool is closed, because a late confirmation may take from a closed one.
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

/// Takes from a locked pool. Returns `None` if any condition of the statement fails. It cannot oversell, whichever
/// locks the caller has, because PostgreSQL checks the conditions on the very row version that it writes.
pub fn take(
    session: &Session,
    name: &str,
    quantity: i64,
    expected_version: Option<i64>,
    checked: Checked,
) -> Option<ResourceStatus> {
    let status = take_directly(name, quantity, expected_version, checked);
    if status.is_some() {
        return status;
    }
    let arguments = [
        Argument::Text(Some(name)),
        Argument::Bigint(Some(quantity)),
        Argument::Bigint(expected_version),
        Argument::Boolean(checked == Checked::Everything),
    ];
    TAKE.with(|statement| statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row)))
}

fn take_directly(
    name: &str,
    quantity: i64,
    expected_version: Option<i64>,
    checked: Checked,
) -> Option<ResourceStatus> {
    use columns::{CAPACITY, ESCROW, KIND, OVERBOOKING, RESOURCES, TAKEN, VERSION};
    let judge = |row: &Row| {
        let (version, taken) = (row.get(VERSION)?, row.get(TAKEN)?);
        let most = row.get(CAPACITY)?.checked_add(row.get(OVERBOOKING)?)?;
        let left = most.checked_sub(taken)?.checked_sub(quantity)?;
        let takes = row.is_label(KIND, "pool")
            && row.is_null(ESCROW)
            && left >= 0
            && (checked == Checked::Everything || resources::row_admits_all(row))
            && expected_version.is_none_or(|expected| expected == version);
        let status =
            ResourceStatus { version: version.checked_add(1)?, available: Some(left), is_waited_for: false };
        takes.then(|| (vec![TAKEN.is(taken + quantity), VERSION.is(status.version)], status))
    };
    RESOURCES.with(|table| table.update(Key::of(&[columns::NAME.is(name)]), RowLock::ByUpdate, judge))
}

statement!(GIVE_BACK (TEXTOID, INT8OID)
    "update booking.resources
     set taken = taken - $2, version = version + 1
     where name = $1 and escrow is null
     returning version, case when kind = 'pool' then capacity + overbooking - taken end, waiting > 0");

/// Gives back to a pool. Returns `None` if the pool does not exist.
///
/// Without shared memory nothing is cached, so it costs a statement to learn whether this is an escrow pool. Then
/// the UPDATE for locked pools runs first, and the escrow pool is looked for only if the UPDATE found no row.
pub fn give_back(session: &Session, name: &str, quantity: i64) -> Result<Option<ResourceStatus>, Error> {
    if escrow::is_possible()
        && let Some(status) = give_back_in_escrow(session, name, quantity)?
    {
        return Ok(Some(status));
    }
    let status = give_back_directly(name, quantity).or_else(|| {
        let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(quantity))];
        GIVE_BACK.with(|statement| {
            statement.run(session, &arguments).first().map(|row| ResourceStatus::read(&row))
        })
    });
    match status {
        None if !escrow::is_possible() => give_back_in_escrow(session, name, quantity),
        status => Ok(status),
    }
}

fn give_back_directly(name: &str, quantity: i64) -> Option<ResourceStatus> {
    use columns::{CAPACITY, ESCROW, KIND, NAME, OVERBOOKING, RESOURCES, TAKEN, VERSION, WAITING};
    let judge = |row: &Row| {
        let taken = row.get(TAKEN)?.checked_sub(quantity)?;
        let most = row.get(CAPACITY)?.checked_add(row.get(OVERBOOKING)?)?;
        let status = ResourceStatus {
            version: row.get(VERSION)?.checked_add(1)?,
            available: row.is_label(KIND, "pool").then(|| most.checked_sub(taken)).flatten(),
            is_waited_for: row.get(WAITING)? > 0,
        };
        row.is_null(ESCROW).then(|| (vec![TAKEN.is(taken), VERSION.is(status.version)], status))
    };
    RESOURCES.with(|table| table.update(Key::of(&[NAME.is(name)]), RowLock::ByUpdate, judge))
}

/// Gives back to an escrow pool. Returns `None` if the pool is not one.
fn give_back_in_escrow(
    session: &Session,
    name: &str,
    quantity: i64,
) -> Result<Option<ResourceStatus>, Error> {
    let Some(CachedPool { escrow: Some(id), is_auto, most, version, waits, .. }) = cached(session, name)
    else {
        return Ok(None);
    };
    let available = match escrow::give(id, quantity)? {
        true => escrow::taken(id).map(|taken| most - taken),
        false => Some(most - pool_count::count(session, name)),
    };
    let changes = pool_count::changes(id, is_auto);
    Ok(Some(ResourceStatus { version: version + changes, available, is_waited_for: waits }))
}

statement!(APPLY_DELTAS (TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID)
    "update booking.resources as resources
     set taken = taken + deltas.quantity, version = version + deltas.changes, waiting = waiting - deltas.offers
     from unnest($1, $2, $3, $4) as deltas(resource, quantity, changes, offers)
     where name = deltas.resource
       and deltas.quantity <= capacity + overbooking - taken
     returning name");

/// What one call takes from a resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolDelta {
    /// How much it takes from a pool.
    pub quantity: i64,
    /// By how much the pool's version rises.
    pub changes: i64,
    /// How many entries of the waitlist got what they waited for.
    pub offers: i64,
}

/// Takes from several pools, and subtracts the entries that got an offer from the number that waits. The caller
/// has the locks and has checked everything but the quantities. Returns false if one of the pools has too little;
/// then nothing is taken from the locked pools, but something may be from escrow pools.
pub fn apply_deltas(session: &Session, deltas: &[(&StoredResource, PoolDelta)]) -> Result<bool, Error> {
    let served = deltas.iter().filter(|(_, delta)| delta.offers > 0);
    served.for_each(|(of, _)| generations::changed(&of.name));
    for (of, delta) in deltas {
        if let Some(id) = of.escrow
            && take_escrow(session, &of.name, id, *delta, of.pool.capacity + of.pool.overbooking)?.is_none()
        {
            return Ok(false);
        }
    }
    // An escrow pool's row is written only if entries of its waitlist got an offer.
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
    let changed = add_deltas(session, &written);
    if changed.len() == written.len() {
        return Ok(true);
    }
    // To undo it here is cheaper than a subtransaction around a statement that nearly always succeeds.
    let back = written.iter().filter(|(name, _)| changed.iter().any(|changed| changed == name));
    let back: Vec<_> = back
        .map(|&(name, PoolDelta { quantity, changes, offers })| {
            (name, PoolDelta { quantity: -quantity, changes: -changes, offers: -offers })
        })
        .collect();
    add_deltas(session, &back);
    Ok(false)
}

/// Adds the deltas to the rows of pools that have enough. Returns the names of these pools.
fn add_deltas(session: &Session, deltas: &[(&str, PoolDelta)]) -> Vec<String> {
    let (added, rest): (Vec<_>, Vec<_>) =
        deltas.iter().partition(|delta| add_delta_directly(delta).is_some());
    let mut added: Vec<String> = added.into_iter().map(|(name, _)| (*name).to_owned()).collect();
    if !rest.is_empty() {
        added.extend(add_deltas_in_statement(session, &rest));
    }
    added
}

/// Adds one delta. Returns `None` if a statement has to.
fn add_delta_directly((name, delta): &(&str, PoolDelta)) -> Option<()> {
    use columns::{CAPACITY, NAME, OVERBOOKING, RESOURCES, TAKEN, VERSION, WAITING};
    let judge = |row: &Row| {
        let taken = row.get(TAKEN)?.checked_add(delta.quantity)?;
        let fits = taken <= row.get(CAPACITY)?.checked_add(row.get(OVERBOOKING)?)?;
        let changes = vec![
            TAKEN.is(taken),
            VERSION.is(row.get(VERSION)?.checked_add(delta.changes)?),
            WAITING.is(row.get(WAITING)?.checked_sub(delta.offers)?),
        ];
        fits.then_some((changes, ()))
    };
    RESOURCES.with(|table| table.update(Key::of(&[NAME.is(*name)]), RowLock::ByUpdate, judge))
}

fn add_deltas_in_statement(session: &Session, deltas: &[(&str, PoolDelta)]) -> Vec<String> {
    let numbers = |of: fn(&PoolDelta) -> i64| deltas.iter().map(|(_, delta)| of(delta)).collect::<Vec<_>>();
    let arguments = [
        Argument::Texts(Some(&deltas.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
        Argument::Bigints(&numbers(|delta| delta.quantity)),
        Argument::Bigints(&numbers(|delta| delta.changes)),
        Argument::Bigints(&numbers(|delta| delta.offers)),
    ];
    APPLY_DELTAS.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

/// What a backend knows about a resource without reading its row again.
#[derive(Clone, Copy, Debug)]
pub struct CachedPool {
    /// The id of the count in shared memory; `None` if there is none.
    pub escrow: Option<Uuid>,
    /// Whether the count moves between the row and shared memory.
    pub is_auto: bool,
    /// How much can be taken in total: the capacity and the overbooking.
    pub most: i64,
    pub version: i64,
    /// Whether the pool admits every request that it has enough for: it is open, does not limit its holders, and
    /// nobody waits for it.
    pub is_plain: bool,
    /// Whether it limits its holders.
    pub is_limited: bool,
    /// Whether anybody waits for it.
    pub waits: bool,
}

/// For how long at most a backend uses what it has cached about a resource that is not an escrow pool, in
/// microseconds. It may be long, because the UPDATE reads all conditions from the row that it writes. With the
/// usual lifetime, a session that books a thousand pools one after the other reads the row once more for nearly
/// every hold.
const LIFETIME_OF_LOCKED: Micros = 60_000_000;

std::thread_local! {
    static CACHED: Cache<CachedPool> = Cache::new(4096);
}

/// Returns what the backend knows about a resource; reads its row if that is not cached. Returns `None` if there
/// is no resource of this name. The answer is true as long as the caller has the resource's lock.
pub fn cached(session: &Session, name: &str) -> Option<CachedPool> {
    let read = || {
        let found = resources::read_now(session, name)?;
        let pool = &found.pool;
        let cached = CachedPool {
            escrow: found.escrow,
            is_auto: found.contention == Contention::Auto,
            most: pool.capacity + pool.overbooking,
            version: pool.version,
            is_plain: found.admits_all(),
            is_limited: pool.max_per_holder.is_some(),
            waits: found.waiting > 0,
        };
        Some((cached, if cached.escrow.is_some() { LIFETIME } else { LIFETIME_OF_LOCKED }))
    };
    CACHED.with(|cache| cache.get_or_load(name, read))
}

/// Returns the id of an escrow pool's count, or `None` for any other resource.
pub fn escrow(session: &Session, name: &str) -> Option<Uuid> {
    cached(session, name)?.escrow
}

/// Enters the count of an escrow pool, whose lock the caller has in exclusive mode: the count stays in shared
/// memory until this transaction ends. If the count is not in memory, adds up the holds; if there is no space for
/// it, notes that this transaction goes without the count. Does nothing for any other resource.
///
/// If the count of a pool that moves is lost, this transaction goes without it, too: only its version would tell that the
/// sum is a new one, and that is in the row.
pub fn enter_exclusive(session: &Session, name: &str) {
    // Without shared memory, no session has a count.
    let known = escrow::is_possible().then(|| cached(session, name)).flatten();
    let Some(CachedPool { escrow: Some(id), is_auto, .. }) = known else { return };
    let entered = match escrow::enter(id) {
        Entered::NotCounted if !is_auto => escrow::count(id, pool_count::count(session, name)),
        entered => entered,
    };
    if entered != Entered::Yes {
        escrow::do_without(id);
    }
}

/// Takes from an escrow pool, of which `most` can be taken in total. Returns what is left, or `None` if it has too
/// little.
pub fn take_escrow(
    session: &Session,
    name: &str,
    id: Uuid,
    delta: PoolDelta,
    most: i64,
) -> Result<Option<i64>, Error> {
    let PoolDelta { quantity, changes, .. } = delta;
    Ok(match escrow::take(id, quantity, changes, most)? {
        Some(Taken::Yes { left }) => Some(left),
        Some(_) => None,
        None => Some(most - pool_count::count(session, name) - quantity).filter(|left| *left >= 0),
    })
}
