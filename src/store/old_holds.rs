//! Statements of the purge: holds that ended unconfirmed long ago.

use super::statement::{Argument, Row, Session, statement};
use crate::server::clock::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What the purge deletes or keeps as a whole: a hold, or a basket. If some items of a basket were gone, a late
/// confirmation would confirm the rest as if it were all.
pub struct OldHold {
    /// When the last of its items ended, and that item's id: its place in the order of the purge.
    pub ended_at: Timestamp,
    pub id: Uuid,
    /// The ids and the resources of its items. None if another transaction has one of them locked.
    pub items: Vec<(Uuid, String)>,
}

statement!(PURGEABLE (TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, INT8OID)
    "select id, resource, ended_at, basket from booking.holds as holds
     where state in ('released', 'expired') and ended_at <= $1
       and ended_at >= $2 and (ended_at, id) > ($2, $3)
       and (basket is null or not exists (
           select from booking.holds as others
           where others.basket = holds.basket
             and (others.state not in ('released', 'expired')
                  or (others.ended_at, others.id) > (holds.ended_at, holds.id))))
     order by ended_at, id limit $4
     for update of holds skip locked");

/// Locks and returns what ended unconfirmed, up to a moment and behind a place in the order, the earliest first. A
/// basket stays until the last of its items has ended.
pub fn purgeable(session: &Session, up_to: Timestamp, behind: (Timestamp, Uuid), limit: i64) -> Vec<OldHold> {
    let arguments = [
        Argument::Time(Some(up_to)),
        Argument::Time(Some(behind.0)),
        Argument::Uuid(Some(behind.1)),
        Argument::Bigint(Some(limit)),
    ];
    let read = |row: Row| {
        let (id, resource, basket) = (row.need(1), row.need(2), row.get::<Uuid>(4));
        (OldHold { ended_at: row.need(3), id, items: vec![(id, resource)] }, basket)
    };
    let mut found: Vec<_> =
        PURGEABLE.with(|statement| statement.run(session, &arguments).iter().map(read).collect());
    let baskets: Vec<Uuid> = found.iter().filter_map(|(_, basket)| *basket).collect();
    let mut items = if baskets.is_empty() { BTreeMap::new() } else { lock_items(session, &baskets) };
    for (old, basket) in &mut found {
        if let Some(basket) = basket {
            old.items = items.remove(basket).unwrap_or_default();
        }
    }
    found.into_iter().map(|(old, _)| old).collect()
}

statement!(LOCK_ITEMS (UUIDARRAYOID)
    "select id, resource, basket,
            (select count(*) from booking.holds as others where others.basket = holds.basket)
     from booking.holds as holds
     where basket = any($1) and state in ('released', 'expired')
     for update of holds skip locked");

/// Locks the items of baskets, and returns those of each basket of which no other transaction has one locked.
fn lock_items(session: &Session, baskets: &[Uuid]) -> BTreeMap<Uuid, Vec<(Uuid, String)>> {
    let mut found: BTreeMap<Uuid, (i64, Vec<_>)> = BTreeMap::new();
    LOCK_ITEMS.with(|statement| {
        for row in statement.run(session, &[Argument::Uuids(baskets)]).iter() {
            let (count, items) = found.entry(row.need(3)).or_default();
            *count = row.need(4);
            items.push((row.need(1), row.need(2)));
        }
    });
    let complete = found.into_iter().filter(|(_, (count, items))| items.len() as i64 == *count);
    complete.map(|(basket, (_, items))| (basket, items)).collect()
}

statement!(DELETE_THESE (UUIDARRAYOID, TEXTARRAYOID)
    "delete from booking.holds as holds
     using unnest($1, $2) as old(id, resource)
     where holds.id = old.id and holds.resource = old.resource");

/// Deletes holds that are locked.
pub fn delete_these(session: &Session, old: &[OldHold]) {
    let items = || old.iter().flat_map(|old| &old.items);
    let ids: Vec<Uuid> = items().map(|(id, _)| *id).collect();
    let resources: Vec<&str> = items().map(|(_, resource)| resource.as_str()).collect();
    let arguments = [Argument::Uuids(&ids), Argument::Texts(Some(&resources))];
    DELETE_THESE.with(|statement| statement.run(session, &arguments));
}

statement!(CHECK_CONSTRAINTS_NOW () "set constraints all immediate");

/// Has deferred constraints of users' tables checked by each statement of this transaction, not by its commit.
pub fn check_constraints_now(session: &Session) {
    CHECK_CONSTRAINTS_NOW.with(|statement| statement.run(session, &[]));
}
