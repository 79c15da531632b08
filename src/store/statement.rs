//! One SQL statement: its text, its kept plan, its arguments and its rows.
//!
//! pgrx's own SPI client is not used for three reasons. It runs a statement as read-only until the
//! transaction has written, and a read-only statement keeps the snapshot from before a lock was
//! waited for. Its writing form assigns a transaction id, which a standby cannot. And what it reads
//! stays allocated until the transaction ends, where these rows are gone when the call returns.
#![allow(unsafe_code)]

use crate::error::Error;
use crate::rules::Micros;
use crate::server::clock::Timestamp;
use pgrx::datum::{Interval, IntoDatum, TimestampWithTimeZone};
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::marker::PhantomData;
use std::ptr;
use uuid::Uuid;

/// An open connection to the server programming interface, closed when it is dropped.
pub struct Session(PhantomData<*mut ()>);

impl Session {
    /// For a verb that writes: an error of its own in a read-only transaction and on a standby,
    /// before a lock is asked for that a standby cannot grant.
    pub fn to_write(verb: &'static CStr) -> Self {
        // SAFETY: reads the transaction's state; raises an error where it may not write.
        unsafe { pg_sys::PreventCommandIfReadOnly(verb.as_ptr()) };
        Self::open()
    }

    pub fn open() -> Self {
        // SAFETY: called in a backend, inside a transaction; the drop below is its counterpart.
        unsafe { pg_sys::SPI_connect() };
        Self(PhantomData)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: while a value of this type lives, the connection it opened is the current one;
        // without one, SPI_finish only says so.
        unsafe { pg_sys::SPI_finish() };
    }
}

/// A statement, planned at its first use in a session and kept until the session ends.
///
/// One plan for all arguments. PostgreSQL would plan anew for each call where the arguments make a
/// plan look cheaper, as an array of two labels does: a fifth of the time of a hold on two seats.
///
/// It does so by itself when a table it names changes, so dropping and creating the
/// extension again needs no care here. Thread-local, since a plan must never leave its thread.
pub struct Statement {
    text: &'static CStr,
    types: &'static [pg_sys::Oid],
    plan: Cell<pg_sys::SPIPlanPtr>,
}

impl Statement {
    pub const fn new(text: &'static CStr, types: &'static [pg_sys::Oid]) -> Self {
        Self { text, types, plan: Cell::new(ptr::null_mut()) }
    }

    /// Runs it with a snapshot of its own, taken now: it sees whatever was committed while the
    /// caller waited for a lock (except in REPEATABLE READ and above).
    pub fn run<'s>(&self, session: &'s Session, arguments: &[Argument]) -> Rows<'s> {
        self.execute(session, arguments, ptr::null_mut())
    }

    /// The same, and it sees what was committed up to now in REPEATABLE READ and above as well.
    pub fn run_now<'s>(&self, session: &'s Session, arguments: &[Argument]) -> Rows<'s> {
        // SAFETY: a snapshot that is registered and pushed by the execution.
        self.execute(session, arguments, unsafe { pg_sys::GetLatestSnapshot() })
    }

    fn execute<'s>(
        &self,
        _session: &'s Session,
        arguments: &[Argument],
        snapshot: pg_sys::Snapshot,
    ) -> Rows<'s> {
        debug_assert_eq!(arguments.len(), self.types.len());
        const MAX_ENTRIES: usize = 16;
        let mut values = [pg_sys::Datum::null(); MAX_ENTRIES];
        let mut nulls = [b' ' as c_char; MAX_ENTRIES];
        for (n, argument) in arguments.iter().enumerate() {
            match argument.datum() {
                Some(datum) => values[n] = datum,
                None => nulls[n] = b'n' as c_char,
            }
        }
        let _by_index = ByIndex::prefer();
        // SAFETY: a connection is open (the session proves it), the plan is kept, and the arrays
        // hold a value for each of the plan's parameters.
        unsafe {
            let code = pg_sys::SPI_execute_snapshot(
                self.plan(),
                values.as_mut_ptr(),
                nulls.as_ptr(),
                snapshot,
                ptr::null_mut(),
                false,
                true,
                0,
            );
            if code < 0 {
                Error::internal(format!("statement failed with code {code}")).raise();
            }
            Rows { table: pg_sys::SPI_tuptable, count: pg_sys::SPI_processed as usize, session: PhantomData }
        }
    }

    fn plan(&self) -> pg_sys::SPIPlanPtr {
        if self.plan.get().is_null() {
            let count = self.types.len() as c_int;
            // SAFETY: called only from `run`, where a connection is open. The types are copied.
            unsafe {
                let plan = pg_sys::SPI_prepare_cursor(
                    self.text.as_ptr(),
                    count,
                    self.types.as_ptr().cast_mut(),
                    pg_sys::CURSOR_OPT_GENERIC_PLAN as c_int,
                );
                if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                    Error::internal("statement could not be prepared").raise();
                }
                self.plan.set(plan);
            }
        }
        self.plan.get()
    }
}

