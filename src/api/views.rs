//! The functions that only read: availability, and the state behind the views `worker_status` and `escrow_status`.

use super::{arguments, period};
use crate::server::clock::Timestamp;
use crate::server::installed;
use crate::shared_memory::escrow;
use crate::{verbs, worker};
use pgrx::datum::{Range, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use uuid::Uuid;

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::type_complexity)]
fn availability(
    resource: Option<&str>,
    during: default!(Option<Range<TimestampWithTimeZone>>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(capacity, i64),
            name!(confirmed, i64),
            name!(held, i64),
            name!(available, i64),
            name!(version, i64),
            name!(next_expiry, Option<TimestampWithTimeZone>),
        ),
    >,
    ErrorReport,
> {
    let resource = arguments::resource(resource)?;
    let usage = verbs::availability(resource, period::given(&during)?)?;
    Ok(TableIterator::once((
        usage.capacity,
        usage.confirmed,
        usage.held,
        usage.available,
        usage.version,
        usage.next_expiry.and_then(timestamptz),
    )))
}

/// Returns how much of a resource is left for a new hold.
#[pg_extern(schema = "booking", security_definer)]
fn available(
    resource: Option<&str>,
    during: default!(Option<Range<TimestampWithTimeZone>>, "NULL"),
) -> Result<i64, ErrorReport> {
    let resource = arguments::resource(resource)?;
    Ok(verbs::available(resource, period::given(&during)?)?)
}

/// Returns the version of the library, which is that of the extension unless one of them was upgraded alone.
#[pg_extern(schema = "booking", stable, parallel_safe)]
fn library_version() -> &'static str {
    installed::LIBRARY_VERSION
}

/// Returns the worker's state, for the view `booking.worker_status`.
#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::type_complexity)]
fn worker_state() -> TableIterator<
    'static,
    (
        name!(state, &'static str),
        name!(last_sweep, Option<TimestampWithTimeZone>),
        name!(last_expired, Option<i64>),
        name!(total_expired, Option<i64>),
        name!(last_error, Option<String>),
        name!(last_error_at, Option<TimestampWithTimeZone>),
    ),
> {
    let status = worker::status();
    let entry = status.entry;
    let time = |micros: i64| timestamptz(Timestamp::from_micros(micros));
    TableIterator::once((
        status.state,
        entry.and_then(|entry| entry.last_sweep).and_then(time),
        entry.map(|entry| entry.last_expired),
        entry.map(|entry| entry.total_expired),
        entry.and_then(|entry| entry.last_error()),
        entry.and_then(|entry| entry.last_error_at).and_then(time),
    ))
}

/// Returns the count of an escrow pool in shared memory, for the view `booking.escrow_status`. Returns no row if
/// shared memory does not have it.
#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::type_complexity)]
fn escrow_count(
    escrow: Option<pgrx::Uuid>,
) -> TableIterator<
    'static,
    (
        name!(taken, i64),
        name!(under_way, i64),
        name!(counted_at, Option<TimestampWithTimeZone>),
        name!(changed_at, Option<TimestampWithTimeZone>),
    ),
> {
    let status = escrow.and_then(|id| escrow::status(Uuid::from_bytes(*id.as_bytes())));
    let time = |micros: i64| timestamptz(Timestamp::from_micros(micros));
    TableIterator::new(status.into_iter().map(move |status| {
        (status.taken, status.under_way, time(status.counted_at), time(status.changed_at))
    }))
}

/// Returns the time as pgrx's type, or `None` if it is out of that type's range.
pub fn timestamptz(time: Timestamp) -> Option<TimestampWithTimeZone> {
    TimestampWithTimeZone::try_from(time.micros()).ok()
}
