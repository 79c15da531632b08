//! One of the buyers: what it asks for, buys and gives back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use booking_live::{Caller, Told, clock};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::house::{HALL, House, POOLS};
use crate::judge::{items, resource_of};
use crate::record::{Owned, Record, Request, Want};

/// How often a buyer goes shopping before it keeps everything.
pub const ROUNDS: usize = 48;

/// What the buyers share.
pub struct Shared {
    pub record: Mutex<Record>,
    pub rounds: AtomicUsize,
    pub gate: Gate,
    /// The number of buyers that may still give something back.
    pub fickle: AtomicUsize,
    /// The time at which the last of the holds expires that a buyer left to expire.
    pub runs_out: AtomicI64,
    /// The seats and the quantity of each hold that is confirmed and that no buyer is giving back.
    pub promised: Mutex<BTreeMap<String, (Vec<String>, i64)>>,
}

/// Limits the rounds that may begin. Otherwise the buyers of a fast machine would finish before the last crash.
#[derive(Default)]
pub struct Gate {
    /// The number of rounds that have begun, and the number that may.
    rounds: Mutex<(usize, usize)>,
    opened: Condvar,
}

impl Gate {
    pub fn open_up_to(&self, rounds: usize) {
        self.rounds.lock().expect("no buyer panicked").1 = rounds;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let rounds = self.rounds.lock().expect("no buyer panicked");
        let mut rounds =
            self.opened.wait_while(rounds, |(begun, may)| begun >= may).expect("no buyer panicked");
        rounds.0 += 1;
    }
}

impl Shared {
    /// Returns whether nothing can come free any more.
    fn is_settled(&self) -> bool {
        self.fickle.load(Ordering::SeqCst) == 0 && clock() > self.runs_out.load(Ordering::SeqCst)
    }

    fn note<T>(&self, what: impl FnOnce(&mut Record) -> T) -> T {
        what(&mut self.record.lock().expect("no buyer panicked"))
    }
}

pub struct Buyer<'a> {
    pub number: usize,
    pub caller: Caller,
    pub random: StdRng,
    pub shared: &'a Shared,
    pub labels: Vec<String>,
    pub kept: Vec<Owned>,
    pub keys: usize,
}

/// What one request brought: the id to name it by, and its holds.
struct Bought {
    id: String,
    owned: Vec<Owned>,
}

