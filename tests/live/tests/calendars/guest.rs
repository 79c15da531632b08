//! One of the guests: what it keeps, moves and gives back.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use booking_live::{Answer, Caller, Told, clock};
use rand::Rng;
use rand::rngs::StdRng;

use crate::record::{Asked, Lot, Owned, Record, Refusal, Resizing, Stand, capacity_after};
use crate::rooms::{ROOMS, is_long, range, some_hours};
use crate::shared::Shared;

/// The most bookings that a guest keeps.
const KEPT: usize = 5;

pub struct Guest<'a> {
    pub number: usize,
    pub caller: Caller,
    pub random: StdRng,
    pub shared: &'a Shared,
    pub kept: Vec<Owned>,
    pub keys: usize,
}

/// What one request brought: the id to name it by, and its holds.
pub struct Placed {
    pub id: String,
    pub owned: Vec<Owned>,
}

impl Guest<'_> {
    pub fn run(mut self, rounds: usize) {
        for _ in 0..rounds {
            self.shared.gate.pass();
            self.round();
            self.shared.rounds.fetch_add(1, Ordering::SeqCst);
        }
        let lots: Vec<_> = self.kept.iter().map(Owned::lot).collect();
        self.shared.note(|record| {
            record.lots.extend(lots);
            record.conflicts += self.caller.conflicts;
        });
    }

    /// Several guests book for one holder.
    pub fn holder(&self) -> String {
        format!("holder {}", self.number % 4)
    }

    fn round(&mut self) {
        let is_short = self.random.random_ratio(1, 3);
        let ttl = match is_short {
            true => format!("{} ms", self.random.random_range(150..900)),
            false => "10 min".to_owned(),
        };
        for placed in self.place(&ttl) {
            self.decide(placed, is_short);
        }
        while self.kept.len() > KEPT || !self.kept.is_empty() && self.random.random_ratio(1, 3) {
            let n = self.random.random_range(0..self.kept.len());
            let owned = self.kept.swap_remove(n);
            self.cancel(owned);
        }
        if !self.kept.is_empty() && self.random.random_ratio(1, 2) {
            let n = self.random.random_range(0..self.kept.len());
            let owned = self.kept.swap_remove(n);
            self.promised(|promised| promised.remove(&owned.id));
            self.reschedule(owned).into_iter().for_each(|owned| self.keep(owned));
        }
        if ROOMS.get(self.number).is_some_and(|room| room.is_resized) {
            self.resize();
        }
    }

    fn promised<T>(&self, what: impl FnOnce(&mut BTreeMap<String, Stand>) -> T) -> T {
        what(&mut self.shared.promised.lock().expect("no guest panicked"))
    }

    fn keep(&mut self, owned: Owned) {
        self.promised(|promised| promised.insert(owned.id.clone(), owned.stand.clone()));
        self.kept.push(owned);
    }

    pub fn ask(&mut self, verb: &'static str, call: &str) -> Told {
        let told = self.caller.ask(call);
        self.shared.note(|record| {
            record.saw(verb, &told.answer);
            record.again += usize::from(told.again());
        });
        told
    }

    pub fn refused<T>(
        &self,
        verb: &'static str,
        asked: Asked,
        beside: Vec<Asked>,
        told: &Told<T>,
        why: &Answer,
    ) {
        let refusal = Refusal {
            verb,
            status: why.status.clone(),
            asked,
            beside,
            holder: self.holder(),
            detail: why.detail.clone(),
            capacity: None,
            period: (told.sent, told.answered),
        };
        self.shared.note(|record| record.refusals.push(refusal));
    }

    pub fn is(&self, owned: &Owned, state: Option<&'static str>) {
        self.shared.note(|record| record.fates.insert(owned.id.clone(), owned.fate(state)));
    }

    fn decide(&mut self, mut placed: Placed, is_short: bool) {
        let choice = self.random.random_range(0..100);
        if is_short && choice < 25 {
            return self.leave(placed.owned);
        }
        if is_short && choice < 55 {
            let runs_out = placed.owned.iter().map(|owned| owned.expires_at).max().expect("one hold");
            while clock() <= runs_out {
                std::thread::sleep(Duration::from_millis(10));
            }
            return self.confirm(placed, "reacquire");
        }
        // If a guest kept these, they would fill the small rooms for good.
        let is_for_long =
            placed.owned.iter().any(|owned| ROOMS[owned.room].capacity < 5 && is_long(owned.stand.during));
        let is_single = placed.owned.len() == 1;
        match choice {
            _ if is_for_long => return self.release(placed),
            0..15 => return self.release(placed),
            15..30 if is_single => self.extend(&mut placed.owned[0]),
            30..60 if is_single => {
                let Some(owned) = placed.owned.pop().and_then(|owned| self.reschedule(owned)) else { return };
                placed.owned.push(owned);
            }
            60..75 if is_single && placed.owned[0].stand.quantity > 1 => {
                let Some(owned) = placed.owned.pop().and_then(|owned| self.part("release", owned)) else {
                    return;
                };
                placed.owned.push(owned);
            }
            _ => {}
        }
        self.confirm(placed, "refuse");
    }

    /// Leaves the hold, or the rest of it, to expire.
    fn leave(&mut self, owned: Vec<Owned>) {
        self.shared.note(|record| record.lots.extend(owned.iter().map(Owned::lot)));
    }

    fn confirm(&mut self, placed: Placed, late: &str) {
        let Placed { id, mut owned } = placed;
        let told = self.ask("confirm", &format!("confirm('{id}', 'a payment', late => '{late}')"));
        let answer = &told.answer;
        if answer.status == "expired" && late == "reacquire" {
            let asked = |owned: &Owned| Asked {
                room: owned.room,
                quantity: owned.stand.quantity,
                occupied: owned.occupied(),
                of: Some(owned.id.clone()),
            };
            let asked: Vec<_> = owned.iter().map(asked).collect();
            self.refused("confirm late", asked[0].clone(), asked[1..].to_vec(), &told, answer);
        }
        if ["expired", "limit_exceeded"].contains(&answer.status.as_str()) {
            assert!(owned.iter().any(|owned| owned.expires_at <= told.answered), "it was live: {told:?}");
            return self.leave(owned);
        }
        assert!(answer.ok && answer.status == "confirmed", "{told:?}");
        for mut owned in owned.drain(..) {
            owned.confirmed(&told);
            owned.stand.version += 1;
            self.is(&owned, Some("confirmed"));
            self.keep(owned);
        }
    }

    fn extend(&mut self, owned: &mut Owned) {
        let told = self.ask("extend", &format!("extend('{}', '2 s')", owned.id));
        let expires_at = told.answer.expires_at.expect("a hold runs out");
        assert!(told.answer.ok || owned.expires_at <= told.answered, "it was live: {told:?}");
        owned.extended(owned.expires_at.max(expires_at));
        owned.stand.version = told.answer.version.expect("a hold has a version");
        self.is(owned, None);
    }

    fn release(&mut self, placed: Placed) {
        let told = self.ask("release", &format!("release('{}')", placed.id));
        assert!(told.answer.ok, "{told:?}");
        let state = if told.answer.status == "released" { Some("released") } else { None };
        let has_run_out = |owned: &Owned| owned.expires_at <= told.answered;
        assert!(state.is_some() || placed.owned.iter().all(has_run_out), "it was live: {told:?}");
        for mut owned in placed.owned {
            // A hold that had expired keeps its version.
            owned.stand.version += i64::from(state.is_some());
            self.is(&owned, state);
            let lot = owned.gave_back(owned.stand.quantity, &told);
            self.shared.note(|record| record.lots.push(lot));
        }
    }

    fn cancel(&mut self, mut owned: Owned) {
        // From here on, the judge must not expect the hold to be there.
        self.promised(|promised| promised.remove(&owned.id));
        if owned.stand.quantity > 1 && self.random.random_ratio(1, 2) {
            let left = self.part("cancel", owned).expect("what is confirmed does not run out");
            return self.keep(left);
        }
        let told = self.ask("cancel", &format!("cancel('{}')", owned.id));
        assert!(told.answer.ok && told.answer.status == "cancelled", "{told:?}");
        owned.stand.version += 1;
        self.is(&owned, Some("cancelled"));
        let lot = owned.gave_back(owned.stand.quantity, &told);
        self.shared.note(|record| record.lots.push(lot));
    }

    /// Gives a part back, with the expected version, so that after a crash it is not given back twice. Returns
    /// what is left of the hold, or `None` if it expired.
    fn part(&mut self, verb: &'static str, mut owned: Owned) -> Option<Owned> {
        let part = self.random.random_range(1..owned.stand.quantity);
        let version = owned.stand.version;
        let call = format!("{verb}('{}', {part}, expected_version => {version})", owned.id);
        let told = self.ask(verb, &call);
        let state = owned.is_confirmed.then_some("confirmed");
        match told.answer.status.as_str() {
            "expired" => {
                self.ran_out(&owned, &told, |stand| stand.quantity -= part);
                None
            }
            "held" | "confirmed" | "version_mismatch" => {
                let is_done = if told.answer.ok { !told.answer.replayed } else { told.again() };
                assert!(is_done && told.answer.version == Some(version + 1), "{call}: {told:?}");
                let lot = owned.gave_back(part, &told);
                owned.stand.version += 1;
                self.shared.note(|record| record.lots.push(lot));
                self.is(&owned, state);
                Some(owned)
            }
            other => panic!("{other}: {told:?}"),
        }
    }

    /// Records that the hold had expired: before it was changed or, if the call was repeated after a crash,
    /// afterwards.
    fn ran_out(&self, owned: &Owned, told: &Told, change: impl Fn(&mut Stand)) {
        assert!(owned.expires_at <= told.answered, "it was live: {told:?}");
        let (mut fate, mut lots) = (owned.fate(None), vec![owned.lot()]);
        if told.again() {
            let mut changed = owned.clone();
            change(&mut changed.stand);
            changed.stand.version += 1;
            fate.stands.push(changed.stand.clone());
            lots[0].must.iter_mut().for_each(|must| must.1 = must.1.min(told.first_sent));
            if changed.stand.during != owned.stand.during {
                lots.push(Lot {
                    may: vec![(told.first_sent, owned.expires_at)],
                    must: Vec::new(),
                    ..changed.lot()
                });
            }
        }
        self.shared.note(|record| {
            record.fates.insert(owned.id.clone(), fate);
            record.lots.extend(lots);
        });
    }

    /// Moves the hold, or leaves it where it is. Returns `None` if it expired.
    fn reschedule(&mut self, mut owned: Owned) -> Option<Owned> {
        let during = some_hours(&mut self.random, owned.room);
        let call = format!("reschedule('{}', {})", owned.id, range(during));
        let told = self.ask("reschedule", &call);
        let asked = Asked {
            room: owned.room,
            quantity: owned.stand.quantity,
            occupied: ROOMS[owned.room].occupied(during),
            of: Some(owned.id.clone()),
        };
        match told.answer.status.as_str() {
            "held" | "confirmed" => {
                let was_there = owned.stand.during == during;
                assert!(told.answer.ok && (told.again() || told.answer.replayed == was_there), "{told:?}");
                if !was_there {
                    let lot = owned.moved(during, &told);
                    self.shared.note(|record| record.lots.push(lot));
                    owned.stand.version += 1;
                }
                assert_eq!(told.answer.version, Some(owned.stand.version), "{told:?}");
                self.is(&owned, owned.is_confirmed.then_some("confirmed"));
            }
            "expired" if !owned.is_confirmed => {
                self.ran_out(&owned, &told, |stand| stand.during = during);
                return None;
            }
            _ => self.refused("reschedule", asked, Vec::new(), &told, &told.answer),
        }
        Some(owned)
    }

    fn resize(&mut self) {
        let room = self.number;
        let usual = ROOMS[room].capacity;
        let (during, capacity) = match self.random.random_range(0..4) {
            0 => (None, Some(self.random.random_range((usual - 1).max(1)..=usual + 1))),
            1 => (Some(some_hours(&mut self.random, room)), None),
            _ => {
                let capacity = self.random.random_range(0..=usual + 1);
                (Some(some_hours(&mut self.random, room)), Some(capacity))
            }
        };
        let number = capacity.map_or("null".to_owned(), |capacity| capacity.to_string());
        let period = during.map_or("null".to_owned(), range);
        let told =
            self.ask("set_capacity", &format!("set_capacity('{}', {number}, {period})", ROOMS[room].name));
        if told.answer.ok {
            let Told { first_sent, answered, .. } = told;
            let resizing = Resizing { during, capacity, first_sent, answered };
            return self.shared.note(|record| record.resizings.entry(room).or_default().push(resizing));
        }
        let refusal = Refusal {
            verb: "set_capacity",
            status: told.answer.status,
            asked: Asked { room, quantity: 0, occupied: during.unwrap_or((clock(), i64::MAX)), of: None },
            beside: Vec::new(),
            holder: String::new(),
            detail: told.answer.detail,
            // Null makes the usual capacity apply again: the room's first, or the last that was set.
            capacity: Some(capacity.unwrap_or_else(|| {
                let usual = |record: &mut Record| {
                    let changes = record.resizings.get(&room).map_or(&[][..], Vec::as_slice);
                    capacity_after(room, changes, i64::MIN)
                };
                self.shared.note(usual)
            })),
            period: (told.sent, told.answered),
        };
        self.shared.note(|record| record.refusals.push(refusal));
    }
}
