//! The upkeep functions, which a scheduler may call in place of the worker.

use super::arguments;
use crate::error::Error;
use crate::verbs::{self, Sweep};
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
fn expire(
    max_holds: default!(Option<i32>, "1000"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<i64, ErrorReport> {
    let max_holds = arguments::bound(max_holds, "max_holds")?;
    match arguments::name(resource, "resource")? {
        Some(resource) => Ok(verbs::expire_on(resource, max_holds, Sweep::ByCaller)?
            .ok_or_else(|| Error::no_resource(resource))?),
        None => Ok(verbs::expire(max_holds, Sweep::ByCaller)?),
    }
}

#[pg_extern(schema = "booking", security_definer)]
fn purge(
    older_than: default!(Option<Interval>, "NULL"),
    max_rows: default!(Option<i32>, "10000"),
) -> Result<i64, ErrorReport> {
    let max_rows = arguments::bound(max_rows, "max_rows")?;
    let purged = verbs::purge(arguments::age(older_than)?, max_rows);
    if let Some(failure) = purged.failure {
        warn(purged.passed_over, failure);
    }
    Ok(purged.rows)
}

/// Says that some holds could not be deleted, and why.
fn warn(passed_over: i64, failure: String) {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_WARNING,
        format!("{passed_over} holds could not be deleted and were passed over"),
        "booking",
    )
    .set_detail(format!("The first of them: {failure}."))
    .set_hint("A foreign key or a trigger on booking.holds, which is not the extension's, forbids it.")
    .report(PgLogLevel::WARNING);
}
