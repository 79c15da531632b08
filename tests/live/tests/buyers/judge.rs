//! Judges whether the answers were true, from what is known of who had what and when.

use std::collections::{BTreeMap, BTreeSet};

use booking_live::Told;
use serde_json::Value;

use crate::house::{BLOCKED, HALL, House, POOLS};
use crate::record::{Lot, Period, Record, Request, Want};

/// The lots of each seat and of each pool.
pub struct Judge<'a> {
    house: House,
    seats: BTreeMap<&'a str, Vec<&'a Lot>>,
    pools: BTreeMap<&'a str, Vec<&'a Lot>>,
    requests: &'a [Request],
}

fn touches(period: &Period, (from, to): Period) -> bool {
    period.0 <= to && from <= period.1
}

fn covers(period: &Period, instant: i64) -> bool {
    period.0 <= instant && instant <= period.1
}

fn is_inside(period: &Period, instant: i64) -> bool {
    period.0 < instant && instant < period.1
}

impl<'a> Judge<'a> {
    pub fn new(record: &'a Record) -> Judge<'a> {
        let mut seats: BTreeMap<&str, Vec<&Lot>> = BTreeMap::new();
        let mut pools: BTreeMap<&str, Vec<&Lot>> = BTreeMap::new();
        for lot in &record.lots {
            match &lot.seat {
                Some(seat) => seats.entry(seat).or_default().push(lot),
                None => pools.entry(&lot.resource).or_default().push(lot),
            }
        }
        Judge { house: House::new(), seats, pools, requests: &record.requests }
    }

    fn lots_of(&self, seat: &str) -> &[&'a Lot] {
        self.seats.get(seat).map_or(&[], Vec::as_slice)
    }

    fn may_be_taken(&self, seat: &str, instant: i64) -> bool {
        BLOCKED.contains(&seat)
            || self.lots_of(seat).iter().any(|lot| lot.may.iter().any(|period| covers(period, instant)))
    }

    fn may_be_free(&self, seat: &str, instant: i64, but: &str) -> bool {
        let has = |lot: &&Lot| lot.hold != but && lot.must.iter().any(|period| is_inside(period, instant));
        !BLOCKED.contains(&seat) && !self.lots_of(seat).iter().any(has)
    }

    /// Returns whether nobody can have had it at any instant of the period.
    fn was_free_throughout(&self, seat: &str, period: Period) -> bool {
        let had = |lot: &&Lot| lot.may.iter().any(|may| touches(may, period));
        !BLOCKED.contains(&seat) && !self.lots_of(seat).iter().any(had)
    }

    /// Returns the instants of the period at which one of these lots began or ended. Anything that was true at
    /// some instant of the period was true at one of these.
    fn instants(lots: impl Iterator<Item = &'a Lot>, (from, to): Period) -> BTreeSet<i64> {
        let ends =
            lots.flat_map(|lot| lot.may.iter().chain(&lot.must)).flat_map(|period| [period.0, period.1]);
        ends.filter(|instant| (from..=to).contains(instant)).chain([from, to]).collect()
    }

    fn instants_of(&self, seats: &[String], period: Period) -> BTreeSet<i64> {
        Self::instants(seats.iter().flat_map(|seat| self.lots_of(seat).iter().copied()), period)
    }

    /// Asserts that no seat was in two holds at once, and that no pool was sold beyond its bounds.
    pub fn nothing_was_sold_twice(&self) {
        for (seat, lots) in &self.seats {
            let mut musts: Vec<_> =
                lots.iter().flat_map(|lot| lot.must.iter().map(|must| (*must, &lot.hold))).collect();
            musts.retain(|((from, to), _)| from < to);
            musts.sort();
            for pair in musts.windows(2) {
                assert!(pair[0].0.1 <= pair[1].0.0, "{seat} was two holds' at once: {pair:?}");
            }
        }
        for (pool, capacity, overbooking) in POOLS {
            let lots = self.pools.get(pool).map_or(&[][..], Vec::as_slice);
            for instant in lots.iter().flat_map(|lot| lot.must.iter().map(|must| must.0 + 1)) {
                let had = |lot: &&&Lot| lot.must.iter().any(|must| is_inside(must, instant));
                let taken: i64 = lots.iter().filter(had).map(|lot| lot.quantity).sum();
                assert!(taken <= capacity + overbooking, "{pool}: {taken} at {instant}");
            }
        }
    }

    /// Asserts that every answer was true. Returns the number of refusals of each kind that were judged.
    pub fn every_answer_was_true(&self) -> BTreeMap<&'static str, usize> {
        let mut judged = BTreeMap::new();
        for Request { wants, told } in self.requests {
            let detail = told.answer.detail.as_deref().unwrap_or("null");
            let detail: Value = serde_json::from_str(detail).expect("JSON");
            match (told.answer.status.as_str(), wants.as_slice()) {
                ("unavailable", [want]) => {
                    *judged.entry(self.refusal(want, &[], told, &detail)).or_default() += 1;
                }
                ("unavailable", wants) => {
                    for item in detail["items"].as_array().expect("the items that were short") {
                        let n = item["item"].as_u64().expect("its number") as usize - 1;
                        let others = [&wants[..n], &wants[n + 1..]].concat();
                        *judged.entry(self.refusal(&wants[n], &others, told, item)).or_default() += 1;
                    }
                }
                ("held", wants) => self.success(wants, told),
                _ => {}
            }
        }
        judged
    }

