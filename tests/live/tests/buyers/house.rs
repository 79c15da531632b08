//! What is on sale.

use std::collections::{BTreeMap, BTreeSet};

pub const HALL: &str = "hall";
/// Name, rows, and the seats of each row; a space is an aisle.
const SECTIONS: [(&str, usize, &str); 2] = [("stalls", 9, "ABCDE FGHIJ"), ("balcony", 5, "ABC DEF")];
/// Blocked seats, which are never for sale.
pub const BLOCKED: [&str; 2] = ["stalls 1A", "balcony 5D"];
/// Name, capacity, overbooking.
pub const POOLS: [(&str, i64, i64); 2] = [("parking", 40, 0), ("programme", 90, 5)];

pub struct Seat {
    pub section: &'static str,
    row: usize,
    position: usize,
}

/// The seats by their labels.
pub struct House(pub BTreeMap<String, Seat>);

impl House {
    pub fn new() -> House {
        let mut seats = BTreeMap::new();
        for (section, rows, letters) in SECTIONS {
            for row in 1..=rows {
                for (position, letter) in letters.char_indices().filter(|(_, letter)| *letter != ' ') {
                    seats.insert(format!("{section} {row}{letter}"), Seat { section, row, position });
                }
            }
        }
        House(seats)
    }

    pub fn sections() -> [&'static str; 2] {
        SECTIONS.map(|(section, ..)| section)
    }

    pub fn for_sale(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|label| !BLOCKED.contains(label))
    }

    pub fn is_in(&self, label: &str, section: Option<&str>) -> bool {
        section.is_none_or(|section| self.0[label].section == section)
    }

    /// Returns whether these seats satisfy a request for `quantity` seats.
    pub fn would_do(&self, labels: &BTreeSet<&str>, quantity: usize, together: bool) -> bool {
        if !together {
            return labels.len() >= quantity;
        }
        labels.iter().any(|first| {
            let Seat { section, row, position } = self.0[*first];
            let is_beside = |n: usize| {
                labels.iter().any(|label| {
                    let seat = &self.0[*label];
                    (seat.section, seat.row, seat.position) == (section, row, position + n)
                })
            };
            (1..quantity).all(is_beside)
        })
    }

    pub fn sql() -> String {
        let pools = POOLS.map(|(name, capacity, overbooking)| {
            format!("select booking.create_pool('{name}', {capacity}, {overbooking});")
        });
        let grids = SECTIONS
            .map(|(section, rows, letters)| format!("booking.seat_grid({rows}, '{letters}', '{section}')"));
        let blocked = BLOCKED.map(|label| format!("'{label}'")).join(", ");
        format!(
            "{} select booking.create_seats('{HALL}', {});
             select booking.set_blocked('{HALL}', array[{blocked}], true)",
            pools.concat(),
            grids.join(" || ")
        )
    }
}
