//! Reads the arguments of verbs: raises an error if one is missing or out of its bounds, and turns the others into
//! the types of [`crate::request`].

use crate::error::Error;
use crate::limits::{MAX_CAPACITY, MAX_METADATA, MAX_NAME, MAX_SEATS};
use crate::request::{Placement, Want, When};
use crate::rules::Micros;
use crate::rules::lifecycle::Late;
use crate::rules::pool::Contention;
use crate::rules::timeline::Period;
use crate::server::settings;
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::{Array, Interval, IntoDatum};
use pgrx::pg_sys;
use serde_json::Value;
use uuid::Uuid;

/// A jsonb that is passed on unparsed. Parsing it would cost more than the rest of the call, and would change its
/// numbers.
#[derive(Clone, Copy)]
pub struct Jsonb(pg_sys::Datum);

pgrx::impl_sql_translatable!(Jsonb, "jsonb");

#[allow(unsafe_code)]
// SAFETY: the datum is a jsonb, and is only given back to PostgreSQL as one.
unsafe impl<'fcx> ArgAbi<'fcx> for Jsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the copy is detoasted into the memory of the call.
        unsafe {
            let datum: pg_sys::Datum =
                arg.unbox_arg_using_from_datum::<pg_sys::Datum>().unwrap_or(pg_sys::Datum::null());
            Self(pg_sys::Datum::from(pg_sys::pg_detoast_datum(datum.cast_mut_ptr())))
        }
    }
}

impl Jsonb {
    /// Returns the value as JSON text.
    #[allow(unsafe_code)]
    fn text(&self) -> String {
        let length = self.bytes().len() as i32;
        // SAFETY: the jsonb is detoasted; PostgreSQL allocates the text in the memory of the call.
        unsafe {
            let json: *mut pg_sys::Jsonb = self.0.cast_mut_ptr();
            let text = pg_sys::JsonbToCString(std::ptr::null_mut(), &mut (*json).root, length);
            std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }

    pub fn value(&self) -> Result<Value, Error> {
        serde_json::from_str(&self.text()).map_err(|error| Error::invalid(format!("malformed JSON: {error}")))
    }

    pub fn of(value: &Value) -> Option<Self> {
        pgrx::JsonB(value.clone()).into_datum().map(Self)
    }

    /// Returns the stored bytes. Equal values have equal bytes, since jsonb is stored in a canonical form.
    #[allow(unsafe_code)]
    fn bytes(&self) -> &[u8] {
        // SAFETY: the value is detoasted and lives as long as the call.
        unsafe { pgrx::varlena_to_byte_slice(self.0.cast_mut_ptr()) }
    }
}

/// A time of day, in microseconds. 24:00, the end of a day, is kept: pgrx's own type would read it as 00:00.
#[derive(Clone, Copy)]
pub struct TimeOfDay(pub Micros);

pgrx::impl_sql_translatable!(TimeOfDay, "time");

#[allow(unsafe_code)]
// SAFETY: PostgreSQL stores a time as a number of microseconds.
unsafe impl<'fcx> ArgAbi<'fcx> for TimeOfDay {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: as above.
        Self(unsafe { arg.unbox_arg_using_from_datum::<Micros>().unwrap_or_default() })
    }
}

/// Reads the seats of one hold. Returns `None` if the argument is null.
pub fn seats<'a>(value: &'a Option<Array<'_, &str>>) -> Result<Option<Vec<&'a str>>, Error> {
    labels(value)?.map(seats_of_hold).transpose()
}

/// Reads labels of seats. Returns `None` if the argument is null.
pub fn labels<'a>(value: &'a Option<Array<'_, &str>>) -> Result<Option<Vec<&'a str>>, Error> {
    let Some(array) = value else { return Ok(None) };
    let labels: Option<Vec<&str>> = array.iter().collect();
    labels.ok_or_else(|| Error::null("seats")).and_then(distinct).map(Some)
}

/// Sorts labels. Raises 22023 if one is named twice.
pub fn distinct(mut labels: Vec<&str>) -> Result<Vec<&str>, Error> {
    labels.sort_unstable();
    match labels.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::invalid(format!("seat \"{}\" is named twice", pair[0]))),
        None if labels.is_empty() => Err(Error::invalid("argument \"seats\" must not be empty")),
        None => Ok(labels),
    }
}

/// Raises 54000 if one hold would have too many seats.
pub fn seats_of_hold(labels: Vec<&str>) -> Result<Vec<&str>, Error> {
    if labels.len() > MAX_SEATS {
        return Err(Error::limit(format!("more than {MAX_SEATS} seats in one hold"))
            .hint("Place several holds, or a basket with booking.hold_all(items)."));
    }
    Ok(labels)
}

