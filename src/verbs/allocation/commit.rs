//! Writing what an allocation has decided, with one statement for each table; seats with one for each resource.

use super::Allocation;
use super::stop::Interrupt;
use super::stop::Retry;
use crate::server::settings;
use crate::shared_memory::registry;
use crate::store::holds::{self, NewHold};
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::{pools, seats, waitlist};
use serde_json::json;
use std::collections::BTreeMap;

impl Allocation<'_, '_> {
    /// Writes what was decided. Returns `Err` with [`Retry::Stale`], and nothing written, if other transactions
    /// took some of it since it was read.
    pub(super) fn write(&self) -> Result<(), Interrupt> {
        let mut by_resource: BTreeMap<&str, Vec<&NewHold>> = BTreeMap::new();
        for hold in self.new.iter().filter(|hold| hold.seats.is_some()) {
            by_resource.entry(hold.resource).or_default().push(hold);
        }
        let write = || -> Result<(), Interrupt> {
            for (resource, holds) in &by_resource {
                if self.policy == LockWaitPolicy::NoWait {
                    seats::lock_at_once(self.session, resource, holds)?;
                }
                if !seats::take_all(self.session, resource, holds) {
                    return Err(Retry::Stale.into());
                }
            }
            let deltas = self.deltas.iter().map(|(name, delta)| Ok((self.resource(name)?, *delta)));
            let deltas = deltas.collect::<Result<Vec<_>, Interrupt>>()?;
            if !deltas.is_empty() && !pools::apply_deltas(self.session, &deltas)? {
                return Err(Retry::Stale.into());
            }
            Ok(())
        };
        // One statement writes all locked pools or none, and all seats of one resource or none. With more of them
        // the first may be written when the second fails, so they get a subtransaction. Locking seats ahead gets
        // one too: if it fails, the rows that it has locked must not make the next session that claims such a seat
        // wait.
        let locks_ahead = self.policy == LockWaitPolicy::NoWait && !by_resource.is_empty();
        let is_locked = |name: &&str| self.resource(name).is_ok_and(|stored| stored.escrow.is_none());
        let is_whole = by_resource.is_empty() && self.deltas.keys().all(is_locked);
        match by_resource.len() + self.deltas.len() {
            0 if self.new.is_empty() => return Ok(()),
            0 => {}
            1 if !locks_ahead => subtransaction::until_lock_timeout(write)??,
            _ if is_whole => subtransaction::until_lock_timeout(write)??,
            _ => subtransaction::until_lock_timeout(|| subtransaction::undo_unless_ok(write))??,
        }
        holds::insert_all(self.session, &self.new);
        if !self.offers.is_empty() {
            waitlist::offer(self.session, &self.offers, self.now);
            let offered = self.new.iter().filter(|hold| self.offers.contains(&hold.id));
            offered.for_each(|hold| self.announce(hold));
        }
        if let Some(first) = self.new.iter().map(|hold| hold.expires_at).min() {
            registry::expect_expiry(first);
        }
        Ok(())
    }

    /// Sends a NOTIFY about an offer, if `booking.notify_channel` is set.
    fn announce(&self, hold: &NewHold) {
        let Some(channel) = settings::notify_channel() else { return };
        // LISTEN needs no privilege, so the payload names nobody and nothing: who may call find() learns the rest.
        let offer = json!({"hold_id": hold.id.to_string()});
        waitlist::notify(self.session, &channel, &offer.to_string());
    }
}
