//! What several verbs need to give places out: locks, passes, admission, the choice of places, the waitlist. Which
//! rules a request must keep is decided in `rules`, and what a verb does besides belongs into the verb's own file.
//!
//! An [`Allocation`] is the plan of one call. It decides the requests one after the other, keeps the decisions in
//! memory, and writes them at the end with one statement for each table. So a request sees what those before it
//! were given, and a basket that is refused has written nothing. A single call comes here too if its fast way does
//! not decide, so baskets, batches and single calls give the same answers.

pub mod acquire;
mod admission;
pub mod allotment;
pub mod attempt;
mod best_seats;
mod calendar;
mod commit;
pub mod fit;
mod named_seats;
pub mod owed;
pub mod reclaim;
pub mod retry;
mod seat_plan_view;
pub mod stop;
mod waitlist;

pub use admission::fits_kind;
pub use waitlist::any_of;

use self::acquire::{ResourceLocks, claim, days};
use self::allotment::{Allotment, new_hold};
use self::fit::booked_period_on;
use self::seat_plan_view::SeatPlanView;
use self::stop::{Interrupt, Retry};

use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::request::{Placement, Want};
use crate::rules::timeline::Usage;
use crate::server::clock::{self, Timestamp};
use crate::store::Session;
use crate::store::holds::{self, HoldGroup, NewHold, StoredHold};
use crate::store::locks::LockWaitPolicy;
use crate::store::locks::heavyweight::{self, Claim, ClaimTarget, LockMode};
use crate::store::pools::PoolDelta;
use crate::store::resources::StoredResource;
use crate::store::seat_plan::FreeSeat;
use crate::store::seats::{self, StoredSeat};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// How far a pass of an allocation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Ends no overdue hold, and so writes nothing before the end.
    Cheap,
    /// Ends overdue holds, in a subtransaction that can be undone.
    Deep,
    /// Ends overdue holds, and answers `busy` to a request that would have to wait.
    DeepOrBusy,
}

/// The answer to one request.
pub enum Served {
    Placed {
        /// The index of the hold in [`Allocation::new`].
        new: usize,
        /// How much is left of the resource; `None` if nobody counted it.
        available: Option<i64>,
    },
    Refused(Refused),
    /// The key was used before, for these holds.
    Earlier(Box<HoldGroup>),
    Busy,
}

