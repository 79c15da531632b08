//! Creating resources.

use crate::error::Error;
use crate::rules::pool::Contention;
use crate::shared_memory::{escrow, seat_count};
use crate::store::Session;
use crate::store::definitions::{self, NewResource};
use crate::store::seat_plan::{self, NewSeat};
use pgrx::pg_sys;

/// Creates a pool and returns its row of `booking.resources`.
pub fn create_pool(pool: &NewResource) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_pool()");
    if pool.contention == Contention::Escrow && !escrow::is_possible() {
        return Err(Error::escrow_without_memory());
    }
    definitions::create(&session, pool).map_or_else(|| existing(&session, pool, Vec::new), Ok)
}

/// Creates a resource with seats and returns its row of `booking.resources`.
pub fn create_seats(resource: &NewResource, plan: &[NewSeat]) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_seats()");
    let Some(row) = definitions::create(&session, resource) else {
        let differences = || match seat_plan::count_different(&session, resource.name, plan) {
            0 => Vec::new(),
            count => vec![format!("{count} seats are other")],
        };
        return existing(&session, resource, differences).map_err(|error| match resource.if_not_exists {
            true => error,
            false => error.hint(
                "Its plan cannot be changed, but for set_blocked(); booking.drop_resource(resource) drops it. \
                 if_not_exists => true accepts it if it is alike.",
            ),
        });
    };
    seat_plan::create(&session, resource.name, plan);
    // There may be a count of another resource that had this name.
    seat_count::forget(resource.name);
    Ok(row)
}

/// Creates a calendar and returns its row of `booking.resources`.
pub fn create_calendar(calendar: &NewResource) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_calendar()");
    definitions::create(&session, calendar).map_or_else(|| existing(&session, calendar, Vec::new), Ok)
}

/// Returns the row of a resource that was there before, if the caller accepts it and it is alike. Raises
/// 42710 otherwise.
fn existing(
    session: &Session,
    resource: &NewResource,
    more: impl FnOnce() -> Vec<String>,
) -> Result<pg_sys::Datum, Error> {
    let name = resource.name;
    if !resource.if_not_exists {
        return Err(Error::resource_exists(name));
    }
    // It was dropped since the INSERT found it.
    let found = definitions::compare(session, resource).ok_or_else(Error::serialization)?;
    let differences = match found.differences.is_empty() {
        true => more(),
        false => found.differences,
    };
    match found.row {
        Some(row) if differences.is_empty() => Ok(row),
        _ => Err(Error::resource_differs(name, &differences)),
    }
}
