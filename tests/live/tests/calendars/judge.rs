//! Judges whether the answers were true, from what is known of who had what and when.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::record::{Asked, Lot, Record, Refusal, Resizing, capacity_after};
use crate::rooms::{Period, ROOMS, moment};

pub struct Judge<'a> {
    /// The lots of each room.
    rooms: Vec<Vec<&'a Lot>>,
    record: &'a Record,
}

fn covers(period: Period, instant: i64) -> bool {
    period.0 <= instant && instant <= period.1
}

fn is_inside(period: Period, instant: i64) -> bool {
    period.0 < instant && instant < period.1
}

/// Returns whether a moment lies in a period that excludes its end.
fn contains((from, to): Period, at: i64) -> bool {
    from <= at && at < to
}

impl<'a> Judge<'a> {
    pub fn new(record: &'a Record) -> Judge<'a> {
        let mut rooms: Vec<Vec<&Lot>> = ROOMS.iter().map(|_| Vec::new()).collect();
        record.lots.iter().for_each(|lot| rooms[lot.room].push(lot));
        Judge { rooms, record }
    }

    fn resizings(&self, room: usize) -> &'a [Resizing] {
        self.record.resizings.get(&room).map_or(&[], Vec::as_slice)
    }

    /// Returns the least and the most that the capacity for a moment can have been at an instant.
    fn capacity(&self, room: usize, at: i64, instant: i64) -> (i64, i64) {
        let changes = self.resizings(room);
        let done = changes.partition_point(|change| change.answered < instant);
        let begun = changes.partition_point(|change| change.first_sent <= instant);
        let possible = (done..=begun.max(done)).map(|count| capacity_after(room, &changes[..count], at));
        let (least, most) = (possible.clone().min(), possible.max());
        (least.expect("there is one"), most.expect("there is one"))
    }

    /// Returns how much others can have had for a moment at an instant.
    fn may_be_taken(&self, asked: &Asked, at: i64, instant: i64) -> i64 {
        let had = |lot: &&&Lot| {
            Some(&lot.hold) != asked.of.as_ref()
                && contains(lot.occupied, at)
                && lot.may.iter().any(|may| covers(*may, instant))
        };
        self.rooms[asked.room].iter().filter(had).map(|lot| lot.quantity).sum()
    }

    /// Returns how much others must have had for a moment at an instant.
    fn must_be_taken(&self, asked: &Asked, at: i64, instant: i64) -> i64 {
        let had = |lot: &&&Lot| {
            Some(&lot.hold) != asked.of.as_ref()
                && contains(lot.occupied, at)
                && lot.must.iter().any(|must| is_inside(*must, instant))
        };
        self.rooms[asked.room].iter().filter(had).map(|lot| lot.quantity).sum()
    }

    /// Returns the instants of the period at which anything began or ended in a room. Anything that was true at
    /// some instant of the period was true at one of these.
    fn instants(&self, room: usize, (from, to): Period) -> BTreeSet<i64> {
        let lots = self.rooms[room].iter().flat_map(|lot| lot.may.iter().chain(&lot.must));
        let resizings = self.resizings(room).iter().map(|change| (change.first_sent, change.answered));
        let ends = lots.copied().chain(resizings).flat_map(|period| [period.0, period.1]);
        ends.filter(|instant| covers((from, to), *instant)).chain([from, to]).collect()
    }

    /// Returns the moments at which the fewest places may have been left for the request.
    fn moments(&self, asked: &Asked) -> BTreeSet<i64> {
        let lots = self.rooms[asked.room].iter().map(|lot| lot.occupied.0);
        let changes = self.resizings(asked.room).iter().filter_map(|change| change.during);
        let bounds = lots.chain(changes.flat_map(|during| [during.0, during.1]));
        bounds.filter(|at| contains(asked.occupied, *at)).chain([asked.occupied.0]).collect()
    }

    /// Asserts that no room was ever booked beyond its capacity.
    pub fn nothing_was_given_twice(&self) {
        for (room, lots) in self.rooms.iter().enumerate() {
            let moments: BTreeSet<i64> = lots.iter().map(|lot| lot.occupied.0).collect();
            for at in moments {
                // At the same instant, what ends comes before what begins.
                let mut steps: Vec<(i64, i64)> = Vec::new();
                for lot in lots.iter().filter(|lot| contains(lot.occupied, at)) {
                    for must in lot.must.iter().filter(|must| must.0 + 1 < must.1) {
                        steps.extend([(must.0 + 1, lot.quantity), (must.1, -lot.quantity)]);
                    }
                }
                steps.sort_unstable();
                let mut taken = 0;
                for (instant, change) in steps {
                    taken += change;
                    let (_, most) = self.capacity(room, at, instant);
                    assert!(
                        change < 0 || taken <= most,
                        "{}: {taken} of {most} for {at} at {instant}",
                        ROOMS[room].name
                    );
                }
            }
        }
    }

