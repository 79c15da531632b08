//! Calendars: what overlaps a period, and where the capacity is not the usual one.
//!
//! Whoever decides on a period has claimed its days or has the resource alone, so that nobody else
//! places, moves or gives back anything there; only the sweep and a confirmation go on, and those keep
//! within what is there already.

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

/// A booking that overlaps a period.
#[derive(Clone, Copy, Debug)]
pub struct StoredUsage {
    pub id: Uuid,
    pub taken: Usage,
    pub expires_at: Timestamp,
}

impl StoredUsage {
    /// Whether its time has run out and nobody has written that down yet.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.taken.is_held && self.expires_at <= now
    }
}

/// What overlaps a period.
#[derive(Clone, Debug, Default)]
pub struct Overlap {
    pub usages: Vec<StoredUsage>,
    /// In the order of time.
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

    /// What tells two looks apart: a confirmation between them makes no difference.
    fn identity(&self) -> Vec<(Uuid, Period, i64)> {
        let mut usages: Vec<_> =
            self.usages.iter().map(|one| (one.id, one.taken.occupied, one.taken.quantity)).collect();
        usages.sort_unstable();
        usages
    }
}

/// The bookings that overlap a period ($2 to $3) where there is one place. They lie one after the other, so
/// the first of them is the last that begins before the period does, or in it.
///
/// They are put in order so that the index that has them in this order is used. While the table is small the
/// constraint's index seems as good, and with that plan, which is kept, all of the calendar would be read.
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

/// The same where there are more places. The resource is compared by its number, as the index has it; its
/// name stands inside a CASE, so that no other index is thought of.
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

/// What takes places of a calendar in a period, overdue holds among it, and what was said of its
/// capacity there: to be decided on, so 40001 where a kept snapshot shows what is no longer so.
pub fn overlap(session: &Session, resource: &StoredResource, period: Period) -> Overlap {
    let overlap = seen(session, resource, period);
    if snapshot::is_repeatable_read() {
        let now = || look(session, resource, period, Statement::run_now).identity();
        snapshot::assert_unchanged(&overlap.identity(), now);
    }
    overlap
}

/// The same, only to be shown: as the transaction sees it.
pub fn seen(session: &Session, resource: &StoredResource, period: Period) -> Overlap {
    look(session, resource, period, Statement::run)
}

/// Where the capacity was never changed all bookings are of one sort.
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

/// The calendar of this name, if all that is to be asked of it is whether anything overlaps: it has had one place from
/// the beginning, lets everybody in at any time, and is waited for by nobody. The caller has a turn there, so it
/// stays so.
pub fn plain(session: &Session, name: &str) -> Option<Calendar> {
    let read = || {
        let found = resources::read(session, name)?;
        let lets_all_in = found.admits_all();
        let is_exclusive = found.pool.capacity == 1 && !found.is_resized();
        let calendar =
            found.calendar.filter(|calendar| lets_all_in && is_exclusive && calendar.week.is_none())?;
        Some((calendar, LIFETIME))
    };
    PLAIN.with(|memory| memory.get_or_load(name, read))
}

/// Writes a hold on such a calendar, if nothing overlaps. Whether it did.
///
/// The caller has claimed the days, so whoever overlaps is to be seen, and the constraint has nothing to
/// object to or to wait for.
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

/// Ends those of some overdue holds that nobody else has locked. Returns which.
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

/// Ends overdue holds of some calendars, the longest overdue first, passing over those that somebody
/// has locked. Returns how many.
pub fn end_due(session: &Session, resources: &[&str], now: Timestamp, limit: i64) -> i64 {
    let arguments =
        [Argument::Texts(Some(resources)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    END_DUE.with(|statement| statement.run(session, &arguments).count() as i64)
}

statement!(DUE (TEXTOID, TIMESTAMPTZOID, INT8OID)
    "select id from booking.holds
     where state = 'held' and expires_at <= $2 and resource = $1
     order by expires_at limit $3");

/// The overdue holds of a calendar, locked by others or not.
pub fn due(session: &Session, resource: &str, now: Timestamp, limit: i64) -> Vec<Uuid> {
    let arguments =
        [Argument::Text(Some(resource)), Argument::Time(Some(now)), Argument::Bigint(Some(limit))];
    DUE.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

statement!(MOVE (UUIDOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, BOOLOID)
    "update booking.holds
     set version = $3, during = tstzrange($4, $5), occupied = tstzrange($4, $6), exclusive = $7
     where id = $1 and resource = $2");

/// Moves a hold that is locked to another period.
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

/// Says whether no other hold may overlap one that has ended and is about to come back: the capacity
/// may have been changed meanwhile.
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

/// Writes what is said of the capacity in place of what was said in a period.
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

/// Deletes what was said of the capacity of a calendar that is being dropped.
pub fn delete(session: &Session, resource: &str) {
    DELETE.with(|statement| statement.run(session, &[Argument::Text(Some(resource))]));
}
