//! The table `booking.resources`.

use super::locks::subtransaction::{has_lock_timeout, until_lock_timeout};
use super::locks::{Busy, LockWaitPolicy, snapshot};
use super::pool_count;
use super::statement::{Argument, Row, Session, Span, select_list, statement};
use crate::error::Error;
use crate::rules::Micros;
use crate::rules::hours::Week;
use crate::rules::pool::Pool;
use crate::server::zones::Zone;
use crate::shared_memory::generations;
use uuid::Uuid;

/// What a caller may be told after a resource has changed.
#[derive(Clone, Copy, Debug)]
pub struct ResourceStatus {
    pub version: i64,
    /// How much is left; none for seats, which would have to be counted.
    pub available: Option<i64>,
    /// Whether anybody waits for it.
    pub is_waited_for: bool,
}

impl ResourceStatus {
    pub(super) fn read(row: &Row) -> Self {
        Self { version: row.need(1), available: row.get(2), is_waited_for: row.get(3).unwrap_or(false) }
    }
}

/// What kind of places a resource has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Pool,
    Seats,
    Calendar,
}

impl Kind {
    /// The word for it in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Seats => "seats",
            Self::Calendar => "calendar",
        }
    }

    pub fn from_name(name: &str) -> Self {
        [Self::Pool, Self::Seats, Self::Calendar]
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or_else(|| Error::internal(format!("a resource is of kind \"{name}\"")).raise())
    }
}

/// What is only a calendar's. None of it changes as long as the resource is there, but for its hours.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: Zone,
    /// How long a place stays taken after a booking.
    pub buffer: Micros,
    /// When a day's guests come and go, by the clock.
    pub check_in: Micros,
    pub check_out: Micros,
    /// None where it is always open.
    pub week: Option<Week>,
    /// Whether its capacity was ever changed.
    pub resized: bool,
}

select_list!(columns, At:
    Name "name",
    Kind "kind::text",
    Capacity "capacity",
    Overbooking "overbooking",
    Taken "taken",
    Version "version",
    Open "open",
    MaxPerHolder "max_per_holder",
    Sections "sections",
    TimeZone "time_zone",
    Buffer "buffer",
    CheckIn "check_in",
    CheckOut "check_out",
    Hours "hours",
    Resized "resized",
    Waiting "waiting",
    Skip "skip",
    Escrow "escrow",
);

/// A resource as it stands in its row.
#[derive(Clone, Debug)]
pub struct StoredResource {
    pub name: String,
    pub kind: Kind,
    /// For seats and calendars, which are not counted in this row: what of it is not about the count.
    pub pool: Pool,
    /// The sections of seats, as they lie in the plan.
    pub sections: Vec<String>,
    pub calendar: Option<Calendar>,
    /// How many wait for it.
    pub waiting: i64,
    /// Whether those who wait may pass by one who needs more than is free.
    pub skip: bool,
    /// The id of its count, where that is not kept in the row: an escrow pool's.
    pub escrow: Option<Uuid>,
}

impl StoredResource {
    fn read(row: &Row) -> Self {
        Self {
            name: row.need(At::Name),
            kind: Kind::from_name(&row.need::<String>(At::Kind)),
            pool: Pool {
                capacity: row.need(At::Capacity),
                overbooking: row.need(At::Overbooking),
                taken: row.need(At::Taken),
                version: row.need(At::Version),
                open: row.need(At::Open),
                max_per_holder: row.get(At::MaxPerHolder),
            },
            sections: row.get(At::Sections).unwrap_or_default(),
            calendar: row.get(At::TimeZone).map(|zone| Calendar {
                zone: Zone::known(zone),
                buffer: row.need::<Span>(At::Buffer).0,
                check_in: row.need(At::CheckIn),
                check_out: row.need(At::CheckOut),
                week: row.get(At::Hours).map(|lines: Vec<String>| read_week(&lines)),
                resized: row.need(At::Resized),
            }),
            waiting: row.need(At::Waiting),
            skip: row.need(At::Skip),
            escrow: row.get(At::Escrow),
        }
    }

    /// What of it is decided on, but for how much is taken.
    pub fn definition(&self) -> (Option<Uuid>, Pool, bool) {
        (self.escrow, Pool { taken: 0, ..self.pool.clone() }, self.waiting > 0)
    }

    /// With what is taken, where the row does not say so.
    fn counted(mut self, session: &Session) -> Self {
        if let Some(id) = self.escrow {
            self.pool.taken = pool_count::taken(session, &self.name, id);
        }
        self
    }

    /// What is only a calendar's: an error where it is none.
    pub fn as_calendar(&self) -> Result<&Calendar, Error> {
        self.calendar.as_ref().ok_or_else(|| Error::no_calendar(&self.name))
    }

    pub fn is_resized(&self) -> bool {
        self.calendar.as_ref().is_some_and(|calendar| calendar.resized)
    }

    pub fn status(&self) -> ResourceStatus {
        let available = (self.kind == Kind::Pool).then(|| self.pool.free());
        ResourceStatus { version: self.pool.version, available, is_waited_for: self.waiting > 0 }
    }
}

