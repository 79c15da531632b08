//! The table `booking.resources`: resources are read, locked, and told how many wait for them. Their definitions
//! change in `definitions`, and what is taken of a pool in `pools`.

use super::direct::{Key, Row as DirectRow};
use super::locks::subtransaction::{has_lock_timeout, until_lock_timeout};
use super::locks::{Busy, LockWaitPolicy, snapshot};
use super::pool_count;
use super::statement::{Argument, Row, Session, Span, select_list, statement};
use super::tables::resources as tables;
use crate::error::Error;
use crate::rules::Micros;
use crate::rules::hours::Week;
use crate::rules::pool::{Contention, Pool};
use crate::server::zones::Zone;
use crate::shared_memory::generations;
use uuid::Uuid;

/// What an answer may say about a resource that has changed.
#[derive(Clone, Copy, Debug)]
pub struct ResourceStatus {
    pub version: i64,
    /// How much of a pool is left; `None` for seats and calendars, where it would have to be counted.
    pub available: Option<i64>,
    /// Whether anybody waits for the resource.
    pub is_waited_for: bool,
}

impl ResourceStatus {
    /// Reads the columns version, available and "anybody waits", in this order.
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
    /// Returns the label in the SQL enum `booking.resource_kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Seats => "seats",
            Self::Calendar => "calendar",
        }
    }

    /// Reads the label in the SQL enum. Raises an internal error for any other text.
    pub fn from_name(name: &str) -> Self {
        [Self::Pool, Self::Seats, Self::Calendar]
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or_else(|| Error::internal(format!("a resource has the unknown kind \"{name}\"")).raise())
    }
}

/// The part of a resource that only calendars have. After the calendar was created, only `week` and `resized`
/// change.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: Zone,
    /// For how long a place stays taken after a booking, in microseconds.
    pub buffer: Micros,
    /// The time of the day at which nights begin, in microseconds since midnight on the calendar's clock.
    pub check_in: Micros,
    /// The time of the day at which nights end, in the same unit.
    pub check_out: Micros,
    /// The opening hours; `None` if the calendar is always open.
    pub week: Option<Week>,
    /// Whether the calendar's capacity was ever changed.
    pub resized: bool,
}

impl Calendar {
    /// Reads the columns that only calendars have. Returns `None` if the resource is not one.
    fn read_directly(row: &DirectRow) -> Option<Self> {
        use tables::{BUFFER, CHECK_IN, CHECK_OUT, HOURS, RESIZED, TIME_ZONE};
        Some(Self {
            zone: Zone::known(row.get(TIME_ZONE)?),
            buffer: row.get(BUFFER)?.0,
            check_in: row.get(CHECK_IN)?,
            check_out: row.get(CHECK_OUT)?,
            week: row.get(HOURS).map(|lines| read_week(&lines)),
            resized: row.get(RESIZED)?,
        })
    }
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
    Contention "contention::text",
);