/// While this lives, plans are made that look rows up by an index where there is one.
///
/// A plan is kept, and made for what the tables hold at that moment. While a table is empty and the server
/// knows it, reading all of it costs nothing: with such a plan, a session that goes on while the table fills
/// placed 1,800 holds a second on a calendar instead of 7,000, until the next ANALYZE.
///
/// Where there is none, the plan that reads all of a table is then taken for so expensive that the server would
/// compile it first, at each execution: some tenths of a second.
struct ByIndex {
    seqscan: bool,
    jit: bool,
}

impl ByIndex {
    fn prefer() -> Self {
        // SAFETY: settings of the planner's that only this thread reads and writes.
        unsafe {
            let before = Self { seqscan: pg_sys::enable_seqscan, jit: pg_sys::jit_enabled };
            pg_sys::enable_seqscan = false;
            pg_sys::jit_enabled = false;
            before
        }
    }
}

impl Drop for ByIndex {
    fn drop(&mut self) {
        // SAFETY: as above; reached after an error, too, since that unwinds.
        unsafe {
            pg_sys::enable_seqscan = self.seqscan;
            pg_sys::jit_enabled = self.jit;
        }
    }
}

/// Declares a statement: its name, the types of its parameters and its text.
macro_rules! statement {
    ($name:ident ($($type:ident),*) $text:expr) => {
        std::thread_local! {
            static $name: $crate::store::statement::Statement = const {
                $crate::store::statement::Statement::new(
                    match std::ffi::CStr::from_bytes_with_nul(concat!($text, "\0").as_bytes()) {
                        Ok(text) => text,
                        Err(_) => panic!("a statement holds no NUL"),
                    },
                    &[$(pgrx::pg_sys::$type),*],
                )
            };
        }
    };
}
pub(super) use statement;

/// Declares the columns that a row of some table is read with, once: `$columns!()` is the text of the select list, and
/// `$Column` names the number of each column in it.
macro_rules! select_list {
    ($columns:ident, $Column:ident: $first:ident $first_sql:literal $(, $name:ident $sql:literal)* $(,)?) => {
        macro_rules! $columns {
            () => {
                concat!($first_sql $(, ", ", $sql)*)
            };
        }

        #[derive(Clone, Copy)]
        enum $Column {
            $first = 1,
            $($name,)*
        }

        impl From<$Column> for i32 {
            fn from(column: $Column) -> Self {
                column as Self
            }
        }
    };
}
pub(super) use select_list;

