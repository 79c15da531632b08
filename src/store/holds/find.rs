//! Holds are found by their id or key here, locked, and waited for.

use super::{AFTER_COLUMNS, HoldGroup, StoredHold};
use crate::store::direct::Key;
use crate::store::locks::subtransaction::{until_lock_timeout, wait_only};
use crate::store::locks::{Busy, LockWaitPolicy, snapshot};
use crate::store::statement::{Argument, Session, statement};
use crate::store::tables::holds as columns;
use uuid::Uuid;

statement!(BY_KEYS (TEXTARRAYOID, TEXTARRAYOID)
    concat!("select ", columns!(), ", key
     from booking.holds
     where key = any($1) and resource = any($2)
     order by item"));

/// Returns the holds that were placed under some keys on some resources, each with its key. In REPEATABLE READ and
/// above, raises 40001 if their number has changed since the snapshot was taken.
pub fn by_keys(session: &Session, keys: &[&str], resources: &[&str]) -> Vec<(String, StoredHold)> {
    let arguments = [Argument::Texts(Some(keys)), Argument::Texts(Some(resources))];
    BY_KEYS.with(|statement| {
        let rows = statement.run(session, &arguments);
        snapshot::assert_unchanged(&rows.count(), || statement.run_now(session, &arguments).count());
        rows.iter().map(|row| (row.need(AFTER_COLUMNS), StoredHold::read(&row))).collect()
    })
}

statement!(BY_KEY (TEXTOID, TEXTOID)
    concat!("select ", columns!(), "
     from booking.holds
     where key = $1 and resource = $2
     order by item"));

/// Returns the hold that was placed under a key on a resource, the first of them if that was a basket, or `None`.
/// In REPEATABLE READ and above, raises 40001 if the key was used since the snapshot was taken.
pub fn by_key(session: &Session, key: &str, resource: &str) -> Option<StoredHold> {
    if is_unused(key, resource) {
        return None;
    }
    let arguments = [Argument::Text(Some(key)), Argument::Text(Some(resource))];
    BY_KEY.with(|statement| {
        let rows = statement.run(session, &arguments);
        snapshot::assert_unchanged(&rows.count(), || statement.run_now(session, &arguments).count());
        rows.first().map(|row| StoredHold::read(&row))
    })
}

/// Returns whether it is certain that no hold was placed under a key on a resource, as is the rule for a new key. The
/// statement above finds out whether it is so if the snapshot may be older than the caller's locks.
fn is_unused(key: &str, resource: &str) -> bool {
    let key = [columns::KEY.is(key), columns::RESOURCE.is(resource)];
    !snapshot::is_repeatable_read() && columns::HOLDS.with(|table| table.has(Key::of(&key))) == Some(false)
}

statement!(BY_ID (UUIDOID, TEXTOID)
    concat!("select ", columns!(), "
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)"));
statement!(BY_BASKET (UUIDOID)
    concat!("select ", columns!(), "
     from booking.holds
     where basket = $1
     order by id"));

/// Returns the holds of an id without locking them, to show them or to learn which locks a verb needs. Returns
/// `None` if there are none.
pub fn look(session: &Session, id: Uuid, resource: Option<&str>) -> Option<HoldGroup> {
    let stored = columns::HOLDS
        .with(|table| table.read(Key::of(&super::key(id, resource)), StoredHold::read_directly));
    if let Some(stored) = stored {
        return HoldGroup::one(vec![stored]);
    }
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(resource)];
    let one = BY_ID.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
    HoldGroup::one(one).or_else(|| look_at_basket(session, id, resource))
}

fn look_at_basket(session: &Session, id: Uuid, resource: Option<&str>) -> Option<HoldGroup> {
    let arguments = [Argument::Uuid(Some(id))];
    let holds = BY_BASKET.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
    HoldGroup::basket(id, holds, resource)
}

/// Returns a hold that was found, with the rest of its basket.
pub fn group_of(session: &Session, stored: StoredHold) -> HoldGroup {
    let basket = stored.basket.and_then(|id| look_at_basket(session, id, None));
    basket.unwrap_or_else(|| HoldGroup { basket: None, holds: vec![stored] })
}

statement!(LOCK_OR_SKIP (UUIDOID, TEXTOID)
    concat!("select ", columns!(), "
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)
     for no key update skip locked"));
statement!(LOCK (UUIDOID, TEXTOID)
    concat!("select ", columns!(), "
     from booking.holds
     where id = $1 and ($2 is null or resource = $2)
     for no key update"));
statement!(LOCK_BASKET (UUIDOID)
    concat!("select ", columns!(), "
     from booking.holds
     where basket = $1
     order by id
     for no key update"));

/// Locks the holds of an id until the transaction ends, and returns them as they are behind the lock: a call that
/// waited here for a confirmation or an expiry sees what it did. Returns `None` if there are none, and [`Busy`] if
/// `lock_timeout` ran out.
///
/// The holds of a basket are locked one after the other by id. If two transactions first locked those that happen
/// to be free, each could have what the other waits for.
pub fn lock(session: &Session, id: Uuid, resource: Option<&str>) -> Result<Option<HoldGroup>, Busy> {
    let stored = columns::HOLDS
        .with(|table| table.lock(Key::of(&super::key(id, resource)), StoredHold::read_directly));
    if let Some(stored) = stored {
        return Ok(HoldGroup::one(vec![stored]));
    }
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(resource)];
    let free = LOCK_OR_SKIP.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
    if !free.is_empty() {
        return Ok(HoldGroup::one(free));
    }
    until_lock_timeout(|| {
        let one = LOCK.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
        HoldGroup::one(one).or_else(|| {
            let arguments = [Argument::Uuid(Some(id))];
            let holds =
                LOCK_BASKET.with(|statement| StoredHold::read_all(&statement.run(session, &arguments)));
            HoldGroup::basket(id, holds, resource)
        })
    })
}

statement!(LOCK_THESE (UUIDARRAYOID)
    "select id from booking.holds
     where id = any($1)
     order by id
     for no key update");

/// Waits for the transactions that have locked these holds, and locks none of them: the next statement sees what
/// was done to them. Returns [`Busy`] if the policy does not allow to wait, or if `lock_timeout` ran out.
pub fn wait_for(session: &Session, ids: &[Uuid], policy: LockWaitPolicy) -> Result<(), Busy> {
    match policy {
        LockWaitPolicy::NoWait => Err(Busy),
        LockWaitPolicy::Wait => wait_only(|| {
            LOCK_THESE.with(|statement| statement.run(session, &[Argument::Uuids(ids)]));
        }),
    }
}
