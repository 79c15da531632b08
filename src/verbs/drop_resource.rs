//! Dropping a resource.

use super::allocation::acquire::acquire_exclusive;
use super::allocation::reclaim::{MAX_LOCKED, reclaim};
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Interrupt, Retry, Stop, settle};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::timeline::Period;
use crate::server::{clock, settings};
use crate::store::locks::LockWaitPolicy;
use crate::store::resources::{self, Kind, StoredResource};
use crate::store::{self, Session, definitions, holds, overdue, overdue_seats, seats, usage, waitlist};

/// Drops a resource on which nothing is live, and the history of its holds with it, because a new resource of the
/// same name must not inherit the keys of the old one.
pub fn drop_resource(resource: &str) -> Result<Outcome, Error> {
    settle(drop_unused(&Session::to_write(c"booking.drop_resource()"), resource))
}

fn drop_unused(session: &Session, resource: &str) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = resources::read_existing(session, resource)?;
    retry_after_wait(session, LockWaitPolicy::Wait, || match stored.kind {
        Kind::Pool if stored.pool.taken > 0 => {
            reclaim(session, resource, stored.pool.taken, clock::now())?.or_wait()?;
            match resources::read_existing(session, resource)?.pool.taken {
                0 => Ok(()),
                _ => Err(in_use(session, resource).into()),
            }
        }
        Kind::Pool => Ok(()),
        Kind::Seats => free_seats(session, resource),
        Kind::Calendar => clear_calendar(session, &stored),
    })?;
    let Some(status) = definitions::drop(session, resource) else {
        return Err(in_use(session, resource).into());
    };
    holds::delete_ended(session, resource);
    waitlist::delete(session, resource);
    Ok(Outcome::resource_dropped(status.version).on(resource))
}

/// Ends the overdue holds of a resource with seats and deletes its plan. Returns `Err` if a seat is taken.
fn free_seats(session: &Session, resource: &str) -> Result<(), Interrupt> {
    let now = clock::now();
    let batch = settings::sweep_batch();
    while overdue_seats::end_due(session, &[resource], now, batch).len() as i64 == batch {}
    let locked: Vec<_> = overdue::due(session, resource, now, MAX_LOCKED).iter().map(|due| due.id).collect();
    if !locked.is_empty() {
        return Err(Retry::Locked(locked).into());
    }
    if seats::any_taken(session, resource) {
        return Err(in_use(session, resource).into());
    }
    seats::delete(session, resource);
    Ok(())
}

/// Ends the overdue holds of a calendar and deletes its capacity changes. Returns `Err` if a booking is left.
fn clear_calendar(session: &Session, stored: &StoredResource) -> Result<(), Interrupt> {
    let resource = stored.name.as_str();
    let now = clock::now();
    let batch = settings::sweep_batch();
    while store::calendar::end_due(session, &[resource], now, batch) == batch {}
    let locked = store::calendar::due(session, resource, now, MAX_LOCKED);
    if !locked.is_empty() {
        return Err(Retry::Locked(locked).into());
    }
    let usages = store::calendar::overlap(session, stored, Period::ALWAYS).usages;
    if !usages.is_empty() {
        let sum = |is_held| -> i64 {
            let of_it = usages.iter().filter(|one| one.taken.is_held == is_held);
            of_it.map(|one| one.taken.quantity).fold(0, i64::saturating_add)
        };
        return Err(used(resource, sum(true), sum(false)).into());
    }
    store::calendar::delete(session, resource);
    Ok(())
}

fn in_use(session: &Session, resource: &str) -> Error {
    let stored = resources::read(session, resource);
    let usage = stored.and_then(|stored| usage::usage(session, &stored, clock::now()));
    usage.map_or_else(|| used(resource, 0, 0), |usage| used(resource, usage.held, usage.confirmed))
}

fn used(resource: &str, held: i64, confirmed: i64) -> Error {
    Error::in_use(format!("resource \"{resource}\" is in use"))
        .detail(format!("{held} held, {confirmed} confirmed."))
        .hint("Close it with booking.set_open(resource, false), then release and cancel what is live.")
}
