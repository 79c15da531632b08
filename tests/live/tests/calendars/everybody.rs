//! Holds that all guests share: any guest confirms, moves or gives back any of them, while the others do the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use booking_live::{Answer, Server, Worker, ask, join};
use postgres::Client;
use postgres::error::SqlState;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::rooms::{self, ROOMS, Want, range, some_hours};
use crate::{assert_log, level_of, rounds, sample};

const CONNECTIONS: usize = 32;
/// The number of calls of a round.
const CALLS: usize = 8;
/// The number of holds that the guests share.
const KNOWN: usize = 120;

/// A hold and its room.
type Known = (String, usize);
type Seen = BTreeMap<(&'static str, String), usize>;

#[test]
fn holds_of_everybody_are_never_over_capacity() {
    let server = Server::builder()
        .max_connections(60)
        .set("synchronous_commit", "off")
        .set("deadlock_timeout", "200ms")
        .set("booking.sweep_interval", "50ms")
        .start()
        .expect("a server");
    server.psql(&rooms::sql());
    let over = Arc::new(AtomicBool::new(false));
    let sampler = sample(server.config("postgres"), over.clone());
    let known = Arc::new(Mutex::new(Vec::new()));
    let sessions = (0..CONNECTIONS).map(|number| {
        let (mut session, known) = (server.connect("postgres"), known.clone());
        let level = level_of(number);
        session.batch_execute(&format!("set default_transaction_isolation = '{level}'")).expect("set");
        let random = StdRng::seed_from_u64(1000 + number as u64);
        std::thread::spawn(move || Anybody { session, random, level, known, seen: Seen::new() }.run())
    });
    let sessions = sessions.collect::<Vec<_>>();
    let mut seen = Seen::new();
    for session in sessions {
        for (what, times) in session.join().expect("nobody panicked") {
            *seen.entry(what).or_default() += times;
        }
    }
    over.store(true, Ordering::Relaxed);
    let samples = join(sampler);
    println!("{seen:?}\n{samples} samples");
    assert!(samples > 10, "only {samples} samples");
    rooms::look_for_too_much(&mut server.connect("postgres")).expect("a look");
    assert_log(&server);
    for (verb, statuses) in [
        ("place", &["held", "unavailable", "busy", "limit_exceeded", "closed", "40001"][..]),
        ("confirm", &["confirmed", "expired", "already_confirmed", "released", "cancelled"]),
        ("extend", &["held", "expired"]),
        ("reschedule", &["held", "confirmed", "unavailable", "closed", "expired", "cancelled"]),
        ("release", &["released", "held", "already_confirmed"]),
        ("cancel", &["cancelled", "confirmed", "not_confirmed"]),
        ("set_capacity", &["changed", "unavailable"]),
    ] {
        for status in statuses {
            assert!(seen.contains_key(&(verb, (*status).to_owned())), "{verb} was never told {status}");
        }
    }
    if Worker::from_env() == Worker::On {
        server.wait_until_swept("postgres");
    }
    server.assert_sound("postgres");
}

struct Anybody {
    session: Client,
    random: StdRng,
    level: &'static str,
    known: Arc<Mutex<Vec<Known>>>,
    seen: Seen,
}

impl Anybody {
    fn run(mut self) -> Seen {
        for _ in 0..rounds() * CALLS {
            let (verb, call) = self.next();
            // One in ten calls runs in a transaction that rolls back, so what it held or gave back never happened.
            let is_undone = self.random.random_ratio(1, 10);
            if let Some(answer) = self.ask(verb, &call, is_undone)
                && verb == "place"
                && answer.status == "held"
                && !is_undone
            {
                self.add(&call, &answer);
            }
        }
        self.seen
    }

    /// Returns the answer, or `None` if the snapshot was too old (40001).
    fn ask(&mut self, verb: &'static str, call: &str, is_undone: bool) -> Option<Answer> {
        if is_undone {
            self.session.batch_execute("begin").expect("begin");
        }
        let answer = ask(&mut self.session, call);
        if is_undone {
            self.session.batch_execute("rollback").expect("rollback");
        }
        let (status, answer) = match answer {
            Ok(answer) => (answer.status.clone(), Some(answer)),
            Err(error) => {
                let code = error.code().cloned().unwrap_or_else(|| panic!("{call}: {error:?}"));
                // The call gave back more than the hold still had, because another guest gave back a part first.
                let is_too_much = code == SqlState::INVALID_PARAMETER_VALUE && call.contains(", 1)");
                let is_old = code == SqlState::T_R_SERIALIZATION_FAILURE && self.level != "read committed";
                assert!(is_too_much || is_old, "{}: {call}: {error:?}", self.level);
                (code.code().to_owned(), None)
            }
        };
        *self.seen.entry((verb, status)).or_default() += 1;
        answer
    }

    fn add(&mut self, call: &str, answer: &Answer) {
        let named = |name: &str| ROOMS.iter().position(|room| room.name == name).expect("a room");
        let detail = answer.detail.as_deref().unwrap_or("null");
        let detail: serde_json::Value = serde_json::from_str(detail).expect("JSON");
        let mut known = self.known.lock().expect("not poisoned");
        for item in detail["items"].as_array().into_iter().flatten() {
            let room = named(item["resource"].as_str().expect("a room"));
            known.push((item["hold_id"].as_str().expect("an id").to_owned(), room));
        }
        if let Some(hold) = call.strip_prefix("hold('").or(call.strip_prefix("hold_nights('")) {
            known.push((answer.id().to_owned(), named(&hold[..1])));
        }
        let surplus = known.len().saturating_sub(KNOWN);
        let forgotten: Vec<_> = known.drain(..surplus).collect();
        drop(known);
        // A hold that is dropped from the list is given up first. Otherwise the rooms would fill with holds that
        // nobody cancels.
        for (id, _) in forgotten {
            self.ask("cancel", &format!("cancel('{id}')"), false);
        }
    }

    fn next(&mut self) -> (&'static str, String) {
        let random = &mut self.random;
        let kind = random.random_range(0..100);
        let known = self.known.lock().expect("not poisoned").choose(random).cloned();
        match (kind, known) {
            (40..58, Some((id, _))) => {
                let reference = random.random_range(0..8) / 7;
                let late = ["refuse", "reacquire", "reacquire"].choose(random).expect("one");
                ("confirm", format!("confirm('{id}', 'payment {reference}', late => '{late}')"))
            }
            (58..63, Some((id, _))) => {
                ("extend", format!("extend('{id}', '{} ms')", random.random_range(1..300)))
            }
            (63..78, Some((id, room))) => {
                ("reschedule", format!("reschedule('{id}', {})", range(some_hours(random, room))))
            }
            (78..92, Some((id, _))) => {
                let verb = *["release", "cancel"].choose(random).expect("one");
                let part = if random.random_ratio(1, 3) { ", 1" } else { "" };
                (verb, format!("{verb}('{id}'{part})"))
            }
            (92..97, _) => {
                let room = random.random_range(0..ROOMS.len());
                let usual = ROOMS[room].capacity;
                let capacity = random.random_range((usual - 1).max(1)..=usual + 1);
                let during = match random.random_ratio(1, 3) {
                    true => "null".to_owned(),
                    false => range(some_hours(random, room)),
                };
                ("set_capacity", format!("set_capacity('{}', {capacity}, {during})", ROOMS[room].name))
            }
            (97.., _) => ("place", self.each()),
            _ => ("place", self.placement()),
        }
    }

    fn ttl(&mut self) -> String {
        format!("{} ms", self.random.random_range(20..500))
    }

    fn placement(&mut self) -> String {
        let (ttl, random) = (self.ttl(), &mut self.random);
        let holder = format!("holder {}", random.random_range(0..5));
        let wait = random.random_ratio(7, 8);
        let key = random.random_ratio(1, 6).then(|| random.random_range(0..200));
        if random.random_ratio(2, 3) || key.is_some() {
            // Requests under one key are nearly always the same.
            let mut content = key.map_or_else(|| random.clone(), StdRng::seed_from_u64);
            let _ = random.random::<u64>();
            let want = Want::random(&mut content);
            let key = key.map_or("null".to_owned(), |key| format!("'key {key}'"));
            let (ttl, holder) = if key == "null" { (ttl, holder) } else { ("150 ms".into(), "keyed".into()) };
            return want.call(&format!("ttl => '{ttl}', key => {key}, holder => '{holder}', wait => {wait}"));
        }
        let size = random.random_range(2..=5);
        let items: Vec<_> = (0..size).map(|_| Want::random(random).item("")).collect();
        format!("hold_all(jsonb_build_array({}), '{ttl}', null, '{holder}', {wait})", items.join(", "))
    }

    fn each(&mut self) -> String {
        let ttl = self.ttl();
        let request = |_| {
            let want = Want::random(&mut self.random);
            want.item(&format!(", 'ttl', '{ttl}', 'holder', 'holder {}'", self.random.random_range(0..5)))
        };
        let requests: Vec<_> = (0..4).map(request).collect();
        format!("hold_each(jsonb_build_array({}))", requests.join(", "))
    }
}
