//! Serving waitlists before anybody else, and keeping for them what they are owed.

use super::fit::booked_period_on;
use super::stop::{Interrupt, Retry, Stop};
use super::{Allocation, Served};
use crate::error::Error;
use crate::request::{Placement, Want, When};
use crate::rules::Refusal;
use crate::rules::timeline::Usage;
use crate::rules::waitlist::{self, Answer, WaitlistServer};
use crate::store::resources::{Kind, StoredResource};
use crate::store::waitlist::Entry;
use std::collections::BTreeMap;
use uuid::Uuid;

impl<'a> Allocation<'_, 'a> {
    /// Serves the waitlists of all resources of this call, each in its order. A long one may go on behind `lines`,
    /// which is what was read of them.
    pub(super) fn serve_lines(&mut self, lines: &'a [Placement<'a>]) -> Result<(), Interrupt> {
        let mut by_resource: BTreeMap<&'a str, Vec<&'a Placement<'a>>> = BTreeMap::new();
        for one in lines {
            by_resource.entry(one.resource).or_default().push(one);
        }
        for (resource, line) in by_resource {
            let &StoredResource { ref pool, skip, waiting, .. } = self.resource(resource)?;
            // A closed resource admits nobody, neither its waitlist nor others.
            if !pool.open {
                continue;
            }
            let is_all = waiting <= line.len() as i64;
            if waitlist::serve(&line, skip, self)? && !is_all && !skip {
                self.owed.insert(resource);
            }
        }
        self.entries_read = lines.len() as i64;
        self.offered = self.new.len();
        self.deltas_of_offers = self.deltas.clone();
        Ok(())
    }

    /// Returns whether the waitlist of a resource was served to the end of what was read, and has more entries.
    pub fn goes_on(&self, resource: &str) -> bool {
        let waiting = self.resources.get(resource).map_or(0, |stored| stored.waiting);
        let offers = self.deltas.get(resource).map_or(0, |delta| delta.offers);
        offers > 0 && offers == self.entries_read && offers < waiting
    }
}

impl<'a> WaitlistServer<&'a Placement<'a>> for Allocation<'_, 'a> {
    type Stop = Interrupt;

    fn serve(&mut self, one: &&'a Placement<'a>) -> Result<Answer, Interrupt> {
        match Allocation::serve(self, one) {
            Ok(Served::Placed { new, .. }) => {
                self.offers.push(self.new[new].id);
                self.deltas.entry(one.resource).or_default().offers += 1;
                Ok(Answer::Served)
            }
            Ok(Served::Refused(refused)) if refused.refusal == Refusal::Unavailable => Ok(Answer::Short),
            // Serving does not wait for what others decide on at this moment: if it comes free, that transaction
            // serves the waitlist again.
            Ok(Served::Busy)
            | Err(Interrupt::Retry(Retry::Locked(_) | Retry::UnderWay(_) | Retry::Contested { .. })) => {
                Ok(Answer::Short)
            }
            Ok(Served::Refused(_) | Served::Earlier(_)) | Err(Interrupt::Stop(Stop::Error(_))) => {
                Ok(Answer::Barred)
            }
            Err(stop) => Err(stop),
        }
    }

    fn owe(&mut self, one: &&'a Placement<'a>) -> bool {
        let resource = one.resource;
        match &one.want {
            Want::Quantity(_) | Want::Best { .. } => self.owed.insert(resource),
            Want::Seats(labels) => {
                for &label in labels {
                    self.owed_seats.insert((resource, label));
                    if let Some(seat) = self.seats.get_mut(&(resource, label.to_owned()))
                        && (seat.owner.is_none() || seat.overdue)
                    {
                        seat.owner = Some(Uuid::nil());
                        seat.overdue = false;
                    }
                    for (_, plan) in self.plans.iter_mut().filter(|((of, _), _)| *of == resource) {
                        plan.remove(label);
                    }
                }
                return false;
            }
            Want::Period { quantity, when } => {
                let booked =
                    self.resource(resource).and_then(|stored| booked_period_on(stored.as_calendar()?, *when));
                if let Ok(booked) = booked {
                    let owed = Usage { occupied: booked.occupied, quantity: *quantity, is_held: true };
                    self.owed_usages.push((resource, owed));
                }
                return false;
            }
        };
        true
    }
}

/// Returns what an entry wants. A quantity of seats, which names no labels, means any seats.
pub fn any_of(kind: Kind, want: Want<'_>) -> Result<Want<'_>, Error> {
    match (kind, want) {
        (Kind::Seats, Want::Quantity(quantity)) => {
            let quantity = usize::try_from(quantity).map_err(|_| Error::limit("too many seats"))?;
            Ok(Want::Best { quantity, section: None, together: false })
        }
        (_, want) => Ok(want),
    }
}

/// Returns the request that an entry of a waitlist stands for.
pub fn placement_of<'a>(entry: &'a Entry, kind: Kind) -> Result<Placement<'a>, Error> {
    let want = match (&entry.seats, entry.during) {
        (Some(labels), _) => Want::Seats(labels.iter().map(String::as_str).collect()),
        (None, Some(period)) => Want::Period { quantity: entry.quantity, when: When::During(period) },
        (None, None) => Want::Quantity(entry.quantity),
    };
    Ok(Placement {
        id: Some(entry.id),
        resource: &entry.resource,
        want: any_of(kind, want)?,
        ttl: entry.offer_ttl,
        key: None,
        fingerprint: None,
        holder: entry.holder.as_deref(),
        expected_version: None,
        metadata: entry.metadata,
    })
}
