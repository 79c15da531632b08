//! The table `booking.waitlist_entries`, and the NOTIFY that an offer sends. Who is served next is decided in
//! `rules::waitlist`, and how many wait for a resource is in its row, in `resources`.

use super::Session;
use super::resources::Kind;
use super::statement::{Argument, Row, Span, select_list, statement};
use crate::error::Error;
use crate::limits::MAX_WAITING_TOLD_APART;
use crate::rules::Micros;
use crate::rules::timeline::Period;
use crate::server::clock::Timestamp;
use pgrx::pg_sys;
use uuid::Uuid;

/// The state of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    Waiting,
    /// It got a hold, which has the entry's id.
    Offered,
    Left,
}

impl EntryState {
    fn from_name(name: &str) -> Self {
        match name {
            "waiting" => Self::Waiting,
            "offered" => Self::Offered,
            "left" => Self::Left,
            other => Error::internal(format!("a waitlist entry has the unknown state \"{other}\"")).raise(),
        }
    }
}

/// An entry of a waitlist, waiting or not.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: Uuid,
    pub resource: String,
    pub quantity: i64,
    pub seats: Option<Vec<String>>,
    pub during: Option<Period>,
    pub holder: Option<String>,
    /// For how long an offer is held, in microseconds.
    pub offer_ttl: Micros,
    pub fingerprint: Option<Uuid>,
    pub state: EntryState,
    pub metadata: Option<pg_sys::Datum>,
}

select_list!(columns, At:
    Id "id",
    Resource "resource",
    Quantity "quantity",
    Seats "seats",
    DuringFrom "lower(during)",
    DuringTo "upper(during)",
    Holder "holder",
    OfferTtl "offer_ttl",
    Fingerprint "fingerprint",
    State "state::text",
    Metadata "metadata",
);

impl Entry {
    fn read(row: &Row) -> Self {
        let time = |column| row.get(column).map(Timestamp::micros);
        Self {
            id: row.need(At::Id),
            resource: row.need(At::Resource),
            quantity: row.need(At::Quantity),
            seats: row.get(At::Seats),
            during: time(At::DuringFrom).zip(time(At::DuringTo)).map(|(from, to)| Period::new(from, to)),
            holder: row.get(At::Holder),
            offer_ttl: row.need::<Span>(At::OfferTtl).0,
            fingerprint: row.get(At::Fingerprint),
            state: EntryState::from_name(&row.need::<String>(At::State)),
            metadata: row.copy_datum(At::Metadata),
        }
    }
}

/// Returns how many entries of a line are read at once. A pool that does not skip serves its line from the head,
/// so some are enough, and the rest is read when these are served.
fn most_of(kind: Kind, skip: bool) -> i64 {
    if kind == Kind::Pool && !skip { 100 } else { MAX_WAITING_TOLD_APART }
}

