//! Creating, changing and dropping a resource.

use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::Resizing;
use crate::rules::pool::{Admission, Contention, resize};
use crate::rules::timeline::Period;
use crate::server::{clock, settings};
use crate::shared_memory::escrow;
use crate::store::{Session, holds, overdue, seats, self, upkeep, waitlist};
use crate::store::definitions::{NewResource, self};
use crate::store::locks::LockWaitPolicy;
use crate::store::pools::{CachedPool, self};
use crate::store::resources::{Kind, ResourceStatus, StoredResource};
use super::set_capacity;
use super::allocation::acquire::acquire_exclusive;
use super::allocation::attempt::serve_line;
use super::allocation::owed::left_for_others;
use super::allocation::reclaim::{MAX_LOCKED, decide_with_reclaim, read, reclaim};
use super::allocation::retry::retry_after_wait;
use super::allocation::stop::{Stop, settle};
use pgrx::pg_sys;
use uuid::Uuid;

/// Creates a pool and returns its row of `booking.resources`.
pub fn create_pool(pool: &NewResource) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_pool()");
    if pool.contention == Contention::Escrow && !escrow::is_possible() {
        return Err(Error::escrow_without_memory());
    }
    definitions::create(&session, pool).ok_or_else(|| Error::resource_exists(pool.name))
}

/// Sets the capacity of a pool or a calendar, never below what is taken.
pub fn set_capacity(resource: &str, resizing: Resizing) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.set_capacity()");
    settle(resize_one(&session, resource, resizing))
}

fn resize_one(session: &Session, resource: &str, resizing: Resizing) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = read(session, resource)?;
    match (stored.kind, resizing.capacity) {
        (Kind::Calendar, _) => set_capacity::resize(session, &stored, resizing),
        (Kind::Seats, _) => Err(Error::capacity_of_seats(resource).into()),
        (Kind::Pool, _) if resizing.during.is_some() => Err(Error::no_calendar(resource).into()),
        (Kind::Pool, None) => Err(Error::null("capacity").into()),
        (Kind::Pool, Some(capacity)) => resize_pool(session, resource, capacity, resizing.expected_version),
    }
}

fn resize_pool(
    session: &Session,
    resource: &str,
    capacity: i64,
    expected_version: Option<i64>,
) -> Result<Outcome, Stop> {
    let (pool, admission) = retry_after_wait(session, LockWaitPolicy::Wait, || {
        decide_with_reclaim(session, resource, expected_version, |pool, expected_version| {
            resize(pool, capacity, expected_version)
        })
    })?;
    if expected_version.is_some() && pools::escrow(session, resource).is_some() {
        return Err(Error::escrow_has_no_version(resource).into());
    }
    match admission {
        Admission::Refuse(refusal) => Ok(Outcome::refused_resource(refusal, pool.version)),
        Admission::Short(_) => Ok(Outcome::below_taken(capacity, &pool)),
        Admission::Fits => changed(session, resource, definitions::set_capacity(session, resource, capacity)),
    }
}

/// A resource's definition was changed: there may be more for those who wait.
pub fn changed(session: &Session, resource: &str, status: Option<ResourceStatus>) -> Result<Outcome, Stop> {
    let mut status = status.ok_or_else(|| Error::no_resource(resource))?;
    if let Some(CachedPool { escrow: Some(id), most, .. }) = pools::cached(session, resource) {
        status.available = Some(most - pools::taken(session, resource, id));
    }
    if status.is_waited_for {
        serve_line(session, resource)?;
        let available = status.available.map(|_| left_for_others(session, resource));
        return Ok(Outcome::resource_changed(ResourceStatus { available, ..status }, false));
    }
    Ok(Outcome::resource_changed(status, false))
}

/// Has a pool's room counted in its row, or in escrow; for one that is, anew.
pub fn set_contention(resource: &str, contention: Contention) -> Result<Outcome, Error> {
    settle(contend(&Session::to_write(c"booking.set_contention()"), resource, contention))
}

fn contend(session: &Session, resource: &str, contention: Contention) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = read(session, resource)?;
    if stored.kind != Kind::Pool {
        return Err(Error::no_pool(resource).into());
    }
    let id = match contention {
        Contention::Locked if stored.escrow.is_none() => {
            return Ok(Outcome::resource_changed(stored.status(), true));
        }
        Contention::Locked => None,
        Contention::Escrow if !escrow::is_possible() => return Err(Error::escrow_without_memory().into()),
        // Another id, so that no count of before is taken for this one's.
        Contention::Escrow => Some(Uuid::now_v7()),
    };
    let status = definitions::set_escrow(session, resource, id, pools::count(session, resource));
    changed(session, resource, status)
}

/// Opens a resource for new holds, or closes it. Holds that exist are not touched.
pub fn set_open(resource: &str, open: bool) -> Result<Outcome, Error> {
    settle(open_or_close(&Session::to_write(c"booking.set_open()"), resource, open))
}

fn open_or_close(session: &Session, resource: &str, open: bool) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = read(session, resource)?;
    if stored.pool.open == open {
        return Ok(Outcome::resource_changed(stored.status(), true));
    }
    changed(session, resource, definitions::set_open(session, resource, open))
}

/// Drops a resource on which nothing is live, and the history of its holds with it: under the same
/// name, a new resource must not inherit the old one's keys.
pub fn drop_resource(resource: &str) -> Result<Outcome, Error> {
    settle(drop_unused(&Session::to_write(c"booking.drop_resource()"), resource))
}

fn drop_unused(session: &Session, resource: &str) -> Result<Outcome, Stop> {
    acquire_exclusive(session, resource, LockWaitPolicy::Wait)?;
    let stored = read(session, resource)?;
    retry_after_wait(session, LockWaitPolicy::Wait, || match stored.kind {
        Kind::Pool if stored.pool.taken > 0 => {
            reclaim(session, resource, stored.pool.taken, clock::now())?.or_wait()?;
            match read(session, resource)?.pool.taken {
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
    Ok(Outcome::resource_dropped(status.version))
}

/// Ends what is overdue, and deletes the plan where nothing is left on it.
fn free_seats(session: &Session, resource: &str) -> Result<(), Stop> {
    let now = clock::now();
    let batch = settings::sweep_batch();
    while seats::end_due(session, &[resource], now, batch).len() as i64 == batch {}
    let locked: Vec<_> = overdue::due(session, resource, now, MAX_LOCKED).iter().map(|due| due.id).collect();
    if !locked.is_empty() {
        return Err(Stop::Locked(locked));
    }
    if seats::any_taken(session, resource) {
        return Err(in_use(session, resource).into());
    }
    seats::delete(session, resource);
    Ok(())
}

/// The same for a calendar.
fn clear_calendar(session: &Session, stored: &StoredResource) -> Result<(), Stop> {
    let resource = stored.name.as_str();
    let now = clock::now();
    let batch = settings::sweep_batch();
    while store::calendar::end_due(session, &[resource], now, batch) == batch {}
    let locked = store::calendar::due(session, resource, now, MAX_LOCKED);
    if !locked.is_empty() {
        return Err(Stop::Locked(locked));
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
    let usage = upkeep::usage(session, resource, clock::now());
    usage.map_or_else(|| used(resource, 0, 0), |usage| used(resource, usage.held, usage.confirmed))
}

fn used(resource: &str, held: i64, confirmed: i64) -> Error {
    Error::in_use(format!("resource \"{resource}\" is in use"))
        .detail(format!("{held} held, {confirmed} confirmed."))
        .hint("Close it with booking.set_open(resource, false), then release and cancel what is live.")
}
