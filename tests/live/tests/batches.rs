//! `hold_each` promises the answers that the single calls would give, in the same order. The test makes ten
//! thousand random batches in one world, and the same requests one by one in an equal world. The answers and the
//! worlds must stay equal.

use std::collections::{BTreeMap, HashMap};

use booking_live::{Answer, Server, Worker, ask_each};
use postgres::{Client, Statement};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// Each thread has its own pair of worlds.
const THREADS: u64 = 2;
const BATCHES: usize = 10_000;
const WORLDS: [&str; 2] = ["whole", "single"];
const KEYS: u32 = 300;

/// Name, capacity, overbooking, max_per_holder.
const POOLS: [(&str, i64, i64, &str); 3] =
    [("small", 9, 1, "null"), ("wide", 60, 0, "null"), ("fair", 40, 0, "4")];
/// Name, max_per_holder.
const HALLS: [(&str, &str); 2] = [("hall", "null"), ("fair hall", "3")];
const SECTIONS: [&str; 2] = ["L", "R"];
const ROWS: u32 = 3;
const LETTERS: &str = "ABC DE";

/// Returns the single calls for a batch's requests, in their order.
const ONE_BY_ONE: &str = "
    create function booking.one_by_one(requests jsonb) returns setof booking.result language plpgsql as $$
    declare
        r jsonb;
    begin
        for r in select value from jsonb_array_elements(requests) loop
            if r ? 'best' then
                return next booking.hold_best(
                    r ->> 'resource', (r ->> 'best')::bigint, (r ->> 'ttl')::interval, r ->> 'section',
                    coalesce((r ->> 'together')::boolean, true), r ->> 'key', r ->> 'holder',
                    metadata => r -> 'metadata');
            else
                return next booking.hold(
                    r ->> 'resource', (r ->> 'quantity')::bigint, (r ->> 'ttl')::interval,
                    (select array_agg(label) from jsonb_array_elements_text(r -> 'seats') as label),
                    key => r ->> 'key', holder => r ->> 'holder',
                    expected_version => (r ->> 'expected_version')::bigint, metadata => r -> 'metadata');
            end if;
        end loop;
    end
    $$";

type Seen = BTreeMap<(String, bool), usize>;

#[test]
fn a_batch_is_answered_as_its_requests_one_by_one() {
    // Only the calls end overdue holds: a sweep in one of the two worlds would make them differ.
    let server =
        Server::builder().worker(Worker::Off).set("synchronous_commit", "off").start().expect("a server");
    server.psql(ONE_BY_ONE);
    // The suite runs a second time without the worker, with other batches.
    let first_seed = THREADS * u64::from(Worker::from_env() == Worker::On);
    let begun = std::time::Instant::now();
    let threads = (0..THREADS).map(|thread| {
        let mut pair = Pair::create(&server, first_seed + thread);
        std::thread::spawn(move || {
            (0..BATCHES / THREADS as usize).for_each(|_| pair.compare_a_batch());
            pair.compare_seats();
            pair.seen
        })
    });
    let threads = threads.collect::<Vec<_>>();
    let mut all = Seen::new();
    for thread in threads {
        let seen = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        for (what, times) in seen {
            *all.entry(what).or_default() += times;
        }
    }
    println!("{BATCHES} batches in {:.1} s: {all:?}", begun.elapsed().as_secs_f64());
    server.assert_sound("postgres");
    for status in ["held", "unavailable", "closed", "limit_exceeded", "version_mismatch", "key_reused"] {
        assert!(all.get(&(status.to_owned(), false)).is_some_and(|times| *times > 100), "{status}: {all:?}");
    }
    for status in ["held", "confirmed", "released", "expired"] {
        assert!(all.get(&(status.to_owned(), true)).is_some_and(|times| *times > 10), "{status}: {all:?}");
    }
}

/// Two worlds that must stay equal.
struct Pair {
    session: Client,
    /// A statement that reads the resources.
    read: Statement,
    random: StdRng,
    name: String,
    /// The hold of one world, by the id of the same hold in the other.
    twins: HashMap<String, String>,
    /// The latest of these pairs.
    latest: Vec<[String; 2]>,
    versions: HashMap<String, i64>,
    seen: Seen,
}

