//! Random steps: what can happen to a pool.

use booking_rules::Micros;

#[derive(Clone, Debug)]
pub enum Step {
    Hold { quantity: i64, ttl: Micros, holder: usize, stale: bool },
    Confirm { which: usize, reference: u8, late: bool, stale: bool },
    Extend { which: usize, ttl: Micros, stale: bool },
    Release { which: usize, quantity: Option<i64>, stale: bool },
    Cancel { which: usize, quantity: Option<i64>, stale: bool },
    Sweep { limit: usize },
    SetCapacity { capacity: i64, stale: bool },
    SetOpen { open: bool },
    Purge,
    Wait { micros: Micros },
}

/// A random number, from which digits are taken one after the other.
struct Digits(u64);

impl Digits {
    fn below(&mut self, bound: u64) -> u64 {
        let digit = self.0 % bound;
        self.0 /= bound;
        digit
    }

    fn between(&mut self, range: std::ops::Range<i64>) -> i64 {
        range.start + self.below((range.end - range.start) as u64) as i64
    }
}

impl Step {
    /// Returns the step that a random number stands for. A proptest strategy for each field would take ten times
    /// as long.
    pub fn from_number(number: u64) -> Self {
        let mut digits = Digits(number);
        let kind = digits.below(36);
        // One request in eight expects a version that is not the current one.
        let stale = digits.below(8) == 7;
        let which = digits.below(64) as usize;
        let part = |digits: &mut Digits| (digits.below(2) == 1).then(|| digits.between(1..6));
        match kind {
            0..8 => Step::Hold {
                quantity: digits.between(1..5),
                ttl: digits.between(1..60),
                holder: digits.below(4) as usize,
                stale,
            },
            8..16 => {
                Step::Confirm { which, reference: digits.below(3) as u8, late: digits.below(2) == 1, stale }
            }
            16..19 => Step::Extend { which, ttl: digits.between(1..120), stale },
            19..22 => Step::Release { which, quantity: part(&mut digits), stale },
            22..26 => Step::Cancel { which, quantity: part(&mut digits), stale },
            26 => Step::Sweep { limit: digits.below(4) as usize + 1 },
            27 => Step::SetCapacity { capacity: digits.between(0..30), stale },
            28 => Step::SetOpen { open: digits.below(4) > 0 },
            29 => Step::Purge,
            _ => Step::Wait { micros: digits.between(0..20) },
        }
    }
}
