//! Arguments: what is needed is there, and what is there makes sense.

use crate::error::Error;
use crate::rules::Micros;
use crate::rules::lifecycle::Late;
use crate::settings;
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::{Array, Interval, Range, TimestampWithTimeZone};
use pgrx::pg_sys;
use uuid::Uuid;

/// The longest name, key, holder or reference, in characters.
const MAX_NAME: usize = 255;
/// The largest metadata, in bytes as PostgreSQL stores it.
const MAX_METADATA: usize = 8192;
/// Capacity and overbooking: half of what a bigint holds, so that their sum is one.
const MAX_CAPACITY: i64 = i64::MAX / 2;

/// A jsonb passed on as it is: parsing it would cost more than the rest of the call, and would
/// change its numbers.
#[derive(Clone, Copy)]
pub struct Jsonb(pg_sys::Datum);

pgrx::impl_sql_translatable!(Jsonb, "jsonb");

#[allow(unsafe_code)]
// SAFETY: the datum is only handed back to PostgreSQL as the jsonb that it is.
unsafe impl<'fcx> ArgAbi<'fcx> for Jsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: detoasted into the memory of the call.
        unsafe {
            let datum: pg_sys::Datum =
                arg.unbox_arg_using_from_datum::<pg_sys::Datum>().unwrap_or(pg_sys::Datum::null());
            Self(pg_sys::Datum::from(pg_sys::pg_detoast_datum(datum.cast_mut_ptr())))
        }
    }
}

impl Jsonb {
    /// Equal values have equal bytes: jsonb is stored in a canonical form.
    #[allow(unsafe_code)]
    fn bytes(&self) -> &[u8] {
        // SAFETY: a detoasted value, which lives as long as the call.
        unsafe { pgrx::varlena_to_byte_slice(self.0.cast_mut_ptr()) }
    }
}

/// The arguments that other kinds of resources take, where a verb meets a pool.
pub fn no_seats(seats: &Option<Array<&str>>) -> Result<(), Error> {
    refuse_for_pool(seats.is_some(), "seats")
}

pub fn no_period(during: &Option<Range<TimestampWithTimeZone>>) -> Result<(), Error> {
    refuse_for_pool(during.is_some(), "during")
}

fn refuse_for_pool(given: bool, argument: &str) -> Result<(), Error> {
    if given {
        return Err(Error::invalid(format!("argument \"{argument}\" is not for a pool"))
            .hint("A pool counts places and tells neither them nor periods apart."));
    }
    Ok(())
}

/// A value that must be given.
pub fn need<T>(value: Option<T>, argument: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::null(argument))
}

/// A name, key, holder or reference.
pub fn name<'a>(value: Option<&'a str>, argument: &str) -> Result<Option<&'a str>, Error> {
    match value {
        Some("") => Err(Error::invalid(format!("argument \"{argument}\" must not be empty"))),
        // A character is a byte at least, so that only a long one has to be counted.
        Some(text) if text.len() > MAX_NAME && text.chars().count() > MAX_NAME => Err(Error::invalid(
            format!("argument \"{argument}\" must not be longer than {MAX_NAME} characters"),
        )),
        value => Ok(value),
    }
}

/// The resource that a verb is about.
pub fn resource(value: Option<&str>) -> Result<&str, Error> {
    need(name(value, "resource")?, "resource")
}

/// How much, where given.
pub fn quantity(value: Option<i64>) -> Result<Option<i64>, Error> {
    match value {
        Some(quantity) if quantity < 1 => {
            Err(Error::invalid("quantity must be at least 1").detail(format!("It was {quantity}.")))
        }
        value => Ok(value),
    }
}

/// A time to live; the default where none is given.
pub fn ttl(value: Option<Interval>) -> Result<Micros, Error> {
    let longest = settings::max_ttl();
    let Some(interval) = value else {
        return Ok(settings::default_ttl().min(longest));
    };
    match Micros::try_from(interval.as_micros()) {
        Ok(micros) if micros <= 0 => Err(Error::invalid("ttl must be longer than nothing")),
        Ok(micros) if micros <= longest => Ok(micros),
        _ => Err(Error::invalid("ttl is longer than allowed")
            .detail(format!("booking.max_ttl allows {}.", settings::max_ttl_shown()))
            .hint("Ask for less, or have booking.max_ttl raised.")),
    }
}

