//! Where requests for room are served, one after the other, with every lock they need already taken.
//!
//! What is decided is kept in memory and written at the end, all of it with one statement for each
//! table: a request sees what those before it were given, and a basket that is refused has written
//! nothing. The single calls come here as well wherever their fast way ends, so that a basket and a
//! batch answer as the single calls would.

mod admission;
mod best;
mod line;
mod named;
mod period;
mod serve;
mod write;

pub use admission::fits_kind;
pub use line::any_of;
pub use serve::{Depth, serve, serve_at};

use super::fitting::stay_on;
use super::turns::{Turns, claim, days};
use super::{Placement, Share, Stop, Want};
use crate::clock::{self, Timestamp};
use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::rules::timeline::Use;
use crate::store::holds::{self, Lot, NewHold, StoredHold};
use crate::store::plan::FreeSeat;
use crate::store::pools::Sum;
use crate::store::queue::{self, Claim, Mode, Place};
use crate::store::resources::StoredResource;
use crate::store::seats::{self, StoredSeat};
use crate::store::{Patience, Session, pools};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// The answer to one request.
pub enum Served {
    /// The place of the hold among the new ones, and what is left.
    Placed {
        new: usize,
        available: Option<i64>,
    },
    Refused(Refused),
    /// The key was used before.
    Earlier(Box<Lot>),
    Busy,
}

pub struct Desk<'s, 'a> {
    pub session: &'s Session,
    pub now: Timestamp,
    pub depth: Depth,
    patience: Patience,
    turns: &'s Turns<'a>,
    resources: HashMap<String, StoredResource>,
    pub seats: HashMap<(&'a str, String), StoredSeat>,
    pub plans: HashMap<(&'a str, Option<&'a str>), best::Plan>,
    earlier: HashMap<(String, String), StoredHold>,
    owned: HashMap<(&'a str, &'a str), i64>,
    sums: BTreeMap<&'a str, Sum>,
    /// Resources of which no overdue hold is left to be ended.
    pub exhausted: HashSet<&'a str>,
    /// The seats of those overdue holds that others have locked.
    pub overdue: HashMap<&'a str, Vec<(FreeSeat, Uuid)>>,
    pub claims: Vec<Claim>,
    /// Resources of which all that is free is owed to those who wait; and the seats that are, and the places
    /// of calendars.
    pub owed: HashSet<&'a str>,
    pub owed_seats: HashSet<(&'a str, &'a str)>,
    pub owed_uses: Vec<(&'a str, Use)>,
    /// The holds of those who waited, which come first among the new ones; and what they take.
    offers: Vec<Uuid>,
    of_lines: usize,
    read_of_lines: i64,
    sums_of_lines: BTreeMap<&'a str, Sum>,
    pub new: Vec<NewHold<'a>>,
}

impl<'s, 'a> Desk<'s, 'a> {
    /// Takes the locks that are still missing behind the turns, and reads what the requests are about.
    fn open(
        session: &'s Session,
        turns: &'s Turns<'a>,
        found: Vec<StoredResource>,
        placements: &'a [Placement<'a>],
        lines: &'a [Placement<'a>],
        patience: Patience,
        depth: Depth,
    ) -> Result<Self, Stop> {
        let resources: HashMap<_, _> = found.into_iter().map(|found| (found.name.clone(), found)).collect();
        let mut desk = Self {
            session,
            now: clock::now(),
            depth,
            patience,
            turns,
            resources,
            seats: HashMap::new(),
            plans: HashMap::new(),
            earlier: HashMap::new(),
            owned: HashMap::new(),
            sums: BTreeMap::new(),
            exhausted: HashSet::new(),
            overdue: HashMap::new(),
            claims: Vec::new(),
            owed: HashSet::new(),
            owed_seats: HashSet::new(),
            owed_uses: Vec::new(),
            offers: Vec::new(),
            of_lines: 0,
            read_of_lines: 0,
            sums_of_lines: BTreeMap::new(),
            new: Vec::with_capacity(placements.len()),
        };
        desk.line_up_for_holders(placements, patience)?;
        let wanted = desk.places(placements.iter().chain(lines));
        for (resource, places) in &wanted {
            if !desk.has_alone(resource) {
                match claim(resource, places.iter().copied(), patience) {
                    Ok(claims) => desk.claims.extend(claims),
                    Err(busy) => return Err(desk.let_go(busy.into())),
                }
            }
            if let Err(busy) = seats::lock_ahead(session, resource, &labels(places), patience) {
                return Err(desk.let_go(busy.into()));
            }
        }
        // Only now is every lock granted.
        desk.now = clock::now();
        // What others take from at the same time may have changed while locks were waited for.
        for (name, found) in &mut desk.resources {
            if let Some(id) = found.escrow {
                found.pool.taken = pools::taken(session, name, id);
            }
        }
        for (resource, places) in &wanted {
            for seat in seats::read(session, resource, &labels(places), desk.now) {
                desk.seats.insert((*resource, seat.label.clone()), seat);
            }
        }
        Ok(desk)
    }