/// Reads what a hold wants: the seats, or the quantity (1 by default), for the period if one is given. Raises
/// 22023 if the arguments contradict each other.
pub fn want<'a>(
    quantity: Option<i64>,
    seats: Option<Vec<&'a str>>,
    during: Option<Period>,
) -> Result<Want<'a>, Error> {
    if let Some(period) = during {
        return match seats {
            None => Ok(Want::Period { quantity: quantity.unwrap_or(1), when: When::During(period) }),
            Some(_) => Err(Error::invalid("during and seats cannot be given together")
                .hint("A resource has either seats or a capacity over time.")),
        };
    }
    match (quantity, seats) {
        (quantity, None) => Ok(Want::Quantity(quantity.unwrap_or(1))),
        (Some(quantity), Some(seats)) if quantity != seats.len() as i64 => {
            Err(Error::invalid("quantity is not the number of seats")
                .detail(format!("quantity is {quantity}, the number of seats is {}.", seats.len()))
                .hint("Leave quantity out. It is the number of seats by default."))
        }
        (_, Some(seats)) => Ok(Want::Seats(seats)),
    }
}

/// Reads a request for the best free seats. Raises 54000 if it asks for too many.
pub fn best<'a>(quantity: i64, section: Option<&'a str>, together: bool) -> Result<Want<'a>, Error> {
    match usize::try_from(quantity) {
        Ok(quantity) if quantity <= MAX_SEATS => Ok(Want::Best { quantity, section, together }),
        _ => Err(Error::limit(format!("more than {MAX_SEATS} seats in one hold"))),
    }
}

/// Returns the value. Raises 22004 if it is null.
pub fn need<T>(value: Option<T>, argument: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::null(argument))
}

/// Reads a name, key, holder or reference. Raises 22023 if it is empty or too long.
pub fn name<'a>(value: Option<&'a str>, argument: &str) -> Result<Option<&'a str>, Error> {
    match value {
        Some("") => Err(Error::invalid(format!("argument \"{argument}\" must not be empty"))),
        // Counting characters is slow. A text has at least as many bytes, so a short one need not be counted.
        Some(text) if text.len() > MAX_NAME && text.chars().count() > MAX_NAME => Err(Error::invalid(
            format!("argument \"{argument}\" must not be longer than {MAX_NAME} characters"),
        )),
        value => Ok(value),
    }
}

/// Reads the name of the resource that a verb works on.
pub fn resource(value: Option<&str>) -> Result<&str, Error> {
    need(name(value, "resource")?, "resource")
}

/// Reads a quantity. Returns `None` if it is null.
pub fn quantity(value: Option<i64>) -> Result<Option<i64>, Error> {
    match value {
        Some(quantity) if quantity < 1 => {
            Err(Error::invalid("quantity must be at least 1").detail(format!("It was {quantity}.")))
        }
        value => Ok(value),
    }
}

/// Reads a time to live. Returns `booking.default_ttl` if it is null.
pub fn ttl(value: Option<Interval>) -> Result<Micros, Error> {
    let longest = settings::max_ttl();
    let Some(interval) = value else {
        return Ok(settings::default_ttl().min(longest));
    };
    match Micros::try_from(interval.as_micros()) {
        Ok(micros) if micros <= 0 => Err(Error::invalid("ttl must be greater than zero")),
        Ok(micros) if micros <= longest => Ok(micros),
        _ => Err(Error::invalid("ttl is longer than allowed")
            .detail(format!("booking.max_ttl is {}.", settings::max_ttl_shown()))
            .hint("Ask for a shorter ttl, or increase booking.max_ttl.")),
    }
}

/// Reads an age, counted back from now. Returns `booking.retention` if it is null.
pub fn age(value: Option<Interval>) -> Result<Micros, Error> {
    match value.map(|interval| Micros::try_from(interval.as_micros())) {
        None => Ok(settings::retention()),
        Some(Ok(micros)) if micros >= 0 => Ok(micros),
        Some(_) => Err(Error::invalid("older_than must not be negative or infinite")),
    }
}

/// Reads the largest number of rows that a call may work on.
pub fn bound(value: Option<i32>, argument: &str) -> Result<i64, Error> {
    match need(value, argument)? {
        bound if bound < 1 => Err(Error::invalid(format!("argument \"{argument}\" must be at least 1"))),
        bound => Ok(bound.into()),
    }
}

/// Reads a capacity or an overbooking.
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

