//! The functions that create, change and drop resources; those of calendars alone are in `calendars`.

use super::arguments::{self, Jsonb, need};
use super::{period, seat_plan};
use crate::outcome::{Outcome, ResourceRow};
use crate::request::Resizing;
use crate::rules::pool::Contention;
use crate::store::definitions::NewResource;
use crate::store::resources::Kind;
use crate::verbs;
use pgrx::datum::{Array, Range, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::too_many_arguments)]
fn create_pool(
    name: Option<&str>,
    capacity: Option<i64>,
    overbooking: default!(Option<i64>, "0"),
    contention: default!(Option<&str>, "'auto'"),
    max_per_holder: default!(Option<i64>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
    skip: default!(Option<bool>, "false"),
    if_not_exists: default!(Option<bool>, "false"),
) -> Result<ResourceRow, ErrorReport> {
    let row = verbs::create_pool(&NewResource {
        name: need(arguments::name(name, "name")?, "name")?,
        kind: Kind::Pool,
        sections: None,
        calendar: None,
        capacity: arguments::capacity(capacity, "capacity")?,
        overbooking: arguments::capacity(overbooking, "overbooking")?,
        contention: arguments::contention(contention)?,
        max_per_holder: arguments::limit(max_per_holder)?,
        skip: need(skip, "skip")?,
        metadata: arguments::metadata(metadata)?,
        if_not_exists: need(if_not_exists, "if_not_exists")?,
    })?;
    Ok(ResourceRow(row))
}

#[pg_extern(schema = "booking", security_definer)]
fn create_seats(
    name: Option<&str>,
    seats: Option<Jsonb>,
    max_per_holder: default!(Option<i64>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
    skip: default!(Option<bool>, "false"),
    if_not_exists: default!(Option<bool>, "false"),
) -> Result<ResourceRow, ErrorReport> {
    let name = need(arguments::name(name, "name")?, "name")?;
    let value = need(seats, "seats")?.value()?;
    let (seats, sections) = seat_plan::read(&value)?;
    let resource = NewResource {
        name,
        kind: Kind::Seats,
        capacity: seats.len() as i64,
        overbooking: 0,
        contention: Contention::Locked,
        max_per_holder: arguments::limit(max_per_holder)?,
        sections: Some(&sections),
        calendar: None,
        skip: need(skip, "skip")?,
        metadata: arguments::metadata(metadata)?,
        if_not_exists: need(if_not_exists, "if_not_exists")?,
    };
    let row = verbs::create_seats(&resource, &seats)?;
    Ok(ResourceRow(row))
}

#[pg_extern(schema = "booking", security_definer)]
fn set_blocked(
    resource: Option<&str>,
    seats: Option<Array<'_, &str>>,
    blocked: Option<bool>,
) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    let labels = need(arguments::labels(&seats)?, "seats")?;
    Ok(verbs::set_blocked(resource, &labels, need(blocked, "blocked")?)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn set_capacity(
    resource: Option<&str>,
    capacity: Option<i64>,
    during: default!(Option<Range<TimestampWithTimeZone>>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    let during = period::given(&during)?;
    let capacity = match (capacity, during) {
        // A null capacity with a period removes the capacity that was set for the period.
        (None, Some(_)) => None,
        _ => Some(arguments::capacity(capacity, "capacity")?),
    };
    Ok(verbs::set_capacity(resource, Resizing { capacity, during, expected_version })?)
}

#[pg_extern(schema = "booking", security_definer)]
fn set_contention(resource: Option<&str>, contention: Option<&str>) -> Result<Outcome, ErrorReport> {
    let contention = arguments::contention(contention)?;
    Ok(verbs::set_contention(arguments::resource(resource)?, contention)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn set_open(resource: Option<&str>, open: Option<bool>) -> Result<Outcome, ErrorReport> {
    Ok(verbs::set_open(arguments::resource(resource)?, need(open, "open")?)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn drop_resource(resource: Option<&str>) -> Result<Outcome, ErrorReport> {
    Ok(verbs::drop_resource(arguments::resource(resource)?)?)
}