    /// The places that the requests name, by resource and in their order, where the turn was to be had.
    fn places(&self, placements: impl Iterator<Item = &'a Placement<'a>>) -> Wanted<'a, 'a> {
        let mut wanted = Wanted::new();
        for placement in placements.filter(|placement| self.turns.contains_key(placement.resource)) {
            match &placement.want {
                Want::Seats(labels) => {
                    let places = labels.iter().map(|&label| Place::Seat(label));
                    wanted.entry(placement.resource).or_default().extend(places);
                }
                Want::Period { when, .. } => {
                    if let Some(found) = self.resources.get(placement.resource)
                        && let Some(calendar) = &found.calendar
                        && let Ok(stay) = stay_on(calendar, *when)
                    {
                        wanted.entry(placement.resource).or_default().extend(days(stay.occupied));
                    }
                }
                Want::Quantity(_) | Want::Best { .. } => {}
            }
        }
        wanted
    }

    /// Serves, and writes what was decided, or lets go of the seats where nothing was.
    pub fn close_after<T>(mut self, answer: impl Fn(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        let result = answer(&mut self).and_then(|answer| self.write().map(|()| answer));
        match result {
            Ok(answer) => {
                if self.new.is_empty() {
                    self.claims.drain(..).for_each(Claim::let_go);
                }
                Ok(answer)
            }
            Err(stop) => Err(self.let_go(stop)),
        }
    }

    /// Where the attempt is undone, its claims go with it.
    fn let_go(&mut self, stop: Stop) -> Stop {
        if self.depth == Depth::Shallow {
            self.claims.drain(..).for_each(Claim::let_go);
        }
        stop
    }

    fn line_up_for_holders(&self, placements: &[Placement], patience: Patience) -> Result<(), Stop> {
        let limited = |placement: &&Placement| {
            !self.has_alone(placement.resource)
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
            queue::line_up_for_holder(resource, holder, patience)?;
        }
        Ok(())
    }

    /// Reads what the requests' keys were used for before. A single call has looked already.
    pub fn read_keys(&mut self, placements: &[Placement]) {
        let mut keys: Vec<&str> = placements.iter().filter_map(|placement| placement.key).collect();
        if keys.is_empty() {
            return;
        }
        keys.sort_unstable();
        keys.dedup();
        let names: Vec<&str> = self.turns.keys().copied().collect();
        for (key, stored) in holds::by_keys(self.session, &keys, &names) {
            self.earlier.entry((key, stored.resource.clone())).or_insert(stored);
        }
    }

    pub fn has_alone(&self, resource: &str) -> bool {
        self.turns.get(resource) == Some(&Mode::Alone)
    }

    pub fn resource(&self, name: &str) -> Result<&StoredResource, Error> {
        self.resources.get(name).ok_or_else(|| Error::no_resource(name))
    }

    /// Serves one request.
    pub fn serve(&mut self, placement: &'a Placement<'a>) -> Result<Served, Stop> {
        let served = match self.earlier(placement) {
            Some(lot) => Ok(Served::Earlier(Box::new(lot))),
            None => self.admission(placement, placement.want.quantity()).and_then(|refused| match refused {
                Some(refused) => Ok(Served::Refused(refused)),
                None => self.seat(placement),
            }),
        };
        match served {
            Err(Stop::Locked(_) | Stop::UnderWay(_) | Stop::Contested { .. })
                if self.depth == Depth::DeepOrBusy =>
            {
                Ok(Served::Busy)
            }
            served => served,
        }
    }

    /// What was placed under the request's key before.
    pub fn earlier(&self, placement: &Placement) -> Option<Lot> {
        let key = (placement.key?.to_owned(), placement.resource.to_owned());
        self.earlier.get(&key).map(|stored| holds::lot_of(self.session, stored.clone()))
    }

    /// Gives a request that was let in its place, or tells which seats are not to be had.
    pub fn seat(&mut self, placement: &'a Placement<'a>) -> Result<Served, Stop> {
        let of_seats = |seats| Share { seats: Some(seats), ..Share::default() };
        let share = match &placement.want {
            Want::Quantity(_) => Ok(Share::default()),
            Want::Seats(labels) => {
                let labels_owned = || labels.iter().map(|&label| label.to_owned()).collect();
                self.named(placement.resource, labels)?.map(|()| of_seats(labels_owned()))
            }
            Want::Best { quantity, section, together } => {
                self.best(placement.resource, *quantity, *section, *together)?.map(of_seats)
            }
            Want::Period { quantity, when } => self.period(placement.resource, *quantity, *when)?,
        };
        match share {
            Err(refused) => Ok(Served::Refused(refused)),
            Ok(share) => Ok(self.give(placement, share)),
        }
    }

    fn give(&mut self, placement: &'a Placement<'a>, share: Share) -> Served {
        let id = placement.id.unwrap_or_else(Uuid::now_v7);
        let resource = placement.resource;
        let quantity = placement.want.quantity();
        let mut available = share.left;
        if placement.want.is_of_pool()
            && let Some(stored) = self.resources.get_mut(resource)
        {
            stored.pool.taken += quantity;
            stored.pool.version += 1;
            available = Some(stored.pool.free());
            let sum = self.sums.entry(resource).or_default();
            sum.quantity += quantity;
            sum.changes += 1;
        }
        for label in share.seats.iter().flatten() {
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
        let hold = placement.hold(id, share, self.now);
        if let Some(key) = placement.key {
            self.earlier.entry((key.to_owned(), resource.to_owned())).or_insert_with(|| hold.as_stored());
        }
        self.new.push(hold);
        Served::Placed { new: self.new.len() - 1, available }
    }

    /// Says which item of a basket the latest hold is.
    pub fn number_latest(&mut self, item: i32) {
        if let Some(hold) = self.new.last_mut() {
            hold.item = item;
        }
    }

    /// Makes one basket of the new holds.
    pub fn bind(&mut self, basket: Uuid) -> Lot {
        let items = &mut self.new[self.of_lines..];
        items.iter_mut().for_each(|hold| hold.basket = Some(basket));
        Lot { basket: Some(basket), holds: items.iter().map(|hold| hold.as_stored()).collect() }
    }

    /// Takes back what was decided of the requests.
    pub fn forget(&mut self) {
        self.new.truncate(self.of_lines);
        self.sums = self.sums_of_lines.clone();
    }

    /// The answer to a single request.
    pub fn outcome(&self, placement: &Placement, served: Served) -> Outcome {
        match served {
            Served::Placed { new, available } => {
                let placed = Outcome::placed(&self.new[new], available);
                match (&placement.want, self.new[new].stay) {
                    (Want::Period { when, .. }, Some((stay, _))) => placed.of_nights(*when, stay),
                    _ => placed,
                }
            }
            Served::Refused(refused) => Outcome::refused(refused),
            Served::Earlier(lot) => replay(&lot, placement.fingerprint, self.now),
            Served::Busy => Outcome::busy(),
        }
    }
}

/// The answer to a request whose key was used before.
pub fn replay(earlier: &Lot, fingerprint: Option<Uuid>, now: Timestamp) -> Outcome {
    let first = earlier.holds.first();
    if first.is_none_or(|stored| stored.fingerprint != fingerprint) {
        return Outcome::key_reused(earlier, now);
    }
    let is_live = earlier.holds.iter().any(|stored| stored.hold.is_live(now.micros()));
    Outcome::repeated(earlier, is_live, now)
}

/// Places by resource.
type Wanted<'a, 'p> = BTreeMap<&'a str, BTreeSet<Place<'p>>>;

fn labels<'p>(places: &BTreeSet<Place<'p>>) -> Vec<&'p str> {
    let label = |place: &Place<'p>| match place {
        Place::Seat(label) => Some(*label),
        Place::Day(_) => None,
    };
    places.iter().filter_map(label).collect()
}
