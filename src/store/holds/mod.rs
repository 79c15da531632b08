//! The table `booking.holds`: holds found, locked, placed and changed.

use super::statement::select_list;

// Before the modules that read holds, which see the macro that this makes.
select_list!(columns, At:
    Id "id",
    Resource "resource",
    State "state::text",
    Quantity "quantity",
    Placed "placed_at",
    Expires "expires_at",
    Reference "reference",
    Holder "holder",
    Fingerprint "fingerprint",
    Version "version",
    Basket "basket",
    Item "item",
    Seats "seats",
    DuringFrom "lower(during)",
    DuringTo "upper(during)",
    OccupiedTo "upper(occupied)",
);

mod change;
mod find;
mod new;

pub use change::{ConfirmedHold, confirm_in_time, delete_ended, set_holder, write};
pub use find::{by_key, by_keys, group_of, lock, look, wait_for};
pub use new::{NewHold, insert, insert_all};

use super::Session;
use super::resources::Kind;
use super::statement::{Row, Rows};
use crate::error::Error;
use crate::rules::lifecycle::{Change, Hold, State};
use crate::rules::timeline::Period;
use crate::server::clock::Timestamp;
use uuid::Uuid;

/// Writes down that a hold has expired, at the time of parameter 2. The version stays: the clock ended the hold, not a
/// caller. Every statement that ends overdue holds says this.
macro_rules! set_expired {
    () => {
        "set state = 'expired', ended_at = $2"
    };
}
pub(in crate::store) use set_expired;

/// The number of a column that a statement selects behind those of a hold.
const AFTER_COLUMNS: i32 = At::OccupiedTo as i32 + 1;

/// The period of a hold on a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookedPeriod {
    pub during: Period,
    /// For how long its place cannot be another's: its buffer included.
    pub occupied: Period,
}

impl BookedPeriod {
    fn read(row: &Row) -> Option<Self> {
        let time = |column| row.get(column).map(Timestamp::micros);
        let (from, to, until) = (time(At::DuringFrom)?, time(At::DuringTo)?, time(At::OccupiedTo)?);
        Some(Self { during: Period::new(from, to), occupied: Period::new(from, until) })
    }
}

/// A hold as it stands in its row.
#[derive(Clone, Debug)]
pub struct StoredHold {
    pub id: Uuid,
    pub resource: String,
    pub holder: Option<String>,
    pub fingerprint: Option<Uuid>,
    pub basket: Option<Uuid>,
    /// Its place in its basket, from 1.
    pub item: i32,
    /// The labels of its seats; none where its resource has no seats.
    pub seats: Option<Vec<String>>,
    /// When it is; none where its resource is no calendar.
    pub booked: Option<BookedPeriod>,
    pub hold: Hold,
}

impl StoredHold {
    fn read(row: &Row) -> Self {
        let state: String = row.need(At::State);
        Self {
            id: row.need(At::Id),
            resource: row.need(At::Resource),
            holder: row.get(At::Holder),
            fingerprint: row.get(At::Fingerprint),
            basket: row.get(At::Basket),
            item: row.need(At::Item),
            seats: row.get(At::Seats),
            booked: BookedPeriod::read(row),
            hold: Hold {
                state: State::from_name(&state)
                    .unwrap_or_else(|| Error::internal(format!("a hold is in state \"{state}\"")).raise()),
                quantity: row.need(At::Quantity),
                placed_at: row.need::<Timestamp>(At::Placed).micros(),
                expires_at: row.need::<Timestamp>(At::Expires).micros(),
                reference: row.get(At::Reference),
                version: row.need(At::Version),
            },
        }
    }

    fn read_all(rows: &Rows) -> Vec<Self> {
        rows.iter().map(|row| Self::read(&row)).collect()
    }

    /// The kind of its resource.
    pub fn kind(&self) -> Kind {
        match (&self.seats, &self.booked) {
            (Some(_), _) => Kind::Seats,
            (None, Some(_)) => Kind::Calendar,
            (None, None) => Kind::Pool,
        }
    }

    /// What was written, as if read again.
    pub fn apply(&mut self, change: &Change, reference: Option<&str>) {
        let Change { state, quantity, expires_at, version, room: _ } = *change;
        let reference = reference.map(str::to_owned).or_else(|| self.hold.reference.take());
        self.hold = Hold { state, quantity, expires_at, version, reference, ..self.hold };
    }
}

/// The holds that an id stands for: one, or those of a basket by their ids.
#[derive(Clone, Debug)]
pub struct HoldGroup {
    pub basket: Option<Uuid>,
    pub holds: Vec<StoredHold>,
}

impl HoldGroup {
    fn one(holds: Vec<StoredHold>) -> Option<Self> {
        (!holds.is_empty()).then_some(Self { basket: None, holds })
    }

    pub fn lifecycles(&self) -> Vec<&Hold> {
        self.holds.iter().map(|stored| &stored.hold).collect()
    }

    /// When each of them is.
    pub fn booked_periods(&self) -> Vec<Option<BookedPeriod>> {
        self.holds.iter().map(|stored| stored.booked).collect()
    }

    /// Writes what the rules decided for these holds, which are locked, and how they stand then.
    pub fn write(
        self,
        session: &Session,
        changes: &[(usize, Change)],
        reference: Option<&str>,
        now: Timestamp,
    ) -> Self {
        for (place, change) in changes {
            if let Some(stored) = self.holds.get(*place) {
                write(session, stored, change, None, reference, now);
            }
        }
        self.changed(changes, reference)
    }

    /// What was written, as if read again.
    pub fn changed(mut self, changes: &[(usize, Change)], reference: Option<&str>) -> Self {
        for (place, change) in changes {
            if let Some(stored) = self.holds.get_mut(*place) {
                stored.apply(change, reference);
            }
        }
        self
    }

    /// A basket that has to be on one resource is there only if all of it is.
    fn basket(id: Uuid, holds: Vec<StoredHold>, resource: Option<&str>) -> Option<Self> {
        let elsewhere = |hold: &StoredHold| resource.is_some_and(|resource| resource != hold.resource);
        let is_there = !holds.is_empty() && !holds.iter().any(elsewhere);
        is_there.then_some(Self { basket: Some(id), holds })
    }
}