/// What one call has read, decided and not written yet. The caller has the resource locks.
pub struct Allocation<'s, 'a> {
    pub session: &'s Session,
    pub now: Timestamp,
    pub pass: Pass,
    policy: LockWaitPolicy,
    locks: &'s ResourceLocks<'a>,
    resources: HashMap<String, StoredResource>,
    pub seats: HashMap<(&'a str, String), StoredSeat>,
    pub plans: HashMap<(&'a str, Option<&'a str>), SeatPlanView>,
    earlier: HashMap<(String, String), StoredHold>,
    owned: HashMap<(&'a str, &'a str), i64>,
    deltas: BTreeMap<&'a str, PoolDelta>,
    /// Resources on which this pass can end no more overdue holds.
    pub exhausted: HashSet<&'a str>,
    /// The seats of overdue holds that others have locked, by resource.
    pub overdue: HashMap<&'a str, Vec<(FreeSeat, Uuid)>>,
    pub claims: Vec<Claim>,
    /// Resources of which everything that is free is owed to the waitlist. Below: the single seats, and the usages
    /// of calendars, that are owed.
    pub owed: HashSet<&'a str>,
    pub owed_seats: HashSet<(&'a str, &'a str)>,
    pub owed_usages: Vec<(&'a str, Usage)>,
    /// The holds that entries of waitlists were given. They come first in `new`.
    offers: Vec<Uuid>,
    /// How many of `new` are offers.
    offered: usize,
    /// How many entries of waitlists were read.
    entries_read: i64,
    /// What the offers change about pools.
    deltas_of_offers: BTreeMap<&'a str, PoolDelta>,
    pub new: Vec<NewHold<'a>>,
}

impl<'s, 'a> Allocation<'s, 'a> {
    /// Takes the locks of holders and the claims, then reads the clock and what the requests name. The caller has
    /// the resource locks.
    fn begin(
        session: &'s Session,
        locks: &'s ResourceLocks<'a>,
        found: Vec<StoredResource>,
        placements: &'a [Placement<'a>],
        lines: &'a [Placement<'a>],
        policy: LockWaitPolicy,
        pass: Pass,
    ) -> Result<Self, Interrupt> {
        let resources: HashMap<_, _> = found.into_iter().map(|found| (found.name.clone(), found)).collect();
        let mut allocation = Self {
            session,
            now: clock::now(),
            pass,
            policy,
            locks,
            resources,
            seats: HashMap::new(),
            plans: HashMap::new(),
            earlier: HashMap::new(),
            owned: HashMap::new(),
            deltas: BTreeMap::new(),
            exhausted: HashSet::new(),
            overdue: HashMap::new(),
            claims: Vec::new(),
            owed: HashSet::new(),
            owed_seats: HashSet::new(),
            owed_usages: Vec::new(),
            offers: Vec::new(),
            offered: 0,
            entries_read: 0,
            deltas_of_offers: BTreeMap::new(),
            new: Vec::with_capacity(placements.len()),
        };
        allocation.lock_holders(placements, policy)?;
        let wanted = allocation.places(placements.iter().chain(lines));
        for (resource, places) in &wanted {
            if !allocation.has_exclusive(resource) {
                match claim(resource, places.iter().copied(), policy) {
                    Ok(claims) => allocation.claims.extend(claims),
                    Err(busy) => return Err(allocation.release(busy.into())),
                }
            }
            if let Err(busy) = seats::lock_ahead(session, resource, &labels(places), policy) {
                return Err(allocation.release(busy.into()));
            }
        }
        // Only now is every lock granted.
        allocation.now = clock::now();
        // Others take from escrow pools beside this call, and may have done so while it waited for its locks.
        allocation.resources.values_mut().for_each(|found| found.count(session));
        for (resource, places) in &wanted {
            for seat in seats::read(session, resource, &labels(places), allocation.now) {
                allocation.seats.insert((*resource, seat.label.clone()), seat);
            }
        }
        Ok(allocation)
    }

    /// Returns the places that the requests name, by resource and in their order. Skips resources without a lock.
    fn places(&self, placements: impl Iterator<Item = &'a Placement<'a>>) -> Wanted<'a, 'a> {
        let mut wanted = Wanted::new();
        for placement in placements.filter(|placement| self.locks.contains_key(placement.resource)) {
            match &placement.want {
                Want::Seats(labels) => {
                    let places = labels.iter().map(|&label| ClaimTarget::Seat(label));
                    wanted.entry(placement.resource).or_default().extend(places);
                }
                Want::Period { when, .. } => {
                    if let Some(found) = self.resources.get(placement.resource)
                        && let Some(calendar) = &found.calendar
                        && let Ok(booked) = booked_period_on(calendar, *when)
                    {
                        wanted.entry(placement.resource).or_default().extend(days(booked.occupied));
                    }
                }
                Want::Quantity(_) | Want::Best { .. } => {}
            }
        }
        wanted
    }

    /// Runs `answer` and writes what it decided. Releases the claims if it placed nothing.
    pub fn finish<T>(mut self, answer: impl Fn(&mut Self) -> Result<T, Interrupt>) -> Result<T, Interrupt> {
        let result = answer(&mut self).and_then(|answer| self.write().map(|()| answer));
        match result {
            Ok(answer) => {
                if self.new.is_empty() {
                    self.claims.drain(..).for_each(Claim::release);
                }
                Ok(answer)
            }
            Err(interrupt) => Err(self.release(interrupt)),
        }
    }

