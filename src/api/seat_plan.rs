//! The plan of a resource with seats, as JSON.

use crate::error::Error;
use crate::limits::{MAX_LABEL, MAX_POSITION, MAX_SEATS_OF_RESOURCE, MAX_SECTIONS};
use crate::rules::seating::{ROWS_A_SECTION, SeatPosition};
use crate::store::seats::NewSeat;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A seat as it is written in the plan.
struct Entry<'a> {
    label: &'a str,
    section: &'a str,
    row: &'a str,
    position: Option<i32>,
}

/// Reads a plan: an array of `{label, section, row, position}`, of which only the label is needed, or
/// of labels. Sections and rows lie in the order in which they are first named, the front first. A
/// seat without a position is the next in its row.
pub fn read(value: &Value) -> Result<(Vec<NewSeat<'_>>, Vec<&str>), Error> {
    let Value::Array(elements) = value else {
        return Err(Error::invalid("argument \"seats\" must be a JSON array")
            .hint("booking.seat_grid(30, 'ABC DEF') makes one, or name them: '[\"1A\", \"1B\"]'."));
    };
    if elements.is_empty() {
        return Err(Error::invalid("argument \"seats\" is empty"));
    }
    if elements.len() > MAX_SEATS_OF_RESOURCE {
        return Err(Error::limit(format!("more than {MAX_SEATS_OF_RESOURCE} seats"))
            .detail(format!("There are {}.", elements.len())));
    }
    let mut layout = Layout::default();
    let mut seats = Vec::with_capacity(elements.len());
    for (n, element) in elements.iter().enumerate() {
        let seat = entry(element)
            .and_then(|entry| layout.place(&entry))
            .map_err(|error| error.of_item("seat", n + 1))?;
        seats.push(seat);
    }
    for seat in &mut seats {
        seat.place.middle = layout.middle(seat.place.rank);
    }
    Ok((seats, layout.sections))
}

fn entry(element: &Value) -> Result<Entry<'_>, Error> {
    let fields = match element {
        Value::String(label) => {
            let entry = Entry { label: short(label, "label")?, section: "", row: "", position: None };
            return named(entry);
        }
        Value::Object(fields) => fields,
        _ => return Err(Error::invalid("it must be a label or a JSON object")),
    };
    if let Some(unknown) =
        fields.keys().find(|name| !["label", "section", "row", "position"].contains(&name.as_str()))
    {
        return Err(Error::invalid(format!("field \"{unknown}\" is not known"))
            .hint("The fields are label, section, row, position."));
    }
    let text = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => short(text, field),
        Some(_) => Err(Error::invalid(format!("field \"{field}\" must be text"))),
    };
    let position = match fields.get("position") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let position = value.as_i64().and_then(|position| i32::try_from(position).ok());
            let in_bounds = position.filter(|position| (0..=MAX_POSITION).contains(position));
            let must = format!("field \"position\" must be a whole number from 0 to {MAX_POSITION}");
            Some(in_bounds.ok_or_else(|| Error::invalid(must))?)
        }
    };
    named(Entry { label: text("label")?, section: text("section")?, row: text("row")?, position })
}

fn named(entry: Entry) -> Result<Entry, Error> {
    if entry.label.is_empty() { Err(Error::invalid("field \"label\" must be given")) } else { Ok(entry) }
}

fn short<'a>(text: &'a str, field: &str) -> Result<&'a str, Error> {
    if text.chars().count() > MAX_LABEL {
        return Err(Error::invalid(format!("field \"{field}\" is longer than {MAX_LABEL} characters")));
    }
    Ok(text)
}

/// Where rows and sections lie, as far as the plan was read.
#[derive(Default)]
struct Layout<'a> {
    sections: Vec<&'a str>,
    section_of: HashMap<&'a str, i32>,
    rows: HashMap<(&'a str, &'a str), i32>,
    rows_of_section: HashMap<&'a str, i32>,
    /// For each rank: the lowest and the highest position, and the latest.
    spans: HashMap<i32, (i32, i32, i32)>,
    labels: HashSet<&'a str>,
    places: HashSet<(i32, i32)>,
}

impl<'a> Layout<'a> {
    fn place(&mut self, entry: &Entry<'a>) -> Result<NewSeat<'a>, Error> {
        let Entry { label, section, row, position } = *entry;
        if !self.labels.insert(label) {
            return Err(Error::invalid(format!("label \"{label}\" is there twice")));
        }
        let rank = self.rank(section, row)?;
        let position = match (position, self.spans.get(&rank)) {
            (Some(position), _) => position,
            (None, Some((_, _, latest))) => latest + 1,
            (None, None) => 1,
        };
        if !self.places.insert((rank, position)) {
            return Err(Error::invalid(format!("position {position} of row \"{row}\" is there twice")));
        }
        let span = self.spans.entry(rank).or_insert((position, position, position));
        *span = (span.0.min(position), span.1.max(position), position);
        Ok(NewSeat { label, section, row, place: SeatPosition { rank, position, middle: 0 } })
    }

    fn rank(&mut self, section: &'a str, row: &'a str) -> Result<i32, Error> {
        if let Some(rank) = self.rows.get(&(section, row)) {
            return Ok(*rank);
        }
        let next = self.sections.len() as i32;
        let ordinal = *self.section_of.entry(section).or_insert_with(|| {
            self.sections.push(section);
            next
        });
        if self.sections.len() > MAX_SECTIONS {
            return Err(Error::limit(format!("more than {MAX_SECTIONS} sections")));
        }
        let rows = self.rows_of_section.entry(section).or_default();
        let rank = ordinal * ROWS_A_SECTION + *rows;
        *rows += 1;
        self.rows.insert((section, row), rank);
        Ok(rank)
    }

    /// Twice the middle of a row.
    fn middle(&self, rank: i32) -> i32 {
        self.spans.get(&rank).map_or(0, |(lowest, highest, _)| lowest + highest)
    }
}
