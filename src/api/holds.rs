//! The functions that place, change and end holds, and that find one.

use super::arguments::{self, Fingerprint, Jsonb, need};
use super::{items, period};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::request::{Confirmation, Part, Target, Want};
use crate::store::locks::LockWaitPolicy;
use crate::verbs;
use pgrx::datum::{Array, Date, Interval, Range, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
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
    let during = period::given(&during)?;
    let want = arguments::want(arguments::quantity(quantity)?, arguments::seats(&seats)?, during)?;
    if expected_version.is_some() && !matches!(want, Want::Quantity(_)) {
        return Err(Error::no_version_of_places().into());
    }
    let placement = arguments::placement(resource, want, ttl, key, holder, expected_version, metadata)?;
    Ok(verbs::hold(&placement, LockWaitPolicy::from_wait(need(wait, "wait")?))?)
}

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::too_many_arguments)]
fn hold_best(
    resource: Option<&str>,
    quantity: Option<i64>,
    ttl: default!(Option<Interval>, "NULL"),
    section: default!(Option<&str>, "NULL"),
    together: default!(Option<bool>, "true"),
    key: default!(Option<&str>, "NULL"),
    holder: default!(Option<&str>, "NULL"),
    wait: default!(Option<bool>, "true"),
    metadata: default!(Option<Jsonb>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    let quantity = need(arguments::quantity(quantity)?, "quantity")?;
    let want = arguments::best(quantity, section, need(together, "together")?)?;
    let placement = arguments::placement(resource, want, ttl, key, holder, None, metadata)?;
    Ok(verbs::hold(&placement, LockWaitPolicy::from_wait(need(wait, "wait")?))?)
}

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::too_many_arguments)]
fn hold_nights(
    resource: Option<&str>,
    check_in: Option<Date>,
    check_out: Option<Date>,
    quantity: default!(Option<i64>, "1"),
    ttl: default!(Option<Interval>, "NULL"),
    key: default!(Option<&str>, "NULL"),
    holder: default!(Option<&str>, "NULL"),
    wait: default!(Option<bool>, "true"),
    metadata: default!(Option<Jsonb>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    let quantity = need(arguments::quantity(quantity)?, "quantity")?;
    let when = period::nights(need(check_in, "check_in")?, need(check_out, "check_out")?)?;
    let want = Want::Period { quantity, when };
    let placement = arguments::placement(resource, want, ttl, key, holder, None, metadata)?;
    Ok(verbs::hold(&placement, LockWaitPolicy::from_wait(need(wait, "wait")?))?)
}

#[pg_extern(schema = "booking", security_definer)]
fn hold_all(
    items: Option<Jsonb>,
    ttl: default!(Option<Interval>, "NULL"),
    key: default!(Option<&str>, "NULL"),
    holder: default!(Option<&str>, "NULL"),
    wait: default!(Option<bool>, "true"),
    metadata: default!(Option<Jsonb>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let json = need(items, "items")?;
    let value = json.value()?;
    let key = arguments::name(key, "key")?;
    let holder = arguments::name(holder, "holder")?;
    let fingerprint = || {
        let items = Fingerprint::default().text(Some("basket")).json(Some(&json));
        items.interval(ttl.as_ref()).text(holder).json(metadata.as_ref()).id()
    };
    let common = items::Common {
        ttl: arguments::ttl(ttl)?,
        key,
        fingerprint: key.map(|_| fingerprint()),
        holder,
        metadata: arguments::metadata(metadata)?,
    };
    let items = items::of_basket(&value, &common)?;
    Ok(verbs::hold_all(&items, LockWaitPolicy::from_wait(need(wait, "wait")?))?)
}

#[pg_extern(schema = "booking", security_definer)]
fn hold_each(requests: Option<Jsonb>) -> Result<SetOfIterator<'static, Outcome>, ErrorReport> {
    let value = need(requests, "requests")?.value()?;
    Ok(SetOfIterator::new(verbs::hold_each(&items::of_batch(&value)?)?))
}

#[pg_extern(schema = "booking", security_definer)]
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
fn extend(
    hold_id: Option<pgrx::Uuid>,
    ttl: default!(Option<Interval>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    Ok(verbs::extend(target(hold_id, resource, expected_version)?, arguments::ttl(ttl)?)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn reschedule(
    hold_id: Option<pgrx::Uuid>,
    during: Option<Range<TimestampWithTimeZone>>,
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let during = need(period::given(&during)?, "during")?;
    Ok(verbs::reschedule(target(hold_id, resource, expected_version)?, during)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn swap_seats(
    hold_id: Option<pgrx::Uuid>,
    seats: Option<Array<'_, &str>>,
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let seats = need(arguments::seats(&seats)?, "seats")?;
    Ok(verbs::swap_seats(target(hold_id, resource, expected_version)?, &seats)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn transfer(
    hold_id: Option<pgrx::Uuid>,
    holder: Option<&str>,
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let holder = need(arguments::name(holder, "holder")?, "holder")?;
    Ok(verbs::transfer(target(hold_id, resource, expected_version)?, holder)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn release(
    hold_id: Option<pgrx::Uuid>,
    quantity: default!(Option<i64>, "NULL"),
    seats: default!(Option<Array<'_, &str>>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let seats = arguments::seats(&seats)?;
    let part = part(quantity, seats.as_deref())?;
    Ok(verbs::release(target(hold_id, resource, expected_version)?, part)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn cancel(
    hold_id: Option<pgrx::Uuid>,
    quantity: default!(Option<i64>, "NULL"),
    seats: default!(Option<Array<'_, &str>>, "NULL"),
    expected_version: default!(Option<i64>, "NULL"),
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    let seats = arguments::seats(&seats)?;
    let part = part(quantity, seats.as_deref())?;
    Ok(verbs::cancel(target(hold_id, resource, expected_version)?, part)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn find(
    hold_id: Option<pgrx::Uuid>,
    resource: default!(Option<&str>, "NULL"),
) -> Result<Outcome, ErrorReport> {
    Ok(verbs::find(target(hold_id, resource, None)?))
}

/// Reads the part of a hold that a call gives back. Raises 22023 if quantity and seats contradict each other.
fn part<'a>(quantity: Option<i64>, seats: Option<&'a [&'a str]>) -> Result<Part<'a>, Error> {
    let quantity = arguments::quantity(quantity)?;
    if let (Some(_), Some(labels)) = (quantity, seats) {
        arguments::want(quantity, Some(labels.to_vec()), None)?;
    }
    Ok(Part { quantity, seats })
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
