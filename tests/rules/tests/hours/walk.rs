//! When a calendar is open, found by walking along a clock one minute after the other.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use booking_rules::hours::Week;

use crate::random::Random;

/// The weekdays from 2000-01-01 on.
const DAYS: [&str; 7] = ["sat", "sun", "mon", "tue", "wed", "thu", "fri"];

/// The number of days that a walk covers.
const SPAN: i64 = 16;

/// Opening hours, as times of day. If `closes` is before `opens`, it is on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    /// An index into `DAYS`.
    day: usize,
    opens: i64,
    pub closes: i64,
}

impl Hours {
    pub fn random(random: &mut Random) -> Self {
        loop {
            let day = random.within(0, 6) as usize;
            // The times are quarters of an hour, so that many windows touch.
            let opens = random.within(0, 95) * 15;
            let closes = if random.percent(15) { 1440 } else { random.within(1, 95) * 15 };
            if opens != closes {
                return Self { day, opens, closes };
            }
        }
    }

    /// Returns up to ten different ones.
    pub fn some(random: &mut Random) -> BTreeSet<Self> {
        (0..random.within(0, 10)).map(|_| Self::random(random)).collect()
    }

    pub fn line(&self) -> String {
        let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        format!("{} {}-{}", DAYS[self.day], clock(self.opens), clock(self.closes))
    }

    pub fn is_overnight(&self) -> bool {
        self.closes < self.opens
    }

    /// Returns how many minutes the clock advances from the opening to the closing.
    pub fn length(&self) -> i64 {
        if self.is_overnight() { 1440 - self.opens + self.closes } else { self.closes - self.opens }
    }
}

pub fn read(hours: &BTreeSet<Hours>) -> Week {
    let lines: Vec<String> = hours.iter().map(Hours::line).collect();
    Week::read(lines.iter().map(String::as_str)).expect("all are good")
}

/// Some days, on two of which the clock may be changed. Times are in minutes since 2000-01-01.
#[derive(Debug)]
pub struct Changes {
    first_day: i64,
    /// When the clock is put forward, as it shows before that.
    forward_at: i64,
    /// By how many minutes.
    by: i64,
    /// When the clock is put back by the same number of minutes, as it shows before that.
    back_at: i64,
}

/// Which of two moments counts if the clock shows the same time twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twice {
    First,
    Second,
}

impl Changes {
    pub fn none(first_day: i64) -> Self {
        Self { first_day, forward_at: i64::MAX, by: 0, back_at: i64::MAX }
    }

    pub fn random(random: &mut Random) -> Self {
        let first_day = random.within(-2000, 2000);
        let forward_at = (first_day + random.within(1, 5)) * 1440 + random.within(0, 48) * 30;
        let back_at = (first_day + random.within(8, 13)) * 1440 + random.within(0, 48) * 30;
        Self { first_day, forward_at, by: [30, 60, 120][random.within(0, 2) as usize], back_at }
    }

    pub fn days(&self) -> RangeInclusive<i64> {
        self.first_day..=self.first_day + SPAN - 1
    }

    pub fn first_minute(&self) -> i64 {
        self.first_day * 1440
    }

    /// Returns hours that begin or end at about the time at which the clock is changed.
    pub fn hours_nearby(&self, random: &mut Random) -> Vec<Hours> {
        let mut all = Vec::new();
        for at in [self.forward_at, self.back_at - self.by] {
            for _ in 0..3 {
                let opens = at + random.within(-6, 10) * 10;
                let closes = opens + random.within(1, 12) * 10;
                let day = opens.div_euclid(1440).rem_euclid(7) as usize;
                all.push(Hours {
                    day,
                    opens: opens.rem_euclid(1440),
                    closes: (closes - 1).rem_euclid(1440) + 1,
                });
            }
        }
        all
    }

    /// Returns the moment at which the clock shows a time. For a time that it skips, returns the moment at which
    /// it is put forward.
    pub fn instant(&self, clock: i64, twice: Twice) -> i64 {
        let turned_back = match twice {
            Twice::First => self.back_at,
            Twice::Second => self.back_at - self.by,
        };
        if clock < self.forward_at || clock >= turned_back {
            clock
        } else {
            self.forward_at.max(clock - self.by)
        }
    }

    /// Returns what the clock shows in each minute, from the first day on.
    fn faces(&self) -> Vec<i64> {
        let mut faces = Vec::new();
        let mut face = self.first_minute();
        let (mut is_forward, mut is_back) = (false, false);
        for _ in 0..(SPAN + 2) * 1440 {
            if face == self.forward_at && !is_forward {
                face += self.by;
                is_forward = true;
            }
            if face == self.back_at && !is_back {
                face -= self.by;
                is_back = true;
            }
            faces.push(face);
            face += 1;
        }
        faces
    }
}

/// Returns all windows of these days, and all minutes in them.
pub fn open(hours: &BTreeSet<Hours>, changes: &Changes, twice: Twice) -> (Vec<(i64, i64)>, Vec<i64>) {
    let faces = changes.faces();
    // Returns the minute in which the clock shows `face`. If it skips that time, returns the first minute in which
    // it shows a later one.
    let reaches = |face: i64| {
        let shows = |shown: &i64| *shown == face;
        let n = match twice {
            Twice::First => faces.iter().position(shows),
            Twice::Second => faces.iter().rposition(shows),
        };
        let n = n.or_else(|| faces.iter().position(|shown| *shown > face));
        changes.first_minute() + n.expect("the days are over by then") as i64
    };
    let (mut windows, mut minutes) = (Vec::new(), Vec::new());
    for day in changes.days() {
        let name = DAYS[day.rem_euclid(7) as usize];
        for one in hours.iter().filter(|one| DAYS[one.day] == name) {
            let midnight = day * 1440;
            let from = reaches(midnight + one.opens);
            let to = reaches(midnight + one.opens + one.length());
            windows.push((from, to));
            minutes.extend(from..to);
        }
    }
    (windows, minutes)
}

/// Returns the segments that the minutes make up without a gap: the first minute, and the one after the last.
pub fn segments(minutes: &[i64]) -> Vec<(i64, i64)> {
    let all: BTreeSet<i64> = minutes.iter().copied().collect();
    let begin = all.iter().filter(|minute| !all.contains(&(**minute - 1)));
    let end = all.iter().filter(|minute| !all.contains(&(**minute + 1)));
    begin.zip(end).map(|(first, last)| (*first, *last + 1)).collect()
}
