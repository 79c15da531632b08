//! The items of a basket and the requests of a batch, as JSON.

use super::arguments::{self, Jsonb};
use super::period;
use crate::error::Error;
use crate::limits::{MAX_ITEMS, MAX_REQUESTS, MAX_RESOURCES};
use crate::request::{Placement, Want, When};
use crate::rules::Micros;
use pgrx::datum::Interval;
use pgrx::pg_sys;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use uuid::Uuid;

const OF_AN_ITEM: &[&str] =
    &["resource", "quantity", "seats", "best", "section", "together", "during", "nights"];
const OF_A_REQUEST: &[&str] = &[
    "resource",
    "quantity",
    "seats",
    "best",
    "section",
    "together",
    "during",
    "nights",
    "ttl",
    "key",
    "holder",
    "expected_version",
    "metadata",
];

const A_PERIOD: &str = "a range of times, or an array of two times";
const TWO_DATES: &str = "an array of two dates, of check-in and check-out";

/// What the items of a basket share.
pub struct Common<'a> {
    pub ttl: Micros,
    pub key: Option<&'a str>,
    pub fingerprint: Option<Uuid>,
    pub holder: Option<&'a str>,
    pub metadata: Option<pg_sys::Datum>,
}

/// Reads the items of a basket.
pub fn of_basket<'a>(value: &'a Value, common: &Common<'a>) -> Result<Vec<Placement<'a>>, Error> {
    let items = elements(value, "items")?;
    if items.len() > MAX_ITEMS {
        return Err(Error::limit(format!("more than {MAX_ITEMS} items in one basket"))
            .detail(format!("There are {}.", items.len())));
    }
    let mut placements = Vec::with_capacity(items.len());
    let mut seats = HashSet::new();
    for (n, item) in items.iter().enumerate() {
        let fields = Fields::of("item", n, item, OF_AN_ITEM)?;
        let (resource, want) = (fields.resource()?, fields.want()?);
        if let Want::Seats(labels) = &want
            && let Some(label) = labels.iter().find(|label| !seats.insert((resource, **label)))
        {
            let error = Error::invalid(format!("seat \"{label}\" of \"{resource}\" is named twice"));
            return Err(error.of_item("item", n + 1));
        }
        placements.push(Placement {
            id: None,
            resource,
            want,
            ttl: common.ttl,
            key: common.key,
            fingerprint: common.fingerprint,
            holder: common.holder,
            expected_version: None,
            metadata: common.metadata,
        });
    }
    Ok(placements)
}

/// Reads the requests of a batch.
pub fn of_batch(value: &Value) -> Result<Vec<Placement<'_>>, Error> {
    let requests = elements(value, "requests")?;
    if requests.len() > MAX_REQUESTS {
        return Err(Error::limit(format!("more than {MAX_REQUESTS} requests in one call"))
            .detail(format!("There are {}.", requests.len())));
    }
    // Most requests of a batch say the same.
    let mut intervals = HashMap::new();
    let mut placements = Vec::with_capacity(requests.len());
    for (n, request) in requests.iter().enumerate() {
        let fields = Fields::of("request", n, request, OF_A_REQUEST)?;
        placements.push(fields.placement(&mut intervals)?);
    }
    let resources: HashSet<&str> = placements.iter().map(|placement| placement.resource).collect();
    if resources.len() > MAX_RESOURCES {
        return Err(Error::limit(format!("more than {MAX_RESOURCES} resources in one call"))
            .detail(format!("There are {}.", resources.len()))
            .hint(
                "Each is locked until the transaction ends. Split the requests into several transactions.",
            ));
    }
    Ok(placements)
}

fn elements<'a>(value: &'a Value, argument: &str) -> Result<&'a [Value], Error> {
    match value {
        Value::Array(elements) if elements.is_empty() => {
            Err(Error::invalid(format!("argument \"{argument}\" is empty")))
        }
        Value::Array(elements) => Ok(elements),
        _ => Err(Error::invalid(format!("argument \"{argument}\" must be a JSON array")).hint(
            "[{\"resource\": \"gig\", \"quantity\": 2}, {\"resource\": \"hall\", \"seats\": [\"12A\"]}]",
        )),
    }
}

