//! One SQL statement: its text, its kept plan and its rows, and the SPI connection that it runs on. The values
//! that go in and come out are in `values`.
//!
//! The extension does not use pgrx's own SPI client, for three reasons. The client runs a statement as read-only
//! until the transaction has written, and a read-only statement takes no snapshot of its own: it would not see
//! what was committed while the caller waited for a lock. The client's writing form assigns a transaction id,
//! which a standby cannot do. And PostgreSQL frees what the client has read only when the transaction ends, while
//! a [`Session`] frees its rows when it is dropped.
#![allow(unsafe_code)]

use crate::error::Error;
use crate::server::search_path::PinnedPath;
use crate::server::{backend, installed};
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};
use std::marker::PhantomData;
use std::ptr;

pub use super::values::{Argument, Column, Span};

/// An open connection to PostgreSQL's server programming interface (SPI). Dropping it closes the connection. From the
/// first statement on, the search path is pinned.
pub struct Session {
    path: PinnedPath,
    not_send: PhantomData<*mut ()>,
}

impl Session {
    /// Opens a connection for a verb that writes resources and holds, as [`to_write_leases`](Self::to_write_leases)
    /// does, and locks these tables for it.
    ///
    /// These are the first locks of a verb. Some verbs look at a hold before they know which resource to lock. If they
    /// locked the table only to read it, an ALTER TABLE that asks for it in between would wait for them, and they for
    /// it once they write: a deadlock. The same would happen if the transaction that has the resource had yet to lock
    /// the table.
    pub fn to_write(verb: &'static CStr) -> Self {
        let session = Self::to_write_leases(verb);
        backend::table_to_write(c"resources");
        backend::table_to_write(c"holds");
        session
    }

    /// Opens a connection for a verb that writes leases. Raises 25006 in a read-only transaction and on a standby,
    /// before the verb asks for a lock, which a standby cannot grant.
    pub fn to_write_leases(verb: &'static CStr) -> Self {
        // SAFETY: reads the transaction's state; raises an error if the transaction may not write.
        unsafe { pg_sys::PreventCommandIfReadOnly(verb.as_ptr()) };
        Self::open()
    }

    /// Opens a connection for a function that only reads. Raises 55000 if the extension in this database has another
    /// version than the library, whose statements are for its own tables.
    pub fn open() -> Self {
        installed::check();
        // SAFETY: called in a backend, inside a transaction; the drop below is its counterpart.
        unsafe { pg_sys::SPI_connect() };
        Self { path: PinnedPath::default(), not_send: PhantomData }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: while a value of this type lives, the connection that it opened is the current one. Without an
        // open connection, SPI_finish only returns an error code.
        unsafe { pg_sys::SPI_finish() };
    }
}

/// A statement. Its first use in a database session makes the plan, which is kept until that session ends.
///
/// The plan is a generic one, for all arguments. Otherwise PostgreSQL would plan each call again if its arguments
/// make another plan look cheaper, as an array of two labels does: that is a fifth of the time of a hold on two
/// seats.
///
/// When a table that the statement names has changed, PostgreSQL makes the plan again by itself, so the extension
/// can be dropped and created again in one session. The `statement!` macro keeps each statement in a thread-local,
/// because a plan must not be used from another thread.
pub struct Statement {
    text: &'static CStr,
    types: &'static [pg_sys::Oid],
    plan: Cell<pg_sys::SPIPlanPtr>,
}

impl Statement {
    /// Declares a statement, which its first use plans.
    pub const fn new(text: &'static CStr, types: &'static [pg_sys::Oid]) -> Self {
        Self { text, types, plan: Cell::new(ptr::null_mut()) }
    }

    /// Runs the statement with a snapshot that it takes now, so that it sees what was committed while the caller
    /// waited for a lock. In REPEATABLE READ and above, it runs with the transaction's snapshot instead.
    pub fn run<'s>(&self, session: &'s Session, arguments: &[Argument]) -> Rows<'s> {
        self.execute(session, arguments, ptr::null_mut())
    }

    /// Runs the statement with a snapshot that it takes now, in REPEATABLE READ and above as well.
    pub fn run_now<'s>(&self, session: &'s Session, arguments: &[Argument]) -> Rows<'s> {
        // SAFETY: the execution registers this snapshot and pushes it.
        self.execute(session, arguments, unsafe { pg_sys::GetLatestSnapshot() })
    }

    fn execute<'s>(
        &self,
        session: &'s Session,
        arguments: &[Argument],
        snapshot: pg_sys::Snapshot,
    ) -> Rows<'s> {
        // A kept plan is made again if the path is another than when it was made.
        session.path.pin();
        debug_assert_eq!(arguments.len(), self.types.len());
        const MAX_PARAMETERS: usize = 16;
        let mut values = [pg_sys::Datum::null(); MAX_PARAMETERS];
        let mut nulls = [b' ' as c_char; MAX_PARAMETERS];
        for (n, argument) in arguments.iter().enumerate() {
            match argument.datum() {
                Some(datum) => values[n] = datum,
                None => nulls[n] = b'n' as c_char,
            }
        }
        let _by_index = ByIndex::prefer();
        // SAFETY: a connection is open (the session proves it), the plan is kept, and the arrays hold a value for
        // each of the plan's parameters.
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
            // SAFETY: called only from `execute`, where a connection is open. PostgreSQL copies the types.
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