impl Pair {
    fn create(server: &Server, seed: u64) -> Pair {
        let mut session = server.connect("postgres");
        let name = format!("pair {seed}");
        for world in WORLDS {
            for (pool, capacity, overbooking, limit) in POOLS {
                let call = format!(
                    "create_pool('{name} {world} {pool}', {capacity}, {overbooking}, max_per_holder => {limit})"
                );
                session.batch_execute(&format!("select booking.{call}")).expect("a pool");
            }
            let grids =
                SECTIONS.map(|section| format!("booking.seat_grid({ROWS}, '{LETTERS}', '{section}')"));
            for (hall, limit) in HALLS {
                let call = format!("create_seats('{name} {world} {hall}', {}, {limit})", grids.join(" || "));
                session.batch_execute(&format!("select booking.{call}")).expect("a hall");
            }
        }
        let (random, twins, latest) = (StdRng::seed_from_u64(seed), HashMap::new(), Vec::new());
        let sql = "select name, taken, version, capacity, open from booking.resources where name = any($1)";
        let read = session.prepare(sql).expect("a statement");
        Pair { session, read, random, name, twins, latest, versions: HashMap::new(), seen: Seen::new() }
    }

    fn compare_a_batch(&mut self) {
        for _ in 0..self.random.random_range(0..3) {
            self.change_both();
        }
        self.compare_resources();
        let size = self.random.random_range(1..=12);
        let requests = (0..size).map(|_| self.request()).collect::<Vec<_>>();
        let calls = WORLDS.map(|world| {
            let mut requests = requests.clone();
            for request in &mut requests {
                let resource =
                    format!("{} {world} {}", self.name, request["resource"].as_str().expect("a name"));
                request["resource"] = json!(resource);
            }
            let verb = if world == WORLDS[0] { "hold_each" } else { "one_by_one" };
            format!("{verb}('{}')", Value::from(requests))
        });
        let whole = ask_each(&mut self.session, &calls[0]).expect("the answers to a batch");
        let single = ask_each(&mut self.session, &calls[1]).expect("the answers to the single calls");
        assert_eq!((whole.len(), single.len()), (size, size));
        for ((request, whole), single) in requests.iter().zip(whole).zip(single) {
            self.compare(request, whole, single);
        }
    }

    fn compare(&mut self, request: &Value, whole: Answer, single: Answer) {
        if let (Some(id), Some(twin)) = (&whole.hold_id, &single.hold_id) {
            let is_new = whole.ok && !whole.replayed;
            let known = self.twins.get(id);
            assert_eq!(known, if is_new { None } else { Some(twin) }, "{request}: {whole:?}, {single:?}");
            if is_new {
                self.twins.insert(id.clone(), twin.clone());
                self.latest.push([id.clone(), twin.clone()]);
            }
        }
        *self.seen.entry((whole.status.clone(), whole.replayed)).or_default() += 1;
        // Ids and times differ between the worlds, so only their presence is compared.
        let bare = |answer: Answer| Answer {
            hold_id: answer.hold_id.map(|_| String::new()),
            expires_at: answer.expires_at.map(|_| 0),
            ..answer
        };
        assert_eq!(bare(whole), bare(single), "a batch's answer, and the single call's: {request}");
    }

    fn request(&mut self) -> Value {
        let random = &mut self.random;
        let mut request = match random.random_range(0..10) {
            0..4 => {
                let pool = POOLS.choose(random).expect("a pool").0;
                let mut request = json!({"resource": pool, "quantity": random.random_range(1..=3)});
                if random.random_ratio(1, 6) {
                    let version = self.versions[pool] + random.random_range(0..3);
                    request["expected_version"] = json!(version);
                }
                request
            }
            4..7 => {
                let count = random.random_range(1..=3);
                let hall = HALLS.choose(random).expect("a hall").0;
                json!({"resource": hall, "seats": seats(random, count)})
            }
            _ => json!({
                "section": ([None, Some("L"), Some("R")].choose(random)),
                "resource": HALLS.choose(random).expect("a hall").0,
                "best": random.random_range(1..=4),
                "together": random.random_ratio(1, 2),
            }),
        };
        request["ttl"] = json!((["10 min", "20 min"].choose(random)));
        request["holder"] = json!(format!("holder {}", random.random_range(0..8)));
        if random.random_ratio(1, 5) {
            return self.with_key(request);
        }
        request
    }

    /// Gives the request a key. Most requests under one key are the same.
    fn with_key(&mut self, request: Value) -> Value {
        let key = self.random.random_range(0..KEYS);
        let mut by_key = StdRng::seed_from_u64(key.into());
        let mut request = match self.random.random_ratio(1, 8) {
            true => request,
            false if by_key.random_ratio(1, 2) => json!({"resource": "wide", "quantity": 1, "holder": "h"}),
            false => {
                json!({"resource": "hall", "seats": seats(&mut by_key, 2), "ttl": "10 min", "holder": "h"})
            }
        };
        request["key"] = json!(format!("key {key}"));
        request
    }

