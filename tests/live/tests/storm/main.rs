//! A deadlock storm. 32 connections place baskets of 2 to 20 items on a few small resources, while every other
//! call runs that could be in their way. No session is ever the victim of a deadlock, no statement fails, and no
//! seat is ever in two holds.
//!
//! `STORM_BASKETS` is the number of baskets. The full number is 100,000, which takes some minutes; the default is
//! enough to meet every case.

mod calls;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use booking_live::{Server, Worker};
use calls::{Call, STATEMENTS, Venue, Verb};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio_postgres::{Client, Statement};

const CONNECTIONS: u64 = 32;
const BASKETS: usize = 15_000;
/// The number of holds and baskets that the connections share.
const KNOWN: usize = 300;

/// A basket and its items, or a hold, which is its own only item; each with its seats.
#[derive(Clone, Debug)]
pub struct Placed {
    id: String,
    items: Vec<(String, Vec<String>)>,
}

/// What the connections share: the holds that each of them may use next.
struct Shared {
    known: Mutex<Vec<Placed>>,
    begun: AtomicUsize,
    wanted: usize,
    over: AtomicBool,
}

/// The number of answers by verb, status and whether the call was replayed.
type Seen = BTreeMap<(Verb, String, bool), usize>;

#[derive(Default)]
struct Log {
    seen: Seen,
    errors: Vec<String>,
}

#[test]
fn a_storm_of_baskets_and_no_deadlock() {
    let wanted = std::env::var("STORM_BASKETS").map_or(BASKETS, |text| text.parse().expect("a number"));
    let server = Server::builder()
        .max_connections(60)
        .set("synchronous_commit", "off")
        .set("deadlock_timeout", "200ms")
        .set("booking.sweep_interval", "50ms")
        .start()
        .expect("a server");
    server.psql(&calls::venue_sql());
    let shared = Arc::new(Shared {
        known: Mutex::default(),
        begun: AtomicUsize::new(0),
        wanted,
        over: AtomicBool::new(false),
    });
    let begun = Instant::now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let log = runtime.block_on(storm(&server, &shared));
    let took = begun.elapsed();

    println!("{wanted} baskets in {:.1} s", took.as_secs_f64());
    print(&log.seen);
    assert!(
        log.errors.is_empty(),
        "{} errors, {:#?}",
        log.errors.len(),
        &log.errors[..3.min(log.errors.len())]
    );
    assert!(!server.log().contains("deadlock detected"));
    server.assert_sound("postgres");
    assert_everything_happened(&server, &log.seen);
    if Worker::from_env() == Worker::On {
        server.wait_until_swept("postgres");
    }
}

async fn storm(server: &Server, shared: &Arc<Shared>) -> Log {
    let watcher = server.connect_async("postgres").await.expect("a session");
    let watcher = tokio::spawn(watch(watcher, shared.clone()));
    let mut clients = tokio::task::JoinSet::new();
    for seed in 0..CONNECTIONS {
        let client = server.connect_async("postgres").await.expect("a session");
        clients.spawn(connection(client, seed, shared.clone()));
    }
    let mut all = Log::default();
    while let Some(log) = clients.join_next().await {
        let log = log.expect("a connection's log");
        all.errors.extend(log.errors);
        for (what, times) in log.seen {
            *all.seen.entry(what).or_default() += times;
        }
    }
    shared.over.store(true, Ordering::Relaxed);
    let looks = watcher.await.expect("the watcher");
    assert!(looks > 10, "only {looks} looks at the tables");
    all
}

/// Calls booking.check() again and again. A seat in two holds would show there as a seat that a hold claims but
/// does not own. It also purges what is over, or each call would take longer than the one before.
async fn watch(client: Client, shared: Arc<Shared>) -> usize {
    let mut looks = 0;
    while !shared.is_over() {
        let begun = Instant::now();
        let broken = client.query("select c::text from booking.check() as c", &[]).await.expect("a look");
        if !broken.is_empty() {
            shared.over.store(true, Ordering::Relaxed);
            panic!("{:#?}", broken.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>());
        }
        client.query("select booking.purge('2 s')", &[]).await.expect("purge never fails");
        looks += 1;
        // The reader must not take the time of the clients that it watches.
        tokio::time::sleep(begun.elapsed() * 4).await;
    }
    looks
}

/// One session. It always sends a few calls ahead, each a transaction of its own, so that the server never waits
/// for the next call.
async fn connection(client: Client, seed: u64, shared: Arc<Shared>) -> Log {
    let mut statements = Vec::new();
    for sql in STATEMENTS {
        statements.push(client.prepare(sql).await.expect("a statement"));
    }
    let mut random = StdRng::seed_from_u64(seed);
    let venue = Venue::new();
    let mut log = Log::default();
    while let Some(number) = shared.next_two() {
        let other = |random: &mut StdRng| {
            let known = shared.any(random);
            calls::other(random, &venue, known.as_ref())
        };
        let calls = [
            calls::basket(&mut random, &venue, number),
            other(&mut random),
            calls::basket(&mut random, &venue, number + 1),
            other(&mut random),
        ];
        let [a, b, c, d] = &calls;
        let (a, b, c, d) = tokio::join!(
            run(&client, &statements, a),
            run(&client, &statements, b),
            run(&client, &statements, c),
            run(&client, &statements, d)
        );
        for (call, answers) in calls.iter().zip([a, b, c, d]) {
            note(&mut log, &shared, call, answers);
        }
        for call in shared.evict() {
            let answers = run(&client, &statements, &call).await;
            note(&mut log, &shared, &call, answers);
        }
    }
    log
}