    /// Releases the claims in the cheap pass. A deep pass is undone, and its claims with it.
    fn release(&mut self, interrupt: Interrupt) -> Interrupt {
        if self.pass == Pass::Cheap {
            self.claims.drain(..).for_each(Claim::release);
        }
        interrupt
    }

    /// Takes the locks of the requests' holders on resources that limit them and are locked in share mode.
    fn lock_holders(&self, placements: &[Placement], policy: LockWaitPolicy) -> Result<(), Interrupt> {
        let limited = |placement: &&Placement| {
            !self.has_exclusive(placement.resource)
                && self
                    .resources
                    .get(placement.resource)
                    .is_some_and(|found| found.pool.max_per_holder.is_some())
        };
        let mut holders: Vec<_> = placements
            .iter()
            .filter(limited)
            .filter_map(|placement| Some((placement.resource, placement.holder?)))
            .collect();
        holders.sort_unstable();
        holders.dedup();
        for (resource, holder) in holders {
            heavyweight::lock_holder(resource, holder, policy)?;
        }
        Ok(())
    }

    /// Reads what the requests' keys were used for before. A single call has looked before it comes here.
    pub fn read_keys(&mut self, placements: &[Placement]) {
        let mut keys: Vec<&str> = placements.iter().filter_map(|placement| placement.key).collect();
        if keys.is_empty() {
            return;
        }
        keys.sort_unstable();
        keys.dedup();
        let names: Vec<&str> = self.locks.keys().copied().collect();
        for (key, stored) in holds::by_keys(self.session, &keys, &names) {
            self.earlier.entry((key, stored.resource.clone())).or_insert(stored);
        }
    }

    pub fn has_exclusive(&self, resource: &str) -> bool {
        self.locks.get(resource) == Some(&LockMode::Exclusive)
    }

    pub fn resource(&self, name: &str) -> Result<&StoredResource, Error> {
        self.resources.get(name).ok_or_else(|| Error::no_resource(name))
    }

    /// Decides one request: returns its earlier holds, its refusal or its new hold.
    pub fn serve(&mut self, placement: &'a Placement<'a>) -> Result<Served, Interrupt> {
        let served = match self.earlier(placement) {
            Some(group) => Ok(Served::Earlier(Box::new(group))),
            None => self.admission(placement, placement.want.quantity()).and_then(|refused| match refused {
                Some(refused) => Ok(Served::Refused(refused)),
                None => self.allot(placement),
            }),
        };
        match served {
            Err(Interrupt::Retry(Retry::Locked(_) | Retry::UnderWay(_) | Retry::Contested { .. }))
                if self.pass == Pass::DeepOrBusy =>
            {
                Ok(Served::Busy)
            }
            served => served,
        }
    }

    /// Returns what was placed under the request's key before; `None` if nothing was.
    pub fn earlier(&self, placement: &Placement) -> Option<HoldGroup> {
        let key = (placement.key?.to_owned(), placement.resource.to_owned());
        self.earlier.get(&key).map(|stored| holds::group_of(self.session, stored.clone()))
    }

    /// Gives its places to a request that was admitted, or returns why they cannot be given.
    pub fn allot(&mut self, placement: &'a Placement<'a>) -> Result<Served, Interrupt> {
        let of_seats = |seats| Allotment { seats: Some(seats), ..Allotment::default() };
        let allotment = match &placement.want {
            Want::Quantity(_) => Ok(Allotment::default()),
            Want::Seats(labels) => {
                let labels_owned = || labels.iter().map(|&label| label.to_owned()).collect();
                self.named(placement.resource, labels)?.map(|()| of_seats(labels_owned()))
            }
            Want::Best { quantity, section, together } => {
                self.best(placement.resource, *quantity, *section, *together)?.map(of_seats)
            }
            Want::Period { quantity, when } => self.period(placement.resource, *quantity, *when)?,
        };
        match allotment {
            Err(refused) => Ok(Served::Refused(refused)),
            Ok(allotment) => Ok(self.give(placement, allotment)),
        }
    }

