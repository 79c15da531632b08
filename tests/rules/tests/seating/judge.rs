//! The judge: says which seats a party must get, from the picture of a plan only. It shares no code with the
//! search.

use booking_rules::seating::{REACH, ROWS_A_SECTION, Search, best};

use crate::plan::{Label, Plan, Row};

/// Returns the labels of the seats that the search chooses. Returns `None` if it finds none.
pub fn choose(plan: &Plan, quantity: usize, together: bool) -> Option<Vec<Label>> {
    let free = plan.free();
    match best(&free, true, quantity, together) {
        Search::Take(chosen) => {
            Some(chosen.into_iter().map(|index| (free[index].rank, free[index].position)).collect())
        }
        Search::Nothing => None,
        Search::LookFurther => panic!("there is nothing further\n{plan}"),
    }
}

/// Adjacent free seats in a row for a party.
#[derive(Clone)]
pub struct Fit {
    pub rank: i32,
    pub orphans: usize,
    /// The difference between the numbers of seats of the row on its two sides.
    pub lopsided: usize,
    pub labels: Vec<Label>,
}

impl Fit {
    fn new(row: &Row, start: usize, quantity: usize) -> Self {
        let end = start + quantity;
        // A seat is left alone if it is a free neighbour whose other neighbour is not free.
        let left = start >= 1 && row.is_free(start - 1) && !(start >= 2 && row.is_free(start - 2));
        let right = row.is_free(end) && !row.is_free(end + 1);
        let lopsided = lopsided(row, start, end - 1);
        let labels = (start..end).map(|index| (row.rank, row.position(index))).collect();
        Self { rank: row.rank, orphans: usize::from(left) + usize::from(right), lopsided, labels }
    }
}

/// Returns all places where a party fits side by side.
pub fn fits(plan: &Plan, quantity: usize) -> Vec<Fit> {
    let mut all = Vec::new();
    for row in &plan.rows {
        for start in 0..row.seats.len() {
            if (start..start + quantity).all(|index| row.is_free(index)) {
                all.push(Fit::new(row, start, quantity));
            }
        }
    }
    all
}

/// Returns the place that the party must get. Returns `None` if there is none.
pub fn best_fit(fits: &[Fit]) -> Option<Fit> {
    let front = fits.iter().map(|fit| fit.rank).min()?;
    let mut left = fits.to_vec();
    left.retain(|fit| fit.rank - front <= REACH);
    keep_least(&mut left, |fit| fit.orphans);
    keep_least(&mut left, |fit| fit.rank);
    keep_least(&mut left, |fit| fit.lopsided);
    keep_least(&mut left, |fit| fit.labels[0].1);
    assert_eq!(left.len(), 1);
    left.pop()
}

/// Keeps the elements with the least key.
pub fn keep_least<T, K: Ord>(all: &mut Vec<T>, key: impl Fn(&T) -> K) {
    if let Some(least) = all.iter().map(&key).min() {
        all.retain(|one| key(one) == least);
    }
}

/// Returns the fewest successive rows of one section that have enough free seats: the first rank and the number of
/// ranks. Returns `None` if no section has enough.
pub fn smallest_group(plan: &Plan, quantity: usize) -> Option<(i32, i32)> {
    let rows: Vec<(&Row, usize)> = plan.rows.iter().map(|row| (row, row.free().count())).collect();
    let deepest = plan.rows.iter().map(|row| row.rank % ROWS_A_SECTION + 1).max()?;
    for height in 1..=deepest {
        for (top, _) in &rows {
            let group = rows.iter().filter(|(row, _)| {
                row.section() == top.section() && (top.rank..top.rank + height).contains(&row.rank)
            });
            if group.map(|(_, free)| free).sum::<usize>() >= quantity {
                return Some((top.rank, height));
            }
        }
    }
    None
}

/// Returns the seats of such a group that lie closest together.
pub fn closest(plan: &Plan, (top, height): (i32, i32), quantity: usize) -> Vec<Label> {
    let rows = plan.rows.iter().filter(|row| (top..top + height).contains(&row.rank));
    let rows: Vec<&Row> = rows.collect();
    if height == 1 { closest_in_row(rows[0], quantity) } else { closest_in_rows(&rows, quantity) }
}

/// Returns the difference between the number of seats before `from` and the number after `to`, in a row.
fn lopsided(row: &Row, from: usize, to: usize) -> usize {
    let (first, last) = row.ends();
    (from - first).abs_diff(last - to)
}

fn closest_in_row(row: &Row, quantity: usize) -> Vec<Label> {
    let mut all = Vec::new();
    for from in row.free() {
        let inside: Vec<usize> = row.free().filter(|index| *index >= from).take(quantity).collect();
        if let Some(to) = inside.get(quantity - 1) {
            all.push((to - from, lopsided(row, from, *to), inside));
        }
    }
    let (_, _, inside) = all.into_iter().min().expect("the row has enough");
    inside.into_iter().map(|index| (row.rank, row.position(index))).collect()
}

fn closest_in_rows(rows: &[&Row], quantity: usize) -> Vec<Label> {
    let seats = rows
        .iter()
        .flat_map(|row| row.free().map(|index| (row.rank, lopsided(row, index, index), row.position(index))));
    let seats: Vec<(i32, usize, i32)> = seats.collect();
    let parties = seats.iter().map(|centre| {
        let away = |seat: &(i32, usize, i32)| 2 * centre.0.abs_diff(seat.0) + centre.2.abs_diff(seat.2);
        let mut party: Vec<_> = seats.iter().map(|seat| (away(seat), *seat)).collect();
        party.sort_unstable();
        party.truncate(quantity);
        (party.iter().map(|(away, _)| away).sum::<u32>(), *centre, party)
    });
    let (_, _, party) = parties.min().expect("the group has seats");
    let mut labels: Vec<Label> = party.iter().map(|(_, (rank, _, position))| (*rank, *position)).collect();
    labels.sort_unstable();
    labels
}

/// Returns the least sum of distances from one of these seats to the `quantity` seats nearest to it.
pub fn least_apart(seats: &[Label], quantity: usize) -> u32 {
    let from = |centre: &Label| {
        let away = |seat: &Label| 2 * centre.0.abs_diff(seat.0) + centre.1.abs_diff(seat.1);
        let mut all: Vec<u32> = seats.iter().map(away).collect();
        all.sort_unstable();
        all.iter().take(quantity).sum::<u32>()
    };
    seats.iter().map(from).min().expect("there are seats")
}