    /// Asserts that every refusal was true. Returns the number of refusals of each kind that were judged.
    pub fn every_refusal_was_true(&self) -> BTreeMap<(&'static str, &'a str), usize> {
        let mut judged = BTreeMap::new();
        for refusal in &self.record.refusals {
            let Refusal { verb, status, asked, .. } = refusal;
            let is_true = match status.as_str() {
                "unavailable" => self.was_short(refusal),
                "closed" => !ROOMS[asked.room].is_open(self.during(asked)),
                "limit_exceeded" => self.was_over_limit(refusal),
                // A refusal of a late confirmation.
                "expired" => self.was_lost(refusal),
                other => panic!("{other}: {refusal:?}"),
            };
            assert!(is_true, "never so: {refusal:?}");
            *judged.entry((*verb, status.as_str())).or_default() += 1;
        }
        judged
    }

    fn during(&self, asked: &Asked) -> Period {
        // Rooms with hours are judged without the buffer, which may lie outside the hours.
        let buffer = ROOMS[asked.room].occupied((0, 0)).1;
        (asked.occupied.0, asked.occupied.1 - buffer)
    }

    /// Asserts that there is an instant at which as little can have been left at the named moment as the answer
    /// says, and one at which as much can have been left.
    fn was_short(&self, refusal: &Refusal) -> bool {
        let Refusal { asked, beside, .. } = refusal;
        let detail: Value = serde_json::from_str(refusal.detail.as_deref().expect("a detail")).expect("JSON");
        let at = moment(detail["at"].as_str().expect("a moment"));
        assert!(contains(asked.occupied, at), "not what was asked for: {refusal:?}");
        let beside = beside.iter().filter(|other| other.room == asked.room && contains(other.occupied, at));
        let beside: i64 = beside.map(|other| other.quantity).sum();
        self.instants(asked.room, refusal.period).into_iter().any(|instant| {
            let (least, most) = self.capacity(asked.room, at, instant);
            let may = self.may_be_taken(asked, at, instant);
            if let Some(capacity) = refusal.capacity {
                return may > capacity;
            }
            let must = self.must_be_taken(asked, at, instant);
            let available = detail["available"].as_i64().expect("a number");
            let is_so = (least - may - beside).max(0) <= available && available <= (most - must).max(0);
            least - may - beside < asked.quantity && available < asked.quantity && is_so
        })
    }

    fn was_over_limit(&self, Refusal { asked, beside, holder, period, .. }: &Refusal) -> bool {
        let limit = ROOMS[asked.room].limit.expect("a limit");
        let beside: i64 =
            beside.iter().filter(|other| other.room == asked.room).map(|other| other.quantity).sum();
        let has = |instant: i64| -> i64 {
            let lots = self.rooms[asked.room]
                .iter()
                .filter(|lot| lot.holder == *holder && lot.may.iter().any(|may| covers(*may, instant)));
            lots.map(|lot| lot.quantity).sum()
        };
        self.instants(asked.room, *period)
            .into_iter()
            .any(|instant| has(instant) + beside + asked.quantity > limit)
    }

    /// Asserts that there is an instant at which somebody else can have had the expired hold's place, or that of
    /// an item that expired together with it.
    fn was_lost(&self, Refusal { asked, beside, period, .. }: &Refusal) -> bool {
        [asked].into_iter().chain(beside).any(|asked| {
            let moments = self.moments(asked);
            self.instants(asked.room, *period).into_iter().any(|instant| {
                moments.iter().any(|at| {
                    let others = beside.iter().filter(|other| {
                        other.of != asked.of && other.room == asked.room && contains(other.occupied, *at)
                    });
                    let others: i64 = others.map(|other| other.quantity).sum();
                    let (least, _) = self.capacity(asked.room, *at, instant);
                    self.may_be_taken(asked, *at, instant) + others + asked.quantity > least
                })
            })
        })
    }
}