/// A resource as its row describes it.
#[derive(Clone, Debug)]
pub struct StoredResource {
    pub name: String,
    pub kind: Kind,
    /// The columns that all kinds have. `taken` means nothing for seats and calendars, which are not counted in
    /// this row.
    pub pool: Pool,
    /// The sections of seats, in the order of the plan.
    pub sections: Vec<String>,
    pub calendar: Option<Calendar>,
    /// How many entries the waitlist has.
    pub waiting: i64,
    /// Whether entries of the waitlist may be served before an earlier one that needs more than is free.
    pub skip: bool,
    /// The id of the count in shared memory, of an escrow pool and of one that many wait for; `None` for all other
    /// resources.
    pub escrow: Option<Uuid>,
    pub contention: Contention,
    /// How much of `pool.version` is not in the row, because what changed is counted in shared memory.
    changes: i64,
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
            contention: read_contention(&row.need::<String>(At::Contention)),
            changes: 0,
        }
    }

    /// Reads a row that no statement has read.
    fn read_directly(row: &DirectRow) -> Option<Self> {
        use tables::{
            CAPACITY, CONTENTION, ESCROW, KIND, MAX_PER_HOLDER, NAME, OPEN, OVERBOOKING, SECTIONS, SKIP,
            TAKEN, VERSION, WAITING,
        };
        Some(Self {
            name: row.get(NAME)?,
            kind: Kind::from_name(row.label(KIND)?),
            pool: Pool {
                capacity: row.get(CAPACITY)?,
                overbooking: row.get(OVERBOOKING)?,
                taken: row.get(TAKEN)?,
                version: row.get(VERSION)?,
                open: row.get(OPEN)?,
                max_per_holder: row.get(MAX_PER_HOLDER),
            },
            sections: row.get(SECTIONS).unwrap_or_default(),
            calendar: Calendar::read_directly(row),
            waiting: row.get(WAITING)?,
            skip: row.get(SKIP)?,
            escrow: row.get(ESCROW),
            contention: read_contention(row.label(CONTENTION)?),
            changes: 0,
        })
    }

    /// Returns what the verbs on a pool decide on, without how much is taken.
    pub fn definition(&self) -> (Option<Uuid>, Pool, bool) {
        let version = self.pool.version - self.changes;
        (self.escrow, Pool { taken: 0, version, ..self.pool.clone() }, self.waiting > 0)
    }

    /// Adds what the row does not say of a pool that is counted in shared memory: how much is taken, and how often that
    /// has changed.
    pub fn count(&mut self, session: &Session) {
        if let Some(id) = self.escrow {
            let is_auto = self.contention == Contention::Auto;
            self.pool.taken = pool_count::taken(session, &self.name, id, !is_auto);
            let changes = pool_count::changes(id, is_auto);
            self.pool.version += changes - self.changes;
            self.changes = changes;
        }
    }

    /// Returns how much of `pool.version` is not in the row.
    pub const fn changes(&self) -> i64 {
        self.changes
    }

    fn counted(mut self, session: &Session) -> Self {
        self.count(session);
        self
    }

    /// Returns `Err` if the resource is not a calendar.
    pub fn as_calendar(&self) -> Result<&Calendar, Error> {
        self.calendar.as_ref().ok_or_else(|| Error::no_calendar(&self.name))
    }

    /// Returns whether this is a calendar whose capacity was ever changed.
    pub fn is_resized(&self) -> bool {
        self.calendar.as_ref().is_some_and(|calendar| calendar.resized)
    }

    /// Returns what an answer says about the resource.
    pub fn status(&self) -> ResourceStatus {
        let available = (self.kind == Kind::Pool).then(|| self.pool.free());
        ResourceStatus { version: self.pool.version, available, is_waited_for: self.waiting > 0 }
    }
}

fn read_contention(name: &str) -> Contention {
    let unknown = || Error::internal(format!("a pool has the unknown contention \"{name}\"")).raise();
    Contention::from_name(name).unwrap_or_else(unknown)
}

fn read_week(lines: &[String]) -> Week {
    Week::read(lines.iter().map(String::as_str))
        .unwrap_or_else(|| Error::internal("the hours of a calendar cannot be read").raise())
}

/// The SQL condition on a row of `booking.resources` under which a resource admits every request that it has room
/// for: it is open, it does not limit its holders, and nobody waits for it. A verb then skips the allocation. So a
/// new rule of admission belongs here and in the twins, [`row_admits_all`] and [`StoredResource::admits_all`].
macro_rules! admits_all {
    () => {
        "open and max_per_holder is null and waiting = 0"
    };
}
pub(super) use admits_all;

/// The condition, for the test that compares it with its twin.
#[cfg(feature = "pg_test")]
pub const ADMITS_ALL: &str = admits_all!();

/// Returns whether the resource of a row admits every request that it has room for. It is the twin of the SQL
/// condition [`admits_all!`](admits_all).
pub(super) fn row_admits_all(row: &DirectRow) -> bool {
    row.get(tables::OPEN) == Some(true)
        && row.is_null(tables::MAX_PER_HOLDER)
        && row.get(tables::WAITING) == Some(0)
}

impl StoredResource {
    /// Returns whether the resource admits every request that it has room for. It is the twin of the SQL condition
    /// [`admits_all!`](admits_all).
    pub fn admits_all(&self) -> bool {
        self.pool.open && self.pool.max_per_holder.is_none() && self.waiting == 0
    }
}