/// Reads the limit for each holder. Returns `None` if it is null.
pub fn limit(value: Option<i64>) -> Result<Option<i64>, Error> {
    match value {
        Some(limit) if limit < 1 => Err(Error::invalid("max_per_holder must be at least 1").hint(
            "Leave it out for no limit, or close the resource with booking.set_open(resource, false).",
        )),
        value => Ok(value),
    }
}

/// Reads the contention of a pool: how its places are counted.
pub fn contention(value: Option<&str>) -> Result<Contention, Error> {
    let name = need(value, "contention")?;
    Contention::from_name(name).ok_or_else(|| {
        Error::invalid(format!("contention \"{name}\" is not known"))
            .hint("Valid values are 'auto', 'locked' and 'escrow'.")
    })
}

/// Reads what a late confirmation does.
pub fn late(value: Option<&str>) -> Result<Late, Error> {
    match need(value, "late")? {
        "refuse" => Ok(Late::Refuse),
        "reacquire" => Ok(Late::Reacquire),
        other => Err(Error::invalid(format!("late \"{other}\" is not known"))
            .hint("Valid values are 'refuse' and 'reacquire'.")),
    }
}

/// Reads metadata. Raises 54000 if it is too large.
pub fn metadata(value: Option<Jsonb>) -> Result<Option<pg_sys::Datum>, Error> {
    match value {
        Some(json) if json.bytes().len() > MAX_METADATA => {
            Err(Error::limit(format!("metadata is larger than {MAX_METADATA} bytes"))
                .hint("Store large data in a table of your own, together with the hold's id."))
        }
        value => Ok(value.map(|json| json.0)),
    }
}

/// The fingerprint of a request, by which another request under the same key is recognised. Each part is preceded
/// by its length, so that no two requests give the same bytes.
#[derive(Default)]
pub struct Fingerprint(Vec<u8>);

impl Fingerprint {
    pub fn part(mut self, bytes: Option<&[u8]>) -> Self {
        self.0.extend(bytes.map_or(-1, |bytes| bytes.len() as i64).to_be_bytes());
        self.0.extend(bytes.unwrap_or_default());
        self
    }

    pub fn text(self, text: Option<&str>) -> Self {
        self.part(text.map(str::as_bytes))
    }

    pub fn interval(self, interval: Option<&Interval>) -> Self {
        self.part(
            interval.map(|interval| interval.as_micros().to_be_bytes()).as_ref().map(<[u8; 16]>::as_slice),
        )
    }

    pub fn json(self, json: Option<&Jsonb>) -> Self {
        self.part(json.map(Jsonb::bytes))
    }

    pub fn want(self, want: &Want) -> Self {
        match want {
            Want::Quantity(quantity) => self.part(Some(&quantity.to_be_bytes())),
            Want::Seats(seats) => {
                seats.iter().fold(self.text(Some("seats")), |so_far, seat| so_far.text(Some(seat)))
            }
            Want::Period { quantity, when: When::During(period) } => {
                let [from, to] = [period.from, period.to].map(i64::to_be_bytes);
                self.text(Some("during"))
                    .part(Some(&quantity.to_be_bytes()))
                    .part(Some(&from))
                    .part(Some(&to))
            }
            Want::Period { quantity, when: When::Nights { check_in, check_out } } => {
                let [from, to] = [check_in, check_out].map(|day| day.to_be_bytes());
                self.text(Some("nights"))
                    .part(Some(&quantity.to_be_bytes()))
                    .part(Some(&from))
                    .part(Some(&to))
            }
            Want::Best { quantity, section, together } => self
                .text(Some("best"))
                .part(Some(&quantity.to_be_bytes()))
                .text(*section)
                .part(Some(&[u8::from(*together)])),
        }
    }

    pub fn id(self) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.0)
    }
}

/// Reads the remaining arguments of a request for one hold, and puts it together.
pub fn placement<'a>(
    resource: &'a str,
    want: Want<'a>,
    ttl: Option<Interval>,
    key: Option<&'a str>,
    holder: Option<&'a str>,
    expected_version: Option<i64>,
    metadata: Option<Jsonb>,
) -> Result<Placement<'a>, Error> {
    let key = name(key, "key")?;
    let holder = name(holder, "holder")?;
    let fingerprint = || {
        Fingerprint::default().want(&want).interval(ttl.as_ref()).text(holder).json(metadata.as_ref()).id()
    };
    Ok(Placement {
        id: None,
        resource,
        key,
        fingerprint: key.map(|_| fingerprint()),
        ttl: self::ttl(ttl)?,
        holder,
        expected_version,
        metadata: self::metadata(metadata)?,
        want,
    })
}
