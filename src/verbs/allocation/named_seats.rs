//! Requests for seats by their labels.

use super::reclaim::all_or_wait;
use super::stop::{Interrupt, Retry};
use super::{Allocation, Pass};
use crate::error::Error;
use crate::outcome::Refused;
use crate::store::overdue_seats;
use crate::store::seats::StoredSeat;
use uuid::Uuid;

impl<'a> Allocation<'_, 'a> {
    /// Decides whether these seats can be given, and ends the overdue holds on them. `Err` inside is the refusal.
    pub(super) fn named(
        &mut self,
        resource: &'a str,
        labels: &[&str],
    ) -> Result<Result<(), Refused>, Interrupt> {
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
            let version = self.resource(resource)?.pool.version;
            return Ok(Err(Refused::seats(labels.len(), &taken, &blocked, version)));
        }
        if !overdue.is_empty() {
            self.end(resource, &overdue)?;
        }
        Ok(Ok(()))
    }

    /// Ends these overdue holds of a resource with seats. Returns `Err` in the cheap pass, or if others have some
    /// of them locked.
    pub fn end(&mut self, resource: &str, ids: &[Uuid]) -> Result<(), Interrupt> {
        if self.pass == Pass::Cheap {
            return Err(Retry::NeedsExpiry.into());
        }
        let ended = overdue_seats::end_these(self.session, resource, ids, self.now);
        self.seats_freed(&ended);
        Ok(all_or_wait(ids, &ended)?)
    }

    /// Notes in memory that the seats of these holds are free.
    pub fn seats_freed(&mut self, ended: &[Uuid]) {
        for seat in self.seats.values_mut() {
            if seat.owner.is_some_and(|owner| ended.contains(&owner)) {
                seat.owner = None;
                seat.overdue = false;
            }
        }
    }
}