/// The fields of one element, which every error names.
struct Fields<'a> {
    what: &'static str,
    n: usize,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(what: &'static str, n: usize, value: &'a Value, known: &[&str]) -> Result<Self, Error> {
        let Value::Object(fields) = value else {
            return Err(Error::invalid("it must be a JSON object").of_item(what, n + 1));
        };
        match fields.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(Error::invalid(format!("field \"{unknown}\" is not known"))
                .hint(format!("The fields are {}.", known.join(", ")))
                .of_item(what, n + 1)),
            None => Ok(Self { what, n, fields }),
        }
    }

    /// A null is as good as nothing.
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, must: &str) -> Error {
        Error::invalid(format!("field \"{field}\" must be {must}")).of_item(self.what, self.n + 1)
    }

    /// An error of an argument's, said of this field.
    fn about(&self, error: Error) -> Error {
        error.of_item(self.what, self.n + 1)
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, Error> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => {
                arguments::name(Some(text), field).map_err(|error| self.about(error))
            }
            Some(_) => Err(self.wrong(field, "text")),
        }
    }

    fn integer(&self, field: &str) -> Result<Option<i64>, Error> {
        match self.get(field) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.wrong(field, "a whole number")),
        }
    }

    fn positive(&self, field: &str) -> Result<Option<i64>, Error> {
        match self.integer(field)? {
            Some(number) if number < 1 => Err(self.wrong(field, "at least 1")),
            number => Ok(number),
        }
    }

    fn truth(&self, field: &str) -> Result<Option<bool>, Error> {
        match self.get(field) {
            None => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| self.wrong(field, "true or false")),
        }
    }

    fn labels(&self, field: &str) -> Result<Option<Vec<&'a str>>, Error> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let labels: Option<Vec<&str>> =
            value.as_array().and_then(|labels| labels.iter().map(Value::as_str).collect());
        let labels = labels.ok_or_else(|| self.wrong(field, "an array of labels"))?;
        arguments::distinct(labels)
            .and_then(arguments::seats_of_hold)
            .map(Some)
            .map_err(|error| self.about(error))
    }

    fn resource(&self) -> Result<&'a str, Error> {
        self.text("resource")?.ok_or_else(|| self.wrong("resource", "given"))
    }

    fn want(&self) -> Result<Want<'a>, Error> {
        let (quantity, seats) = (self.positive("quantity")?, self.labels("seats")?);
        if let Some(when) = self.when()? {
            for field in ["seats", "best", "section", "together"] {
                if self.get(field).is_some() {
                    return Err(self.wrong(field, "left out beside \"during\" or \"nights\""));
                }
            }
            return Ok(Want::Period { quantity: quantity.unwrap_or(1), when });
        }
        let (section, together) = (self.text_or_empty("section")?, self.truth("together")?);
        let Some(best) = self.positive("best")? else {
            return match (section, together) {
                (Some(_), _) => Err(self.wrong("section", "left out without \"best\"")),
                (None, Some(_)) => Err(self.wrong("together", "left out without \"best\"")),
                (None, None) => arguments::want(quantity, seats, None).map_err(|error| self.about(error)),
            };
        };
        if quantity.is_some() {
            return Err(self.wrong("quantity", "left out beside \"best\""));
        }
        if seats.is_some() {
            return Err(self.wrong("seats", "left out beside \"best\""));
        }
        arguments::best(best, section, together.unwrap_or(true)).map_err(|error| self.about(error))
    }

    fn when(&self) -> Result<Option<When>, Error> {
        let about = |error| self.about(error);
        match (self.get("during"), self.get("nights")) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(self.wrong("nights", "left out beside \"during\"")),
            (Some(during), None) => {
                let during = period::of_json(during).ok_or_else(|| self.wrong("during", A_PERIOD))?;
                Ok(Some(When::During(during.map_err(about)?)))
            }
            (None, Some(nights)) => {
                let nights = period::nights_of_json(nights).ok_or_else(|| self.wrong("nights", TWO_DATES))?;
                Ok(Some(nights.map_err(about)?))
            }
        }
    }

    /// The section without a name is one, too.
    fn text_or_empty(&self, field: &str) -> Result<Option<&'a str>, Error> {
        if self.get(field).and_then(Value::as_str) == Some("") { Ok(Some("")) } else { self.text(field) }
    }

    fn placement(&self, intervals: &mut HashMap<&'a str, Interval>) -> Result<Placement<'a>, Error> {
        let want = self.want()?;
        let ttl = self.interval("ttl", intervals)?;
        let (key, holder) = (self.text("key")?, self.text("holder")?);
        let expected_version = self.integer("expected_version")?;
        if expected_version.is_some() && !matches!(want, Want::Quantity(_)) {
            return Err(self.about(Error::no_version_of_places()));
        }
        let metadata = self.get("metadata").and_then(Jsonb::of);
        let resource = self.resource()?;
        arguments::placement(resource, want, ttl, key, holder, expected_version, metadata)
            .map_err(|error| self.about(error))
    }

    fn interval(
        &self,
        field: &str,
        known: &mut HashMap<&'a str, Interval>,
    ) -> Result<Option<Interval>, Error> {
        let text = match self.get(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text.as_str(),
            Some(_) => return Err(self.wrong(field, "an interval, as text")),
        };
        if let Some(interval) = known.get(text) {
            return Ok(Some(*interval));
        }
        let interval = Interval::from_str(text).map_err(|_| self.wrong(field, "an interval, as text"))?;
        known.insert(text, interval);
        Ok(Some(interval))
    }
}
