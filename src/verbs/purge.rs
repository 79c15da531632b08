//! Deleting what was over long ago.

use super::lease::forget;
use crate::rules::Micros;
use crate::server::clock;
use crate::store::{Session, upkeep, waitlist};

/// Deletes up to `max_rows` holds that were released or expired longer ago than `age`, and leases that were
/// over. Returns how many.
pub fn purge(age: Micros, max_rows: i64) -> i64 {
    let session = Session::to_write(c"booking.purge()");
    let since = clock::now().before(age);
    let mut rows = upkeep::purge(&session, since, max_rows);
    for purge in [waitlist::purge, forget] {
        if rows < max_rows {
            rows += purge(&session, since, max_rows - rows);
        }
    }
    rows
}
