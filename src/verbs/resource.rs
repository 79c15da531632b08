//! Creating, changing and dropping a resource.

use super::room::{decide_with_room, read, reclaim};
use super::{Stop, settle, take_turn};
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::rules::pool::{Admission, resize};
use crate::store::resources::{self, Level, NewPool};
use crate::store::{Patience, Session, holds, upkeep};
use pgrx::pg_sys;

/// Creates a pool and returns its row of `booking.resources`.
pub fn create_pool(pool: &NewPool) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_pool()");
    resources::create(&session, pool).ok_or_else(|| Error::resource_exists(pool.name))
}

/// Sets a pool's capacity, never below what is taken.
pub fn set_capacity(resource: &str, capacity: i64, expected_version: Option<i64>) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.set_capacity()");
    settle(resize_pool(&session, resource, capacity, expected_version))
}

fn resize_pool(
    session: &Session,
    resource: &str,
    capacity: i64,
    expected_version: Option<i64>,
) -> Result<Outcome, Stop> {
    take_turn(session, resource, Patience::Wait)?;
    let (pool, admission) =
        decide_with_room(session, resource, expected_version, Patience::Wait, |pool, expected_version| {
            resize(pool, capacity, expected_version)
        })?;
    match admission {
        Admission::Refuse(refusal) => Ok(Outcome::refused_resource(refusal, pool.version)),
        Admission::Short(_) => Ok(Outcome::below_taken(capacity, &pool)),
        Admission::Fits => resources::set_capacity(session, resource, capacity)
            .map(|level| Outcome::resource_changed(level, false))
            .ok_or_else(|| Error::no_resource(resource).into()),
    }
}

/// Opens a resource for new holds, or closes it. Holds that exist are not touched.
pub fn set_open(resource: &str, open: bool) -> Result<Outcome, Error> {
    settle(open_or_close(&Session::to_write(c"booking.set_open()"), resource, open))
}

fn open_or_close(session: &Session, resource: &str, open: bool) -> Result<Outcome, Stop> {
    take_turn(session, resource, Patience::Wait)?;
    let pool = read(session, resource)?;
    if pool.open == open {
        let level = Level { version: pool.version, available: pool.free() };
        return Ok(Outcome::resource_changed(level, true));
    }
    resources::set_open(session, resource, open)
        .map(|level| Outcome::resource_changed(level, false))
        .ok_or_else(|| Error::no_resource(resource).into())
}

/// Drops a resource on which nothing is live, and the history of its holds with it: under the same
/// name, a new resource must not inherit the old one's keys.
pub fn drop_resource(resource: &str) -> Result<Outcome, Error> {
    settle(drop_unused(&Session::to_write(c"booking.drop_resource()"), resource))
}

fn drop_unused(session: &Session, resource: &str) -> Result<Outcome, Stop> {
    take_turn(session, resource, Patience::Wait)?;
    let taken = read(session, resource)?.taken;
    if taken > 0 {
        reclaim(session, resource, taken, Patience::Wait)?;
    }
    let Some(level) = resources::drop(session, resource) else {
        return Err(in_use(session, resource).into());
    };
    holds::delete_ended(session, resource);
    Ok(Outcome::resource_dropped(level.version))
}

fn in_use(session: &Session, resource: &str) -> Error {
    let error = Error::in_use(format!("resource \"{resource}\" is in use"))
        .hint("Close it with booking.set_open(resource, false), then release and cancel what is live.");
    match upkeep::usage(session, resource, clock::now()) {
        Some(usage) => error.detail(format!("{} held, {} confirmed.", usage.held, usage.confirmed)),
        None => error,
    }
}
