//! Calendars: the bookings that overlap a period, and when the capacity is not the usual one. Whether a period
//! fits among them is decided in `rules::timeline`.
//!
//! A verb that decides on a period has claimed its days or has the resource's lock in exclusive mode, so no other
//! verb places, moves or gives back a booking there. Only the sweep, confirmations in time and extensions go on
//! meanwhile, and they take no further place.

use super::holds::set_expired;
use super::holds::{BookedPeriod, NewHold};
use super::locks::snapshot;
use super::resources::{self, Calendar, StoredResource};
use super::statement::{Argument, Row, Rows, Session, Statement, statement};
use crate::rules::Micros;
use crate::rules::timeline::{Period, Usage};
use crate::server::clock::Timestamp;
use crate::shared_memory::generations::{Cache, LIFETIME};
use uuid::Uuid;

/// A live or overdue booking that overlaps a period.
#[derive(Clone, Copy, Debug)]
pub struct StoredUsage {
    pub id: Uuid,
    pub taken: Usage,
    pub expires_at: Timestamp,
}

impl StoredUsage {
    /// Returns whether its time has run out, although its row does not say so yet.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.taken.is_held && self.expires_at <= now
    }
}

/// What overlaps a period: bookings, and changes of the capacity.
#[derive(Clone, Debug, Default)]
pub struct Overlap {
    pub usages: Vec<StoredUsage>,
    /// When the capacity is not the usual one, in the order of time, with the capacity then.
    pub changes: Vec<(Period, i64)>,
}

impl Overlap {
    fn read(rows: &Rows) -> Self {
        let mut overlap = Self::default();
        for row in rows.iter() {
            let time = |column| row.need::<Timestamp>(column).micros();
            let (period, quantity) = (Period::new(time(2), time(3)), row.need(4));
            match row.get(1) {
                None => overlap.changes.push((period, quantity)),
                Some(id) => {
                    let taken = Usage { occupied: period, quantity, is_held: row.need(5) };
                    overlap.usages.push(StoredUsage { id, taken, expires_at: row.need(6) });
                }
            }
        }
        overlap.changes.sort_unstable();
        overlap
    }

    /// Returns what must be the same if the code reads again: a confirmation or an extension in between makes no
    /// difference.
    fn identity(&self) -> Vec<(Uuid, Period, i64)> {
        let mut usages: Vec<_> =
            self.usages.iter().map(|one| (one.id, one.taken.occupied, one.taken.quantity)).collect();
        usages.sort_unstable();
        usages
    }
}

/// Selects the bookings of a calendar with one place that overlap a period ($2 to $3). They lie one after the
/// other, so only the last one that begins before the period, or with it, can reach into it from before.
///
/// The rows are ordered so that PostgreSQL uses the index that has this order. While the table is small, the
/// exclusion constraint's index looks as good; but that plan is kept, and would later read the whole calendar.
macro_rules! overlapping_exclusive {
    () => {
        "select id, lower(occupied), upper(occupied), quantity, state = 'held', expires_at
         from booking.holds
         where resource = $1 and lower(occupied) < $3
           and lower(occupied) >= coalesce(
               (select lower(occupied) from booking.holds
                where resource = $1 and lower(occupied) <= $2 and exclusive and state in ('held', 'confirmed')
                order by lower(occupied) desc limit 1),
               $2)
           and case when upper(occupied) > $2 then true else false end
           and exclusive and state in ('held', 'confirmed')
         order by lower(occupied)"
    };
}

/// Selects the bookings of a calendar with more places that overlap a period ($2 to $3). The condition compares
/// the hash of the resource's name, as the index does. The name itself stands inside a CASE, so that PostgreSQL
/// considers no other index.
macro_rules! overlapping_shared {
    () => {
        "select id, lower(occupied), upper(occupied), quantity, state = 'held', expires_at
         from booking.holds
         where hashtextextended(resource, 0) = hashtextextended($1, 0) and occupied && tstzrange($2, $3)
           and case when resource = $1 then true else false end
           and not exclusive and state in ('held', 'confirmed')"
    };
}

