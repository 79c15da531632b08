//! Best available: which of the free seats a party gets.
//!
//! A party sits side by side in one row if any row has enough adjacent free seats: as far in front as possible, in
//! the middle of the row, and a few rows further back if that leaves no single seat alone, which hardly anybody
//! buys. If no row has enough, a party that may be split gets the seats that lie closest together.

use std::ops::Range;

/// The number of ranks in a section of the plan: a rank divided by it is the section.
pub const ROWS_A_SECTION: i32 = 1_000_000;

/// How many rows further back than necessary a party may sit, to leave no seat alone.
pub const REACH: i32 = 8;

/// How many seats of a group the search tries as the centre of a split party, evenly spread over the group's rows.
///
/// A group has fewer than twice as many free seats as the party, or fewer rows would suffice. So for up to 129
/// people the search tries every seat. For larger parties, trying all would take time in the square of the party
/// and gain almost nothing: the party fills more than half of the group wherever its centre is.
const CENTRES: usize = 256;

/// The position of a free seat in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatPosition {
    /// The number of its row, counted from the front. A section is a block of [`ROWS_A_SECTION`] ranks.
    pub rank: i32,
    /// Its number in the row. The positions of neighbours differ by one; an aisle leaves a number out.
    pub position: i32,
    /// Twice the middle of its row: the sum of the lowest and the highest position in the whole row, with taken
    /// seats.
    pub middle: i32,
}

impl SeatPosition {
    fn section(&self) -> i32 {
        self.rank.div_euclid(ROWS_A_SECTION)
    }

    /// Returns how many ranks it lies behind another seat.
    fn ranks_behind(&self, other: &Self) -> i64 {
        i64::from(self.rank) - i64::from(other.rank)
    }

    /// Returns how many positions it lies beyond another seat.
    fn seats_beyond(&self, other: &Self) -> i64 {
        i64::from(self.position) - i64::from(other.position)
    }

    /// Returns twice the distance between the row's middle and the middle of the seats from here to `more`
    /// positions further.
    fn off_middle(&self, more: i64) -> i64 {
        (2 * i64::from(self.position) + more - i64::from(self.middle)).abs()
    }

    fn is_followed_by(&self, next: &Self) -> bool {
        self.rank == next.rank && next.seats_beyond(self) == 1
    }

    /// Returns how far apart two seats are for people who came together. A row counts as two seats: people talk to
    /// their neighbours, and less to those who sit behind them.
    fn distance(&self, other: &Self) -> i64 {
        2 * self.ranks_behind(other).abs() + self.seats_beyond(other).abs()
    }
}

/// The answer to a request for the best seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Take these seats: their indexes in `free`, in ascending order.
    Take(Vec<usize>),
    /// `free` does not settle the answer. The caller must read more of the plan.
    LookFurther,
    /// There are not enough free seats or, for a party that must sit together, no row has enough adjacent ones.
    Nothing,
}

/// Chooses the best `quantity` of the free seats.
///
/// `free` is sorted by rank and position and begins at the front of what may be chosen. `complete` says whether it
/// is all of that. If it is not, the last row of `free` may be cut short, and the search gives an answer only if
/// neither the rest of that row nor anything further back could change it.
pub fn best(free: &[SeatPosition], complete: bool, quantity: usize, together: bool) -> Search {
    if quantity == 0 {
        return Search::Nothing;
    }
    // The last row counts as unread: seats that are missing from it could make a better block, or be the seats
    // that a block leaves alone.
    let seen_up_to = |rank: i64| complete || free.last().is_some_and(|last| i64::from(last.rank) > rank);
    match side_by_side(free, quantity) {
        Some(block) if !seen_up_to(block.last_rival()) => Search::LookFurther,
        Some(block) => Search::Take((block.start..block.start + quantity).collect()),
        None if !complete => Search::LookFurther,
        None if together || quantity > free.len() => Search::Nothing,
        None => Search::Take(split(free, quantity)),
    }
}

/// Returns the front-most row that has `quantity` adjacent free seats. No party of that size or larger can sit
/// side by side before it. Returns `None` if no row has so many.
pub fn first_row(free: &[SeatPosition], quantity: usize) -> Option<i32> {
    let mut runs = free.chunk_by(SeatPosition::is_followed_by);
    runs.find(|run| run.len() >= quantity).and_then(|run| run.first()).map(|place| place.rank)
}

/// A block of adjacent free seats for the party. The best block is the least in the order of its fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    /// Whether it leaves a seat alone that was not alone before. Their number does not matter: if it were two, the
    /// block moved by one seat would leave none.
    orphans: bool,
    rank: i64,
    off_middle: i64,
    /// The index of its first seat.
    start: usize,
}

impl Block {
    /// Returns the last rank that could have a better block than this one, which is the best of its rank and all
    /// ranks before.
    ///
    /// If this block leaves a seat alone, then so do all blocks before it, and its row is the front-most row with
    /// any block: the row that [`REACH`] is counted from.
    fn last_rival(&self) -> i64 {
        if self.orphans { self.rank + i64::from(REACH) } else { self.rank }
    }
}

