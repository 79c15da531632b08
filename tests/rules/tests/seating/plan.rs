//! Plans of seats as pictures: drawn by hand or at random.

use std::fmt;

use booking_rules::seating::{ROWS_A_SECTION, SeatPosition};

/// A seat's rank and position, as printed on the ticket. It does not depend on the seat's index in any list.
pub type Label = (i32, i32);

/// One row, one character for each position: `.` a free seat, `x` a taken one, `#` a blocked one, a space for no
/// seat.
pub struct Row {
    pub rank: i32,
    pub first: i32,
    pub seats: Vec<u8>,
}

impl Row {
    pub fn is_free(&self, index: usize) -> bool {
        self.seats.get(index) == Some(&b'.')
    }

    /// Iterates over the indexes of the free seats.
    pub fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.seats.len()).filter(|index| self.is_free(*index))
    }

    /// Returns the indexes of the first and the last seat, free or not.
    pub fn ends(&self) -> (usize, usize) {
        let is_seat = |seat: &u8| *seat != b' ';
        let first = self.seats.iter().position(is_seat).expect("a row has seats");
        (first, self.seats.iter().rposition(is_seat).expect("a row has seats"))
    }

    pub fn position(&self, index: usize) -> i32 {
        self.first + index as i32
    }

    pub fn section(&self) -> i32 {
        self.rank / ROWS_A_SECTION
    }
}

/// A plan: its rows from the front to the back.
pub struct Plan {
    pub rows: Vec<Row>,
}

impl Plan {
    /// Reads a picture, one line for each row. `---` begins the next section; an empty line is a rank without
    /// seats.
    pub fn read(picture: &[&str]) -> Self {
        let mut rows = Vec::new();
        let mut rank = 0;
        for line in picture {
            if *line == "---" {
                rank = (rank / ROWS_A_SECTION + 1) * ROWS_A_SECTION;
                continue;
            }
            if !line.is_empty() {
                rows.push(Row { rank, first: 1, seats: line.bytes().collect() });
            }
            rank += 1;
        }
        Self { rows }
    }

    /// Returns the free seats as the search reads them.
    pub fn free(&self) -> Vec<SeatPosition> {
        let places = self.rows.iter().flat_map(|row| {
            let (first, last) = row.ends();
            let middle = row.position(first) + row.position(last);
            row.free().map(move |index| SeatPosition {
                rank: row.rank,
                position: row.position(index),
                middle,
            })
        });
        places.collect()
    }

    /// Iterates over the labels of the free seats, from the front.
    pub fn labels(&self) -> impl Iterator<Item = Label> {
        let rows = self.rows.iter();
        rows.flat_map(|row| row.free().map(|index| (row.rank, row.position(index))))
    }

    pub fn is_free(&self, (rank, position): Label) -> bool {
        let row = self.rows.iter().find(|row| row.rank == rank);
        row.is_some_and(|row| usize::try_from(position - row.first).is_ok_and(|index| row.is_free(index)))
    }

    /// Draws the picture, with the chosen seats as `@`.
    pub fn with(&self, chosen: &[Label]) -> Vec<String> {
        let draw = |row: &Row| {
            let seats = row.seats.iter().enumerate();
            seats
                .map(|(index, seat)| {
                    let label = (row.rank, row.position(index));
                    if chosen.contains(&label) { '@' } else { char::from(*seat) }
                })
                .collect()
        };
        self.rows.iter().map(draw).collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            writeln!(formatter, "{:8} {:4} {}", row.rank, row.first, String::from_utf8_lossy(&row.seats))?;
        }
        Ok(())
    }
}

/// A random number generator (Splitmix64) that makes the same plans in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from `low` to `high`, both included.
    pub fn within(&mut self, low: i32, high: i32) -> i32 {
        low + (self.next() % (high - low + 1) as u64) as i32
    }

    fn percent(&mut self, chance: i32) -> bool {
        self.within(1, 100) <= chance
    }

    /// Makes a plan: anything from one small section that is nearly free to four sections that are nearly full.
    pub fn plan(&mut self) -> Plan {
        let (taken, blocked) = (self.within(0, 95), self.within(0, 30));
        let aisles = self.within(0, 25);
        // Without sold-out rows, hardly any row would be full to its end, and few rows would be out of reach.
        let sold_out = self.within(0, 60);
        let mut rows = Vec::new();
        for section in 0..self.within(1, 4) {
            let mut rank = section * ROWS_A_SECTION;
            for _ in 0..self.within(1, 12) {
                rank += i32::from(self.percent(10));
                let taken = if self.percent(sold_out) { 100 } else { taken };
                rows.push(self.row(rank, taken, blocked, aisles));
                rank += 1;
            }
        }
        Plan { rows }
    }

    /// Makes one section of long rows. In each row less than half of the seats are free, and few of them are
    /// adjacent.
    pub fn large_plan(&mut self) -> Plan {
        let length = self.within(30, 300);
        let row = |random: &mut Self, rank| {
            let seats = (0..length).map(|_| if random.percent(30) { b'.' } else { b'x' });
            Row { rank, first: 1, seats: seats.collect() }
        };
        Plan { rows: (0..60).map(|rank| row(self, rank)).collect() }
    }

    fn row(&mut self, rank: i32, taken: i32, blocked: i32, aisles: i32) -> Row {
        let length = self.within(1, 20);
        let mut seats = vec![b'.'; length as usize];
        let last = seats.len() - 1;
        for (index, seat) in seats.iter_mut().enumerate() {
            // One random number serves for all three decisions, since most of the test's time is spent here.
            let draw = self.next();
            let percent = |shift: u32| (((draw >> shift) & 0xffff) as i32 * 100) >> 16;
            if percent(0) < aisles && index != 0 && index != last {
                *seat = b' ';
            } else if percent(16) < taken {
                *seat = b'x';
            } else if percent(32) < blocked {
                *seat = b'#';
            }
        }
        Row { rank, first: self.within(-5, 5), seats }
    }
}