statement!(OVERLAP_EXCLUSIVE (TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID) overlapping_exclusive!());
statement!(OVERLAP_SHARED (TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID) overlapping_shared!());
statement!(OVERLAP_ALL (TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID)
    concat!("(", overlapping_exclusive!(), ") union all ", overlapping_shared!(),
        " union all
         select null, lower(during), upper(during), capacity, null, null
         from booking.capacity_changes
         where resource = $1 and during && tstzrange($2, $3)"));

/// Reads the bookings that overlap a period, overdue ones among them, and the changes of the capacity there, for a
/// decision. In REPEATABLE READ and above, raises 40001 if the bookings have changed since the snapshot was taken.
pub fn overlap(session: &Session, resource: &StoredResource, period: Period) -> Overlap {
    let overlap = seen(session, resource, period);
    if snapshot::is_repeatable_read() {
        let now = || look(session, resource, period, Statement::run_now).identity();
        snapshot::assert_unchanged(&overlap.identity(), now);
    }
    overlap
}

/// Reads the same only to show it, with the transaction's snapshot.
pub fn seen(session: &Session, resource: &StoredResource, period: Period) -> Overlap {
    look(session, resource, period, Statement::run)
}

/// Reads what overlaps a period. If the capacity was never changed, either all bookings are exclusive or none is,
/// so one of the two indexes is enough.
fn look(
    session: &Session,
    resource: &StoredResource,
    period: Period,
    run: impl for<'s> Fn(&Statement, &'s Session, &[Argument]) -> Rows<'s>,
) -> Overlap {
    let arguments = of_period(&resource.name, period);
    let look = |statement: &Statement| Overlap::read(&run(statement, session, &arguments));
    match (resource.is_resized(), resource.pool.capacity) {
        (true, _) => OVERLAP_ALL.with(look),
        (false, 0..=1) => OVERLAP_EXCLUSIVE.with(look),
        (false, _) => OVERLAP_SHARED.with(look),
    }
}

statement!(TAKE_EXCLUSIVE (UUIDOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
                      TIMESTAMPTZOID, TEXTOID, UUIDOID, TEXTOID, JSONBOID)
    "insert into booking.holds
         (id, resource, quantity, during, occupied, exclusive, state, placed_at, expires_at, key, fingerprint,
          holder, metadata)
     select $1, $2, 1, tstzrange($3, $4), tstzrange($3, $5), true, 'held', $6, $7, $8, $9, $10, $11
     where coalesce(
         (select upper(occupied) <= $3 from booking.holds
          where resource = $2 and lower(occupied) < $5 and exclusive and state in ('held', 'confirmed')
          order by lower(occupied) desc limit 1),
         true)");

std::thread_local! {
    static PLAIN: Cache<Calendar> = Cache::new(256);
}

/// Returns a calendar if only an overlap can keep a request from it: it has had one place from the beginning,
/// admits everybody, is always open, and nobody waits for it. Returns `None` for every other resource. The caller
/// has the resource's lock, so the answer stays true.
pub fn plain(session: &Session, name: &str) -> Option<Calendar> {
    let read = || {
        let found = resources::read(session, name)?;
        let admits_all = found.admits_all();
        let is_exclusive = found.pool.capacity == 1 && !found.is_resized();
        let calendar =
            found.calendar.filter(|calendar| admits_all && is_exclusive && calendar.week.is_none())?;
        Some((calendar, LIFETIME))
    };
    PLAIN.with(|cache| cache.get_or_load(name, read))
}

/// Writes a hold on a calendar that [`plain`] has returned, if no booking overlaps it. Returns whether it wrote
/// the hold.
///
/// The caller has claimed the days, so the statement sees every booking that overlaps, and the exclusion
/// constraint has nothing to refuse and nobody to wait for.
pub fn take_exclusive(session: &Session, hold: &NewHold, booked: BookedPeriod) -> bool {
    let arguments = [
        Argument::Uuid(Some(hold.id)),
        Argument::Text(Some(hold.resource)),
        time(booked.during.from),
        time(booked.during.to),
        time(booked.occupied.to),
        Argument::Time(Some(hold.placed_at)),
        Argument::Time(Some(hold.expires_at)),
        Argument::Text(hold.key),
        Argument::Uuid(hold.fingerprint),
        Argument::Text(hold.holder),
        Argument::Jsonb(hold.metadata),
    ];
    TAKE_EXCLUSIVE.with(|statement| statement.run(session, &arguments).count() == 1)
}

fn of_period(resource: &str, period: Period) -> [Argument<'_>; 3] {
    [Argument::Text(Some(resource)), time(period.from), time(period.to)]
}

fn time<'a>(micros: Micros) -> Argument<'a> {
    Argument::Time(Some(Timestamp::from_micros(micros)))
}

statement!(END_THESE (TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID)
    concat!("with due as (
         select id from booking.holds
         where id = any($3) and case when state = 'held' then resource = $1 and expires_at <= $2 else false end
         for no key update skip locked)
     update booking.holds as holds ", set_expired!(), "
     from due where holds.id = due.id and holds.resource = $1
     returning holds.id"));

/// Ends those of some overdue holds that no other transaction has locked, and returns them.
pub fn end_these(session: &Session, resource: &str, ids: &[Uuid], now: Timestamp) -> Vec<Uuid> {
    let arguments = [Argument::Text(Some(resource)), Argument::Time(Some(now)), Argument::Uuids(ids)];
    let id = |row: Row| row.need(1);
    END_THESE.with(|statement| statement.run(session, &arguments).iter().map(id).collect())
}

statement!(END_DUE (TEXTARRAYOID, TIMESTAMPTZOID, INT8OID)
    concat!("with due as (
         select ctid as place from booking.holds
         where state = 'held' and expires_at <= $2
           and case when resource in (select unnest($1)) then true else false end
         order by expires_at limit $3
         for no key update skip locked)
     update booking.holds as holds ", set_expired!(), "
     from due where holds.ctid = due.place"));

/// Ends overdue holds of some calendars, the longest overdue first. Passes over those that another transaction has
/// locked. Returns how many it ended.
pub fn end_due(session: &Session, resources: &[&str], now: Timestamp, limit: i64) -> i64 {
    let arguments =
        [Argument::Texts(Some(resources)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    END_DUE.with(|statement| statement.run(session, &arguments).count() as i64)
}

statement!(DUE (TEXTOID, TIMESTAMPTZOID, INT8OID)
    "select id from booking.holds
     where state = 'held' and expires_at <= $2 and resource = $1
     order by expires_at limit $3");

/// Returns the overdue holds of a calendar, the longest overdue first, whether or not others have locked them.
pub fn due(session: &Session, resource: &str, now: Timestamp, limit: i64) -> Vec<Uuid> {
    let arguments =
        [Argument::Text(Some(resource)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    DUE.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

statement!(MOVE (UUIDOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID)
    "update booking.holds
     set version = $3, during = tstzrange($4, $5), occupied = tstzrange($4, $6), exclusive = $7
     where id = $1 and resource = $2");

/// Moves a hold, whose row the caller has locked, to another period.
pub fn move_to(
    session: &Session,
    id: Uuid,
    resource: &str,
    version: i64,
    booked: BookedPeriod,
    is_exclusive: bool,
) {
    let arguments = [
        Argument::Uuid(Some(id)),
        Argument::Text(Some(resource)),
        Argument::Bigint(Some(version)),
        time(booked.during.from),
        time(booked.during.to),
        time(booked.occupied.to),
        Argument::Boolean(is_exclusive),
    ];
    MOVE.with(|statement| statement.run(session, &arguments));
}

statement!(SET_EXCLUSIVE (UUIDOID, TEXTOID, BOOLOID)
    "update booking.holds set exclusive = $3 where id = $1 and resource = $2 and exclusive <> $3");

/// Sets whether another hold may overlap one that has expired and is about to be confirmed late. The capacity may
/// have changed meanwhile.
pub fn set_exclusive(session: &Session, id: Uuid, resource: &str, is_exclusive: bool) {
    let arguments =
        [Argument::Uuid(Some(id)), Argument::Text(Some(resource)), Argument::Boolean(is_exclusive)];
    SET_EXCLUSIVE.with(|statement| statement.run(session, &arguments));
}

statement!(FORGET_CHANGES (TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID)
    "delete from booking.capacity_changes where resource = $1 and during && tstzrange($2, $3)");
statement!(WRITE_CHANGES (TEXTOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID)
    "insert into booking.capacity_changes (resource, during, capacity)
     select $1, tstzrange(begins, ends), capacity from unnest($2, $3, $4) as new(begins, ends, capacity)");

/// Replaces all changes of the capacity that overlap a period.
pub fn write_changes(session: &Session, resource: &str, period: Period, changes: &[(Period, i64)]) {
    FORGET_CHANGES.with(|statement| statement.run(session, &of_period(resource, period)));
    let times = |of: fn(&Period) -> Micros| -> Vec<_> {
        changes.iter().map(|(period, _)| Timestamp::from_micros(of(period))).collect()
    };
    let capacities: Vec<_> = changes.iter().map(|(_, capacity)| *capacity).collect();
    let arguments = [
        Argument::Text(Some(resource)),
        Argument::Times(&times(|period| period.from)),
        Argument::Times(&times(|period| period.to)),
        Argument::Bigints(&capacities),
    ];
    WRITE_CHANGES.with(|statement| statement.run(session, &arguments));
}

statement!(DELETE (TEXTOID) "delete from booking.capacity_changes where resource = $1");

/// Deletes the changes of the capacity of a calendar that is being dropped.
pub fn delete(session: &Session, resource: &str) {
    DELETE.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
}