statement!(READ (TEXTOID)
    concat!("select ", columns!(), " from booking.resources where name = $1"));

/// Reads the row of a resource. Returns `None` if a statement has to, or if there is no such row.
fn find_directly(name: &str) -> Option<StoredResource> {
    tables::RESOURCES
        .with(|table| table.read(Key::of(&[tables::NAME.is(name)]), StoredResource::read_directly))
}

/// Reads a resource, with what is taken of it if it is an escrow pool. Returns `None` if there is none of this
/// name.
pub fn read(session: &Session, name: &str) -> Option<StoredResource> {
    let found = find_directly(name).or_else(|| {
        let arguments = [Argument::Text(Some(name))];
        READ.with(|statement| {
            statement.run(session, &arguments).first().map(|row| StoredResource::read(&row))
        })
    });
    found.map(|found| found.counted(session))
}

/// Reads a resource that a call names. Returns `Err` (42704) if there is none of this name.
pub fn read_existing(session: &Session, name: &str) -> Result<StoredResource, Error> {
    read(session, name).ok_or_else(|| Error::no_resource(name))
}

/// Reads a resource as it is now, also in REPEATABLE READ and above; for an escrow pool, without how much is
/// taken. Returns `None` if there is none of this name.
pub fn read_now(session: &Session, name: &str) -> Option<StoredResource> {
    if !snapshot::is_repeatable_read()
        && let Some(found) = find_directly(name)
    {
        return Some(found);
    }
    let arguments = [Argument::Text(Some(name))];
    READ.with(|statement| {
        statement.run_now(session, &arguments).first().map(|row| StoredResource::read(&row))
    })
}

statement!(READ_ALL (TEXTARRAYOID)
    concat!("select ", columns!(), " from booking.resources where name = any($1)"));

/// Reads several resources. Those that do not exist are missing from the answer.
pub fn read_all(session: &Session, names: &[&str]) -> Vec<StoredResource> {
    if let [name] = names {
        return read(session, name).into_iter().collect();
    }
    // Like a statement, it returns a resource once that is named twice.
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    let mut found: Vec<_> = names.iter().filter_map(|name| find_directly(name)).collect();
    let rest: Vec<_> =
        names.iter().copied().filter(|name| !found.iter().any(|found| found.name == *name)).collect();
    if !rest.is_empty() {
        let arguments = [Argument::Texts(Some(&rest))];
        READ_ALL.with(|statement| {
            found.extend(statement.run(session, &arguments).iter().map(|row| StoredResource::read(&row)));
        });
    }
    found.into_iter().map(|found| found.counted(session)).collect()
}

statement!(WAITED_FOR (TEXTARRAYOID)
    "select name from booking.resources where name = any($1) and case when waiting > 0 then true else false end");

statement!(IS_WAITED_FOR (TEXTOID)
    "select name from booking.resources where name = $1 and case when waiting > 0 then true else false end");

/// Returns those of some resources that anybody waits for.
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

/// Adds to the number of entries that wait for a resource; a negative number takes away.
pub fn add_waiting(session: &Session, name: &str, entries: i64) {
    generations::changed(name);
    let arguments = [Argument::Text(Some(name)), Argument::Bigint(Some(entries))];
    ADD_WAITING.with(|statement| statement.run(session, &arguments));
}

statement!(LOCK_OR_SKIP (TEXTOID)
    "select name from booking.resources where name = $1 for no key update skip locked");
statement!(LOCK (TEXTOID)
    "select name from booking.resources where name = $1 for no key update");

/// Locks a resource's row ahead of the UPDATE, if the UPDATE alone would not do. Returns [`Busy`] if another
/// transaction has the row and the policy does not allow to wait, or `lock_timeout` ran out.
///
/// Behind the resource's lock the row is free, unless the worker or a user's own `select … for update` has it.
/// Then the UPDATE would wait although the caller said `wait => false`, or `lock_timeout` would end it with an
/// error. In REPEATABLE READ and above, a refusal, which writes nothing, would rest on an old snapshot and could
/// be a false "sold out"; to lock a row that has changed since the snapshot raises 40001. All other calls skip
/// this statement, and their refusals lock no row.
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
