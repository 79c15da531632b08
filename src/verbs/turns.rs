//! Turns at resources and claims on seats: the locks that come before everything else.

use crate::store::queue::{self, Claim, Mode};
use crate::store::{Busy, Patience, Session, resources, snapshot};
use std::collections::BTreeMap;

/// The most seats that one call claims one by one: each takes an entry of the server's lock table.
/// Who wants more takes the whole resource.
pub const MOST_CLAIMS: usize = 64;

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
