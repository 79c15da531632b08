//! The plan of a resource with seats, as JSON.

use super::json::{self, Text, Whole};
use crate::error::Error;
use crate::limits::{MAX_LABEL, MAX_POSITION, MAX_SEATS_OF_RESOURCE, MAX_SECTIONS};
use crate::rules::seating::{ROWS_A_SECTION, SeatPosition};
use crate::store::seat_plan::NewSeat;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A seat as it is written in the plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    #[serde(borrow)]
    label: Option<Text<'a>>,
    #[serde(borrow)]
    section: Option<Text<'a>>,
    #[serde(borrow)]
    row: Option<Text<'a>>,
    position: Option<Whole>,
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
        let seat = seat(element, n, &mut layout)?;
        seats.push(seat);
    }
    for seat in &mut seats {
        seat.place.middle = layout.middle(seat.place.rank);
    }
    Ok((seats, layout.sections))
}

/// Reads one seat, `n` from 0, and places it.
fn seat<'a>(element: &'a Value, n: usize, layout: &mut Layout<'a>) -> Result<NewSeat<'a>, Error> {
    let entry = match element {
        Value::String(label) => Entry { label: Some(Text(label)), section: None, row: None, position: None },
        Value::Object(_) => json::read(element, "seat", n)?,
        _ => return Err(Error::invalid("it must be a label or a JSON object").of_item("seat", n + 1)),
    };
    place(&entry, layout).map_err(|error| error.of_item("seat", n + 1))
}

fn place<'a>(entry: &Entry<'a>, layout: &mut Layout<'a>) -> Result<NewSeat<'a>, Error> {
    let label = short(entry.label, "label")?;
    let (section, row) = (short(entry.section, "section")?, short(entry.row, "row")?);
    let position = entry.position.map(|Whole(position)| {
        let position = i32::try_from(position).ok().filter(|position| (0..=MAX_POSITION).contains(position));
        position.ok_or_else(|| json::must("position", &format!("a whole number from 0 to {MAX_POSITION}")))
    });
    if label.is_empty() {
        return Err(json::must("label", "given"));
    }
    layout.place(label, section, row, position.transpose()?)
}

fn short<'a>(text: Option<Text<'a>>, field: &str) -> Result<&'a str, Error> {
    let text = text.map_or("", |Text(text)| text);
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
    fn place(
        &mut self,
        label: &'a str,
        section: &'a str,
        row: &'a str,
        position: Option<i32>,
    ) -> Result<NewSeat<'a>, Error> {
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
