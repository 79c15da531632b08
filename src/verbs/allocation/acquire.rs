//! Turns at resources and claims on their places: the locks that come before everything else.

use super::Stop;
use crate::escrow::{self, Entered};
use crate::rules::Micros;
use crate::rules::hours::DAY;
use crate::rules::timeline::Period;
use crate::store::holds::{Lot, StoredHold};
use crate::store::queue::{self, Claim, Mode, Place, Turn};
use crate::store::resources::Kind;
use crate::store::{Busy, Patience, Session, pools, resources, snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// The most places that one call claims one by one: each takes an entry of the server's lock table.
/// Who wants more takes the whole resource.
const MOST_CLAIMS: usize = 64;

/// The resources a call is about, by name, and how much of each it takes its turn for.
pub type Turns<'a> = BTreeMap<&'a str, Mode>;

/// Takes a turn at one resource: all of it, for a verb that is going to change its row.
pub fn take_turn(session: &Session, resource: &str, patience: Patience) -> Result<Turn, Busy> {
    let turn = queue::line_up(resource, Mode::Alone, patience)?;
    resources::lock_ahead(session, resource, patience)?;
    pools::enter_alone(session, resource);
    Ok(turn)
}

/// Takes a turn at a pool, and enters its count: shared, where it is an escrow pool, with all others who take from it
/// or give back; alone otherwise. Whose snapshot is kept is told where what it shows of the pool is not so any more.
pub fn take_turn_at_pool(
    session: &Session,
    resource: &str,
    patience: Patience,
) -> Result<(Turn, Mode), Busy> {
    loop {
        let Some(id) = escrow::is_possible().then(|| pools::escrow(session, resource)).flatten() else {
            return Ok((take_turn(session, resource, patience)?, Mode::Alone));
        };
        let turn = queue::line_up(resource, Mode::Shared, patience)?;
        // Only behind a turn it stays what it is.
        if pools::escrow(session, resource) == Some(id) {
            if escrow::enter(id) == Entered::Yes {
                if snapshot::is_kept() {
                    let shown = resources::read(session, resource).map(|found| found.definition());
                    let now = || resources::read_now(session, resource).map(|found| found.definition());
                    snapshot::assert_unchanged(&shown, now);
                }
                return Ok((turn, Mode::Shared));
            }
            turn.let_go();
            // It is counted by who has it alone; once that is done, others may come.
            let alone = take_turn(session, resource, patience)?;
            if pools::escrow(session, resource) != Some(id) {
                alone.let_go();
                continue;
            }
            if escrow::enter(id) != Entered::Yes {
                return Ok((alone, Mode::Alone));
            }
            let turn = queue::line_up(resource, Mode::Shared, patience)?;
            alone.let_go();
            return Ok((turn, Mode::Shared));
        }
        turn.let_go();
    }
}

/// How much of a pool is taken for a verb that takes from it or gives back.
pub fn mode_of_pool(session: &Session, resource: &str) -> Mode {
    match escrow::is_possible() && pools::escrow(session, resource).is_some() {
        true => Mode::Shared,
        false => Mode::Alone,
    }
}

/// Takes a shared turn at one resource, or the whole of it. Whether anybody waits for it is still to be asked.
pub fn take_part(session: &Session, resource: &str, mode: Mode, patience: Patience) -> Result<Turn, Busy> {
    let turn = queue::line_up(resource, mode, patience)?;
    if snapshot::is_kept() {
        resources::lock_ahead(session, resource, patience)?;
    }
    Ok(turn)
}

/// Takes a turn for some places of a resource, so many. Whose snapshot is kept takes the whole: what
/// has changed since it was taken can only be told where nobody changes anything.
pub fn mode_for(places: usize) -> Mode {
    if places > MOST_CLAIMS || snapshot::is_kept() { Mode::Alone } else { Mode::Shared }
}

/// Takes the turns in the order of the names. The rows of pools are locked ahead where they have to
/// be; the others' only where the snapshot is kept, which may show one as open that has closed.
///
/// What anybody waits for is taken whole: who is served next can only be told where nobody else serves. That
/// is seen only behind a turn, since to join the line takes one alone; then all are let go and taken anew,
/// in their order.
pub fn take_turns(
    session: &Session,
    turns: &mut Turns,
    pools: impl Fn(&str) -> bool,
    patience: Patience,
) -> Result<(), Busy> {
    loop {
        let mut taken = Vec::with_capacity(turns.len());
        for (resource, mode) in turns.iter_mut() {
            taken.push(match (pools(resource), *mode) {
                (true, Mode::Alone) => take_turn(session, resource, patience)?,
                (true, Mode::Shared) => {
                    let (turn, had) = take_turn_at_pool(session, resource, patience)?;
                    *mode = had;
                    turn
                }
                (false, _) => take_part(session, resource, *mode, patience)?,
            });
        }
        let shared = turns.iter().filter(|(_, mode)| **mode == Mode::Shared);
        let shared: Vec<&str> = shared.map(|(resource, _)| *resource).collect();
        let waited_for = if shared.is_empty() { Vec::new() } else { resources::waited_for(session, &shared) };
        if waited_for.is_empty() {
            return Ok(());
        }
        taken.into_iter().rev().for_each(Turn::let_go);
        for (resource, mode) in turns.iter_mut() {
            if waited_for.iter().any(|name| name == resource) {
                *mode = Mode::Alone;
            }
        }
    }
}

/// Lines up for holders of whom something is given, or given back, where what each has is limited and others have a
/// turn at the same time: what they have is only counted when it is decided.
pub fn line_up_for_holders<'l>(
    session: &Session,
    turns: &Turns,
    holders: impl Iterator<Item = (&'l str, &'l str)>,
    patience: Patience,
) -> Result<(), Busy> {
    let is_shared = |resource: &str| turns.get(resource) == Some(&Mode::Shared);
    let is_limited = |resource: &str| pools::known(session, resource).is_some_and(|known| known.is_limited);
    let limited: BTreeSet<_> =
        holders.filter(|(resource, _)| is_shared(resource) && is_limited(resource)).collect();
    for (resource, holder) in limited {
        queue::line_up_for_holder(resource, holder, patience)?;
    }
    Ok(())
}