    /// Asserts that the seats that were given were all free at one instant.
    fn success(&self, wants: &[Want], told: &Told) {
        let period = (told.first_sent, told.answered);
        if let ([want], Some(seats)) = (wants, &told.answer.seats) {
            let free =
                |instant: &i64| seats.iter().all(|seat| self.may_be_free(seat, *instant, told.answer.id()));
            assert!(self.instants_of(seats, period).iter().any(free), "given, and taken: {told:?}");
            if let Want::Best { quantity, section, together } = want {
                let labels: BTreeSet<_> = seats.iter().map(String::as_str).collect();
                assert!(self.house.would_do(&labels, *quantity, *together), "{want:?}: {told:?}");
                assert!(labels.iter().all(|label| self.house.is_in(label, *section)), "{want:?}: {told:?}");
            }
        }
    }

    fn refusal(&self, want: &Want, others: &[Want], told: &Told, detail: &Value) -> &'static str {
        let period = (told.sent, told.answered);
        match want {
            Want::Named(labels) => {
                self.named_refusal(labels, period, detail);
                "named seats"
            }
            Want::Best { quantity, section, together } => {
                let is_best = |want: &Want| matches!(want, Want::Best { .. });
                // Of two such requests in one basket, the first may have taken the seats that the second needed.
                if others.iter().any(is_best) {
                    return "best seats, not judged";
                }
                let named = others.iter().flat_map(|want| match want {
                    Want::Named(labels) => labels.as_slice(),
                    _ => &[],
                });
                let named: BTreeSet<_> = named.map(String::as_str).collect();
                self.best_refusal((*quantity, *section, *together), &named, period, detail);
                "best seats"
            }
            Want::Pool { pool, quantity } => {
                let same = others.iter().map(|other| match other {
                    Want::Pool { pool: other, quantity } if other == pool => *quantity,
                    _ => 0,
                });
                self.pool_refusal(pool, quantity + same.sum::<i64>(), period);
                "pools"
            }
        }
    }

    /// All seats were read in one moment. So there must be an instant at which others can have had the seats that
    /// were named as taken, while the rest was free.
    fn named_refusal(&self, labels: &[String], period: Period, detail: &Value) {
        let of = |field: &str| detail[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        let taken: BTreeSet<_> = of("taken").collect();
        let blocked: BTreeSet<_> = of("blocked").collect();
        let as_asked = labels.iter().map(String::as_str).filter(|label| BLOCKED.contains(label)).collect();
        assert_eq!(blocked, as_asked, "blocked seats: {detail}");
        assert!(!taken.is_empty() || !blocked.is_empty(), "refused without a reason: {detail}");
        let rest: Vec<_> = labels.iter().map(String::as_str).collect();
        let rest = || rest.iter().filter(|label| !taken.contains(*label) && !blocked.contains(*label));
        let is_so = |instant: &i64| {
            taken.iter().all(|seat| self.may_be_taken(seat, *instant))
                && rest().all(|seat| self.may_be_free(seat, *instant, ""))
        };
        assert!(self.instants_of(labels, period).iter().any(is_so), "never so within {period:?}: {detail}");
    }

    /// The seat plan is not read in one moment. But seats that were free throughout were seen, and would have been
    /// given if they had been enough. And the number that was given as free was true at some instant.
    fn best_refusal(
        &self,
        (quantity, section, together): (usize, Option<&str>, bool),
        named: &BTreeSet<&str>,
        period: Period,
        detail: &Value,
    ) {
        let there = || self.house.for_sale().filter(|label| self.house.is_in(label, section));
        let free: BTreeSet<_> = there()
            .filter(|label| !named.contains(label) && self.was_free_throughout(label, period))
            .collect();
        assert!(
            !self.house.would_do(&free, quantity, together),
            "{quantity} in {section:?}, together: {together}, refused within {period:?}: {detail}; \
             and free all the while were {free:?}"
        );
        let was_free = |label: &&str| {
            let lots = self.lots_of(label).iter().copied();
            Self::instants(lots, period).iter().any(|instant| self.may_be_free(label, *instant, ""))
        };
        let available = detail["available"].as_u64().expect("a number") as usize;
        assert!(available <= there().filter(was_free).count(), "more than there can have been: {detail}");
        assert!(
            available < quantity || together && detail["together"] == true,
            "refused and there: {detail}"
        );
    }

    /// Asserts that at some instant others can have had so much that the request did not fit.
    fn pool_refusal(&self, pool: &str, quantity: i64, period: Period) {
        let (_, capacity, overbooking) = POOLS.into_iter().find(|(name, ..)| *name == pool).expect("a pool");
        let lots = self.pools.get(pool).map_or(&[][..], Vec::as_slice);
        let is_short = |instant: &i64| {
            let had = |lot: &&&Lot| lot.may.iter().any(|may| covers(may, *instant));
            let taken: i64 = lots.iter().filter(had).map(|lot| lot.quantity).sum();
            taken + quantity > capacity + overbooking
        };
        let instants = Self::instants(lots.iter().copied(), period);
        assert!(instants.iter().any(is_short), "{quantity} of {pool}, refused within {period:?}");
    }
}

/// What a basket's answer says of its items: hold, resource, seats, quantity.
pub fn items(told: &Told) -> Vec<(String, String, Vec<String>, i64)> {
    let detail: Value = serde_json::from_str(told.answer.detail.as_deref().expect("items")).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let item = |item: &Value| {
        let seats = item["seats"].as_array().into_iter().flatten().map(text).collect();
        (text(&item["hold_id"]), text(&item["resource"]), seats, item["quantity"].as_i64().expect("a number"))
    };
    detail["items"].as_array().expect("items").iter().map(item).collect()
}

/// A seat of a hall, or the name of a pool.
pub fn resource_of(want: &Want) -> &'static str {
    match want {
        Want::Pool { pool, .. } => pool,
        _ => HALL,
    }
}
