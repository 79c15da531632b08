//! The SQL functions. Each one reads and checks its arguments, calls one verb and returns its answer. Decisions
//! and SQL statements do not belong here: they are in `rules`, `verbs` and `store`.
// pgrx keeps the SQLSTATE of an error only if the function returns this large type itself.
#![allow(clippy::result_large_err)]

mod arguments;
mod calendars;
mod call_once;
mod holds;
mod items;
mod json;
mod leases;
mod month;
mod period;
mod resources;
mod seat_plan;
mod upkeep;
mod views;
mod waitlist;