    /// Everything that happens between batches happens in both worlds.
    fn change_both(&mut self) {
        let random = &mut self.random;
        let drained = self.latest.len().saturating_sub(40);
        self.latest.drain(..drained);
        let kind = random.random_range(0..20);
        let all = kind < 5 && random.random_ratio(1, 3);
        let some: Vec<[String; 2]> = match kind {
            0..5 if all => self.latest.clone(),
            0..5 => self.latest.choose_multiple(random, 8).cloned().collect(),
            _ => self.latest.choose_multiple(random, 2).cloned().collect(),
        };
        let ids = |world: usize| some.iter().map(move |twins| &twins[world]);
        let calls = |verb: &str, world| {
            ids(world).map(|id| format!("select booking.{verb}('{id}')")).collect::<Vec<_>>()
        };
        let pool = POOLS.choose(random).expect("a pool");
        let resource = HALLS.choose(random).expect("a hall").0;
        let capacity = random.random_range(pool.1 / 2..=pool.1);
        let (open, blocked) = (random.random_ratio(4, 5), random.random_ratio(1, 3));
        let seat = seats(random, 1).remove(0);
        let either = if random.random_ratio(1, 2) { pool.0 } else { resource };
        let mut changes = Vec::new();
        for (n, world) in WORLDS.into_iter().enumerate() {
            let name = |resource: &str| format!("{} {world} {resource}", self.name);
            match kind {
                0..5 => {
                    let ids = ids(n).map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
                    changes.push(format!(
                        "update booking.holds set expires_at = placed_at + interval '1 us'
                         where state = 'held' and id = any(array[{ids}]::uuid[])"
                    ));
                }
                5..10 => changes.extend(calls("release", n)),
                10..12 => changes.extend(calls("confirm", n)),
                12..16 => changes.extend(calls("cancel", n)),
                16 => changes.push(format!("select booking.set_capacity('{}', {capacity})", name(pool.0))),
                17 => changes.push(format!(
                    "select booking.set_blocked('{}', array['{seat}'], {blocked})",
                    name(resource)
                )),
                _ => changes.push(format!("select booking.set_open('{}', {open})", name(either))),
            }
        }
        self.session.batch_execute(&changes.join("; ")).expect("the same changes in both worlds");
    }

    fn compare_resources(&mut self) {
        let names: Vec<&str> = POOLS.iter().map(|pool| pool.0).chain(HALLS.map(|hall| hall.0)).collect();
        let [whole, single] =
            WORLDS.map(|world| names.iter().map(|name| format!("{} {world} {name}", self.name)).collect());
        let both: [Vec<String>; 2] = [whole, single];
        let rows = self.session.query(&self.read, &[&both.concat()]).expect("the resources");
        let read = |row: &postgres::Row| {
            let numbers: [i64; 3] = [row.get(1), row.get(2), row.get(3)];
            (row.get::<_, String>(0), (numbers, row.get::<_, bool>(4)))
        };
        let stored: HashMap<_, _> = rows.iter().map(read).collect();
        for ((name, whole), single) in names.iter().zip(&both[0]).zip(&both[1]) {
            assert_eq!(stored[whole], stored[single], "{name}: taken, version, capacity, open");
            self.versions.insert((*name).to_owned(), stored[whole].0[1]);
        }
    }

    /// The owner of each seat is the twin of the owner in the other world.
    fn compare_seats(&mut self) {
        let sql = "select substr(resource, length($1) + 2), label, blocked, hold_id::text
                   from booking.seats where starts_with(resource, $1) order by resource, label";
        let [whole, single] = WORLDS.map(|world| {
            let rows = self.session.query(sql, &[&format!("{} {world}", self.name)]).expect("the seats");
            let read = |row: &postgres::Row| {
                let names: [String; 2] = [row.get(0), row.get(1)];
                (names, row.get::<_, bool>(2), row.get::<_, Option<String>>(3))
            };
            rows.iter().map(read).collect::<Vec<_>>()
        });
        let twin = |owner: Option<String>| owner.map(|id| self.twins[&id].clone());
        let twins = whole.into_iter().map(|(names, blocked, owner)| (names, blocked, twin(owner)));
        assert_eq!(twins.collect::<Vec<_>>(), single, "who has which seat");
    }
}

fn seats(random: &mut StdRng, count: usize) -> Vec<String> {
    let letters = LETTERS.chars().filter(|letter| *letter != ' ');
    let labels = SECTIONS.iter().flat_map(|section| {
        let letters = letters.clone();
        (1..=ROWS).flat_map(move |row| letters.clone().map(move |letter| format!("{section} {row}{letter}")))
    });
    labels.collect::<Vec<_>>().choose_multiple(random, count).cloned().collect()
}
