//! Choosing the best seats while others do the same.
//!
//! Everybody wants the same seats first. If another session has claimed a seat, the call treats it as taken and
//! chooses again without it: 32 buyers go through the plan side by side and do not wait for its front. Only before
//! a refusal does a call wait, for one seat that another session is about to take, or for one overdue hold that
//! another session has locked.

use super::stop::{Interrupt, Retry};
use super::{Allocation, Pass, SeatPlanView, reclaim};
use crate::error::Error;
use crate::outcome::Refused;
use crate::rules::Refusal;
use crate::rules::seating::{Search, SeatPosition, best as choose};
use crate::server::settings;
use crate::store::locks::LockWaitPolicy;
use crate::store::locks::heavyweight::{self, Claim};
use crate::store::seat_plan::{self, FreeSeat};
use crate::store::{overdue, overdue_seats};
use serde_json::json;
use std::collections::HashSet;
use uuid::Uuid;

/// The most free seats that one look reads, unless it reads the whole plan.
const MAX_READ: i64 = 16_384;

impl<'a> Allocation<'_, 'a> {
    /// Chooses the best seats, and claims them if others may choose at the same time. `Err` inside is the refusal.
    pub fn best(
        &mut self,
        resource: &'a str,
        quantity: usize,
        section: Option<&'a str>,
        together: bool,
    ) -> Result<Result<Vec<String>, Refused>, Interrupt> {
        self.end_overdue(resource)?;
        let mut plan = match self.plans.remove(&(resource, section)) {
            // The rows in front, which have too few adjacent seats for `skipped`, may have enough for fewer.
            Some(plan) if plan.skips.is_none_or(|skipped| skipped <= quantity) => plan,
            _ => {
                let mut plan = SeatPlanView::of_section(self.section(resource, section)?);
                plan.skip(resource, quantity);
                plan
            }
        };
        let chosen = loop {
            match plan.choose(quantity, together) {
                Search::Take(picks) => {
                    let picked: Vec<String> = picks.iter().map(|n| plan.free[*n].label.clone()).collect();
                    match self.claim_free(resource, &picked) {
                        Ok(gone) if gone.is_empty() => break Ok(picked),
                        Ok(gone) => gone.iter().for_each(|label| plan.remove(label)),
                        Err(contested) => plan.set_aside(&contested),
                    }
                }
                Search::Nothing if plan.complete && !plan.was_read_at_once() => plan.restart(),
                Search::Nothing if plan.complete => break Err(()),
                Search::Nothing | Search::LookFurther => self.look_further(resource, &mut plan),
            }
        };
        let answer = match chosen {
            Ok(mut picked) => {
                plan.remember(resource, quantity);
                picked.sort_unstable();
                Ok(picked)
            }
            Err(()) => Err(self.refuse_or_wait(resource, &plan, quantity, together)?),
        };
        self.plans.insert((resource, section), plan);
        Ok(answer)
    }

    /// Returns the number of a section in the plan; `None` if the request names no section.
    fn section(&self, resource: &str, section: Option<&str>) -> Result<Option<usize>, Error> {
        let Some(section) = section else { return Ok(None) };
        let sections = &self.resource(resource)?.sections;
        match sections.iter().position(|there| there == section) {
            Some(n) => Ok(Some(n)),
            None => Err(Error::no_section(resource, section, sections)),
        }
    }

    /// Ends the overdue holds of a resource, because their seats can be given, whether the worker has swept them
    /// or not. The cheap pass ends none and returns `Err` if there is one.
    fn end_overdue(&mut self, resource: &'a str) -> Result<(), Interrupt> {
        if self.exhausted.contains(resource) {
            return Ok(());
        }
        if self.pass == Pass::Cheap {
            if !overdue::due(self.session, resource, self.now, 1).is_empty() {
                return Err(Retry::NeedsExpiry.into());
            }
        } else {
            // The loop ends all that it can: what is overdue after it is locked by others.
            loop {
                let ended =
                    overdue_seats::end_due(self.session, &[resource], self.now, settings::sweep_batch());
                if ended.is_empty() {
                    break;
                }
                self.seats_freed(&ended);
            }
            // This look comes before the plan is read. After it, a transaction that ends one of these holds could
            // have committed in between, and the seats would be found neither free nor overdue.
            let others = seat_plan::overdue(self.session, resource, self.now, reclaim::MAX_LOCKED);
            self.overdue.insert(resource, others);
        }
        self.exhausted.insert(resource);
        Ok(())
    }

    /// Reads the next free seats of the plan, behind those that it has shown so far.
    fn look_further(&self, resource: &str, plan: &mut SeatPlanView) {
        let more = seat_plan::free(self.session, resource, plan.seen, plan.before, plan.limit);
        plan.complete = (more.len() as i64) < plan.limit;
        plan.reads += 1;
        plan.limit = plan.limit.saturating_mul(4).min(MAX_READ);
        if let Some(last) = more.last() {
            plan.seen = (last.place.rank, last.place.position);
        }
        plan.read.extend(more.iter().map(|seat| seat.place));
        let given: HashSet<&str> = self
            .new
            .iter()
            .filter(|hold| hold.resource == resource)
            .flat_map(|hold| hold.seats.iter().flatten().map(String::as_str))
            .collect();
        let is_owed = |label: &str| self.owed_seats.contains(&(resource, label));
        let is_gone = |label: &str| given.contains(label) || is_owed(label);
        plan.free.extend(more.into_iter().filter(|seat| !is_gone(&seat.label)));
    }

    /// Claims seats that looked free, all of them or none. Returns those that were taken since the look; `Err` is
    /// a seat that another session has claimed.
    fn claim_free(&mut self, resource: &str, labels: &[String]) -> Result<Vec<String>, String> {
        if self.has_exclusive(resource) {
            return Ok(Vec::new());
        }
        let before = self.claims.len();
        for label in labels {
            match Claim::wait(resource, heavyweight::ClaimTarget::Seat(label), LockWaitPolicy::NoWait) {
                Ok(claim) => self.claims.push(claim),
                Err(_) => {
                    self.claims.drain(before..).for_each(Claim::release);
                    return Err(label.clone());
                }
            }
        }
        // Behind the claims nobody else takes these seats, so what this look finds stays true.
        let names: Vec<&str> = labels.iter().map(String::as_str).collect();
        let free = seat_plan::still_free(self.session, resource, &names);
        if free.len() < labels.len() {
            self.claims.drain(before..).for_each(Claim::release);
        }
        Ok(labels.iter().filter(|label| !free.contains(label)).cloned().collect())
    }

    /// Returns the refusal, or `Err` if what other sessions are doing could still make the party fit.
    fn refuse_or_wait(
        &self,
        resource: &str,
        plan: &SeatPlanView,
        quantity: usize,
        together: bool,
    ) -> Result<Refused, Interrupt> {
        let overdue = self.overdue.get(resource).cloned().unwrap_or_default();
        let in_plan = |seat: &FreeSeat| (plan.from..plan.before).contains(&seat.place.rank);
        let overdue: Vec<_> = overdue.into_iter().filter(|(seat, _)| in_plan(seat)).collect();
        if !plan.contested.is_empty() || !overdue.is_empty() {
            if self.pass == Pass::Cheap {
                return Err(Retry::NeedsExpiry.into());
            }
            if let Some(retry) = obstacle(resource, plan, &overdue, quantity, together) {
                return Err(retry.into());
            }
        }
        seat_plan::assert_plan_is_current(self.session, resource);
        let available = plan.free.len();
        let mut detail = json!({"requested": quantity, "available": available});
        if together && available >= quantity {
            detail["together"] = json!(true);
        }
        Ok(Refused {
            refusal: Refusal::Unavailable,
            version: Some(self.resource(resource)?.pool.version),
            available: Some(available as i64),
            seats: None,
            detail: Some(detail),
        })
    }
}

