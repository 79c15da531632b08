//! What a call has seen of a plan of seats.

use super::FreeSeat;
use crate::rules::seating::{ROWS_A_SECTION, Search, SeatPosition, best, first_row};
use crate::shared_memory::seat_hint;
use crate::store::locks::snapshot;

/// How many free seats are read at first; each further look takes four times as many.
const FIRST_READ: i64 = 48;

/// What a desk has seen of a plan.
pub struct SeatPlanView {
    /// Its free seats from the front, without those that this desk gave away.
    pub free: Vec<FreeSeat>,
    /// Those that others were about to take when this desk wanted them.
    pub contested: Vec<FreeSeat>,
    /// All that was read, whoever is taking it.
    pub read: Vec<SeatPosition>,
    /// From which rank on it goes, how far it was read, and before which rank it ends.
    pub from: i32,
    pub seen: (i32, i32),
    pub before: i32,
    /// For how many seats the front was left out, since no row there would do.
    pub skips: Option<usize>,
    pub count: Option<u64>,
    /// How much of it to read next, and how often it was read.
    pub look: i64,
    pub looks: usize,
    pub complete: bool,
}

impl SeatPlanView {
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
            look: FIRST_READ,
            looks: 0,
            complete: false,
        }
    }

    /// A party is split only over a plan that was read from its front.
    pub fn choose(&self, quantity: usize, together: bool) -> Search {
        let places: Vec<SeatPosition> = self.free.iter().map(|seat| seat.place).collect();
        best(&places, self.complete, quantity, together || self.skips.is_some())
    }

    /// Leaves out the rows in front of which it is known that none would do.
    pub fn skip(&mut self, resource: &str, quantity: usize) {
        // An old plan is nothing to remember, or to compare with what is known of the current one.
        self.count = if snapshot::is_repeatable_read() { None } else { seat_hint::count(resource) };
        let rank =
            self.count.and_then(|count| seat_hint::first_free_row(resource, self.from, quantity, count));
        if let Some(rank) = rank {
            self.seen = (rank, i32::MIN);
            self.skips = Some(quantity);
        }
    }

    /// Whether it was read from its front to its end at one moment. What was read at several may not
    /// have been so at any: no ground for a refusal.
    pub fn is_one_look(&self) -> bool {
        self.skips.is_none() && self.looks == 1
    }

    /// Begins anew, to be read whole at once.
    pub fn begin_anew(&mut self) {
        let Self { from, before, count, .. } = *self;
        *self =
            Self { from, before, count, seen: (from, i32::MIN), look: i64::MAX, ..Self::of_section(None) };
    }

    pub fn remember(&self, resource: &str, quantity: usize) {
        if let (Some(count), Some(rank)) = (self.count, first_row(&self.read, quantity)) {
            seat_hint::remember(resource, self.from, quantity, count, rank);
        }
    }

    /// Somebody else is about to take this one.
    pub fn set_aside(&mut self, label: &str) {
        if let Some(n) = self.free.iter().position(|seat| seat.label == label) {
            self.contested.push(self.free.remove(n));
        }
    }

    pub fn remove(&mut self, label: &str) {
        self.free.retain(|seat| seat.label != label);
    }
}
