//! Reads the items of a basket and the requests of a batch, which are JSON.

use super::arguments::{self, Jsonb};
use super::json::{self, IntervalText, Labels, NightsText, PeriodText, Text, Truth, Whole};
use super::period;
use crate::error::Error;
use crate::limits::{MAX_ITEMS, MAX_REQUESTS, MAX_RESOURCES};
use crate::request::{Placement, Want, When};
use crate::rules::Micros;
use pgrx::datum::Interval;
use pgrx::pg_sys;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use uuid::Uuid;

/// One item of a basket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item<'a> {
    #[serde(borrow)]
    resource: Option<Text<'a>>,
    quantity: Option<Whole>,
    #[serde(borrow)]
    seats: Option<Labels<'a>>,
    best: Option<Whole>,
    #[serde(borrow)]
    section: Option<Text<'a>>,
    together: Option<Truth>,
    #[serde(borrow)]
    during: Option<PeriodText<'a>>,
    #[serde(borrow)]
    nights: Option<NightsText<'a>>,
}

/// One request of a batch: an item with what the items of a basket share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(borrow)]
    resource: Option<Text<'a>>,
    quantity: Option<Whole>,
    #[serde(borrow)]
    seats: Option<Labels<'a>>,
    best: Option<Whole>,
    #[serde(borrow)]
    section: Option<Text<'a>>,
    together: Option<Truth>,
    #[serde(borrow)]
    during: Option<PeriodText<'a>>,
    #[serde(borrow)]
    nights: Option<NightsText<'a>>,
    #[serde(borrow)]
    ttl: Option<IntervalText<'a>>,
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    holder: Option<Text<'a>>,
    expected_version: Option<Whole>,
    metadata: Option<Value>,
}

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
        let item: Item = json::read(item, "item", n)?;
        let of_item = |error: Error| error.of_item("item", n + 1);
        let (resource, want) = (item.resource().map_err(of_item)?, item.want().map_err(of_item)?);
        if let Want::Seats(labels) = &want
            && let Some(label) = labels.iter().find(|label| !seats.insert((resource, **label)))
        {
            let error = Error::invalid(format!("seat \"{label}\" of \"{resource}\" is named twice"));
            return Err(of_item(error));
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
        let request: Request = json::read(request, "request", n)?;
        placements.push(request.placement(&mut intervals).map_err(|error| error.of_item("request", n + 1))?);
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

impl<'a> Item<'a> {
    fn resource(&self) -> Result<&'a str, Error> {
        text(self.resource, "resource")?.ok_or_else(|| json::must("resource", "given"))
    }

    /// What part of the resource is wanted.
    fn want(self) -> Result<Want<'a>, Error> {
        let (quantity, best) = (positive(self.quantity, "quantity")?, positive(self.best, "best")?);
        if let Some(when) = self.when()? {
            let others = [
                ("seats", self.seats.is_some()),
                ("best", best.is_some()),
                ("section", self.section.is_some()),
                ("together", self.together.is_some()),
            ];
            return match others.iter().find(|(_, is_given)| *is_given) {
                Some((field, _)) => Err(json::must(field, "left out beside \"during\" or \"nights\"")),
                None => Ok(Want::Period { quantity: quantity.unwrap_or(1), when }),
            };
        }
        let seats = self.seats.map(|Labels(labels)| arguments::distinct(labels)).transpose()?;
        let seats = seats.map(arguments::seats_of_hold).transpose()?;
        // The section without a name is one, too.
        let section = match self.section {
            Some(Text("")) => Some(""),
            section => text(section, "section")?,
        };
        let Some(best) = best else {
            return match (section, self.together) {
                (Some(_), _) => Err(json::must("section", "left out without \"best\"")),
                (None, Some(_)) => Err(json::must("together", "left out without \"best\"")),
                (None, None) => arguments::want(quantity, seats, None),
            };
        };
        if quantity.is_some() {
            return Err(json::must("quantity", "left out beside \"best\""));
        }
        if seats.is_some() {
            return Err(json::must("seats", "left out beside \"best\""));
        }
        arguments::best(best, section, self.together.is_none_or(|Truth(together)| together))
    }

    fn when(&self) -> Result<Option<When>, Error> {
        match (self.during, self.nights) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(json::must("nights", "left out beside \"during\"")),
            (Some(during), None) => {
                let period = period::of_text(during);
                let period = period.ok_or_else(|| json::must("during", json::PERIOD))?;
                Ok(Some(When::During(period?)))
            }
            (None, Some(nights)) => {
                let nights = period::nights_of_text(nights);
                Ok(Some(nights.ok_or_else(|| json::must("nights", json::NIGHTS))??))
            }
        }
    }
}

impl<'a> Request<'a> {
    /// `intervals` remembers those that were read before: most requests of a batch say the same.
    fn placement(self, intervals: &mut HashMap<&'a str, Interval>) -> Result<Placement<'a>, Error> {
        let Self { ttl, key, holder, expected_version, metadata, .. } = self;
        let item = Item {
            resource: self.resource,
            quantity: self.quantity,
            seats: self.seats,
            best: self.best,
            section: self.section,
            together: self.together,
            during: self.during,
            nights: self.nights,
        };
        let resource = item.resource();
        let want = item.want()?;
        let ttl = ttl.map(|IntervalText(ttl)| interval(ttl, intervals)).transpose()?;
        let (key, holder) = (text(key, "key")?, text(holder, "holder")?);
        let expected_version = expected_version.map(|Whole(version)| version);
        if expected_version.is_some() && !matches!(want, Want::Quantity(_)) {
            return Err(Error::no_version_of_places());
        }
        let metadata = metadata.as_ref().and_then(Jsonb::of);
        arguments::placement(resource?, want, ttl, key, holder, expected_version, metadata)
    }
}

fn interval<'a>(text: &'a str, known: &mut HashMap<&'a str, Interval>) -> Result<Interval, Error> {
    if let Some(interval) = known.get(text) {
        return Ok(*interval);
    }
    let interval = Interval::from_str(text).map_err(|_| json::must("ttl", json::INTERVAL))?;
    known.insert(text, interval);
    Ok(interval)
}

fn text<'a>(value: Option<Text<'a>>, field: &str) -> Result<Option<&'a str>, Error> {
    arguments::name(value.map(|Text(text)| text), field)
}

fn positive(value: Option<Whole>, field: &str) -> Result<Option<i64>, Error> {
    match value {
        Some(Whole(number)) if number < 1 => Err(json::must(field, "at least 1")),
        value => Ok(value.map(|Whole(number)| number)),
    }
}
