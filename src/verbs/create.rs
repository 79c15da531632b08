//! Creating resources.

use crate::error::Error;
use crate::rules::pool::Contention;
use crate::shared_memory::escrow;
use crate::store::Session;
use crate::store::definitions::{self, NewResource};
use crate::store::resources::Kind;
use crate::store::seats::{self, NewSeat};
use pgrx::pg_sys;

/// Creates a pool and returns its row of `booking.resources`.
pub fn create_pool(pool: &NewResource) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_pool()");
    if pool.contention == Contention::Escrow && !escrow::is_possible() {
        return Err(Error::escrow_without_memory());
    }
    definitions::create(&session, pool).ok_or_else(|| Error::resource_exists(pool.name))
}

/// A resource with seats as it is created.
pub struct NewSeats<'a> {
    pub name: &'a str,
    pub seats: Vec<NewSeat<'a>>,
    /// In the order of the seats' ranks.
    pub sections: Vec<&'a str>,
    pub max_per_holder: Option<i64>,
    pub skip: bool,
    pub metadata: Option<pg_sys::Datum>,
}

/// Creates a resource with seats and returns its row of `booking.resources`.
pub fn create_seats(plan: &NewSeats) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_seats()");
    let resource = NewResource {
        name: plan.name,
        kind: Kind::Seats,
        capacity: plan.seats.len() as i64,
        overbooking: 0,
        contention: Contention::Locked,
        max_per_holder: plan.max_per_holder,
        sections: Some(&plan.sections),
        calendar: None,
        skip: plan.skip,
        metadata: plan.metadata,
    };
    let exists = || {
        Error::resource_exists(plan.name).hint(
            "Its plan cannot be changed, but for set_blocked(); booking.drop_resource(resource) drops it.",
        )
    };
    let row = definitions::create(&session, &resource).ok_or_else(exists)?;
    seats::create(&session, plan.name, &plan.seats);
    Ok(row)
}

/// Creates a calendar and returns its row of `booking.resources`.
pub fn create_calendar(calendar: &NewResource) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_calendar()");
    definitions::create(&session, calendar).ok_or_else(|| Error::resource_exists(calendar.name))
}
