//! What a resource owes to its waitlist, and what it has left for others. Verbs that show a resource or move a
//! hold need this; an allocation serves the waitlist instead.

use super::{BTreeSet, Error, Session, StoredResource, Usage, booked_period_on, clock};
use crate::request::When;
use crate::store::{resources, waitlist};

/// What a resource owes to its waitlist. `all` means everything that is free.
pub struct Owed {
    all: bool,
    seats: BTreeSet<String>,
    pub usages: Vec<Usage>,
}

impl Owed {
    /// Returns whether a seat, if it is free, is owed.
    pub fn includes(&self, seat: &str) -> bool {
        self.all || self.seats.contains(seat)
    }
}

/// Returns what a resource owes to its waitlist: everything that the entries wait for, or nothing if the waitlist
/// may be passed (`skip`). The caller has the resource lock in exclusive mode if there is a waitlist.
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

/// Returns how much of a pool is left for a caller who does not wait for it.
pub fn left_for_others(session: &Session, resource: &str) -> i64 {
    let stored = resources::read(session, resource);
    stored.filter(|stored| stored.waiting == 0 || stored.skip).map_or(0, |stored| stored.pool.free())
}
