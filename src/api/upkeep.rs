//! What a scheduler calls, where the worker does not do it.

use super::arguments;
use crate::verbs::{self, Sweep};
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn expire(
    max_holds: default!(Option<i32>, "1000"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<i64, ErrorReport> {
    let max_holds = arguments::bound(max_holds, "max_holds")?;
    match arguments::name(resource, "resource")? {
        Some(resource) => Ok(verbs::expire_on(resource, max_holds, Sweep::ByCaller)?),
        None => Ok(verbs::expire(max_holds, Sweep::ByCaller)?),
    }
}

#[pg_extern(schema = "booking", security_definer)]
#[search_path(pg_catalog, pg_temp)]
fn purge(
    older_than: default!(Option<Interval>, "NULL"),
    max_rows: default!(Option<i32>, "10000"),
) -> Result<i64, ErrorReport> {
    let max_rows = arguments::bound(max_rows, "max_rows")?;
    Ok(verbs::purge(arguments::age(older_than)?, max_rows))
}