/// Claims places of a resource, which come in their order, or none of them.
pub fn claim<'a>(
    resource: &str,
    places: impl IntoIterator<Item = Place<'a>>,
    patience: Patience,
) -> Result<Vec<Claim>, Busy> {
    let mut claims = Vec::new();
    for place in places {
        match Claim::wait(resource, place, patience) {
            Ok(claim) => claims.push(claim),
            Err(busy) => {
                claims.into_iter().for_each(Claim::let_go);
                return Err(busy);
            }
        }
    }
    Ok(claims)
}

/// The days that a period lies in.
pub fn days<'a>(period: Period) -> impl Iterator<Item = Place<'a>> {
    (period.from.div_euclid(DAY)..=(period.to - 1).div_euclid(DAY)).map(Place::Day)
}

/// The most days that a period of this length lies in.
pub const fn most_days(length: Micros) -> usize {
    length.div_euclid(DAY) as usize + 2
}

/// The turns that holds need: a locked pool's alone, a shared one at an escrow pool, and for seats and calendars as
/// long as their places are few.
pub fn turns_of<'l>(session: &Session, lot: &'l Lot) -> Turns<'l> {
    let mode = mode_for(lot.holds.iter().map(|stored| places_of(stored).len()).sum());
    let mode_of = |stored: &StoredHold| match stored.kind() {
        Kind::Pool => mode_of_pool(session, &stored.resource),
        Kind::Seats | Kind::Calendar => mode,
    };
    lot.holds.iter().map(|stored| (stored.resource.as_str(), mode_of(stored))).collect()
}

fn places_of(stored: &StoredHold) -> Vec<Place<'_>> {
    let seats = stored.seats.iter().flatten().map(|label| Place::Seat(label));
    seats.chain(stored.stay.iter().flat_map(|stay| days(stay.occupied))).collect()
}

/// Claims the places of holds, by resource and in their order.
pub fn claim_places(lot: &Lot, turns: &Turns, patience: Patience) -> Result<Vec<Claim>, Stop> {
    let mut claims = Vec::new();
    for (resource, _) in turns.iter().filter(|(_, mode)| **mode == Mode::Shared) {
        let on_it = lot.holds.iter().filter(|stored| stored.resource == *resource);
        let places: BTreeSet<Place> = on_it.flat_map(places_of).collect();
        match claim(resource, places, patience) {
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
    /// Whose they are, by resource.
    pub fn holders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.holds.iter().filter_map(|stored| Some((stored.resource.as_str(), stored.holder.as_deref()?)))
    }

    pub fn is_of_pool(&self, resource: &str) -> bool {
        self.holds.iter().any(|stored| stored.resource == resource && stored.kind() == Kind::Pool)
    }
}
