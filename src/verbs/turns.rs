//! Turns at resources and claims on seats: the locks that come before everything else.

use super::Stop;
use crate::store::holds::{Lot, StoredHold};
use crate::store::queue::{self, Claim, Mode};
use crate::store::resources::Kind;
use crate::store::{Busy, Patience, Session, resources, snapshot};
use std::collections::BTreeMap;

/// The most seats that one call claims one by one: each takes an entry of the server's lock table.
/// Who wants more takes the whole resource.
const MOST_CLAIMS: usize = 64;

/// The resources a call is about, by name, and how much of each it takes its turn for.
pub type Turns<'a> = BTreeMap<&'a str, Mode>;

/// Takes a turn at one resource: all of it, for a verb that is going to change its row.
pub fn take_turn(session: &Session, resource: &str, patience: Patience) -> Result<(), Busy> {
    queue::line_up(resource, Mode::Alone, patience)?;
    resources::lock_ahead(session, resource, patience)
}

/// Takes a turn for some seats of a resource, so many. Whose snapshot is kept takes the whole: what
/// has changed since it was taken can only be told where nobody changes anything.
pub fn mode_for_seats(seats: usize) -> Mode {
    if seats > MOST_CLAIMS || snapshot::is_kept() { Mode::Alone } else { Mode::Shared }
}

/// Takes the turns in the order of the names. The rows of pools are locked ahead where they have to
/// be; those of seats' resources only where the snapshot is kept, which may show one as open that has
/// closed.
pub fn take_turns(
    session: &Session,
    turns: &Turns,
    pools: impl Fn(&str) -> bool,
    patience: Patience,
) -> Result<(), Busy> {
    for (resource, mode) in turns {
        queue::line_up(resource, *mode, patience)?;
        if pools(resource) || snapshot::is_kept() {
            resources::lock_ahead(session, resource, patience)?;
        }
    }
    Ok(())
}

/// Claims seats of a resource in the order of their labels, or none of them.
pub fn claim(resource: &str, seats: &[&str], patience: Patience) -> Result<Vec<Claim>, Busy> {
    let mut claims = Vec::with_capacity(seats.len());
    for seat in seats {
        match Claim::wait(resource, seat, patience) {
            Ok(claim) => claims.push(claim),
            Err(busy) => {
                claims.into_iter().for_each(Claim::let_go);
                return Err(busy);
            }
        }
    }
    Ok(claims)
}

/// The turns that holds need: a pool's alone, a shared one for seats, as long as they are few.
pub fn turns_of(lot: &Lot) -> Turns<'_> {
    let all: usize = lot.holds.iter().map(|stored| stored.seats.as_ref().map_or(0, Vec::len)).sum();
    let mode = |stored: &StoredHold| stored.seats.as_ref().map_or(Mode::Alone, |_| mode_for_seats(all));
    lot.holds.iter().map(|stored| (stored.resource.as_str(), mode(stored))).collect()
}

/// Claims the seats of holds, by resource and label.
pub fn claim_seats(lot: &Lot, turns: &Turns, patience: Patience) -> Result<Vec<Claim>, Stop> {
    let mut claims = Vec::new();
    for (resource, mode) in turns {
        let mut labels: Vec<&str> = lot
            .holds
            .iter()
            .filter(|stored| stored.resource == *resource && *mode == Mode::Shared)
            .flat_map(|stored| stored.seats.iter().flatten().map(String::as_str))
            .collect();
        labels.sort_unstable();
        match claim(resource, &labels, patience) {
            Ok(more) => claims.extend(more),
            Err(busy) => {
                claims.into_iter().for_each(Claim::let_go);
                return Err(busy.into());
            }
        }
    }
    Ok(claims)
}

impl Lot {
    pub fn is_of_pool(&self, resource: &str) -> bool {
        self.holds.iter().any(|stored| stored.resource == resource && stored.kind() == Kind::Pool)
    }
}
