//! What the answers alone show of who had what and when.

use booking_live::Told;

pub const EVER: i64 = i64::MAX;

/// A beginning and an end, in microseconds since 1970.
pub type Period = (i64, i64);

/// One seat, or a part of a pool, and when a hold had it.
///
/// A call takes effect at some instant between the moment it is sent and its answer. So there are two times:
/// outside of `may` the hold did not have it, inside of `must` it did.
#[derive(Clone, Debug)]
pub struct Lot {
    pub hold: String,
    pub resource: String,
    /// The seat. `None` for a part of a pool.
    pub seat: Option<String>,
    pub quantity: i64,
    pub may: Vec<Period>,
    pub must: Vec<Period>,
}

/// What is known of a hold that its buyer still has.
#[derive(Clone, Debug)]
pub struct Owned {
    pub id: String,
    pub resource: String,
    pub seats: Vec<String>,
    pub quantity: i64,
    pub expires_at: i64,
    may: Vec<Period>,
    must: Vec<Period>,
}

impl Owned {
    pub fn placed(id: &str, resource: &str, seats: Vec<String>, quantity: i64, told: &Told) -> Owned {
        let expires_at = told.answer.expires_at.expect("a hold runs out");
        Owned {
            id: id.to_owned(),
            resource: resource.to_owned(),
            seats,
            quantity,
            expires_at,
            may: vec![(told.first_sent, expires_at)],
            must: vec![(told.answered, expires_at)],
        }
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

    /// Gives back a part of the hold, or all of it.
    pub fn gave_back(&mut self, seats: Option<&[String]>, quantity: i64, told: &Told) -> Vec<Lot> {
        let mut lots = Vec::new();
        let going = seats.map_or_else(|| self.seats.clone(), <[_]>::to_vec);
        let part = Owned { seats: going, quantity, ..self.clone() };
        for mut lot in part.into_lots() {
            lot.may.iter_mut().for_each(|period| period.1 = period.1.min(told.answered));
            lot.must.iter_mut().for_each(|period| period.1 = period.1.min(told.first_sent));
            lots.push(lot);
        }
        self.quantity -= quantity;
        match seats {
            Some(going) => self.seats.retain(|seat| !going.contains(seat)),
            None if self.quantity == 0 => self.seats.clear(),
            None => {}
        }
        lots
    }

    pub fn into_lots(self) -> Vec<Lot> {
        let lot = |seat: Option<String>, quantity| Lot {
            hold: self.id.clone(),
            resource: self.resource.clone(),
            seat,
            quantity,
            may: self.may.clone(),
            must: self.must.clone(),
        };
        if self.quantity == 0 {
            return Vec::new();
        }
        if self.seats.is_empty() {
            return vec![lot(None, self.quantity)];
        }
        self.seats.iter().map(|seat| lot(Some(seat.clone()), 1)).collect()
    }
}

/// What a buyer asks for.
#[derive(Clone, Debug)]
pub enum Want {
    Named(Vec<String>),
    Best { quantity: usize, section: Option<&'static str>, together: bool },
    Pool { pool: &'static str, quantity: i64 },
}

/// A request, which is granted whole or refused, and its answer.
#[derive(Clone, Debug)]
pub struct Request {
    pub wants: Vec<Want>,
    pub told: Told,
}

/// What all buyers recorded.
#[derive(Default)]
pub struct Record {
    pub requests: Vec<Request>,
    pub lots: Vec<Lot>,
    /// The other answers, for the counts.
    pub others: Vec<(&'static str, String)>,
}
