//! Best available: which of the free seats a party is given.
//!
//! A party sits side by side in one row wherever a row has room for that: as far in front as it
//! can, in the middle of its row, and a few rows further back where that spares a single seat, which
//! hardly anybody buys. Where no row has room, a party that may be split gets the seats that lie
//! closest together.

use std::ops::Range;

/// How many ranks a section of the plan has: rank divided by this is the section.
pub const ROWS_A_SECTION: i32 = 1_000_000;

/// How many rows further back than it must a party is seated, to leave no seat alone.
pub const REACH: i32 = 8;

/// How many seats of a group are tried as the centre of a split party, evenly spread over its rows.
///
/// A group has fewer than twice as many free seats as its party, or fewer rows would do. So for up to
/// 129 people every seat is tried. Beyond that, trying all would take time in the square of the party
/// for next to nothing: the party fills more than half of the group wherever its centre is.
const CENTRES: usize = 256;

/// A free seat, as it lies in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatPosition {
    /// Its row's place in the plan, counted from the front. A section is a block of
    /// [`ROWS_A_SECTION`] ranks.
    pub rank: i32,
    /// Its place in the row. Neighbours' positions differ by one; an aisle leaves a number out.
    pub position: i32,
    /// Twice the middle of its row: the lowest and the highest position of the whole row added up,
    /// taken seats included.
    pub middle: i32,
}

impl SeatPosition {
    fn section(&self) -> i32 {
        self.rank.div_euclid(ROWS_A_SECTION)
    }

    /// How many ranks it lies behind another place.
    fn ranks_behind(&self, other: &Self) -> i64 {
        i64::from(self.rank) - i64::from(other.rank)
    }

    /// How many positions it lies beyond another place.
    fn seats_beyond(&self, other: &Self) -> i64 {
        i64::from(self.position) - i64::from(other.position)
    }

    /// Twice how far the stretch from here over so many more positions is off the row's middle.
    fn off_middle(&self, more: i64) -> i64 {
        (2 * i64::from(self.position) + more - i64::from(self.middle)).abs()
    }

    fn is_followed_by(&self, next: &Self) -> bool {
        self.rank == next.rank && next.seats_beyond(self) == 1
    }

    /// How far apart two places are to people who came together. A row counts as two seats: one
    /// talks to one's neighbour, less so to who sits behind.
    fn distance(&self, other: &Self) -> i64 {
        2 * self.ranks_behind(other).abs() + self.seats_beyond(other).abs()
    }
}

/// What is to become of a request for the best seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// The indexes of the chosen places, in the order of what was shown.
    Take(Vec<usize>),
    /// What was shown does not settle it: show more of the plan.
    LookFurther,
    /// The places asked for are not there: nowhere that many free or, together, nowhere side by side.
    Nothing,
}

/// Chooses the best `quantity` of the free seats.
///
/// `free` is sorted by rank and position, from the front of what may be chosen on. `complete` says
/// whether that is all of it. Where it is not, the last row shown may be cut short, and an answer is
/// given only if neither the rest of that row nor anything further back could change it.
pub fn best(free: &[SeatPosition], complete: bool, quantity: usize, together: bool) -> Search {
    if quantity == 0 {
        return Search::Nothing;
    }
    // The last row shown counts as unseen: seats that are missing from it may make a better block, or
    // be the ones that a block leaves alone.
    let seen_up_to = |rank: i64| complete || free.last().is_some_and(|last| i64::from(last.rank) > rank);
    match side_by_side(free, quantity) {
        Some(block) if !seen_up_to(block.last_rival()) => Search::LookFurther,
        Some(block) => Search::Take((block.start..block.start + quantity).collect()),
        None if !complete => Search::LookFurther,
        None if together || quantity > free.len() => Search::Nothing,
        None => Search::Take(split(free, quantity)),
    }
}

