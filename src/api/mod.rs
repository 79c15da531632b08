//! The SQL surface. Each function reads its arguments, calls once and returns.
// pgrx keeps the SQLSTATE of an error only where it is returned as this large type itself.
#![allow(clippy::result_large_err)]

mod arguments;
mod calendars;
mod call_once;
mod holds;
mod items;
mod leases;
mod month;
mod period;
mod resources;
mod seat_plan;
mod upkeep;
mod views;
mod waitlist;
