//! Ending what is overdue, and forgetting what is over.

use super::room::read;
use super::{Stop, take_turn};
use crate::clock::{self, Timestamp};
use crate::error::Error;
use crate::rules::Micros;
use crate::store::{Patience, Session, holds, queue, resources, upkeep};

/// The most resources that one call sweeps: each takes an entry of the server's lock table.
const MOST_RESOURCES: usize = 1000;

/// Ends up to `max_holds` overdue holds anywhere, passing over resources and holds that another
/// transaction has locked. Returns how many.
///
/// It lines up like everybody, and leaves where there is a line. Without a turn of its own, a
/// transaction that goes on to place a hold would wait for a turn whose owner waits for its row.
pub fn expire(max_holds: i64) -> i64 {
    let session = Session::to_write(c"booking.expire()");
    let now = clock::now();
    let due: Vec<_> = upkeep::due_resources(&session, now, max_holds)
        .into_iter()
        .filter(|resource| queue::line_up(resource, Patience::NoWait).is_ok())
        .take(MOST_RESOURCES)
        .collect();
    if due.is_empty() {
        return 0;
    }
    let locked = upkeep::lock_free(&session, &due);
    upkeep::end_due_of(&session, &locked, now, max_holds)
}

/// Ends up to `max_holds` overdue holds of one resource, waiting for its turn there. Returns how
/// many; none where `lock_timeout` ran out.
pub fn expire_on(resource: &str, max_holds: i64) -> Result<i64, Error> {
    let session = Session::to_write(c"booking.expire()");
    match expire_in_turn(&session, resource, max_holds) {
        Ok(ended) => Ok(ended),
        Err(Stop::Busy) => Ok(0),
        Err(Stop::Error(error)) => Err(error),
    }
}

fn expire_in_turn(session: &Session, resource: &str, max_holds: i64) -> Result<i64, Stop> {
    take_turn(session, resource, Patience::Wait)?;
    read(session, resource)?;
    let ended = holds::end_due(session, resource, clock::now(), max_holds);
    if ended.holds > 0 {
        resources::give_back(session, resource, ended.quantity);
    }
    Ok(ended.holds)
}

/// The resources of the holds that are overdue the longest.
pub fn overdue_resources(max_holds: i64) -> Vec<String> {
    upkeep::due_resources(&Session::open(), clock::now(), max_holds)
}

/// When the next hold runs out.
pub fn next_expiry() -> Option<Timestamp> {
    upkeep::next_expiry(&Session::open())
}

/// Deletes up to `max_holds` holds that were released or expired longer ago than `age`. Returns
/// how many.
pub fn purge(age: Micros, max_holds: i64) -> i64 {
    let session = Session::to_write(c"booking.purge()");
    upkeep::purge(&session, clock::now().before(age), max_holds)
}
