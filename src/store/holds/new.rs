//! New holds are written here, except those that `calendar` writes in the statement that looks for an overlap.

use super::{BookedPeriod, StoredHold};
use crate::rules::Micros;
use crate::rules::lifecycle::{Hold, State};
use crate::server::clock::Timestamp;
use crate::store::direct::Set;
use crate::store::statement::{Argument, Session, statement};
use crate::store::tables::holds as columns;
use pgrx::pg_sys;
use uuid::Uuid;

/// A hold that is to be placed.
#[derive(Clone, Debug)]
pub struct NewHold<'a> {
    pub id: Uuid,
    pub resource: &'a str,
    pub basket: Option<Uuid>,
    pub item: i32,
    pub quantity: i64,
    pub seats: Option<Vec<String>>,
    /// The period that it books, and whether no other hold may overlap it; `None` if the resource is not a
    /// calendar.
    pub booked: Option<(BookedPeriod, bool)>,
    pub placed_at: Timestamp,
    pub expires_at: Timestamp,
    pub key: Option<&'a str>,
    pub fingerprint: Option<Uuid>,
    pub holder: Option<&'a str>,
    pub metadata: Option<pg_sys::Datum>,
}

impl NewHold<'_> {
    fn labels(&self) -> Option<Vec<&str>> {
        self.seats.as_ref().map(|seats| seats.iter().map(String::as_str).collect())
    }

    /// Returns the row of a hold without a period.
    fn row<'r>(&'r self, seats: Option<&'r [&'r str]>) -> [Set<'r>; 14] {
        [
            columns::ID.is(self.id),
            columns::RESOURCE.is(self.resource),
            columns::BASKET.is(self.basket),
            columns::ITEM.is(self.item),
            columns::QUANTITY.is(self.quantity),
            columns::SEATS.is(seats),
            columns::STATE.is("held"),
            columns::VERSION.is(1),
            columns::PLACED_AT.is(self.placed_at),
            columns::EXPIRES_AT.is(self.expires_at),
            columns::KEY.is(self.key),
            columns::FINGERPRINT.is(self.fingerprint),
            columns::HOLDER.is(self.holder),
            columns::METADATA.is(self.metadata),
        ]
    }

    /// Returns the hold as the code will read it from its row.
    pub fn as_stored(&self) -> StoredHold {
        StoredHold {
            id: self.id,
            resource: self.resource.to_owned(),
            holder: self.holder.map(str::to_owned),
            fingerprint: self.fingerprint,
            basket: self.basket,
            item: self.item,
            seats: self.seats.clone(),
            booked: self.booked.map(|(booked, _)| booked),
            hold: Hold {
                state: State::Held,
                quantity: self.quantity,
                placed_at: self.placed_at.micros(),
                expires_at: self.expires_at.micros(),
                reference: None,
                version: 1,
            },
        }
    }
}

