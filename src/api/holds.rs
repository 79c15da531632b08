//! The verbs of a hold's life.

use super::arguments::{self, Jsonb, need};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::Patience;
use crate::verbs::{self, Confirmation, Placement, Target};
use pgrx::datum::{Array, Interval, Range, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
#[allow(clippy::too_many_arguments)]
fn hold(
    resource: Option<&str>,
    quantity: default!(Option<i64>, "NULL"),
    ttl: default!(Option<Interval>, "NULL"),
    seats: default!(Option<Array<'_, &str>>, "NULL"),
    during: default!(Option<Range<TimestampWithTimeZone>>, "NULL"),
    key: default!(Option<&str>, "NULL"),
    holder: default!(Option<&str>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    wait: default!(Option<bool>, "true"),
    metadata: default!(Option<Jsonb>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    arguments::no_seats(&seats)?;
    arguments::no_period(&during)?;
    let quantity = arguments::quantity(quantity)?.unwrap_or(1);
    let key = arguments::name(key, "key")?;
    let holder = arguments::name(holder, "holder")?;
    Ok(verbs::hold(&Placement {
        resource,
        quantity,
        key,
        fingerprint: key.map(|_| arguments::fingerprint(quantity, ttl.as_ref(), holder, metadata.as_ref())),
        ttl: arguments::ttl(ttl)?,
        holder,
        expected_version,
        patience: Patience::from_wait(need(wait, "wait")?),
        metadata: arguments::metadata(metadata)?,
    })?)
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn confirm(
    hold_id: Option<pgrx::Uuid>,
    reference: default!(Option<&str>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    late: default!(Option<&str>, "'refuse'"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    Ok(verbs::confirm(&Confirmation {
        target: target(hold_id, resource, expected_version)?,
        reference: arguments::name(reference, "reference")?,
        late: arguments::late(late)?,
    })?)
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn extend(
    hold_id: Option<pgrx::Uuid>,
    ttl: default!(Option<Interval>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    Ok(verbs::extend(target(hold_id, resource, expected_version)?, arguments::ttl(ttl)?)?)
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn release(
    hold_id: Option<pgrx::Uuid>,
    quantity: default!(Option<i64>, "NULL"),
    seats: default!(Option<Array<'_, &str>>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    arguments::no_seats(&seats)?;
    Ok(verbs::release(target(hold_id, resource, expected_version)?, arguments::quantity(quantity)?)?)
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn cancel(
    hold_id: Option<pgrx::Uuid>,
    quantity: default!(Option<i64>, "NULL"),
    seats: default!(Option<Array<'_, &str>>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    arguments::no_seats(&seats)?;
    Ok(verbs::cancel(target(hold_id, resource, expected_version)?, arguments::quantity(quantity)?)?)
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn find(
    hold_id: Option<pgrx::Uuid>,
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    Ok(verbs::find(target(hold_id, resource, None)?))
}

fn target(
    hold_id: Option<pgrx::Uuid>,
    resource: Option<&str>,
    expected_version: Option<i64>,
) -> Result<Target<'_>, Error> {
    let hold_id = need(hold_id, "hold_id")?;
    Ok(Target {
        hold_id: uuid::Uuid::from_bytes(*hold_id.as_bytes()),
        resource: arguments::name(resource, "resource")?,
        expected_version,
    })
}