impl Buyer<'_> {
    pub fn shop(mut self) {
        for _ in 0..ROUNDS {
            self.shared.gate.pass();
            self.round();
            self.shared.rounds.fetch_add(1, Ordering::SeqCst);
        }
        self.shared.fickle.fetch_sub(1, Ordering::SeqCst);
        loop {
            let settled = self.shared.is_settled();
            let bought = self.buy_what_is_left();
            if settled && !bought {
                break;
            }
            if !bought {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let lots = self.kept.drain(..).flat_map(Owned::into_lots);
        self.shared.note(|record| record.lots.extend(lots));
    }

    /// Buys and keeps everything that is left. Returns whether anything was.
    fn buy_what_is_left(&mut self) -> bool {
        let mut wishes = vec![Want::Best { quantity: 1, section: None, together: true }];
        wishes.extend(POOLS.map(|(pool, ..)| Want::Pool { pool, quantity: 1 }));
        let mut any = false;
        for wish in wishes {
            if let Some(mut bought) = self.place(vec![wish], "10 min") {
                assert!(self.confirm(&mut bought, "refuse"), "it was to live for ten minutes");
                self.kept.extend(bought.owned);
                any = true;
            }
        }
        any
    }

    fn round(&mut self) {
        let is_short = self.random.random_ratio(1, 3);
        let ttl = if is_short {
            format!("{} ms", self.random.random_range(300..1500))
        } else {
            "10 min".to_owned()
        };
        let wants = self.wish();
        if let Some(bought) = self.place(wants, &ttl) {
            self.decide(bought, is_short);
        }
        if !self.kept.is_empty() && self.random.random_ratio(2, 3) {
            let n = self.random.random_range(0..self.kept.len());
            let owned = self.kept.swap_remove(n);
            self.cancel(owned);
        }
    }

    fn decide(&mut self, mut bought: Bought, is_short: bool) {
        let choice = self.random.random_range(0..100);
        if is_short && choice < 25 {
            return self.leave(bought);
        }
        if is_short && choice < 40 {
            let runs_out = bought.owned.iter().map(|owned| owned.expires_at).max().expect("one hold");
            while clock() <= runs_out {
                std::thread::sleep(Duration::from_millis(20));
            }
            return if self.confirm(&mut bought, "reacquire") {
                self.kept.extend(bought.owned);
            } else {
                self.leave(bought)
            };
        }
        match choice {
            40..50 => return self.release(bought),
            50..60 => self.extend(&mut bought),
            60..75 => self.release_some(&mut bought),
            _ => {}
        }
        if bought.owned.iter().all(|owned| owned.quantity == 0) {
            return;
        }
        if self.confirm(&mut bought, "refuse") { self.kept.extend(bought.owned) } else { self.leave(bought) }
    }

    /// Leaves the hold to expire.
    fn leave(&mut self, bought: Bought) {
        for owned in bought.owned {
            self.shared.runs_out.fetch_max(owned.expires_at, Ordering::SeqCst);
            self.shared.note(|record| record.lots.extend(owned.into_lots()));
        }
    }

    fn wish(&mut self) -> Vec<Want> {
        let mut labels: Vec<String> = self.labels.choose_multiple(&mut self.random, 16).cloned().collect();
        let size = if self.random.random_ratio(1, 4) { self.random.random_range(2..=4) } else { 1 };
        let random = &mut self.random;
        let wish = |_| match random.random_range(0..10) {
            0..5 => Want::Named(labels.split_off(labels.len() - random.random_range(1..=4))),
            5..8 => Want::Best {
                quantity: random.random_range(1..=5),
                section: *[None, None, Some(House::sections()[0]), Some(House::sections()[1])]
                    .choose(random)
                    .expect("one"),
                together: random.random_ratio(1, 2),
            },
            _ => Want::Pool {
                pool: POOLS.choose(random).expect("a pool").0,
                quantity: random.random_range(1..=3),
            },
        };
        (0..size).map(wish).collect()
    }

    fn ask(&mut self, verb: &'static str, call: &str) -> Told {
        let told = self.caller.ask(call);
        self.shared.note(|record| record.others.push((verb, told.answer.status.clone())));
        told
    }

    fn place(&mut self, wants: Vec<Want>, ttl: &str) -> Option<Bought> {
        self.keys += 1;
        let key = format!("buyer {}, request {}", self.number, self.keys);
        let told = self.caller.ask(&placement(&wants, ttl, &key));
        self.shared.note(|record| record.requests.push(Request { wants: wants.clone(), told: told.clone() }));
        let answer = &told.answer;
        match answer.status.as_str() {
            "held" => assert!(answer.ok && (told.again() || !answer.replayed), "{told:?}"),
            // The hold was placed before the crash, and expired before the client could repeat the call.
            "expired" => assert!(told.again() && answer.replayed, "{told:?}"),
            "unavailable" => return None,
            other => panic!("{other}: {told:?}"),
        }
        let owned = match wants.as_slice() {
            [want] => {
                let seats = answer.seats.clone().unwrap_or_default();
                let quantity = match want {
                    Want::Pool { quantity, .. } => *quantity,
                    _ => seats.len() as i64,
                };
                vec![Owned::placed(answer.id(), resource_of(want), seats, quantity, &told)]
            }
            _ => items(&told)
                .into_iter()
                .map(|(id, resource, seats, quantity)| Owned::placed(&id, &resource, seats, quantity, &told))
                .collect(),
        };
        Some(Bought { id: answer.id().to_owned(), owned })
    }

    /// Returns whether it was confirmed.
    fn confirm(&mut self, bought: &mut Bought, late: &str) -> bool {
        let call = format!("confirm('{}', 'a payment', late => '{late}')", bought.id);
        let told = loop {
            let told = self.ask("confirm", &call);
            if told.answer.status != "busy" {
                break told;
            }
        };
        if told.answer.status == "expired" {
            return false;
        }
        assert!(told.answer.ok && told.answer.status == "confirmed", "{told:?}");
        let mut promised = self.shared.promised.lock().expect("no buyer panicked");
        for owned in bought.owned.iter_mut().filter(|owned| owned.quantity > 0) {
            owned.confirmed(&told);
            promised.insert(owned.id.clone(), (owned.seats.clone(), owned.quantity));
        }
        true
    }

    fn extend(&mut self, bought: &mut Bought) {
        let told = self.ask("extend", &format!("extend('{}', '2 s')", bought.id));
        let expires_at = told.answer.expires_at.expect("a hold runs out");
        bought.owned.iter_mut().for_each(|owned| owned.extended(owned.expires_at.max(expires_at)));
    }

    fn release(&mut self, bought: Bought) {
        let told = self.ask("release", &format!("release('{}')", bought.id));
        assert!(told.answer.ok, "{told:?}");
        for mut owned in bought.owned {
            let lots = owned.gave_back(None, owned.quantity, &told);
            self.shared.note(|record| record.lots.extend(lots));
        }
    }

    /// Returns some seats of the first hold, or all of it.
    fn release_some(&mut self, bought: &mut Bought) {
        self.give_back("release", &mut bought.owned[0]);
    }

    fn cancel(&mut self, mut owned: Owned) {
        if owned.quantity == 0 {
            return;
        }
        // From here on, the judge must not expect the hold to be there.
        self.shared.promised.lock().expect("no buyer panicked").remove(&owned.id);
        self.give_back("cancel", &mut owned);
        if owned.quantity > 0 {
            let mut promised = self.shared.promised.lock().expect("no buyer panicked");
            promised.insert(owned.id.clone(), (owned.seats.clone(), owned.quantity));
            drop(promised);
            self.kept.push(owned);
        }
    }

    /// Gives back some of its seats, or all of it. A part of a pool's hold is never given back, since that call
    /// could not be repeated after a crash.
    fn give_back(&mut self, verb: &'static str, owned: &mut Owned) {
        let part = match owned.seats.len() {
            2.. if self.random.random_ratio(1, 2) => {
                let count = self.random.random_range(1..owned.seats.len());
                Some(owned.seats.choose_multiple(&mut self.random, count).cloned().collect::<Vec<_>>())
            }
            _ => None,
        };
        let seats = part.as_ref().map_or("null".to_owned(), |part| array(part));
        let told = self.ask(verb, &format!("{verb}('{}', seats => {seats})", owned.id));
        assert!(told.answer.ok, "{told:?}");
        // A hold that had expired ended whole.
        let part = part.filter(|_| told.answer.status != "expired");
        let quantity = part.as_ref().map_or(owned.quantity, |part| part.len() as i64);
        let lots = owned.gave_back(part.as_deref(), quantity, &told);
        self.shared.note(|record| record.lots.extend(lots));
    }
}

fn array(labels: &[String]) -> String {
    let quoted: Vec<_> = labels.iter().map(|label| format!("'{label}'")).collect();
    format!("array[{}]", quoted.join(", "))
}

fn placement(wants: &[Want], ttl: &str, key: &str) -> String {
    match wants {
        [Want::Named(labels)] => format!("hold('{HALL}', null, '{ttl}', {}, key => '{key}')", array(labels)),
        [Want::Best { quantity, section, together }] => {
            let section = section.map_or("null".to_owned(), |section| format!("'{section}'"));
            format!("hold_best('{HALL}', {quantity}, '{ttl}', {section}, {together}, key => '{key}')")
        }
        [Want::Pool { pool, quantity }] => format!("hold('{pool}', {quantity}, '{ttl}', key => '{key}')"),
        _ => {
            let item = |want: &Want| match want {
                Want::Named(labels) => serde_json::json!({"resource": HALL, "seats": labels}),
                Want::Best { quantity, section, together } => serde_json::json!({
                    "resource": HALL, "best": quantity, "section": section, "together": together}),
                Want::Pool { pool, quantity } => serde_json::json!({"resource": pool, "quantity": quantity}),
            };
            let items: serde_json::Value = wants.iter().map(item).collect();
            format!("hold_all('{items}', '{ttl}', '{key}')")
        }
    }
}