/// Returns what to wait for: the first obstacle among the seats that would be chosen if all claims and overdue
/// holds of others came to nothing. Returns `None` if the party would not fit even then.
fn obstacle(
    resource: &str,
    plan: &SeatPlanView,
    overdue: &[(FreeSeat, Uuid)],
    quantity: usize,
    together: bool,
) -> Option<Retry> {
    let contested =
        |seat: &FreeSeat| Retry::Contested { resource: resource.to_owned(), seat: seat.label.clone() };
    let mut seats: Vec<(SeatPosition, Option<Retry>)> = Vec::new();
    seats.extend(plan.free.iter().map(|seat| (seat.place, None)));
    seats.extend(plan.contested.iter().map(|seat| (seat.place, Some(contested(seat)))));
    seats.extend(overdue.iter().map(|(seat, owner)| (seat.place, Some(Retry::Locked(vec![*owner])))));
    seats.sort_by_key(|(place, _)| (place.rank, place.position));
    seats.dedup_by_key(|(place, _)| (place.rank, place.position));
    let places: Vec<SeatPosition> = seats.iter().map(|(place, _)| *place).collect();
    let Search::Take(mut picks) = choose(&places, true, quantity, together) else { return None };
    picks.sort_unstable();
    let picked: HashSet<usize> = picks.into_iter().collect();
    seats.into_iter().enumerate().find_map(|(n, (_, retry))| if picked.contains(&n) { retry } else { None })
}
