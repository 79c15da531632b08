//! The functions that put somebody into the line of a resource, and out of it.

use super::arguments::{self, Jsonb, need};
use super::period;
use crate::outcome::Outcome;
use crate::verbs;
use pgrx::datum::{Array, Interval, Range, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use uuid::Uuid;

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::too_many_arguments)]
fn join_waitlist(
    resource: Option<&str>,
    quantity: default!(Option<i64>, "NULL"),
    holder: default!(Option<&str>, "NULL"),
    offer_ttl: default!(Option<Interval>, "NULL"),
    key: default!(Option<&str>, "NULL"),
    seats: default!(Option<Array<'_, &str>>, "NULL"),
    during: default!(Option<Range<TimestampWithTimeZone>>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    let during = period::given(&during)?;
    let want = arguments::want(arguments::quantity(quantity)?, arguments::seats(&seats)?, during)?;
    let placement = arguments::placement(resource, want, offer_ttl, key, holder, None, metadata)?;
    Ok(verbs::join_waitlist(&placement)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn leave_waitlist(id: Option<pgrx::Uuid>) -> Result<Outcome, ErrorReport> {
    Ok(verbs::leave_waitlist(Uuid::from_bytes(*need(id, "id")?.as_bytes()))?)
}
