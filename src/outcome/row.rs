//! Turns answers into PostgreSQL rows.

use super::{LeaseOutcome, Outcome};
use crate::error::Error;
use crate::rules::timeline::Period;
use crate::server::clock::Timestamp;
use pgrx::JsonB;
use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::{Datum, IntoDatum, Range, RangeBound, TimestampWithTimeZone};
use pgrx::pg_sys;

impl Outcome {
    /// Returns the columns of `booking.result`, in the order of `sql/schema.sql`.
    fn columns(self) -> [Option<pg_sys::Datum>; 13] {
        [
            self.ok.into_datum(),
            self.status.into_datum(),
            self.hold_id.and_then(|id| pgrx::Uuid::from_bytes(*id.as_bytes()).into_datum()),
            self.resource.into_datum(),
            self.quantity.into_datum(),
            self.seats.into_datum(),
            self.during.and_then(range_datum),
            self.holder.into_datum(),
            self.expires_at.map(timestamp_datum),
            self.version.into_datum(),
            self.available.into_datum(),
            self.replayed.into_datum(),
            self.detail.and_then(|detail| JsonB(detail).into_datum()),
        ]
    }
}

fn timestamp_datum(time: Timestamp) -> pg_sys::Datum {
    pg_sys::Datum::from(time.micros())
}

/// Returns the period as a `tstzrange` that includes its beginning and excludes its end.
fn range_datum(period: Period) -> Option<pg_sys::Datum> {
    let time = |micros| TimestampWithTimeZone::try_from(micros).ok();
    let (from, to) = (time(period.from)?, time(period.to)?);
    Range::new(RangeBound::Inclusive(from), RangeBound::Exclusive(to)).into_datum()
}

pgrx::impl_sql_translatable!(Outcome, "booking.result");

#[allow(unsafe_code)]
// SAFETY: a composite datum of the type that the called function is declared to return.
unsafe impl BoxRet for Outcome {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the call frame is the running function's own.
        unsafe { return_row(self.columns(), fcinfo) }
    }
}

impl LeaseOutcome {
    /// Returns the columns of `booking.lease_result`, in the order of `sql/schema.sql`.
    fn columns(self) -> [Option<pg_sys::Datum>; 6] {
        [
            self.ok.into_datum(),
            self.status.into_datum(),
            self.name.into_datum(),
            self.holder.into_datum(),
            self.token.into_datum(),
            self.expires_at.map(timestamp_datum),
        ]
    }
}

pgrx::impl_sql_translatable!(LeaseOutcome, "booking.lease_result");

#[allow(unsafe_code)]
// SAFETY: a composite datum of the type that the called function is declared to return.
unsafe impl BoxRet for LeaseOutcome {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the call frame is the running function's own.
        unsafe { return_row(self.columns(), fcinfo) }
    }
}

/// Forms a row with the descriptor from the type cache. Looking the type up by name, as pgrx's composite types do,
/// costs more than the rest of the answer.
///
/// # Safety
/// The call frame must be that of a function that returns a composite type with these columns.
#[allow(unsafe_code)]
unsafe fn return_row<'fcx, const N: usize>(
    columns: [Option<pg_sys::Datum>; N],
    fcinfo: &mut FcInfo<'fcx>,
) -> Datum<'fcx> {
    // SAFETY: the number of columns is compared with that of the values before the row is formed.
    unsafe {
        let function = (*(*fcinfo.as_mut_ptr()).flinfo).fn_oid;
        let descriptor = pg_sys::lookup_rowtype_tupdesc(pg_sys::get_func_rettype(function), -1);
        if (*descriptor).natts as usize != N {
            Error::internal("a result type does not have the columns that the extension created").raise();
        }
        let mut nulls = columns.map(|column| column.is_none());
        let mut values = columns.map(|column| column.unwrap_or(pg_sys::Datum::null()));
        let tuple = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        if (*descriptor).tdrefcount >= 0 {
            pg_sys::DecrTupleDescRefCount(descriptor);
        }
        fcinfo.return_raw_datum(pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data))
    }
}

/// A row of `booking.resources`, as a statement returned it.
pub struct ResourceRow(pub pg_sys::Datum);

pgrx::impl_sql_translatable!(ResourceRow, "booking.resources");

#[allow(unsafe_code)]
// SAFETY: the datum is a row of the table that the declared type belongs to.
unsafe impl BoxRet for ResourceRow {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the datum was copied into the memory of the calling expression before.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}