fn read_week(lines: &[String]) -> Week {
    Week::read(lines.iter().map(String::as_str))
        .unwrap_or_else(|| Error::internal("the hours of a calendar make no sense").raise())
}

/// The SQL condition on a row of `booking.resources` under which a resource admits every request that it has room for:
/// it is open, no holder is limited, nobody waits. What lets a verb skip the allocation, so a new rule of admission
/// belongs into here and into [`StoredResource::admits_all`], its twin, which a test holds together.
macro_rules! admits_all {
    () => {
        "open and max_per_holder is null and waiting = 0"
    };
}
pub(super) use admits_all;

impl StoredResource {
    /// The twin of the SQL condition [`admits_all!`](admits_all).
    pub fn admits_all(&self) -> bool {
        self.pool.open && self.pool.max_per_holder.is_none() && self.waiting == 0
    }
}

statement!(READ (TEXTOID)
    concat!("select ", columns!(), " from booking.resources where name = $1"));

pub fn read(session: &Session, name: &str) -> Option<StoredResource> {
    let arguments = [Argument::Text(Some(name))];
    let found = READ
        .with(|statement| statement.run(session, &arguments).first().map(|row| StoredResource::read(&row)));
    found.map(|found| found.counted(session))
}

/// Reads a resource that a call names: 42704 if there is none of this name.
pub fn read_existing(session: &Session, name: &str) -> Result<StoredResource, Error> {
    read(session, name).ok_or_else(|| Error::no_resource(name))
}

/// The same as it is now, whatever the transaction's snapshot shows; of an escrow pool without what is taken.
pub fn read_now(session: &Session, name: &str) -> Option<StoredResource> {
    let arguments = [Argument::Text(Some(name))];
    READ.with(|statement| {
        statement.run_now(session, &arguments).first().map(|row| StoredResource::read(&row))
    })
}

statement!(READ_ALL (TEXTARRAYOID)
    concat!("select ", columns!(), " from booking.resources where name = any($1)"));

/// Reads those of several resources that are there.
pub fn read_all(session: &Session, names: &[&str]) -> Vec<StoredResource> {
    if let [name] = names {
        return read(session, name).into_iter().collect();
    }
    let arguments = [Argument::Texts(Some(names))];
    let found: Vec<_> = READ_ALL.with(|statement| {
        statement.run(session, &arguments).iter().map(|row| StoredResource::read(&row)).collect()
    });
    found.into_iter().map(|found| found.counted(session)).collect()
}

statement!(WAITED_FOR (TEXTARRAYOID)
    "select name from booking.resources where name = any($1) and case when waiting > 0 then true else false end");

statement!(IS_WAITED_FOR (TEXTOID)
    "select name from booking.resources where name = $1 and case when waiting > 0 then true else false end");

/// Which of some resources anybody waits for.
pub fn waited_for(session: &Session, names: &[&str]) -> Vec<String> {
    if let [name] = names {
        let arguments = [Argument::Text(Some(name))];
        return IS_WAITED_FOR
            .with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect());
    }
    let arguments = [Argument::Texts(Some(names))];
    WAITED_FOR.with(|statement| statement.run(session, &arguments).iter().map(|row| row.need(1)).collect())
}

statement!(ADD_WAITING (TEXTOID, INT8OID)
    "update booking.resources set waiting = waiting + $2 where name = $1");

/// Counts those who wait for a resource: so many more, or less.
pub fn add_waiting(session: &Session, name: &str, entries: i64) {
    generations::changed(name);
    let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(entries))];
    ADD_WAITING.with(|statement| statement.run(session, &arguments));
}

statement!(LOCK_OR_SKIP (TEXTOID)
    "select name from booking.resources where name = $1 for no key update skip locked");
statement!(LOCK (TEXTOID)
    "select name from booking.resources where name = $1 for no key update");

/// Locks a resource's row ahead of the UPDATE, for callers whom that would not serve.
///
/// Behind the queue the row is free, unless the worker or somebody's own `select … for update` has
/// it: then an UPDATE would wait although the caller asked it not to, or `lock_timeout` would end
/// it with an error. And in REPEATABLE READ and above, a refusal that writes nothing would rest on
/// an old snapshot and be a false "sold out": locking a row that has changed since is 40001.
/// Everybody else is spared this statement, and a refusal stays free of any write.
pub fn lock_ahead(session: &Session, name: &str, policy: LockWaitPolicy) -> Result<(), Busy> {
    if policy == LockWaitPolicy::Wait && !has_lock_timeout() && !snapshot::is_repeatable_read() {
        return Ok(());
    }
    let arguments = [Argument::Text(Some(name))];
    let locked = LOCK_OR_SKIP.with(|statement| statement.run(session, &arguments).count() > 0);
    if locked || read(session, name).is_none() {
        return Ok(());
    }
    match policy {
        LockWaitPolicy::NoWait => Err(Busy),
        LockWaitPolicy::Wait => until_lock_timeout(|| {
            LOCK.with(|statement| statement.run(session, &arguments));
        }),
    }
}