/// An age, counted back from now; the setting's where none is given.
pub fn age(value: Option<Interval>) -> Result<Micros, Error> {
    match value.map(|interval| Micros::try_from(interval.as_micros())) {
        None => Ok(settings::retention()),
        Some(Ok(micros)) if micros >= 0 => Ok(micros),
        Some(_) => Err(Error::invalid("older_than must not be negative or endless")),
    }
}

/// How many rows at the most.
pub fn bound(value: Option<i32>, argument: &str) -> Result<i64, Error> {
    match need(value, argument)? {
        bound if bound < 1 => Err(Error::invalid(format!("argument \"{argument}\" must be at least 1"))),
        bound => Ok(bound.into()),
    }
}

/// A capacity or an overbooking.
pub fn capacity(value: Option<i64>, argument: &str) -> Result<i64, Error> {
    match need(value, argument)? {
        capacity if capacity < 0 => {
            Err(Error::invalid(format!("argument \"{argument}\" must not be negative")))
        }
        capacity if capacity > MAX_CAPACITY => {
            Err(Error::invalid(format!("argument \"{argument}\" must not be more than {MAX_CAPACITY}")))
        }
        capacity => Ok(capacity),
    }
}

/// A limit for each holder, where given.
pub fn limit(value: Option<i64>) -> Result<Option<i64>, Error> {
    match value {
        Some(limit) if limit < 1 => Err(Error::invalid("max_per_holder must be at least 1")
            .hint("Leave it out for no limit, or close the pool with booking.set_open(resource, false).")),
        value => Ok(value),
    }
}

/// How a pool stands up to many at once.
pub fn contention(value: Option<&str>) -> Result<&str, Error> {
    match need(value, "contention")? {
        "locked" => Ok("locked"),
        "escrow" => Err(Error::unsupported("escrow pools are not available in this version")
            .hint("Use contention => 'locked'.")),
        other => Err(Error::invalid(format!("contention \"{other}\" is not known")).hint("It is 'locked'.")),
    }
}

/// What a late confirmation does.
pub fn late(value: Option<&str>) -> Result<Late, Error> {
    match need(value, "late")? {
        "refuse" => Ok(Late::Refuse),
        "reacquire" => Ok(Late::Reacquire),
        other => {
            Err(Error::invalid(format!("late \"{other}\" is not known"))
                .hint("It is 'refuse' or 'reacquire'."))
        }
    }
}

/// Metadata of a bearable size.
pub fn metadata(value: Option<Jsonb>) -> Result<Option<pg_sys::Datum>, Error> {
    match value {
        Some(json) if json.bytes().len() > MAX_METADATA => {
            Err(Error::limit(format!("metadata is larger than {MAX_METADATA} bytes"))
                .hint("Keep what is large in a table of your own, and the hold's id with it."))
        }
        value => Ok(value.map(|json| json.0)),
    }
}

/// What a key stands for: another request under the same key is told apart by it. Every part is
/// written with its length before it, so that no two requests read the same.
pub fn fingerprint(
    quantity: i64,
    ttl: Option<&Interval>,
    holder: Option<&str>,
    metadata: Option<&Jsonb>,
) -> Uuid {
    let mut request = Vec::with_capacity(128);
    let mut part = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => {
            request.extend((bytes.len() as i64).to_be_bytes());
            request.extend(bytes);
        }
        None => request.extend((-1_i64).to_be_bytes()),
    };
    part(Some(&quantity.to_be_bytes()));
    part(ttl.map(|ttl| ttl.as_micros().to_be_bytes()).as_ref().map(<[u8; 16]>::as_slice));
    part(holder.map(str::as_bytes));
    part(metadata.map(Jsonb::bytes));
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &request)
}
