//! The columns of a table by their names, each with its SQL type, and the values that are read and written.
#![allow(unsafe_code)]

use crate::server::clock::Timestamp;
use crate::store::values::{Argument, Column as Value, Range, Span};
use pgrx::pg_sys;
use std::ffi::CStr;
use std::marker::PhantomData;

/// The name of a column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeName {
    /// A type of the server.
    Server(pg_sys::Oid),
    /// A domain of the extension's schema, and the type that it is a domain over.
    Domain(&'static CStr, pg_sys::Oid),
    /// An enum of the extension's schema, and those of its labels that the code reads or writes.
    Enum(&'static CStr, &'static [&'static str]),
}

/// The SQL type of a column.
pub trait ColumnType {
    const NAME: TypeName;
}

/// An SQL type that is read as a type of Rust.
pub trait Readable: ColumnType {
    type Read: Value;
}

macro_rules! column_types {
    ($($name:ident $sql:expr $(, $read:ty)?;)*) => {$(
        #[derive(Clone, Copy)]
        pub struct $name;
        impl ColumnType for $name {
            const NAME: TypeName = $sql;
        }
        $(impl Readable for $name {
            type Read = $read;
        })?
    )*};
}

column_types! {
    Uuid TypeName::Server(pg_sys::UUIDOID), uuid::Uuid;
    Text TypeName::Server(pg_sys::TEXTOID), String;
    Texts TypeName::Server(pg_sys::TEXTARRAYOID), Vec<String>;
    Bigint TypeName::Server(pg_sys::INT8OID), i64;
    Integer TypeName::Server(pg_sys::INT4OID), i32;
    Boolean TypeName::Server(pg_sys::BOOLOID), bool;
    Time TypeName::Server(pg_sys::TIMESTAMPTZOID), Timestamp;
    Period TypeName::Server(pg_sys::TSTZRANGEOID), Range;
    Interval TypeName::Server(pg_sys::INTERVALOID), Span;
    Clock TypeName::Server(pg_sys::TIMEOID), i64;
    Jsonb TypeName::Server(pg_sys::JSONBOID);
    Amount TypeName::Domain(c"amount", pg_sys::INT8OID), i64;
    Quantity TypeName::Domain(c"quantity", pg_sys::INT8OID), i64;
    HoldState TypeName::Enum(c"hold_state", &["held", "confirmed", "released", "cancelled", "expired"]);
    ResourceKind TypeName::Enum(c"resource_kind", &["pool", "seats", "calendar"]);
    Contention TypeName::Enum(c"contention", &["locked", "escrow", "auto"]);
}

/// A column of a table.
#[derive(Clone, Copy)]
pub struct Column<T> {
    /// Its position in the table, from 0.
    position: usize,
    kind: PhantomData<T>,
}

impl<T> Column<T> {
    /// Names the column in a position. The macro `table!` counts the positions.
    pub const fn new(position: usize) -> Self {
        Self { position, kind: PhantomData }
    }

    /// No value in this column.
    pub const fn null<'a>(self) -> Set<'a> {
        self.set(Given::Value(Argument::Bigint(None)))
    }

    const fn set(self, value: Given<'_>) -> Set<'_> {
        Set { position: self.position, value }
    }
}

/// A value for a column: of a row that is written, or of the key by which one is found.
#[derive(Clone, Copy)]
pub struct Set<'a> {
    pub position: usize,
    pub value: Given<'a>,
}

/// A value, or the label of an enum, whose number differs from database to database.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    Value(Argument<'a>),
    Label(&'static str),
}

/// Returns the columns that get values, a bit for each.
pub fn columns_set(values: &[Set]) -> u64 {
    values.iter().fold(0, |bits, set| bits | 1 << set.position)
}

impl Column<Uuid> {
    pub fn is<'a>(self, value: impl Into<Option<uuid::Uuid>>) -> Set<'a> {
        self.set(Given::Value(Argument::Uuid(value.into())))
    }
}

impl Column<Text> {
    pub fn is<'a>(self, value: impl Into<Option<&'a str>>) -> Set<'a> {
        self.set(Given::Value(Argument::Text(value.into())))
    }
}

