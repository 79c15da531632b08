//! The answer of every verb: `booking.result`.

use crate::clock::Timestamp;
use crate::error::Error;
use crate::rules::Refusal;
use crate::rules::lifecycle::{Change, State};
use crate::rules::pool::Pool;
use crate::store::holds::StoredHold;
use crate::store::resources::Level;
use pgrx::JsonB;
use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::{Datum, IntoDatum};
use pgrx::pg_sys;
use serde_json::{Value, json};
use uuid::Uuid;

/// One `booking.result`: whether it was done, and where things stand now.
#[derive(Clone, Debug)]
pub struct Outcome {
    ok: bool,
    status: &'static str,
    hold_id: Option<Uuid>,
    expires_at: Option<Timestamp>,
    version: Option<i64>,
    available: Option<i64>,
    replayed: bool,
    detail: Option<Value>,
}

impl Refusal {
    /// The word for it in SQL.
    const fn status(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Expired => "expired",
            Self::AlreadyConfirmed => "already_confirmed",
            Self::NotConfirmed => "not_confirmed",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
            Self::VersionMismatch => "version_mismatch",
            Self::LimitExceeded => "limit_exceeded",
            Self::Closed => "closed",
        }
    }
}

impl Outcome {
    fn of(ok: bool, status: &'static str) -> Self {
        Self {
            ok,
            status,
            hold_id: None,
            expires_at: None,
            version: None,
            available: None,
            replayed: false,
            detail: None,
        }
    }

    /// A hold was placed.
    pub fn placed(id: Uuid, expires_at: Timestamp, level: Level) -> Self {
        Self {
            hold_id: Some(id),
            expires_at: Some(expires_at),
            version: Some(1),
            available: Some(level.available),
            ..Self::of(true, State::Held.name())
        }
    }

    /// A hold was confirmed in time.
    pub fn confirmed(id: Uuid, expires_at: Timestamp, version: i64) -> Self {
        Self {
            hold_id: Some(id),
            expires_at: Some(expires_at),
            version: Some(version),
            ..Self::of(true, State::Confirmed.name())
        }
    }

    /// A hold was changed.
    pub fn changed(stored: &StoredHold, change: &Change, level: Option<Level>) -> Self {
        Self {
            expires_at: Some(Timestamp::from_micros(change.expires_at)),
            version: Some(change.version),
            available: level.map(|level| level.available),
            ..Self::about(stored, true, change.state.name())
        }
    }

    /// A repeated call: the hold had come to stand there before.
    pub fn repeated(stored: &StoredHold, ok: bool, now: Timestamp) -> Self {
        Self { replayed: true, ..Self::standing(stored, ok, now) }
    }

    /// Where a hold stands.
    pub fn standing(stored: &StoredHold, ok: bool, now: Timestamp) -> Self {
        Self::about(stored, ok, stored.hold.standing(now.micros()).name())
    }

    /// A hold that the request was refused for.
    pub fn refused_hold(stored: &StoredHold, refusal: Refusal, now: Timestamp) -> Self {
        let state = stored.hold.standing(now.micros()).name();
        let detail = match refusal {
            Refusal::AlreadyConfirmed => Some(json!({"state": state, "reference": stored.hold.reference})),
            Refusal::NotConfirmed | Refusal::VersionMismatch | Refusal::LimitExceeded => {
                Some(json!({"state": state}))
            }
            _ => None,
        };
        Self { detail, ..Self::about(stored, false, refusal.status()) }
    }

    /// A resource that the request was refused for, at the version it has.
    pub fn refused_resource(refusal: Refusal, version: i64) -> Self {
        Self { version: Some(version), ..Self::of(false, refusal.status()) }
    }

    /// Not enough is left.
    pub fn unavailable(requested: i64, level: Level) -> Self {
        Self {
            available: Some(level.available),
            version: Some(level.version),
            detail: Some(json!({"requested": requested, "available": level.available})),
            ..Self::of(false, Refusal::Unavailable.status())
        }
    }

    /// What is taken does not fit in the capacity asked for; `available` could be given up.
    pub fn below_taken(capacity: i64, pool: &Pool) -> Self {
        Self {
            available: Some(pool.free()),
            version: Some(pool.version),
            detail: Some(json!({"requested": capacity, "taken": pool.taken})),
            ..Self::of(false, Refusal::Unavailable.status())
        }
    }