type Answers = Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>;

async fn run(client: &Client, statements: &[Statement], call: &Call) -> Answers {
    let arguments = call.arguments.iter().map(|text| text as _).collect::<Vec<_>>();
    client.query(&statements[call.verb as usize], &arguments).await
}

fn note(log: &mut Log, shared: &Shared, call: &Call, answers: Answers) {
    match answers {
        Err(error) => log.errors.push(format!("{call:?}: {error:?}")),
        Ok(rows) => {
            for row in rows {
                let (status, replayed): (String, bool) = (row.get(0), row.get(1));
                if call.verb.places() && status == "held" && !replayed {
                    shared.add(placed(&row));
                }
                *log.seen.entry((call.verb, status, replayed)).or_default() += 1;
            }
        }
    }
}

fn placed(row: &tokio_postgres::Row) -> Placed {
    let (id, seats): (String, Option<Vec<String>>) = (row.get(2), row.get(3));
    let detail = row.get::<_, Option<String>>(4);
    let Some(detail) = detail else {
        return Placed { id: id.clone(), items: vec![(id, seats.unwrap_or_default())] };
    };
    let detail: serde_json::Value = serde_json::from_str(&detail).expect("JSON");
    let item = |item: &serde_json::Value| {
        let labels = item["seats"].as_array().into_iter().flatten();
        let labels = labels.filter_map(serde_json::Value::as_str).map(str::to_owned).collect();
        (item["hold_id"].as_str().expect("an id").to_owned(), labels)
    };
    let items = detail["items"].as_array().expect("the items").iter().map(item).collect();
    Placed { id, items }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Returns the number of the first of the next two baskets, or `None` if there are enough.
    fn next_two(&self) -> Option<usize> {
        let number = self.begun.fetch_add(2, Ordering::Relaxed);
        (!self.is_over() && number < self.wanted).then_some(number)
    }

    fn add(&self, placed: Placed) {
        self.known.lock().expect("not poisoned").push(placed);
    }

    fn any(&self, random: &mut StdRng) -> Option<Placed> {
        let known = self.known.lock().expect("not poisoned");
        (!known.is_empty()).then(|| known[random.random_range(0..known.len())].clone())
    }

    /// A hold that is dropped from the list is given up first. Otherwise the halls would fill with holds that
    /// nobody cancels.
    fn evict(&self) -> Vec<Call> {
        let mut known = self.known.lock().expect("not poisoned");
        let surplus = known.len().saturating_sub(KNOWN);
        known.drain(..surplus).map(|placed| calls::cancel(&placed.id)).collect()
    }
}

fn print(seen: &Seen) {
    let mut verbs: BTreeMap<Verb, Vec<String>> = BTreeMap::new();
    for ((verb, status, replayed), times) in seen {
        let again = if *replayed { " again" } else { "" };
        verbs.entry(*verb).or_default().push(format!("{times} {status}{again}"));
    }
    for (verb, counts) in verbs {
        println!("  {verb:?}: {}", counts.join(", "));
    }
}

/// A storm that did not meet a case proves nothing about it.
fn assert_everything_happened(server: &Server, seen: &Seen) {
    let was_seen = |verb, status: &str, replayed| seen.contains_key(&(verb, status.to_owned(), replayed));
    for (verb, statuses) in [
        (Verb::Basket, &["held", "unavailable", "busy", "limit_exceeded", "key_reused"][..]),
        (Verb::Hold, &["held", "unavailable", "busy"]),
        (Verb::Best, &["held", "unavailable", "busy"]),
        (Verb::Each, &["held", "unavailable"]),
        (Verb::Confirm, &["confirmed", "expired", "already_confirmed", "released", "cancelled"]),
        (Verb::Extend, &["held", "expired", "already_confirmed"]),
        (Verb::Release, &["released", "held", "already_confirmed"]),
        (Verb::Cancel, &["cancelled", "confirmed", "not_confirmed"]),
        (Verb::Block, &["changed", "unavailable"]),
        (Verb::Capacity, &["changed"]),
    ] {
        for status in statuses {
            assert!(was_seen(verb, status, false), "{verb:?} was never told {status}");
        }
    }
    for (verb, status) in [
        (Verb::Basket, "held"),
        (Verb::Confirm, "confirmed"),
        (Verb::Release, "released"),
        (Verb::Release, "expired"),
        (Verb::Cancel, "cancelled"),
    ] {
        assert!(was_seen(verb, status, true), "{verb:?} was never told {status} again");
    }
    let late = "select count(*) > 0 from booking.holds where confirmed_at > expires_at";
    assert_eq!(server.psql(late), "t", "nothing was confirmed late");
}

/// Returns the time to live of a hold of the storm.
pub fn short_ttl(random: &mut StdRng) -> Duration {
    Duration::from_millis(random.random_range(30..600))
}
