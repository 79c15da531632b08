//! What the answers alone show of who had what and when.

use std::collections::BTreeMap;

use booking_live::{Answer, Told};

use crate::rooms::{Period, ROOMS, Want};

pub const EVER: i64 = i64::MAX;

/// A number of places of a room for a period, and when a hold had them.
///
/// A call takes effect at some instant between the moment it is sent and its answer. So there are two times:
/// outside of `may` the hold did not have them, inside of `must` it did.
#[derive(Clone, Debug)]
pub struct Lot {
    pub hold: String,
    pub holder: String,
    pub room: usize,
    pub quantity: i64,
    pub occupied: Period,
    pub may: Vec<Period>,
    pub must: Vec<Period>,
}

/// A hold as the tables show it, without its state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stand {
    pub during: Period,
    pub quantity: i64,
    pub version: i64,
}

/// What became of a hold. If it expired before a call could be repeated after a crash, either of two results is
/// right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    pub room: usize,
    /// The state that a call brought it to. `None` if no answer said more than held.
    pub state: Option<&'static str>,
    pub stands: Vec<Stand>,
}

/// What is known of a hold that its guest still has.
#[derive(Clone, Debug)]
pub struct Owned {
    pub id: String,
    pub holder: String,
    pub room: usize,
    pub stand: Stand,
    pub expires_at: i64,
    pub is_confirmed: bool,
    may: Vec<Period>,
    must: Vec<Period>,
}

impl Owned {
    pub fn placed<T>(id: &str, holder: &str, want: &Want, expires_at: i64, told: &Told<T>) -> Owned {
        Owned {
            id: id.to_owned(),
            holder: holder.to_owned(),
            room: want.room,
            stand: Stand { during: want.during(), quantity: want.quantity, version: 1 },
            expires_at,
            is_confirmed: false,
            may: vec![(told.first_sent, expires_at)],
            must: vec![(told.answered, expires_at)],
        }
    }

    pub fn occupied(&self) -> Period {
        ROOMS[self.room].occupied(self.stand.during)
    }

    pub fn fate(&self, state: Option<&'static str>) -> Fate {
        Fate { room: self.room, state, stands: vec![self.stand.clone()] }
    }

    fn until(&mut self, end: i64) {
        for periods in [&mut self.may, &mut self.must] {
            periods.last_mut().expect("there is one").1 = end;
        }
    }

    pub fn extended(&mut self, expires_at: i64) {
        self.expires_at = expires_at;
        self.until(expires_at);
    }

    pub fn confirmed(&mut self, told: &Told) {
        self.is_confirmed = true;
        if told.answered < self.expires_at {
            return self.until(EVER);
        }
        // It was confirmed in time, or late, and then somebody else may have had it in between.
        if told.first_sent <= self.expires_at {
            self.may.last_mut().expect("there is one").1 = EVER;
        } else {
            self.may.push((told.first_sent, EVER));
        }
        self.must.push((told.answered, EVER));
    }

    /// Records that a part was given back during a call, or may have been.
    pub fn gave_back(&mut self, quantity: i64, told: &Told) -> Lot {
        let mut lot = Lot { quantity, ..self.lot() };
        ends_during(&mut lot, told);
        self.stand.quantity -= quantity;
        lot
    }

    /// Records that the hold was moved during a call, and returns the lot that it no longer has.
    pub fn moved(&mut self, during: Period, told: &Told) -> Lot {
        let mut lot = self.lot();
        ends_during(&mut lot, told);
        self.stand.during = during;
        let end = self.may.last().expect("there is one").1;
        self.may = vec![(told.first_sent, end)];
        self.must = vec![(told.answered, end)];
        lot
    }

    pub fn lot(&self) -> Lot {
        Lot {
            hold: self.id.clone(),
            holder: self.holder.clone(),
            room: self.room,
            quantity: self.stand.quantity,
            occupied: self.occupied(),
            may: self.may.clone(),
            must: self.must.clone(),
        }
    }
}

fn ends_during(lot: &mut Lot, told: &Told) {
    lot.may.iter_mut().for_each(|period| period.1 = period.1.min(told.answered));
    lot.must.iter_mut().for_each(|period| period.1 = period.1.min(told.first_sent));
}

/// A part of a request that was refused.
#[derive(Clone, Debug)]
pub struct Asked {
    pub room: usize,
    pub quantity: i64,
    pub occupied: Period,
    /// The hold that the request is about: what it has already does not count.
    pub of: Option<String>,
}

impl Asked {
    pub fn new(want: &Want) -> Asked {
        Asked { room: want.room, quantity: want.quantity, occupied: want.occupied(), of: None }
    }
}

#[derive(Clone, Debug)]
pub struct Refusal {
    pub verb: &'static str,
    pub status: String,
    pub asked: Asked,
    /// The other items of the same request.
    pub beside: Vec<Asked>,
    pub holder: String,
    /// The detail of the refusal.
    pub detail: Option<String>,
    /// The capacity that was asked for, and for which period.
    pub capacity: Option<i64>,
    /// When the request was last sent, and when it was answered.
    pub period: Period,
}

/// A change of a room's capacity: the usual one, or that of a period.
#[derive(Clone, Debug)]
pub struct Resizing {
    pub during: Option<Period>,
    pub capacity: Option<i64>,
    pub first_sent: i64,
    pub answered: i64,
}

/// What all guests recorded.
#[derive(Default)]
pub struct Record {
    pub lots: Vec<Lot>,
    pub refusals: Vec<Refusal>,
    /// The result of each hold, by its id.
    pub fates: BTreeMap<String, Fate>,
    /// The changes of each room, in their order. Only one guest changes a room.
    pub resizings: BTreeMap<usize, Vec<Resizing>>,
    /// The number of answers by verb, status and whether the call was replayed.
    pub seen: BTreeMap<(&'static str, String, bool), usize>,
    pub again: usize,
    pub conflicts: usize,
}

impl Record {
    pub fn saw(&mut self, verb: &'static str, answer: &Answer) {
        *self.seen.entry((verb, answer.status.clone(), answer.replayed)).or_default() += 1;
    }
}

/// Returns the capacity in force at a moment, after these changes.
pub fn capacity_after(room: usize, changes: &[Resizing], at: i64) -> i64 {
    let usual = || {
        let changed = changes.iter().rev().find(|change| change.during.is_none());
        changed.and_then(|change| change.capacity).unwrap_or(ROOMS[room].capacity)
    };
    let covers = |change: &&Resizing| change.during.is_some_and(|(from, to)| from <= at && at < to);
    changes.iter().rev().find(covers).and_then(|change| change.capacity).unwrap_or_else(usual)
}
