//! Placing a basket, which is several holds: all of them or none.

use super::allocation::acquire::{ResourceLocks, acquire_all, max_claims, places_lock_mode, pool_lock_mode};
use super::allocation::attempt::serve;
use super::allocation::stop::{Interrupt, Stop, settle};
use super::allocation::{Allocation, Served, replay};
use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::request::{Placement, Want};
use crate::store::Session;
use crate::store::locks::LockWaitPolicy;
use crate::store::locks::heavyweight::{self, LockMode};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Places holds on all items of a basket, or none.
pub fn hold_all(items: &[Placement], policy: LockWaitPolicy) -> Result<Outcome, Error> {
    settle(place(&Session::to_write(c"booking.hold_all()"), items, policy))
}

fn place(session: &Session, items: &[Placement], policy: LockWaitPolicy) -> Result<Outcome, Stop> {
    let mut locks = locks(session, items);
    let is_pool = |name: &str| items.iter().any(|item| item.resource == name && item.want.is_of_pool());
    acquire_all(session, &mut locks, is_pool, policy)?;
    if let Some(key) = items.first().and_then(|item| item.key)
        && locks.values().any(|mode| *mode == LockMode::Share)
    {
        heavyweight::lock_key(key, policy)?;
    }
    serve(session, &locks, items, policy, answer)
}

/// Returns the resource locks of a basket: exclusive mode for locked pools; share mode for escrow pools, and for
/// seats and calendars as long as the basket claims few places.
fn locks<'a>(session: &Session, items: &'a [Placement<'a>]) -> ResourceLocks<'a> {
    let places = items.iter().map(|item| max_claims(&item.want)).sum();
    let mut locks = ResourceLocks::new();
    for item in items {
        let mode = match item.want.is_of_pool() {
            true => pool_lock_mode(session, item.resource),
            false => places_lock_mode(places),
        };
        let most = locks.entry(item.resource).or_insert(mode);
        *most = mode.max(*most);
    }
    locks
}

/// Decides all items. Returns the earlier basket of the key, the new basket, or the items that were refused.
fn answer<'a>(allocation: &mut Allocation<'_, 'a>, items: &'a [Placement<'a>]) -> Result<Outcome, Interrupt> {
    allocation.read_keys(items);
    for item in items {
        if let Some(earlier) = allocation.earlier(item) {
            return Ok(replay(&earlier, item.fingerprint, allocation.now));
        }
    }
    let sums = sums_of_pools(items);
    let mut refused: Vec<(i32, &str, Refused)> = Vec::new();
    for (item, n) in named_first(items) {
        // The sum of all items on one pool has to fit, so it is asked for once, with the first of them.
        let quantity = match sums.get(item.resource) {
            Some((first, sum)) if item.want.is_of_pool() && *first == n => *sum,
            Some((first, _)) if item.want.is_of_pool() => {
                repeat_refusal(&mut refused, *first, n, item);
                continue;
            }
            _ => item.want.quantity(),
        };
        let named = |interrupt: Interrupt| interrupt.of_item("item", n as usize);
        if let Some(why) = allocation.admission(item, quantity).map_err(named)? {
            refused.push((n, item.resource, why));
        } else if !item.want.is_of_pool() {
            match allocation.allot(item).map_err(named)? {
                Served::Refused(why) => refused.push((n, item.resource, why)),
                _ => allocation.number_latest(n),
            }
        }
    }
    if !refused.is_empty() {
        refused.sort_by_key(|(n, _, _)| *n);
        allocation.forget();
        return Ok(Outcome::basket_refused(refused));
    }
    for (item, n) in items.iter().zip(1..).filter(|(item, _)| item.want.is_of_pool()) {
        allocation.allot(item)?;
        allocation.number_latest(n);
    }
    Ok(Outcome::current(&allocation.bind(Uuid::now_v7()), true, allocation.now))
}

/// Returns the items with their numbers, those that name their places first. If the best seats were chosen
/// earlier, they could be the very seats that another item names.
fn named_first<'a>(items: &'a [Placement<'a>]) -> Vec<(&'a Placement<'a>, i32)> {
    let mut order: Vec<_> = items.iter().zip(1..).collect();
    order.sort_by_key(|(item, _)| matches!(item.want, Want::Best { .. }));
    order
}

/// Returns for each pool the number of its first item, and the sum of all its items.
fn sums_of_pools<'a>(items: &'a [Placement<'a>]) -> BTreeMap<&'a str, (i32, i64)> {
    let mut sums: BTreeMap<&str, (i32, i64)> = BTreeMap::new();
    for (item, n) in items.iter().zip(1..).filter(|(item, _)| item.want.is_of_pool()) {
        let (_, sum) = sums.entry(item.resource).or_insert((n, 0));
        *sum = sum.saturating_add(item.want.quantity());
    }
    sums
}

/// Refuses a further item on a pool for the same reason as the first one, if that was refused.
fn repeat_refusal<'a>(
    refused: &mut Vec<(i32, &'a str, Refused)>,
    first: i32,
    n: i32,
    item: &'a Placement<'a>,
) {
    if let Some(why) = refused.iter().find(|(of, _, _)| *of == first).map(|(_, _, why)| why.clone()) {
        refused.push((n, item.resource, why));
    }
}