/// Returns the best block. Returns `None` if no row has enough adjacent free seats. Sections are further apart
/// than [`REACH`], so a party never moves to another section to leave no seat alone.
fn side_by_side(free: &[SeatPosition], quantity: usize) -> Option<Block> {
    let mut blocks = blocks(free, quantity);
    let mut best = blocks.next()?;
    for block in blocks {
        if block.rank > best.last_rival() {
            break;
        }
        best = best.min(block);
    }
    Some(best)
}

/// Iterates over all blocks, from the front.
fn blocks(free: &[SeatPosition], quantity: usize) -> impl Iterator<Item = Block> {
    let mut start = 0;
    free.chunk_by(SeatPosition::is_followed_by).flat_map(move |run| {
        let run_start = start;
        start += run.len();
        let room = (run.len() + 1).saturating_sub(quantity);
        run.iter().take(room).enumerate().map(move |(before, first)| {
            let after = run.len() - quantity - before;
            Block {
                orphans: before == 1 || after == 1,
                rank: i64::from(first.rank),
                off_middle: first.off_middle(quantity as i64 - 1),
                start: run_start + before,
            }
        })
    })
}

/// Returns the seats for a party that fits side by side in no row. The caller has made sure that there are enough
/// free seats.
fn split(free: &[SeatPosition], quantity: usize) -> Vec<usize> {
    let Some(rows) = fewest_rows(free, quantity) else {
        // No section has enough. Every split over sections is bad, so take the seats nearest to the front.
        return (0..quantity).collect();
    };
    let skipped = rows.start;
    let group = free.get(rows).unwrap_or_default();
    let one_row = group.first().zip(group.last()).is_some_and(|(first, last)| first.rank == last.rank);
    let chosen = if one_row { shortest_span(group, quantity) } else { around_a_centre(group, quantity) };
    chosen.into_iter().map(|index| skipped + index).collect()
}

/// Iterates over all spans of `quantity` successive free seats: the first and the last seat of each.
fn spans(free: &[SeatPosition], quantity: usize) -> impl Iterator<Item = (&SeatPosition, &SeatPosition)> {
    free.iter().zip(free.iter().skip(quantity.saturating_sub(1)))
}

/// Returns the smallest group of successive rows in one section that has `quantity` free seats, as the range of
/// all free seats in these rows. Of groups of equal size, returns the front-most. Returns `None` if no section has
/// so many.
fn fewest_rows(free: &[SeatPosition], quantity: usize) -> Option<Range<usize>> {
    let (first, last) = spans(free, quantity)
        .filter(|(first, last)| first.section() == last.section())
        .min_by_key(|(first, last)| last.ranks_behind(first))?;
    let start = free.partition_point(|place| place.rank < first.rank);
    Some(start..free.partition_point(|place| place.rank <= last.rank))
}

/// Returns the successive free seats of one row that span the fewest positions.
fn shortest_span(row: &[SeatPosition], quantity: usize) -> Vec<usize> {
    let shortest = spans(row, quantity).enumerate().min_by_key(|(_, (first, last))| {
        let span = last.seats_beyond(first);
        (span, first.off_middle(span))
    });
    let start = shortest.map_or(0, |(start, _)| start);
    (start..start + quantity).collect()
}

/// Returns, for a group of several rows, one seat and those nearest to it: the seat for which their distances add
/// up to the least.
fn around_a_centre(group: &[SeatPosition], quantity: usize) -> Vec<usize> {
    // Of equally near seats, the search takes the first in this order. The sort is stable.
    let mut seats: Vec<(usize, SeatPosition)> = group.iter().copied().enumerate().collect();
    seats.sort_by_key(|(_, place)| (place.rank, place.off_middle(0)));

    // The centres come from the plan's order. The other order alternates between the two sides of the middle, so
    // every n-th seat of it could lie on the same side.
    let tried = group.iter().step_by(group.len().div_ceil(CENTRES).max(1));
    let centre = tried.min_by_key(|centre| {
        let apart: i64 = nearest_to(centre, &seats, quantity).iter().map(|(distance, _)| distance).sum();
        (apart, centre.rank, centre.off_middle(0))
    });
    let Some(centre) = centre else {
        return Vec::new();
    };
    let nearest = nearest_to(centre, &seats, quantity);
    let mut chosen: Vec<usize> =
        nearest.into_iter().filter_map(|(_, order)| seats.get(order)).map(|(index, _)| *index).collect();
    chosen.sort_unstable();
    chosen
}

/// Returns the `quantity` seats nearest to a centre, each as its distance and its index in `seats`.
fn nearest_to(centre: &SeatPosition, seats: &[(usize, SeatPosition)], quantity: usize) -> Vec<(i64, usize)> {
    let distances = seats.iter().map(|(_, place)| centre.distance(place));
    let mut nearest: Vec<(i64, usize)> = distances.zip(0..).collect();
    if quantity < nearest.len() {
        nearest.select_nth_unstable(quantity);
        nearest.truncate(quantity);
    }
    nearest
}
