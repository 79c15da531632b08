//! The table `booking.holds`: holds are found, locked, placed and changed here, one by one or as a basket. The
//! statements that look for overdue holds or for overlapping bookings, and end many at once, are not here but in
//! `overdue`, `seats`, `calendar` and `upkeep`.

use super::statement::select_list;

// This comes before the modules that read holds, because they use the macro that it defines.
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
use super::direct::{self, Set};
use super::resources::Kind;
use super::statement::{Row, Rows};
use super::tables::holds as table;
use crate::error::Error;
use crate::rules::Micros;
use crate::rules::lifecycle::{Change, Hold, State};
use crate::rules::timeline::Period;
use crate::server::clock::Timestamp;
use std::iter;
use uuid::Uuid;

/// The SET clause of every statement that ends overdue holds, at the time of parameter 2. The version stays the
/// same, because the clock ended the hold, not a caller.
macro_rules! set_expired {
    () => {
        "set state = 'expired', ended_at = $2"
    };
}
pub(in crate::store) use set_expired;

/// Returns the key by which the table's rows are found. A call need not say which resource a hold is on.
fn key(id: Uuid, resource: Option<&str>) -> Vec<Set<'_>> {
    iter::once(table::ID.is(id)).chain(resource.map(|name| table::RESOURCE.is(name))).collect()
}

/// The number of the column that a statement selects behind those of a hold.
const AFTER_COLUMNS: i32 = At::OccupiedTo as i32 + 1;

/// The period of a hold on a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookedPeriod {
    pub during: Period,
    /// The period for which the hold has its place: `during` and the buffer behind it.
    pub occupied: Period,
}

impl BookedPeriod {
    fn read(row: &Row) -> Option<Self> {
        let time = |column| row.get(column).map(Timestamp::micros);
        Some(Self::new(time(At::DuringFrom)?, time(At::DuringTo)?, time(At::OccupiedTo)?))
    }

    const fn new(from: Micros, to: Micros, until: Micros) -> Self {
        Self { during: Period::new(from, to), occupied: Period::new(from, until) }
    }

    fn read_directly(row: &direct::Row) -> Option<Self> {
        let (during, occupied) = (row.get(table::DURING)?, row.get(table::OCCUPIED)?);
        Some(Self::new(during.0.micros(), during.1.micros(), occupied.1.micros()))
    }
}

/// A hold as its row describes it.
#[derive(Clone, Debug)]
pub struct StoredHold {
    pub id: Uuid,
    pub resource: String,
    pub holder: Option<String>,
    pub fingerprint: Option<Uuid>,
    pub basket: Option<Uuid>,
    /// The place of the hold in its basket, from 1.
    pub item: i32,
    /// The labels of its seats; `None` if its resource is not of kind seats.
    pub seats: Option<Vec<String>>,
    /// The period that it books; `None` if its resource is not a calendar.
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
                state: State::from_name(&state).unwrap_or_else(|| {
                    Error::internal(format!("a hold has the unknown state \"{state}\"")).raise()
                }),
                quantity: row.need(At::Quantity),
                placed_at: row.need::<Timestamp>(At::Placed).micros(),
                expires_at: row.need::<Timestamp>(At::Expires).micros(),
                reference: row.get(At::Reference),
                version: row.need(At::Version),
            },
        }
    }

    /// Reads a row that no statement has read.
    fn read_directly(row: &direct::Row) -> Option<Self> {
        use table::{
            BASKET, EXPIRES_AT, FINGERPRINT, HOLDER, ID, ITEM, PLACED_AT, QUANTITY, REFERENCE, RESOURCE,
            SEATS, STATE, VERSION,
        };
        Some(Self {
            id: row.get(ID)?,
            resource: row.get(RESOURCE)?,
            holder: row.get(HOLDER),
            fingerprint: row.get(FINGERPRINT),
            basket: row.get(BASKET),
            item: row.get(ITEM)?,
            seats: row.get(SEATS),
            booked: BookedPeriod::read_directly(row),
            hold: Hold {
                state: State::from_name(row.label(STATE)?)?,
                quantity: row.get(QUANTITY)?,
                placed_at: row.get(PLACED_AT)?.micros(),
                expires_at: row.get(EXPIRES_AT)?.micros(),
                reference: row.get(REFERENCE),
                version: row.get(VERSION)?,
            },
        })
    }

    fn read_all(rows: &Rows) -> Vec<Self> {
        rows.iter().map(|row| Self::read(&row)).collect()
    }

    /// Returns the kind of its resource.
    pub fn kind(&self) -> Kind {
        match (&self.seats, &self.booked) {
            (Some(_), _) => Kind::Seats,
            (None, Some(_)) => Kind::Calendar,
            (None, None) => Kind::Pool,
        }
    }

    /// Makes of this hold what was written, as if its row were read again.
    pub fn apply(&mut self, change: &Change, reference: Option<&str>) {
        let Change { state, quantity, expires_at, version, room: _ } = *change;
        let reference = reference.map(str::to_owned).or_else(|| self.hold.reference.take());
        self.hold = Hold { state, quantity, expires_at, version, reference, ..self.hold };
    }
}

/// The holds that one id stands for: one hold, or those of a basket in the order of their ids.
#[derive(Clone, Debug)]
pub struct HoldGroup {
    pub basket: Option<Uuid>,
    pub holds: Vec<StoredHold>,
}

impl HoldGroup {
    fn one(holds: Vec<StoredHold>) -> Option<Self> {
        (!holds.is_empty()).then_some(Self { basket: None, holds })
    }

    /// Returns whose all of them are. `None` if they have several holders, or none.
    pub fn common_holder(&self) -> Option<&str> {
        let (first, others) = self.holds.split_first()?;
        let is_the_same = others.iter().all(|stored| stored.holder == first.holder);
        first.holder.as_deref().filter(|_| is_the_same)
    }

    /// Returns the part of each hold on which the rules decide.
    pub fn lifecycles(&self) -> Vec<&Hold> {
        self.holds.iter().map(|stored| &stored.hold).collect()
    }

    /// Returns the period that each of them books.
    pub fn booked_periods(&self) -> Vec<Option<BookedPeriod>> {
        self.holds.iter().map(|stored| stored.booked).collect()
    }

    /// Writes what the rules decided for these holds, whose rows the caller has locked, and returns them as they
    /// are then.
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

    /// Returns the holds as they are after these changes, as if their rows were read again.
    pub fn changed(mut self, changes: &[(usize, Change)], reference: Option<&str>) -> Self {
        for (place, change) in changes {
            if let Some(stored) = self.holds.get_mut(*place) {
                stored.apply(change, reference);
            }
        }
        self
    }

    /// Returns `None` if the basket has no holds, or if one of them is on another resource than the one given.
    fn basket(id: Uuid, holds: Vec<StoredHold>, resource: Option<&str>) -> Option<Self> {
        let elsewhere = |hold: &StoredHold| resource.is_some_and(|resource| resource != hold.resource);
        let is_there = !holds.is_empty() && !holds.iter().any(elsewhere);
        is_there.then_some(Self { basket: Some(id), holds })
    }
}
