//! Choosing the best seats while others do the same.
//!
//! Everybody wants the same seats first. So who finds a seat claimed by somebody else leaves it at
//! that, takes it for taken, and chooses again: 32 buyers go through the plan side by side instead of
//! queueing for its front. Only before it says no does a call wait, for one seat that somebody is
//! about to take, or for one hold that ran out and that somebody has locked.

use crate::error::Error;
use crate::outcome::Refused;
use crate::rules::Refusal;
use crate::rules::seating::{SeatPosition, ROWS_A_SECTION, Search, best as choose, first_row};
use crate::server::settings;
use crate::shared_memory::seat_hint;
use crate::store::{overdue, seats};
use crate::store::locks::{LockWaitPolicy, snapshot};
use crate::store::locks::heavyweight::{Claim, self};
use crate::store::seat_plan::{FreeSeat, self};
use super::{Pass, Allocation, reclaim};
use super::stop::Stop;
use serde_json::json;
use std::collections::HashSet;
use uuid::Uuid;

/// How many free seats are read at first; each further look takes four times as many.
const FIRST_READ: i64 = 48;
const MAX_READ: i64 = 16_384;

/// What a desk has seen of a plan.
pub struct SeatPlanView {
    /// Its free seats from the front, without those that this desk gave away.
    free: Vec<FreeSeat>,
    /// Those that others were about to take when this desk wanted them.
    contested: Vec<FreeSeat>,
    /// All that was read, whoever is taking it.
    read: Vec<SeatPosition>,
    /// From which rank on it goes, how far it was read, and before which rank it ends.
    from: i32,
    seen: (i32, i32),
    before: i32,
    /// For how many seats the front was left out, since no row there would do.
    skips: Option<usize>,
    count: Option<u64>,
    /// How much of it to read next, and how often it was read.
    look: i64,
    looks: usize,
    complete: bool,
}

impl SeatPlanView {
    fn of_section(section: Option<usize>) -> Self {
        let rank = |section: usize| i32::try_from(section).unwrap_or(i32::MAX).saturating_mul(ROWS_A_SECTION);
        Self {
            free: Vec::new(),
            contested: Vec::new(),
            read: Vec::new(),
            skips: None,
            count: None,
            from: section.map_or(0, rank),
            seen: (section.map_or(0, rank), i32::MIN),
            before: section.map_or(i32::MAX, |section| rank(section + 1)),
            look: FIRST_READ,
            looks: 0,
            complete: false,
        }
    }

    /// A party is split only over a plan that was read from its front.
    fn choose(&self, quantity: usize, together: bool) -> Search {
        let places: Vec<SeatPosition> = self.free.iter().map(|seat| seat.place).collect();
        choose(&places, self.complete, quantity, together || self.skips.is_some())
    }

    /// Leaves out the rows in front of which it is known that none would do.
    fn skip(&mut self, resource: &str, quantity: usize) {
        // An old plan is nothing to remember, or to compare with what is known of the current one.
        self.count = if snapshot::is_repeatable_read() { None } else { seat_hint::count(resource) };
        let rank = self.count.and_then(|count| seat_hint::first_free_row(resource, self.from, quantity, count));
        if let Some(rank) = rank {
            self.seen = (rank, i32::MIN);
            self.skips = Some(quantity);
        }
    }

    /// Whether it was read from its front to its end at one moment. What was read at several may not
    /// have been so at any: no ground for a refusal.
    fn is_one_look(&self) -> bool {
        self.skips.is_none() && self.looks == 1
    }

    /// Begins anew, to be read whole at once.
    fn begin_anew(&mut self) {
        let Self { from, before, count, .. } = *self;
        *self =
            Self { from, before, count, seen: (from, i32::MIN), look: i64::MAX, ..Self::of_section(None) };
    }

    fn remember(&self, resource: &str, quantity: usize) {
        if let (Some(count), Some(rank)) = (self.count, first_row(&self.read, quantity)) {
            seat_hint::remember(resource, self.from, quantity, count, rank);
        }
    }

    /// Somebody else is about to take this one.
    fn set_aside(&mut self, label: &str) {
        if let Some(n) = self.free.iter().position(|seat| seat.label == label) {
            self.contested.push(self.free.remove(n));
        }
    }

    pub fn remove(&mut self, label: &str) {
        self.free.retain(|seat| seat.label != label);
    }
}

