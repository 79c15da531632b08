//! The functions of leases: locks with a name, a time to live and a token that rises with each grant.

use super::arguments::{self, need};
use crate::error::Error;
use crate::limits::MAX_LEASE_SLOTS;
use crate::outcome::LeaseOutcome;
use crate::request::LeaseRequest;
use crate::store::locks::LockWaitPolicy;
use crate::verbs;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[pg_extern(schema = "booking", security_definer)]
fn acquire_lease(
    name: Option<&str>,
    holder: Option<&str>,
    ttl: default!(Option<Interval>, "NULL"),
    wait: default!(Option<bool>, "false"),
    slots: default!(Option<i32>, "1"),
) -> Result<LeaseOutcome, ErrorReport> {
    let request = LeaseRequest {
        name: lease_name(name)?,
        holder: need(arguments::name(holder, "holder")?, "holder")?,
        ttl: arguments::ttl(ttl)?,
        slots: self::slots(slots)?,
    };
    Ok(verbs::acquire_lease(&request, LockWaitPolicy::from_wait(need(wait, "wait")?))?)
}

#[pg_extern(schema = "booking", security_definer)]
fn renew_lease(
    name: Option<&str>,
    token: Option<i64>,
    ttl: default!(Option<Interval>, "NULL"),
) -> Result<LeaseOutcome, ErrorReport> {
    Ok(verbs::renew_lease(lease_name(name)?, need(token, "token")?, arguments::ttl(ttl)?)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn release_lease(name: Option<&str>, token: Option<i64>) -> Result<LeaseOutcome, ErrorReport> {
    Ok(verbs::release_lease(lease_name(name)?, need(token, "token")?)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn check_lease(name: Option<&str>, token: Option<i64>) -> Result<bool, ErrorReport> {
    Ok(verbs::check_lease(lease_name(name)?, need(token, "token")?)?)
}

#[pg_extern(schema = "booking", security_definer)]
fn after_restore() -> Result<(), ErrorReport> {
    Ok(verbs::after_restore()?)
}

fn lease_name(name: Option<&str>) -> Result<&str, Error> {
    need(arguments::name(name, "name")?, "name")
}

fn slots(value: Option<i32>) -> Result<i32, Error> {
    match need(value, "slots")? {
        slots @ 1..=MAX_LEASE_SLOTS => Ok(slots),
        other => Err(Error::invalid(format!("slots must be from 1 to {MAX_LEASE_SLOTS}"))
            .detail(format!("It was {other}."))),
    }
}
