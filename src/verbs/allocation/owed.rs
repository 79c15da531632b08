//! What of a resource is owed to those who wait for it.

use super::{BTreeSet, Error, Session, StoredResource, Usage, booked_period_on, clock};
use crate::request::When;
use crate::store::{resources, waitlist};

/// What of a resource is owed to those who wait for it, which the caller has alone.
pub struct Owed {
    all: bool,
    seats: BTreeSet<String>,
    pub usages: Vec<Usage>,
}

impl Owed {
    /// Whether a seat is owed, where it is free.
    pub fn includes(&self, seat: &str) -> bool {
        self.all || self.seats.contains(seat)
    }
}

/// What those who wait for a resource are owed of it: what they wait for counts as theirs, unless they may be
/// passed by.
pub fn owed(session: &Session, stored: &StoredResource) -> Result<Owed, Error> {
    let mut owed = Owed { all: false, seats: BTreeSet::new(), usages: Vec::new() };
    if stored.waiting == 0 || stored.skip {
        return Ok(owed);
    }
    for entry in waitlist::lines(session, &[(&stored.name, stored.kind, false)], clock::now()) {
        match (&entry.seats, entry.during) {
            (Some(labels), _) => owed.seats.extend(labels.iter().cloned()),
            (None, None) => owed.all = true,
            (None, Some(period)) => {
                let occupied = booked_period_on(stored.as_calendar()?, When::During(period))?.occupied;
                owed.usages.push(Usage { occupied, quantity: entry.quantity, is_held: true });
            }
        }
    }
    Ok(owed)
}

/// What is left of a pool for those who are not in its line.
pub fn left_for_others(session: &Session, resource: &str) -> i64 {
    let stored = resources::read(session, resource);
    stored.filter(|stored| stored.waiting == 0 || stored.skip).map_or(0, |stored| stored.pool.free())
}