/// A value for one of a statement's parameters.
#[derive(Clone, Copy)]
pub enum Argument<'a> {
    Bigint(Option<i64>),
    Integer(i32),
    Boolean(bool),
    Text(Option<&'a str>),
    Time(Option<Timestamp>),
    Uuid(Option<Uuid>),
    Jsonb(Option<pg_sys::Datum>),
    Texts(Option<&'a [&'a str]>),
    NullableTexts(&'a [Option<&'a str>]),
    Bigints(&'a [i64]),
    Integers(&'a [i32]),
    Uuids(&'a [Uuid]),
    NullableUuids(&'a [Option<Uuid>]),
    Times(&'a [Timestamp]),
    NullableTimes(&'a [Option<Timestamp>]),
    NullableBooleans(&'a [Option<bool>]),
    /// A time of the day.
    Clock(Option<Micros>),
    /// A time that passes.
    Span(Option<Micros>),
    Jsonbs(&'a [Option<pg_sys::Datum>]),
}

impl Argument<'_> {
    fn datum(&self) -> Option<pg_sys::Datum> {
        match *self {
            Self::Bigint(value) => value.map(pg_sys::Datum::from),
            Self::Integer(value) => Some(pg_sys::Datum::from(value)),
            Self::Boolean(value) => Some(pg_sys::Datum::from(value)),
            Self::Text(value) => value.and_then(IntoDatum::into_datum),
            Self::Time(value) => value.map(|time| pg_sys::Datum::from(time.micros())),
            Self::Uuid(value) => value.and_then(|id| uuid_of_pgrx(id).into_datum()),
            Self::Jsonb(value) => value,
            Self::Texts(texts) => texts.and_then(|texts| texts.to_vec().into_datum()),
            Self::NullableTexts(texts) => array_of(texts, || texts.to_vec().into_datum()),
            Self::Bigints(values) => values.to_vec().into_datum(),
            Self::Integers(values) => values.to_vec().into_datum(),
            Self::Uuids(ids) => ids.iter().copied().map(uuid_of_pgrx).collect::<Vec<_>>().into_datum(),
            Self::NullableUuids(ids) => {
                array_of(ids, || ids.iter().map(|id| id.map(uuid_of_pgrx)).collect::<Vec<_>>().into_datum())
            }
            Self::Times(times) => times.iter().copied().map(time_of_pgrx).collect::<Vec<_>>().into_datum(),
            Self::NullableTimes(times) => array_of(times, || {
                times.iter().map(|time| time.and_then(time_of_pgrx)).collect::<Vec<_>>().into_datum()
            }),
            Self::NullableBooleans(values) => array_of(values, || values.to_vec().into_datum()),
            Self::Clock(value) => value.map(pg_sys::Datum::from),
            Self::Span(value) => value.and_then(|span| Interval::new(0, 0, span).ok().into_datum()),
            Self::Jsonbs(values) => array_of(values, || Some(jsonb_array(values))),
        }
    }
}

/// None where all is null: beside other arrays, `unnest` makes the same of it, and building an array of nulls for each
/// column that a batch has no use for was a seventh of it.
fn array_of<T>(values: &[Option<T>], make: impl FnOnce() -> Option<pg_sys::Datum>) -> Option<pg_sys::Datum> {
    values.iter().any(Option::is_some).then(make).flatten()
}

/// An array of values that are jsonb already: pgrx would parse and print each.
fn jsonb_array(values: &[Option<pg_sys::Datum>]) -> pg_sys::Datum {
    let mut nulls = values.iter().map(Option::is_none).collect::<Vec<_>>();
    let mut values = values.iter().map(|value| value.unwrap_or(pg_sys::Datum::null())).collect::<Vec<_>>();
    let (mut length, mut lower) = (values.len() as c_int, 1);
    let align = pg_sys::TYPALIGN_INT as c_char;
    // SAFETY: as many values as null marks; the array is copied into the current memory.
    unsafe {
        let array = pg_sys::construct_md_array(
            values.as_mut_ptr(),
            nulls.as_mut_ptr(),
            1,
            &mut length,
            &mut lower,
            pg_sys::JSONBOID,
            -1,
            false,
            align,
        );
        pg_sys::Datum::from(array)
    }
}

fn time_of_pgrx(time: Timestamp) -> Option<TimestampWithTimeZone> {
    TimestampWithTimeZone::try_from(time.micros()).ok()
}

fn uuid_of_pgrx(id: Uuid) -> pgrx::Uuid {
    pgrx::Uuid::from_bytes(*id.as_bytes())
}

/// What a statement returned; readable while its session is open.
pub struct Rows<'s> {
    table: *mut pg_sys::SPITupleTable,
    count: usize,
    session: PhantomData<&'s Session>,
}

impl<'s> Rows<'s> {
    /// How many rows were returned or, without a RETURNING, written.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn first(&self) -> Option<Row<'s>> {
        self.iter().next()
    }

    pub fn iter(&self) -> impl Iterator<Item = Row<'s>> + use<'s> {
        let table = self.table;
        let count = if table.is_null() { 0 } else { self.count };
        (0..count).map(move |n| {
            // SAFETY: the table holds `count` tuples and lives as long as the session.
            unsafe { Row { tuple: *(*table).vals.add(n), columns: (*table).tupdesc, session: PhantomData } }
        })
    }
}

pub struct Row<'s> {
    tuple: pg_sys::HeapTuple,
    columns: pg_sys::TupleDesc,
    session: PhantomData<&'s Session>,
}

impl Row<'_> {
    /// The value in a column, counted from 1; none where it is null.
    pub fn get<T: Column>(&self, column: impl Into<i32>) -> Option<T> {
        let mut null = false;
        let column = column.into();
        // SAFETY: tuple and descriptor belong together and live as long as the session. Every
        // statement's text stands next to the code that reads its columns, with their types.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.columns, column, &mut null);
            (!null).then(|| T::read(datum))
        }
    }

    /// The value in a column that the schema declares not null.
    pub fn need<T: Column>(&self, column: impl Into<i32>) -> T {
        self.get(column).unwrap_or_else(|| Error::internal("null where the schema allows none").raise())
    }

    /// A value of variable length as it is, copied to where it outlives the session.
    pub fn copy_datum(&self, column: impl Into<i32>) -> Option<pg_sys::Datum> {
        let mut null = false;
        let column = column.into();
        // SAFETY: as in `get`; -1 is the length of every type of variable length.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.columns, column, &mut null);
            (!null).then(|| pg_sys::SPI_datumTransfer(datum, false, -1))
        }
    }
}

/// A type that a column can be read as.
pub trait Column: Sized {
    /// # Safety
    /// The datum is not null and of the SQL type that this Rust type stands for.
    unsafe fn read(datum: pg_sys::Datum) -> Self;
}

impl Column for i64 {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        datum.value() as Self
    }
}

impl Column for i32 {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        datum.value() as Self
    }
}

impl Column for bool {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        datum.value() as u8 != 0
    }
}

impl Column for Timestamp {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        Self::from_micros(datum.value() as i64)
    }
}

/// A time of the day, or an interval of no days and months, in microseconds.
pub struct Span(pub Micros);

impl Column for Span {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: an interval is a pointer to its parts.
        unsafe { Self((*datum.cast_mut_ptr::<pg_sys::Interval>()).time) }
    }
}

impl Column for String {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: a text of this server's; `from_datum` detoasts it and checks its encoding.
        unsafe { <Self as pgrx::FromDatum>::from_datum(datum, false) }.unwrap_or_default()
    }
}

impl Column for Vec<String> {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: an array of texts of this server's.
        unsafe { <Self as pgrx::FromDatum>::from_datum(datum, false) }.unwrap_or_default()
    }
}

impl Column for Uuid {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: a uuid is a pointer to 16 bytes.
        unsafe { Self::from_bytes(*datum.cast_mut_ptr::<[u8; 16]>()) }
    }
}
