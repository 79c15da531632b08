//! Every bound on what users pass, whose excess is an error. Bounds of shared memory and of internal batches
//! do not belong here: they stand beside their code.
//!
//! `api` checks most of them when it reads arguments. Verbs check those that depend on what they find (the length
//! of a line, the number of slots), so this module lies below `verbs`.

use crate::rules::Micros;

/// The longest name, key, holder or reference, in characters.
pub const MAX_NAME: usize = 255;
/// The largest metadata, in bytes as PostgreSQL stores it.
pub const MAX_METADATA: usize = 8192;
/// The largest capacity and the largest overbooking: half of what a bigint holds, so that their sum is a bigint.
pub const MAX_CAPACITY: i64 = i64::MAX / 2;

/// The most seats of one hold.
pub const MAX_SEATS: usize = 1000;
/// The most seats of one resource.
pub const MAX_SEATS_OF_RESOURCE: usize = 200_000;
/// The most sections of one resource.
pub const MAX_SECTIONS: usize = 1000;
/// The longest label, section or row of a seat, in characters.
pub const MAX_LABEL: usize = 64;
/// The highest position of a seat in its row.
pub const MAX_POSITION: i32 = 1_000_000;

/// The most items of one basket.
pub const MAX_ITEMS: usize = 100;
/// The most requests of one batch.
pub const MAX_REQUESTS: usize = 10_000;
/// The most resources of one batch, and of one sweep: each takes an entry of the server's lock table.
pub const MAX_RESOURCES: usize = 1000;

/// The longest buffer after a booking.
pub const MAX_BUFFER: Micros = 31 * 24 * 60 * 60 * 1_000_000;
/// The most windows of opening hours on one day.
pub const MAX_WINDOWS: usize = 24;
/// The most slots that one call looks at.
pub const MAX_SLOTS: usize = 100_000;

/// The most entries in the line of a pool without `skip`. All wait for the same places and are served in order, so
/// only the head of the line is read.
pub const MAX_WAITING: i64 = 1_000_000;
/// The most entries in any other line (seats, calendars, `skip`). The whole line is read, since an entry behind
/// the head may be served.
pub const MAX_WAITING_TOLD_APART: i64 = 10_000;

/// The most holders that one lease may have at once.
pub const MAX_LEASE_SLOTS: i32 = 1000;