statement!(LINES (TEXTARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID)
    concat!("select ", columns!(), "
     from unnest($1, $2) as line(name, most)
     cross join lateral (
         select * from booking.waitlist_entries
         where resource = line.name and state = 'waiting' and (during is null or upper(during) > $3)
         order by \"position\" limit line.most) as entries
     order by resource, \"position\""));

/// Returns the entries that wait for some resources, in the order of their lines; of a pool's long line only the
/// head. Leaves out entries whose period is over, because they can get nothing.
pub fn lines(session: &Session, resources: &[(&str, Kind, bool)], now: Timestamp) -> Vec<Entry> {
    let names: Vec<&str> = resources.iter().map(|(name, _, _)| *name).collect();
    let most: Vec<i64> = resources.iter().map(|(_, kind, skip)| most_of(*kind, *skip)).collect();
    let arguments = [Argument::Texts(Some(&names)), Argument::Bigints(&most), Argument::Time(Some(now))];
    LINES.with(|statement| statement.run(session, &arguments).iter().map(|row| Entry::read(&row)).collect())
}

statement!(BY_ID (UUIDOID, TEXTOID)
    concat!("select ", columns!(), "
     from booking.waitlist_entries where id = $1 and ($2 is null or resource = $2)"));
statement!(BY_KEY (TEXTOID, TEXTOID)
    concat!("select ", columns!(), "
     from booking.waitlist_entries where key = $1 and resource = $2"));

/// Returns `None` if there is no entry with this id, or if it is on another resource than the one given.
pub fn by_id(session: &Session, id: Uuid, resource: Option<&str>) -> Option<Entry> {
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(resource)];
    BY_ID.with(|statement| statement.run(session, &arguments).first().map(|row| Entry::read(&row)))
}

/// Returns the entry that was made under a key, or `None`.
pub fn by_key(session: &Session, key: &str, resource: &str) -> Option<Entry> {
    let arguments = [Argument::Text(Some(key)), Argument::Text(Some(resource))];
    BY_KEY.with(|statement| statement.run(session, &arguments).first().map(|row| Entry::read(&row)))
}

statement!(POSITION (UUIDOID, TEXTOID)
    "select count(*) from booking.waitlist_entries
     where resource = $2 and state = 'waiting'
       and \"position\" <= (select \"position\" from booking.waitlist_entries where id = $1 and resource = $2)");

/// Returns the place of an entry in its line, from 1.
pub fn position(session: &Session, id: Uuid, resource: &str) -> i64 {
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(Some(resource))];
    POSITION.with(|statement| statement.run(session, &arguments).first().map_or(0, |row| row.need(1)))
}

/// An entry that is to be written.
pub struct NewEntry<'a> {
    pub id: Uuid,
    pub resource: &'a str,
    pub quantity: i64,
    pub seats: Option<&'a [&'a str]>,
    pub during: Option<Period>,
    pub holder: Option<&'a str>,
    /// For how long an offer is held, in microseconds.
    pub offer_ttl: Micros,
    pub key: Option<&'a str>,
    pub fingerprint: Option<Uuid>,
    pub joined_at: Timestamp,
    pub metadata: Option<pg_sys::Datum>,
}

statement!(JOIN (UUIDOID, TEXTOID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, INTERVALOID,
                 TEXTOID, UUIDOID, TIMESTAMPTZOID, JSONBOID)
    "insert into booking.waitlist_entries
         (id, resource, \"position\", quantity, seats, during, holder, offer_ttl, key, fingerprint, joined_at,
          metadata)
     select $1, $2,
            coalesce((select max(\"position\") from booking.waitlist_entries
                      where resource = $2 and state = 'waiting'), 0) + 1,
            $3, $4, case when $5 is not null then tstzrange($5, $6) end, $7, $8, $9, $10, $11, $12");

/// Writes an entry behind those that wait already. The caller has the resource's lock in exclusive mode.
pub fn join(session: &Session, entry: &NewEntry) {
    let time = |of: fn(Period) -> Micros| {
        Argument::Time(entry.during.map(|period| Timestamp::from_micros(of(period))))
    };
    let arguments = [
        Argument::Uuid(Some(entry.id)),
        Argument::Text(Some(entry.resource)),
        Argument::Bigint(Some(entry.quantity)),
        Argument::Texts(entry.seats),
        time(|period| period.from),
        time(|period| period.to),
        Argument::Text(entry.holder),
        Argument::Span(Some(entry.offer_ttl)),
        Argument::Text(entry.key),
        Argument::Uuid(entry.fingerprint),
        Argument::Time(Some(entry.joined_at)),
        Argument::Jsonb(entry.metadata),
    ];
    JOIN.with(|statement| statement.run(session, &arguments));
}

statement!(LEAVE (UUIDOID, TEXTOID, TIMESTAMPTZOID)
    "update booking.waitlist_entries set state = 'left', ended_at = $3
     where id = $1 and resource = $2 and state = 'waiting'");
statement!(OFFER (UUIDARRAYOID, TIMESTAMPTZOID)
    "update booking.waitlist_entries set state = 'offered', ended_at = $2 where id = any($1)");

/// Takes an entry out of its line.
pub fn leave(session: &Session, id: Uuid, resource: &str, now: Timestamp) {
    let arguments = [Argument::Uuid(Some(id)), Argument::Text(Some(resource)), Argument::Time(Some(now))];
    LEAVE.with(|statement| statement.run(session, &arguments));
}

/// Marks entries that got what they waited for.
pub fn offer(session: &Session, ids: &[Uuid], now: Timestamp) {
    let arguments = [Argument::Uuids(ids), Argument::Time(Some(now))];
    OFFER.with(|statement| statement.run(session, &arguments));
}

statement!(DELETE (TEXTOID) "delete from booking.waitlist_entries where resource = $1");

/// Deletes all entries of a resource that is being dropped.
pub fn delete(session: &Session, resource: &str) {
    DELETE.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
}

statement!(PURGE (TIMESTAMPTZOID, INT8OID)
    "with old as (
         select ctid as place from booking.waitlist_entries as entries
         where state <> 'waiting' and ended_at <= $1
           and not exists (select from booking.holds as holds
                           where holds.id = entries.id and holds.resource = entries.resource)
         order by ended_at limit $2
         for update skip locked)
     delete from booking.waitlist_entries as entries using old where entries.ctid = old.place");

/// Deletes up to `limit` entries that ended at or before `up_to`, except those whose hold still exists. Returns
/// how many.
pub fn purge(session: &Session, up_to: Timestamp, limit: i64) -> i64 {
    let arguments = [Argument::Time(Some(up_to)), Argument::Bigint(Some(limit))];
    PURGE.with(|statement| statement.run(session, &arguments).count() as i64)
}

statement!(NOTIFY (TEXTOID, TEXTOID) "select pg_notify($1, $2)");

/// Sends a NOTIFY on a channel. PostgreSQL delivers it to those who listen when the transaction commits.
pub fn notify(session: &Session, channel: &str, payload: &str) {
    let arguments = [Argument::Text(Some(channel)), Argument::Text(Some(payload))];
    NOTIFY.with(|statement| statement.run(session, &arguments));
}