impl<'a> Allocation<'_, 'a> {
    /// Chooses seats, and claims them where others are choosing, too.
    pub fn best(
        &mut self,
        resource: &'a str,
        quantity: usize,
        section: Option<&'a str>,
        together: bool,
    ) -> Result<Result<Vec<String>, Refused>, Stop> {
        self.end_overdue(resource)?;
        let mut plan = match self.plans.remove(&(resource, section)) {
            // What would not do for some would perhaps for fewer.
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
                Search::Nothing if plan.complete && !plan.is_one_look() => plan.begin_anew(),
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
            Err(()) => Err(self.nothing(resource, &plan, quantity, together)?),
        };
        self.plans.insert((resource, section), plan);
        Ok(answer)
    }

    fn section(&self, resource: &str, section: Option<&str>) -> Result<Option<usize>, Error> {
        let Some(section) = section else { return Ok(None) };
        let sections = &self.resource(resource)?.sections;
        match sections.iter().position(|there| there == section) {
            Some(n) => Ok(Some(n)),
            None => Err(Error::no_section(resource, section, sections)),
        }
    }

    /// Seats of overdue holds are as good as free ones, swept or not.
    fn end_overdue(&mut self, resource: &'a str) -> Result<(), Stop> {
        if self.exhausted.contains(resource) {
            return Ok(());
        }
        if self.pass == Pass::Cheap {
            if !overdue::due(self.session, resource, self.now, 1).is_empty() {
                return Err(Stop::NeedsExpiry);
            }
        } else {
            // All of them: those that are left are taken for locked, and waited for.
            loop {
                let ended = seats::end_due(self.session, &[resource], self.now, settings::sweep_batch());
                if ended.is_empty() {
                    break;
                }
                self.seats_freed(&ended);
            }
            // Before the plan is read: whoever is ending the others now may be done by the time it has
            // been, and their seats would be found neither free nor overdue.
            let others = seat_plan::overdue(self.session, resource, self.now, reclaim::MAX_LOCKED);
            self.overdue.insert(resource, others);
        }
        self.exhausted.insert(resource);
        Ok(())
    }

    fn look_further(&self, resource: &str, plan: &mut SeatPlanView) {
        let more = seat_plan::free(self.session, resource, plan.seen, plan.before, plan.look);
        plan.complete = (more.len() as i64) < plan.look;
        plan.looks += 1;
        plan.look = plan.look.saturating_mul(4).min(MAX_READ);
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

    /// Claims seats that looked free: all of them, or none. The error is a seat that somebody else
    /// has claimed; else it tells those that were taken since the look.
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
        // Nobody takes them any more, so what this look finds stays so.
        let names: Vec<&str> = labels.iter().map(String::as_str).collect();
        let free = seat_plan::still_free(self.session, resource, &names);
        if free.len() < labels.len() {
            self.claims.drain(before..).for_each(Claim::release);
        }
        Ok(labels.iter().filter(|label| !free.contains(label)).cloned().collect())
    }

    /// Says no, unless what others are doing at this moment could still make it a yes.
    fn nothing(&self, resource: &str, plan: &SeatPlanView, quantity: usize, together: bool) -> Result<Refused, Stop> {
        let overdue = self.overdue.get(resource).cloned().unwrap_or_default();
        let in_plan = |seat: &FreeSeat| (plan.from..plan.before).contains(&seat.place.rank);
        let overdue: Vec<_> = overdue.into_iter().filter(|(seat, _)| in_plan(seat)).collect();
        if !plan.contested.is_empty() || !overdue.is_empty() {
            if self.pass == Pass::Cheap {
                return Err(Stop::NeedsExpiry);
            }
            if let Some(stop) = obstacle(resource, plan, &overdue, quantity, together) {
                return Err(stop);
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

/// The first thing in the way of seats that would do if nothing were in the way.
fn obstacle(
    resource: &str,
    plan: &SeatPlanView,
    overdue: &[(FreeSeat, Uuid)],
    quantity: usize,
    together: bool,
) -> Option<Stop> {
    let contested =
        |seat: &FreeSeat| Stop::Contested { resource: resource.to_owned(), seat: seat.label.clone() };
    let mut seats: Vec<(SeatPosition, Option<Stop>)> = Vec::new();
    seats.extend(plan.free.iter().map(|seat| (seat.place, None)));
    seats.extend(plan.contested.iter().map(|seat| (seat.place, Some(contested(seat)))));
    seats.extend(overdue.iter().map(|(seat, owner)| (seat.place, Some(Stop::Locked(vec![*owner])))));
    seats.sort_by_key(|(place, _)| (place.rank, place.position));
    seats.dedup_by_key(|(place, _)| (place.rank, place.position));
    let places: Vec<SeatPosition> = seats.iter().map(|(place, _)| *place).collect();
    let Search::Take(mut picks) = choose(&places, true, quantity, together) else { return None };
    picks.sort_unstable();
    let picked: HashSet<usize> = picks.into_iter().collect();
    seats.into_iter().enumerate().find_map(|(n, (_, stop))| if picked.contains(&n) { stop } else { None })
}
