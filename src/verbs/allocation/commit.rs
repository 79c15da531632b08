//! What was decided at the desk, written: a statement for each table.

use super::{Desk, Stop};
use crate::store::holds::{self, NewHold};
use crate::store::{Patience, attempt, pools, seats, waitlist};
use crate::{settings, worker};
use serde_json::json;
use std::collections::BTreeMap;

impl Desk<'_, '_> {
    /// Writes what was decided.
    pub(super) fn write(&self) -> Result<(), Stop> {
        let mut by_resource: BTreeMap<&str, Vec<&NewHold>> = BTreeMap::new();
        for hold in self.new.iter().filter(|hold| hold.seats.is_some()) {
            by_resource.entry(hold.resource).or_default().push(hold);
        }
        let write = || {
            for (resource, holds) in &by_resource {
                if self.patience == Patience::NoWait {
                    seats::lock_at_once(self.session, resource, holds)?;
                }
                if !seats::take_all(self.session, resource, holds) {
                    return Err(Stop::Stale);
                }
            }
            let sums = self.sums.iter().map(|(name, sum)| Ok((self.resource(name)?, *sum)));
            let sums = sums.collect::<Result<Vec<_>, Stop>>()?;
            if !sums.is_empty() && !pools::take_sums(self.session, &sums)? {
                return Err(Stop::Stale);
            }
            Ok(())
        };
        // Locked pools are written whole or not at all, and so is one resource; with more of them, the first may have
        // been. Nor may rows stay locked of which others have one: whoever claims such a seat would wait for them.
        let locks_ahead = self.patience == Patience::NoWait && !by_resource.is_empty();
        let is_locked = |name: &&str| self.resource(name).is_ok_and(|stored| stored.escrow.is_none());
        let is_whole = by_resource.is_empty() && self.sums.keys().all(is_locked);
        match by_resource.len() + self.sums.len() {
            0 if self.new.is_empty() => return Ok(()),
            0 => {}
            1 if !locks_ahead => attempt::until_lock_timeout(write)??,
            _ if is_whole => attempt::until_lock_timeout(write)??,
            _ => attempt::until_lock_timeout(|| attempt::undo_unless_ok(write))??,
        }
        holds::insert_all(self.session, &self.new);
        if !self.offers.is_empty() {
            waitlist::offer(self.session, &self.offers, self.now);
            let offered = self.new.iter().filter(|hold| self.offers.contains(&hold.id));
            offered.for_each(|hold| self.announce(hold));
        }
        if let Some(first) = self.new.iter().map(|hold| hold.expires_at).min() {
            worker::expect_expiry(first);
        }
        Ok(())
    }

    /// Says that somebody was offered what he waited for, where anybody is to be told.
    fn announce(&self, hold: &NewHold) {
        let Some(channel) = settings::notify_channel() else { return };
        let offer = json!({
            "resource": hold.resource, "hold_id": hold.id.to_string(), "holder": hold.holder,
            "quantity": hold.quantity, "expires_at": hold.expires_at.iso(),
        });
        waitlist::notify(self.session, &channel, &offer.to_string());
    }
}