/// While a value of this type lives, the planner uses an index wherever one fits.
///
/// PostgreSQL plans a statement for what the tables contain at that moment, and the plan is then kept. While a
/// table is empty, a sequential scan looks cheapest: with such a plan, a session that went on while the table grew
/// placed 1,800 holds a second on a calendar instead of 7,000, until the next ANALYZE.
///
/// JIT is off meanwhile as well. A plan for which no index fits counts as very expensive while `enable_seqscan` is
/// off, so that PostgreSQL would compile it at each execution, which takes some tenths of a second.
struct ByIndex {
    seqscan: bool,
    jit: bool,
}

impl ByIndex {
    fn prefer() -> Self {
        // SAFETY: two settings of the planner, which only this thread reads and writes.
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
        // SAFETY: as in `prefer`. An error unwinds, so this runs after an error as well.
        unsafe {
            pg_sys::enable_seqscan = self.seqscan;
            pg_sys::jit_enabled = self.jit;
        }
    }
}

/// Declares a [`Statement`]: its name, the types of its parameters and its text.
macro_rules! statement {
    ($visible:vis $name:ident ($($type:ident),*) $text:expr) => {
        std::thread_local! {
            $visible static $name: $crate::store::statement::Statement = const {
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

/// Declares the columns with which the code reads a row of one table, in one place: `$columns!()` is the text of
/// the select list, and the enum `$Column` names the number of each column in it.
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

/// The rows that a statement returned, readable while its session is open.
pub struct Rows<'s> {
    table: *mut pg_sys::SPITupleTable,
    count: usize,
    session: PhantomData<&'s Session>,
}

impl<'s> Rows<'s> {
    /// Returns how many rows the statement returned or, without a RETURNING, wrote.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns `None` if there is no row.
    pub fn first(&self) -> Option<Row<'s>> {
        self.iter().next()
    }

    /// Returns the rows in the order of the statement; none if it wrote rows without a RETURNING.
    pub fn iter(&self) -> impl Iterator<Item = Row<'s>> + use<'s> {
        let table = self.table;
        let count = if table.is_null() { 0 } else { self.count };
        (0..count).map(move |n| {
            // SAFETY: the table has `count` tuples and lives as long as the session.
            unsafe { Row { tuple: *(*table).vals.add(n), columns: (*table).tupdesc, session: PhantomData } }
        })
    }
}

/// One of the rows that a statement returned.
pub struct Row<'s> {
    tuple: pg_sys::HeapTuple,
    columns: pg_sys::TupleDesc,
    session: PhantomData<&'s Session>,
}

impl Row<'_> {
    /// Reads the value in a column, counted from 1. Returns `None` if it is null.
    pub fn get<T: Column>(&self, column: impl Into<i32>) -> Option<T> {
        let mut null = false;
        let column = column.into();
        // SAFETY: the tuple and the descriptor belong together and live as long as the session. The text of every
        // statement stands next to the code that reads its columns, so that their types agree.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.columns, column, &mut null);
            (!null).then(|| T::read(datum))
        }
    }

    /// Reads the value in a column that cannot be null. Raises an internal error if it is null.
    pub fn need<T: Column>(&self, column: impl Into<i32>) -> T {
        self.get(column).unwrap_or_else(|| Error::internal("a column that cannot be null is null").raise())
    }

    /// Copies the value in a column, of a type of variable length, to memory that outlives the session. Returns
    /// `None` if it is null.
    pub fn copy_datum(&self, column: impl Into<i32>) -> Option<pg_sys::Datum> {
        let mut null = false;
        let column = column.into();
        // SAFETY: as in `get`; PostgreSQL gives every type of variable length the length -1.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.columns, column, &mut null);
            (!null).then(|| pg_sys::SPI_datumTransfer(datum, false, -1))
        }
    }
}
