//! Placing many independent holds in one call, as the single calls would in that order.

use super::desk::{Depth, Desk, serve_at};
use super::patience::patiently;
use super::turns::{Turns, mode_of_pool, take_part, take_turn, take_turn_at_pool};
use super::{Placement, Stop};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::queue::{Mode, Turn};
use crate::store::{Patience, Session, resources};
use std::collections::HashSet;

/// Places each of many holds and answers each, in their order.
///
/// Every resource is taken whole: a turn for each of a thousand requests would fill the server's lock
/// table. Where a resource is not to be had until `lock_timeout`, what was asked of it is busy and the
/// rest goes on.
pub fn hold_each(placements: &[Placement]) -> Result<Vec<Outcome>, Error> {
    let session = Session::to_write(c"booking.hold_each()");
    place(&session, placements).or_else(|stop| match stop {
        Stop::Error(error) => Err(error),
        // Somebody's own query has a row locked that all of it has to be written past.
        Stop::Busy => Ok(vec![Outcome::busy(); placements.len()]),
        _ => Err(Error::internal("an attempt ended without an answer")),
    })
}

fn place(session: &Session, placements: &[Placement]) -> Result<Vec<Outcome>, Stop> {
    let mut turns = Turns::new();
    for placement in placements {
        turns.entry(placement.resource).or_insert_with(|| match placement.want.is_of_pool() {
            true => mode_of_pool(session, placement.resource),
            false => Mode::Alone,
        });
    }
    let pools: HashSet<&str> = placements
        .iter()
        .filter(|placement| placement.want.is_of_pool())
        .map(|placement| placement.resource)
        .collect();
    take_each(session, &mut turns, &pools);
    let at = |depth| {
        serve_at(session, &turns, placements, Patience::Wait, depth, |desk, placements| {
            answer(desk, &turns, placements)
        })
    };
    match at(Depth::Shallow) {
        Err(Stop::TooShallow | Stop::Stale) => {}
        result => return result,
    }
    match patiently(session, Patience::Wait, || at(Depth::Deep)) {
        Err(Stop::Busy) => patiently(session, Patience::Wait, || at(Depth::DeepOrBusy)),
        result => result,
    }
}

/// Takes the turns that are to be had. What anybody waits for is taken whole: who is served next can only be told where
/// nobody else serves. That is seen only behind a turn; then all are let go and taken anew, in their order.
fn take_each(session: &Session, turns: &mut Turns, pools: &HashSet<&str>) {
    let mut wanted = turns.clone();
    loop {
        let mut taken = Vec::with_capacity(wanted.len());
        *turns = wanted.clone();
        turns.retain(|resource, mode| {
            let turn = match (pools.contains(resource), *mode) {
                (true, Mode::Shared) => {
                    take_turn_at_pool(session, resource, Patience::Wait).map(|(turn, had)| {
                        *mode = had;
                        turn
                    })
                }
                (true, Mode::Alone) => take_turn(session, resource, Patience::Wait),
                (false, _) => take_part(session, resource, *mode, Patience::Wait),
            };
            turn.map(|turn| taken.push(turn)).is_ok()
        });
        let shared = turns.iter().filter(|(_, mode)| **mode == Mode::Shared);
        let shared: Vec<&str> = shared.map(|(resource, _)| *resource).collect();
        let waited_for = if shared.is_empty() { Vec::new() } else { resources::waited_for(session, &shared) };
        if waited_for.is_empty() {
            return;
        }
        taken.into_iter().rev().for_each(Turn::let_go);
        for name in &waited_for {
            if let Some(mode) = wanted.get_mut(name.as_str()) {
                *mode = Mode::Alone;
            }
        }
    }
}

fn answer<'a>(
    desk: &mut Desk<'_, 'a>,
    turns: &Turns,
    placements: &'a [Placement<'a>],
) -> Result<Vec<Outcome>, Stop> {
    desk.read_keys(placements);
    let serve = |(n, placement): (usize, &'a Placement<'a>)| {
        if !turns.contains_key(placement.resource) {
            return Ok(Outcome::busy());
        }
        let served = desk.serve(placement).map_err(|stop| stop.of_item("request", n + 1))?;
        Ok(desk.outcome(placement, served))
    };
    placements.iter().enumerate().map(serve).collect()
}