    /// The holder would have more than one may.
    pub fn limit_exceeded(level: Level, requested: i64, owned: i64, limit: Option<i64>) -> Self {
        Self {
            available: Some(level.available),
            version: Some(level.version),
            ..Self::over_limit(Self::of(false, Refusal::LimitExceeded.status()), requested, owned, limit)
        }
    }

    /// The holder of an expired hold has too much else by now.
    pub fn late_limit_exceeded(stored: &StoredHold, owned: i64, limit: Option<i64>) -> Self {
        let refused = Self::about(stored, false, Refusal::LimitExceeded.status());
        Self::over_limit(refused, stored.hold.quantity, owned, limit)
    }

    fn over_limit(refused: Self, requested: i64, owned: i64, limit: Option<i64>) -> Self {
        let detail = json!({"requested": requested, "owned": owned, "max_per_holder": limit});
        Self { detail: Some(detail), ..refused }
    }

    /// The key was used before, for something else.
    pub fn key_reused(stored: &StoredHold) -> Self {
        Self::about(stored, false, "key_reused")
    }

    pub fn busy() -> Self {
        Self::of(false, "busy")
    }

    pub fn not_found(id: Uuid) -> Self {
        Self { hold_id: Some(id), ..Self::of(false, "not_found") }
    }

    /// A resource's definition was changed, or (`replayed`) was so before.
    pub fn resource_changed(level: Level, replayed: bool) -> Self {
        Self {
            version: Some(level.version),
            available: Some(level.available),
            replayed,
            ..Self::of(true, "changed")
        }
    }

    pub fn resource_dropped(version: i64) -> Self {
        Self { version: Some(version), ..Self::of(true, "dropped") }
    }

    fn about(stored: &StoredHold, ok: bool, status: &'static str) -> Self {
        Self {
            hold_id: Some(stored.id),
            expires_at: Some(Timestamp::from_micros(stored.hold.expires_at)),
            version: Some(stored.hold.version),
            ..Self::of(ok, status)
        }
    }
}

impl Outcome {
    /// The columns of `booking.result`, in the order of `sql/schema.sql`.
    fn columns(self) -> [Option<pg_sys::Datum>; 9] {
        [
            self.ok.into_datum(),
            self.status.into_datum(),
            self.hold_id.and_then(|id| pgrx::Uuid::from_bytes(*id.as_bytes()).into_datum()),
            self.expires_at.map(|time| pg_sys::Datum::from(time.micros())),
            self.version.into_datum(),
            self.available.into_datum(),
            None,
            self.replayed.into_datum(),
            self.detail.and_then(|detail| JsonB(detail).into_datum()),
        ]
    }
}

pgrx::impl_sql_translatable!(Outcome, "booking.result");

#[allow(unsafe_code)]
// SAFETY: a composite datum of the type that the called function is declared to return.
unsafe impl BoxRet for Outcome {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the call frame is the running function's own.
        unsafe {
            let datum = self.into_tuple((*(*fcinfo.as_mut_ptr()).flinfo).fn_oid);
            fcinfo.return_raw_datum(datum)
        }
    }
}

impl Outcome {
    /// Forms the tuple by the descriptor in the type cache: looking the type up by its name, as a
    /// generic composite would, costs more than the rest of the answer.
    ///
    /// # Safety
    /// The function exists and returns `booking.result`.
    #[allow(unsafe_code)]
    unsafe fn into_tuple(self, function: pg_sys::Oid) -> pg_sys::Datum {
        // SAFETY: the descriptor is checked to have as many columns as there are values.
        unsafe {
            let descriptor = pg_sys::lookup_rowtype_tupdesc(pg_sys::get_func_rettype(function), -1);
            let columns = self.columns();
            if (*descriptor).natts as usize != columns.len() {
                Error::internal("booking.result is not as the extension made it").raise();
            }
            let mut nulls = columns.map(|column| column.is_none());
            let mut values = columns.map(|column| column.unwrap_or(pg_sys::Datum::null()));
            let tuple = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            if (*descriptor).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(descriptor);
            }
            pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data)
        }
    }
}

/// A row of `booking.resources`, as PostgreSQL formed it.
pub struct ResourceRow(pub pg_sys::Datum);

pgrx::impl_sql_translatable!(ResourceRow, "booking.resources");

#[allow(unsafe_code)]
// SAFETY: the datum came from the table that the declared type belongs to.
unsafe impl BoxRet for ResourceRow {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: copied into the memory of the calling expression before it got here.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}
