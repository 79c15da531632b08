//! Whether seats are to be had that are asked for by their names.

use super::{Depth, Desk};
use crate::error::Error;
use crate::outcome::Refused;
use crate::rules::Refusal;
use crate::store::seats::{self, StoredSeat};
use crate::verbs::Stop;
use crate::verbs::room::all_or_wait;
use serde_json::{Map, json};
use uuid::Uuid;

impl<'a> Desk<'_, 'a> {
    /// Whether these seats are to be had.
    pub(super) fn named(&mut self, resource: &'a str, labels: &[&str]) -> Result<Result<(), Refused>, Stop> {
        let mut taken = Vec::new();
        let mut blocked = Vec::new();
        let mut overdue = Vec::new();
        for &label in labels {
            match self.seats.get(&(resource, label.to_owned())) {
                None => return Err(Error::no_seat(resource, label).into()),
                Some(seat) if seat.blocked => blocked.push(label),
                Some(StoredSeat { owner: Some(owner), overdue: true, .. }) => overdue.push(*owner),
                Some(StoredSeat { owner: Some(_), .. }) => taken.push(label),
                Some(_) => {}
            }
        }
        if !taken.is_empty() || !blocked.is_empty() {
            return Ok(Err(self.seats_refused(resource, labels.len(), taken, blocked)?));
        }
        if !overdue.is_empty() {
            overdue.sort_unstable();
            overdue.dedup();
            self.end(resource, &overdue)?;
        }
        Ok(Ok(()))
    }

    fn seats_refused(
        &self,
        resource: &str,
        requested: usize,
        taken: Vec<&str>,
        blocked: Vec<&str>,
    ) -> Result<Refused, Stop> {
        let mut missing: Vec<&str> = [&taken[..], &blocked[..]].concat();
        missing.sort_unstable();
        let available = requested - missing.len();
        let mut detail = Map::new();
        detail.insert("requested".to_owned(), json!(requested));
        detail.insert("available".to_owned(), json!(available));
        for (name, labels) in [("taken", taken), ("blocked", blocked)] {
            if !labels.is_empty() {
                detail.insert(name.to_owned(), json!(labels));
            }
        }
        Ok(Refused {
            refusal: Refusal::Unavailable,
            version: Some(self.resource(resource)?.pool.version),
            available: Some(available as i64),
            seats: Some(missing.into_iter().map(str::to_owned).collect()),
            detail: Some(detail),
        })
    }

    /// Ends overdue holds of a resource with seats, all of these.
    pub fn end(&mut self, resource: &str, ids: &[Uuid]) -> Result<(), Stop> {
        if self.depth == Depth::Shallow {
            return Err(Stop::TooShallow);
        }
        let ended = seats::end_these(self.session, resource, ids, self.now);
        self.seats_freed(&ended);
        all_or_wait(ids, &ended)
    }

    /// Notes that some holds were ended.
    pub fn seats_freed(&mut self, ended: &[Uuid]) {
        for seat in self.seats.values_mut() {
            if seat.owner.is_some_and(|owner| ended.contains(&owner)) {
                seat.owner = None;
                seat.overdue = false;
            }
        }
    }
}