    /// Notes in memory that a request got its allotment.
    fn give(&mut self, placement: &'a Placement<'a>, allotment: Allotment) -> Served {
        let id = placement.id.unwrap_or_else(Uuid::now_v7);
        let resource = placement.resource;
        let quantity = placement.want.quantity();
        let mut available = allotment.left;
        if placement.want.is_of_pool()
            && let Some(stored) = self.resources.get_mut(resource)
        {
            stored.pool.taken += quantity;
            stored.pool.version += 1;
            available = Some(stored.pool.free());
            let delta = self.deltas.entry(resource).or_default();
            delta.quantity += quantity;
            delta.changes += 1;
        }
        for label in allotment.seats.iter().flatten() {
            if let Some(seat) = self.seats.get_mut(&(resource, label.clone())) {
                seat.owner = Some(id);
            }
            for (_, plan) in self.plans.iter_mut().filter(|((of, _), _)| *of == resource) {
                plan.remove(label);
            }
        }
        if let Some(holder) = placement.holder
            && let Some(owned) = self.owned.get_mut(&(resource, holder))
        {
            *owned += quantity;
        }
        let hold = new_hold(placement, id, allotment, self.now);
        if let Some(key) = placement.key {
            self.earlier.entry((key.to_owned(), resource.to_owned())).or_insert_with(|| hold.as_stored());
        }
        self.new.push(hold);
        Served::Placed { new: self.new.len() - 1, available }
    }

    /// Sets which item of a basket the latest hold is.
    pub fn number_latest(&mut self, item: i32) {
        if let Some(hold) = self.new.last_mut() {
            hold.item = item;
        }
    }

    /// Makes one basket of the requests' holds, and returns it.
    pub fn bind(&mut self, basket: Uuid) -> HoldGroup {
        let items = &mut self.new[self.offered..];
        items.iter_mut().for_each(|hold| hold.basket = Some(basket));
        HoldGroup { basket: Some(basket), holds: items.iter().map(|hold| hold.as_stored()).collect() }
    }

    /// Takes back what was decided on the requests. The offers stay.
    pub fn forget(&mut self) {
        self.new.truncate(self.offered);
        self.deltas = self.deltas_of_offers.clone();
    }

    /// Returns the answer to a single request.
    pub fn outcome(&self, placement: &Placement, served: Served) -> Outcome {
        match served {
            Served::Placed { new, available } => Outcome::placed(&self.new[new], available),
            Served::Refused(refused) => Outcome::refused(refused).on(placement.resource),
            Served::Earlier(group) => replay(&group, placement.fingerprint, self.now),
            Served::Busy => Outcome::busy().on(placement.resource),
        }
    }
}

/// Returns the earlier holds of a key as the answer, or `key_reused` if the fingerprint of the request differs.
pub fn replay(earlier: &HoldGroup, fingerprint: Option<Uuid>, now: Timestamp) -> Outcome {
    let first = earlier.holds.first();
    if first.is_none_or(|stored| stored.fingerprint != fingerprint) {
        return Outcome::key_reused(earlier, now);
    }
    let is_live = earlier.holds.iter().any(|stored| stored.hold.is_live(now.micros()));
    Outcome::repeated(earlier, is_live, now)
}

/// The places that requests name, by resource.
type Wanted<'a, 'p> = BTreeMap<&'a str, BTreeSet<ClaimTarget<'p>>>;

fn labels<'p>(places: &BTreeSet<ClaimTarget<'p>>) -> Vec<&'p str> {
    let label = |place: &ClaimTarget<'p>| match place {
        ClaimTarget::Seat(label) => Some(*label),
        ClaimTarget::Day(_) => None,
    };
    places.iter().filter_map(label).collect()
}
