//! The part of a plan of seats that a call has read.

use super::FreeSeat;
use crate::rules::seating::{ROWS_A_SECTION, Search, SeatPosition, best, first_row};
use crate::shared_memory::seat_hint;
use crate::store::locks::snapshot;

/// How many free seats the first look reads; each further look reads four times as many.
const FIRST_READ: i64 = 48;

/// What an allocation has read of a plan, or of one section of it.
pub struct SeatPlanView {
    /// The free seats from the front, without those that this allocation gave.
    pub free: Vec<FreeSeat>,
    /// The seats that another session had claimed when this allocation wanted them.
    pub contested: Vec<FreeSeat>,
    /// All seats that were read as free, also those that were given or contested since.
    pub read: Vec<SeatPosition>,
    /// The first rank of the part.
    pub from: i32,
    /// The rank and the position up to which it was read.
    pub seen: (i32, i32),
    /// The rank before which the part ends.
    pub before: i32,
    /// For how many adjacent seats rows in front were left out; `None` if the part was read from its front.
    pub skips: Option<usize>,
    /// The counter of freed seats, read before the plan; `None` if no hint may be used or remembered.
    pub count: Option<u64>,
    /// How many seats to read next.
    pub limit: i64,
    /// How often seats were read.
    pub reads: usize,
    /// Whether it was read to its end.
    pub complete: bool,
}

impl SeatPlanView {
    /// Returns a view of a section, or of the whole plan if `section` is `None`, with nothing read yet.
    pub fn of_section(section: Option<usize>) -> Self {
        let rank = |section: usize| i32::try_from(section).unwrap_or(i32::MAX).saturating_mul(ROWS_A_SECTION);
        Self {
            free: Vec::new(),
            contested: Vec::new(),
            read: Vec::new(),
            skips: None,
            count: None,
            from: section.map_or(0, rank),
            seen: (section.map_or(0, rank), i32::MIN),
            before: section.map_or(i32::MAX, |section| rank(section + 1)),
            limit: FIRST_READ,
            reads: 0,
            complete: false,
        }
    }

    /// Chooses the best seats of what was read. Splits a party only if the plan was read from its front.
    pub fn choose(&self, quantity: usize, together: bool) -> Search {
        let places: Vec<SeatPosition> = self.free.iter().map(|seat| seat.place).collect();
        best(&places, self.complete, quantity, together || self.skips.is_some())
    }

    /// Leaves out the rows in front that, according to the hint, have no `quantity` adjacent free seats.
    pub fn skip(&mut self, resource: &str, quantity: usize) {
        // In REPEATABLE READ and above the plan may be older than the hint, so neither says anything about the
        // other.
        self.count = if snapshot::is_repeatable_read() { None } else { seat_hint::count(resource) };
        let rank =
            self.count.and_then(|count| seat_hint::first_free_row(resource, self.from, quantity, count));
        if let Some(rank) = rank {
            self.seen = (rank, i32::MIN);
            self.skips = Some(quantity);
        }
    }

    /// Returns whether the plan was read from its front to its end by one statement. What several statements read
    /// may not have been true at any one moment, so no call refuses because of it.
    pub fn was_read_at_once(&self) -> bool {
        self.skips.is_none() && self.reads == 1
    }

    /// Drops what was read, so that the next look reads everything in one statement.
    pub fn restart(&mut self) {
        let Self { from, before, count, .. } = *self;
        *self =
            Self { from, before, count, seen: (from, i32::MIN), limit: i64::MAX, ..Self::of_section(None) };
    }

    /// Remembers as a hint which row is the first with `quantity` adjacent free seats.
    pub fn remember(&self, resource: &str, quantity: usize) {
        if let (Some(count), Some(rank)) = (self.count, first_row(&self.read, quantity)) {
            seat_hint::remember(resource, self.from, quantity, count, rank);
        }
    }

    /// Moves a seat from the free ones to the contested ones, because another session has claimed it.
    pub fn set_aside(&mut self, label: &str) {
        if let Some(n) = self.free.iter().position(|seat| seat.label == label) {
            self.contested.push(self.free.remove(n));
        }
    }

    /// Removes a seat that is not free any more.
    pub fn remove(&mut self, label: &str) {
        self.free.retain(|seat| seat.label != label);
    }
}
