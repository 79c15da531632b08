//! The functions that only calendars have: create one, set its hours, show it over time.

use super::arguments::{self, Jsonb, TimeOfDay, need};
use super::views::timestamptz;
use super::{month, period};
use crate::error::Error;
use crate::outcome::{Outcome, ResourceRow};
use crate::rules::pool::Contention;
use crate::rules::timeline;
use crate::server::clock::Timestamp;
use crate::server::zones::Zone;
use crate::store::definitions::NewResource;
use crate::store::resources::{Calendar, Kind};
use crate::verbs;
use pgrx::datum::{Date, Interval, Range, RangeBound, TimestampWithTimeZone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::too_many_arguments)]
fn create_calendar(
    name: Option<&str>,
    capacity: default!(Option<i64>, "1"),
    time_zone: default!(Option<&str>, "'UTC'"),
    buffer: default!(Option<Interval>, "'0'"),
    check_in: default!(Option<TimeOfDay>, "'15:00'"),
    check_out: default!(Option<TimeOfDay>, "'11:00'"),
    max_per_holder: default!(Option<i64>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
    skip: default!(Option<bool>, "false"),
    if_not_exists: default!(Option<bool>, "false"),
) -> Result<ResourceRow, ErrorReport> {
    let row = verbs::create_calendar(&NewResource {
        name: need(arguments::name(name, "name")?, "name")?,
        kind: Kind::Calendar,
        capacity: arguments::capacity(capacity, "capacity")?,
        overbooking: 0,
        contention: Contention::Locked,
        max_per_holder: arguments::limit(max_per_holder)?,
        sections: None,
        calendar: Some(Calendar {
            zone: zone(need(time_zone, "time_zone")?)?,
            buffer: period::buffer(buffer)?,
            check_in: need(check_in, "check_in")?.0,
            check_out: need(check_out, "check_out")?.0,
            week: None,
            resized: false,
        }),
        skip: need(skip, "skip")?,
        metadata: arguments::metadata(metadata)?,
        if_not_exists: need(if_not_exists, "if_not_exists")?,
    })?;
    Ok(ResourceRow(row))
}

fn zone(name: &str) -> Result<Zone, Error> {
    Zone::find(name).ok_or_else(|| {
        Error::invalid(format!("time zone \"{name}\" is not known"))
            .hint("Use select name from pg_timezone_names to see the names, for example 'Europe/Berlin'.")
    })
}

#[pg_extern(schema = "booking", security_definer)]
fn set_hours(resource: Option<&str>, hours: Option<Jsonb>) -> Result<Outcome, ErrorReport> {
    let resource = arguments::resource(resource)?;
    let week = hours.map(|hours| period::week(&hours.value()?)).transpose()?;
    Ok(verbs::set_hours(resource, week.as_ref())?)
}

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::type_complexity)]
fn calendar(
    resource: Option<&str>,
    during: Option<Range<TimestampWithTimeZone>>,
    step: default!(Option<Interval>, "'1 day'"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(slot, Range<TimestampWithTimeZone>),
            name!(capacity, i64),
            name!(confirmed, i64),
            name!(held, i64),
            name!(available, i64),
        ),
    >,
    ErrorReport,
> {
    let resource = arguments::resource(resource)?;
    let during = need(period::given(&during)?, "during")?;
    let slots = verbs::slots(resource, during, period::step(step)?)?;
    Ok(TableIterator::new(slots.into_iter().filter_map(|slot| {
        let range = tstzrange(slot.period)?;
        // A closed slot has no capacity, and nothing is taken in it.
        Some(slot.tightest.map_or((range.clone(), 0, 0, 0, 0), |tightest| {
            (range, tightest.capacity, tightest.confirmed, tightest.held, tightest.free().max(0))
        }))
    })))
}

#[pg_extern(schema = "booking", security_definer)]
#[allow(clippy::type_complexity)]
fn free_slots(
    resource: Option<&str>,
    during: Option<Range<TimestampWithTimeZone>>,
    duration: Option<Interval>,
    step: default!(Option<Interval>, "NULL"),
) -> Result<
    TableIterator<'static, (name!(slot, Range<TimestampWithTimeZone>), name!(available, i64))>,
    ErrorReport,
> {
    let resource = arguments::resource(resource)?;
    let during = need(period::given(&during)?, "during")?;
    let duration = period::duration(duration, "duration")?;
    let step = step.map_or(Ok(duration), |step| period::duration(Some(step), "step"))?;
    let slots = verbs::free_slots(resource, during, duration, step)?;
    Ok(TableIterator::new(
        slots.into_iter().filter_map(|(period, available)| Some((tstzrange(period)?, available))),
    ))
}

#[pg_extern(schema = "booking", security_definer)]
fn calendar_map(resource: Option<&str>, month: Option<Date>) -> Result<String, ErrorReport> {
    let resource = arguments::resource(resource)?;
    let days = month::Days::of(need(month, "month")?)?;
    let month = verbs::month(resource, days.first, days.length)?;
    Ok(month::draw(&days, &month))
}

fn tstzrange(period: timeline::Period) -> Option<Range<TimestampWithTimeZone>> {
    let time = |micros| timestamptz(Timestamp::from_micros(micros));
    Some(Range::new(RangeBound::Inclusive(time(period.from)?), RangeBound::Exclusive(time(period.to)?)))
}
