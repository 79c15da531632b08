//! The values of a statement: the arguments that go into its parameters, and the types that its columns are read
//! as. The statement itself, its plan and its rows are in `statement`.
#![allow(unsafe_code)]

use crate::rules::Micros;
use crate::server::clock::Timestamp;
use pgrx::datum::{Interval, IntoDatum, TimestampWithTimeZone};
use pgrx::pg_sys;
use std::ffi::{c_char, c_int};
use uuid::Uuid;

/// A value for one of a statement's parameters. `None` is null.
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
    /// A time of the day, in microseconds since midnight.
    Clock(Option<Micros>),
    /// An interval without months and days, in microseconds.
    Span(Option<Micros>),
    Jsonbs(&'a [Option<pg_sys::Datum>]),
}

impl Argument<'_> {
    /// Makes the datum. Returns `None` for null.
    pub(super) fn datum(&self) -> Option<pg_sys::Datum> {
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

/// Makes an array. Returns `None`, a null instead of an array, if all of its values are null: beside other arrays,
/// `unnest` returns the same rows for both. To build an array of nulls for each column that a batch does not use
/// took a seventh of the batch's time.
fn array_of<T>(values: &[Option<T>], make: impl FnOnce() -> Option<pg_sys::Datum>) -> Option<pg_sys::Datum> {
    values.iter().any(Option::is_some).then(make).flatten()
}

/// Makes an array of values that are jsonb already. pgrx would print and parse each of them.
fn jsonb_array(values: &[Option<pg_sys::Datum>]) -> pg_sys::Datum {
    let mut nulls = values.iter().map(Option::is_none).collect::<Vec<_>>();
    let mut values = values.iter().map(|value| value.unwrap_or(pg_sys::Datum::null())).collect::<Vec<_>>();
    let (mut length, mut lower) = (values.len() as c_int, 1);
    let align = pg_sys::TYPALIGN_INT as c_char;
    // SAFETY: there are as many null marks as values; PostgreSQL copies the values into the current memory
    // context.
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

/// A type as which a column can be read.
pub trait Column: Sized {
    /// Reads a datum.
    ///
    /// # Safety
    /// The datum is not null, and its SQL type is the one that this Rust type stands for.
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

/// An interval without months and days, in microseconds.
pub struct Span(pub Micros);

impl Column for Span {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: the datum of an interval is a pointer to its fields.
        unsafe { Self((*datum.cast_mut_ptr::<pg_sys::Interval>()).time) }
    }
}

/// A period, from its beginning to its end.
pub struct Range(pub Timestamp, pub Timestamp);

impl Column for Range {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        let (mut from, mut to) = (pg_sys::RangeBound::default(), pg_sys::RangeBound::default());
        let mut is_empty = false;
        // SAFETY: the datum is a tstzrange of this server, which the server unpacks and takes apart. Both bounds are
        // there, because the code writes no others.
        unsafe {
            let kind = pg_sys::lookup_type_cache(pg_sys::TSTZRANGEOID, pg_sys::TYPECACHE_RANGE_INFO as c_int);
            let range = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
            pg_sys::range_deserialize(kind, range, &mut from, &mut to, &mut is_empty);
            Self(Timestamp::read(from.val), Timestamp::read(to.val))
        }
    }
}

impl Column for String {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: the datum is a text of this server; `from_datum` detoasts it and checks its encoding.
        unsafe { <Self as pgrx::FromDatum>::from_datum(datum, false) }.unwrap_or_default()
    }
}

impl Column for Vec<String> {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: the datum is an array of texts of this server.
        unsafe { <Self as pgrx::FromDatum>::from_datum(datum, false) }.unwrap_or_default()
    }
}

impl Column for Uuid {
    unsafe fn read(datum: pg_sys::Datum) -> Self {
        // SAFETY: the datum of a uuid is a pointer to 16 bytes.
        unsafe { Self::from_bytes(*datum.cast_mut_ptr::<[u8; 16]>()) }
    }
}