statement!(INSERT (UUIDOID, TEXTOID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, UUIDOID,
                   TEXTOID, JSONBOID)
    "insert into booking.holds
         (id, resource, item, quantity, seats, state, version, placed_at, expires_at, key, fingerprint, holder,
          metadata)
     values ($1, $2, 1, $3, $4, 'held', 1, $5, $6, $7, $8, $9, $10)");

statement!(INSERT_BOOKED (UUIDOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID,
                        TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, UUIDOID, TEXTOID, JSONBOID)
    "insert into booking.holds
         (id, resource, quantity, during, occupied, exclusive, state, placed_at, expires_at, key, fingerprint,
          holder, metadata)
     values ($1, $2, $3, tstzrange($4, $5), tstzrange($4, $6), $7, 'held', $8, $9, $10, $11, $12, $13)");

/// Writes a hold that belongs to no basket.
pub fn insert(session: &Session, hold: &NewHold) {
    if let Some((booked, is_exclusive)) = hold.booked {
        return insert_booked(session, hold, booked, is_exclusive);
    }
    if insert_directly(std::slice::from_ref(hold)) == 0 {
        insert_in_statement(session, hold);
    }
}

/// Writes holds until one has to be written by a statement: one with a period has entries in indexes that only a
/// statement writes. Returns how many it has written.
fn insert_directly(holds: &[NewHold]) -> usize {
    let labels: Vec<Option<Vec<&str>>> = holds.iter().map(NewHold::labels).collect();
    let plain = holds.iter().zip(&labels).take_while(|(hold, _)| hold.booked.is_none());
    let rows: Vec<_> = plain.map(|(hold, labels)| hold.row(labels.as_deref())).collect();
    columns::HOLDS.with(|table| table.insert(rows.iter().map(|row| row.as_slice())))
}

fn insert_in_statement(session: &Session, hold: &NewHold) {
    let seats = hold.labels();
    let arguments = [
        Argument::Uuid(Some(hold.id)),
        Argument::Text(Some(hold.resource)),
        Argument::Bigint(Some(hold.quantity)),
        Argument::Texts(seats.as_deref()),
        Argument::Time(Some(hold.placed_at)),
        Argument::Time(Some(hold.expires_at)),
        Argument::Text(hold.key),
        Argument::Uuid(hold.fingerprint),
        Argument::Text(hold.holder),
        Argument::Jsonb(hold.metadata),
    ];
    INSERT.with(|statement| statement.run(session, &arguments));
}

fn insert_booked(session: &Session, hold: &NewHold, booked: BookedPeriod, is_exclusive: bool) {
    let time = |micros| Argument::Time(Some(Timestamp::from_micros(micros)));
    let arguments = [
        Argument::Uuid(Some(hold.id)),
        Argument::Text(Some(hold.resource)),
        Argument::Bigint(Some(hold.quantity)),
        time(booked.during.from),
        time(booked.during.to),
        time(booked.occupied.to),
        Argument::Boolean(is_exclusive),
        Argument::Time(Some(hold.placed_at)),
        Argument::Time(Some(hold.expires_at)),
        Argument::Text(hold.key),
        Argument::Uuid(hold.fingerprint),
        Argument::Text(hold.holder),
        Argument::Jsonb(hold.metadata),
    ];
    INSERT_BOOKED.with(|statement| statement.run(session, &arguments));
}

statement!(INSERT_ALL (UUIDARRAYOID, TEXTARRAYOID, UUIDARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID,
                       TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TEXTARRAYOID,
                       JSONBARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID,
                       BOOLARRAYOID)
    "insert into booking.holds
         (id, resource, basket, item, quantity, seats, during, occupied, exclusive, state, placed_at,
          expires_at, key, fingerprint, holder, metadata)
     select id, resource, basket, item, quantity, seats::text[],
            case when until is not null then tstzrange(during_from, during_to) end,
            case when until is not null then tstzrange(during_from, until) end,
            exclusive, 'held', placed_at, expires_at, key, fingerprint, holder, metadata
     from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
          as new(id, resource, basket, item, quantity, seats, placed_at, expires_at, key, fingerprint,
                 holder, metadata, during_from, during_to, until, exclusive)");

/// Writes many holds in one statement. One statement for each hold would cost four times as much.
pub fn insert_all(session: &Session, holds: &[NewHold]) {
    if let [hold] = holds
        && hold.basket.is_none()
    {
        return insert(session, hold);
    }
    // A basket or a batch may mix kinds. Those before the first hold with a period are written here.
    let holds = holds.get(insert_directly(holds)..).unwrap_or_default();
    if holds.is_empty() {
        return;
    }
    let seats: Vec<_> = holds.iter().map(|hold| hold.seats.as_deref().map(array_literal)).collect();
    let keys: Vec<_> = holds.iter().map(|hold| hold.key).collect();
    let holders: Vec<_> = holds.iter().map(|hold| hold.holder).collect();
    let time = |of: fn(&BookedPeriod) -> Micros| -> Vec<_> {
        let time = |hold: &NewHold| hold.booked.map(|(booked, _)| Timestamp::from_micros(of(&booked)));
        holds.iter().map(time).collect()
    };
    let arguments = [
        Argument::Uuids(&holds.iter().map(|hold| hold.id).collect::<Vec<_>>()),
        Argument::Texts(Some(&holds.iter().map(|hold| hold.resource).collect::<Vec<_>>())),
        Argument::NullableUuids(&holds.iter().map(|hold| hold.basket).collect::<Vec<_>>()),
        Argument::Integers(&holds.iter().map(|hold| hold.item).collect::<Vec<_>>()),
        Argument::Bigints(&holds.iter().map(|hold| hold.quantity).collect::<Vec<_>>()),
        Argument::NullableTexts(&seats.iter().map(Option::as_deref).collect::<Vec<_>>()),
        Argument::Times(&holds.iter().map(|hold| hold.placed_at).collect::<Vec<_>>()),
        Argument::Times(&holds.iter().map(|hold| hold.expires_at).collect::<Vec<_>>()),
        Argument::NullableTexts(&keys),
        Argument::NullableUuids(&holds.iter().map(|hold| hold.fingerprint).collect::<Vec<_>>()),
        Argument::NullableTexts(&holders),
        Argument::Jsonbs(&holds.iter().map(|hold| hold.metadata).collect::<Vec<_>>()),
        Argument::NullableTimes(&time(|booked| booked.during.from)),
        Argument::NullableTimes(&time(|booked| booked.during.to)),
        Argument::NullableTimes(&time(|booked| booked.occupied.to)),
        Argument::NullableBooleans(&holds.iter().map(|hold| Some(hold.booked?.1)).collect::<Vec<_>>()),
    ];
    INSERT_ALL.with(|statement| statement.run(session, &arguments));
}

/// Returns the text of a PostgreSQL array of labels. The statement needs text, because PostgreSQL has no array of
/// arrays of different lengths.
fn array_literal(labels: &[String]) -> String {
    let quoted = |label: &String| format!("\"{}\"", label.replace('\\', "\\\\").replace('"', "\\\""));
    format!("{{{}}}", labels.iter().map(quoted).collect::<Vec<_>>().join(","))
}