impl Column<Texts> {
    pub fn is<'a>(self, value: impl Into<Option<&'a [&'a str]>>) -> Set<'a> {
        self.set(Given::Value(Argument::Texts(value.into())))
    }
}

impl Column<Integer> {
    pub fn is<'a>(self, value: i32) -> Set<'a> {
        self.set(Given::Value(Argument::Integer(value)))
    }
}

impl Column<Boolean> {
    pub fn is<'a>(self, value: bool) -> Set<'a> {
        self.set(Given::Value(Argument::Boolean(value)))
    }
}

impl Column<Bigint> {
    pub fn is<'a>(self, value: i64) -> Set<'a> {
        self.set(Given::Value(Argument::Bigint(Some(value))))
    }
}

impl Column<Quantity> {
    pub fn is<'a>(self, value: i64) -> Set<'a> {
        self.set(Given::Value(Argument::Bigint(Some(value))))
    }
}

impl Column<Time> {
    pub fn is<'a>(self, value: impl Into<Option<Timestamp>>) -> Set<'a> {
        self.set(Given::Value(Argument::Time(value.into())))
    }
}

impl Column<Jsonb> {
    pub fn is<'a>(self, value: Option<pg_sys::Datum>) -> Set<'a> {
        self.set(Given::Value(Argument::Jsonb(value)))
    }
}

impl Column<HoldState> {
    pub fn is<'a>(self, label: &'static str) -> Set<'a> {
        self.set(Given::Label(label))
    }
}

/// The numbers by which a database knows the labels of enums: the column, the label and its number.
#[derive(Default)]
pub struct Labels(pub Vec<(usize, &'static str, pg_sys::Datum)>);

impl Labels {
    /// Returns the number of a label in a column.
    pub fn number(&self, position: usize, label: &str) -> Option<pg_sys::Datum> {
        let mut all = self.0.iter();
        all.find(|(at, name, _)| *at == position && *name == label).map(|(_, _, number)| *number)
    }

    /// Makes the datum of a value. Returns `None` for null.
    pub fn datum(&self, set: &Set) -> Option<pg_sys::Datum> {
        match set.value {
            Given::Value(argument) => argument.datum(),
            Given::Label(label) => self.number(set.position, label),
        }
    }
}

/// A table's name and columns, as the extension creates it.
#[derive(Clone, Copy)]
pub struct Definition {
    pub name: &'static CStr,
    pub columns: &'static [(&'static str, TypeName)],
}

/// A row that was found.
pub struct Row<'t> {
    slot: *mut pg_sys::TupleTableSlot,
    labels: &'t Labels,
}

impl<'t> Row<'t> {
    /// Reads the row in a slot.
    ///
    /// # Safety
    /// The slot must hold a row of a table whose columns have been compared with their definition, as long as this
    /// value lives.
    pub unsafe fn in_slot(slot: *mut pg_sys::TupleTableSlot, labels: &'t Labels) -> Self {
        // SAFETY: the caller vouches for the slot.
        unsafe { pg_sys::slot_getallattrs(slot) };
        Self { slot, labels }
    }

    fn datum(&self, position: usize) -> Option<pg_sys::Datum> {
        // SAFETY: the table has this column, and the slot has read all of them.
        unsafe {
            let is_null = *(*self.slot).tts_isnull.add(position);
            (!is_null).then(|| *(*self.slot).tts_values.add(position))
        }
    }

    /// Reads a value. Returns `None` if it is null.
    pub fn get<T: Readable>(&self, column: Column<T>) -> Option<T::Read> {
        // SAFETY: the type of the table's column was compared with the one that is read here.
        self.datum(column.position).map(|datum| unsafe { T::Read::read(datum) })
    }

    /// Returns whether a value is null, of whichever type it is.
    pub fn is_null<T>(&self, column: Column<T>) -> bool {
        self.datum(column.position).is_none()
    }

    /// Reads the label of an enum. Returns `None` if the value is null, or a label that the extension does not know.
    pub fn label<T: ColumnType>(&self, column: Column<T>) -> Option<&'static str> {
        let datum = self.datum(column.position)?;
        let mut all = self.labels.0.iter();
        all.find(|(at, _, number)| *at == column.position && *number == datum).map(|(_, label, _)| *label)
    }

    /// Returns whether the value is the label of an enum.
    pub fn is_label<T: ColumnType>(&self, column: Column<T>, label: &str) -> bool {
        self.label(column) == Some(label)
    }
}