/// The front-most row that has so many free seats side by side: no party of that size, and none that
/// is larger, sits before it.
pub fn first_row(free: &[SeatPosition], quantity: usize) -> Option<i32> {
    let mut runs = free.chunk_by(SeatPosition::is_followed_by);
    runs.find(|run| run.len() >= quantity).and_then(|run| run.first()).map(|place| place.rank)
}

/// Free seats side by side. The best of them is the least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    /// Whether it leaves a seat alone that was not alone before. How many does not matter: where it
    /// would be two, the same party moved up by one leaves none.
    orphans: bool,
    rank: i64,
    off_middle: i64,
    /// The index of its first seat.
    start: usize,
}

impl Block {
    /// The last rank where a better block than this, the best of its rank and all before, could be.
    ///
    /// If it leaves a seat alone, then so do all before, and its row is the front-most that has a
    /// block at all: the one that [`REACH`] is counted from.
    fn last_rival(&self) -> i64 {
        if self.orphans { self.rank + i64::from(REACH) } else { self.rank }
    }
}

/// The best block. Sections are further apart than [`REACH`], so sparing a seat never moves a party to
/// another section.
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

/// Every block there is, from the front.
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

/// The seats for a party that nowhere fits side by side; there must be enough of them.
fn split(free: &[SeatPosition], quantity: usize) -> Vec<usize> {
    let Some(rows) = fewest_rows(free, quantity) else {
        // No section has that many. Any split over sections is a bad one, so the front decides.
        return (0..quantity).collect();
    };
    let skipped = rows.start;
    let group = free.get(rows).unwrap_or_default();
    let one_row = group.first().zip(group.last()).is_some_and(|(first, last)| first.rank == last.rank);
    let chosen = if one_row { shortest_stretch(group, quantity) } else { around_a_centre(group, quantity) };
    chosen.into_iter().map(|index| skipped + index).collect()
}

/// Every so many successive free seats: the first and the last of them.
fn stretches(free: &[SeatPosition], quantity: usize) -> impl Iterator<Item = (&SeatPosition, &SeatPosition)> {
    free.iter().zip(free.iter().skip(quantity.saturating_sub(1)))
}

/// The smallest group of successive rows of one section that has so many free seats; of equal ones,
/// the front-most. All free seats of these rows.
fn fewest_rows(free: &[SeatPosition], quantity: usize) -> Option<Range<usize>> {
    let (first, last) = stretches(free, quantity)
        .filter(|(first, last)| first.section() == last.section())
        .min_by_key(|(first, last)| last.ranks_behind(first))?;
    let start = free.partition_point(|place| place.rank < first.rank);
    Some(start..free.partition_point(|place| place.rank <= last.rank))
}

/// Of one row: the successive seats that span the least.
fn shortest_stretch(row: &[SeatPosition], quantity: usize) -> Vec<usize> {
    let shortest = stretches(row, quantity).enumerate().min_by_key(|(_, (first, last))| {
        let span = last.seats_beyond(first);
        (span, first.off_middle(span))
    });
    let start = shortest.map_or(0, |(start, _)| start);
    (start..start + quantity).collect()
}

/// Of several rows: one seat and those nearest to it, where they are nearest.
fn around_a_centre(group: &[SeatPosition], quantity: usize) -> Vec<usize> {
    // Of equally near seats, the first in this order is taken; the sort is stable.
    let mut seats: Vec<(usize, SeatPosition)> = group.iter().copied().enumerate().collect();
    seats.sort_by_key(|(_, place)| (place.rank, place.off_middle(0)));

    // Taken from the plan's order: the other one goes from side to side of the middle, and every
    // so many of it would all lie on one side.
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

/// The so many seats that are nearest to a centre, each as its distance and its index in `seats`.
fn nearest_to(centre: &SeatPosition, seats: &[(usize, SeatPosition)], quantity: usize) -> Vec<(i64, usize)> {
    let distances = seats.iter().map(|(_, place)| centre.distance(place));
    let mut nearest: Vec<(i64, usize)> = distances.zip(0..).collect();
    if quantity < nearest.len() {
        nearest.select_nth_unstable(quantity);
        nearest.truncate(quantity);
    }
    nearest
}
