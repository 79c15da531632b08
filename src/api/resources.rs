//! Creating, changing and dropping resources.

use super::arguments::{self, Jsonb, need};
use crate::outcome::{Outcome, ResourceRow};
use crate::store::resources::NewPool;
use crate::verbs;
use pgrx::datum::{Range, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn create_pool(
    name: Option<&str>,
    capacity: Option<i64>,
    overbooking: default!(Option<i64>, "0"),
    contention: default!(Option<&str>, "'locked'"),
    max_per_holder: default!(Option<i64>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
) -> Result<ResourceRow, ErrorReport> {
    let row = verbs::create_pool(&NewPool {
        name: need(arguments::name(name, "name")?, "name")?,
        capacity: arguments::capacity(capacity, "capacity")?,
        overbooking: arguments::capacity(overbooking, "overbooking")?,
        contention: arguments::contention(contention)?,
        max_per_holder: arguments::limit(max_per_holder)?,
        metadata: arguments::metadata(metadata)?,
    })?;
    Ok(ResourceRow(row))
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn set_capacity(
    resource: Option<&str>,
    capacity: Option<i64>,
    during: default!(Option<Range<TimestampWithTimeZone>>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    arguments::no_period(&during)?;
    Ok(verbs::set_capacity(resource, arguments::capacity(capacity, "capacity")?, expected_version)?)
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn set_open(resource: Option<&str>, open: Option<bool>) -> Result<Outcome, ErrorReport> {
    Ok(verbs::set_open(arguments::resource(resource)?, need(open, "open")?)?)
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn drop_resource(resource: Option<&str>) -> Result<Outcome, ErrorReport> {
    Ok(verbs::drop_resource(arguments::resource(resource)?)?)
}
