//! Many clients at once, each doing everything at random. Their answers must agree with the tables, and nothing
//! may be oversold at any moment.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use booking_live::{Answer, Server, ask, join};
use postgres::Client;
use postgres::error::SqlState;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const CONNECTIONS: u64 = 32;
const LASTS: Duration = Duration::from_secs(8);
/// Name, capacity, overbooking, max_per_holder.
const POOLS: [(&str, i64, i64, &str); 4] =
    [("tight", 5, 0, "null"), ("over", 20, 3, "null"), ("fair", 40, 0, "4"), ("wide", 400, 0, "null")];

#[derive(Clone, Debug)]
enum Call {
    Hold { pool: &'static str, quantity: i64, key: Option<String> },
    Confirm { reference: String },
    Extend,
    GiveBack { part: Option<i64> },
    Other,
}

/// A call and its answer.
#[derive(Clone, Debug)]
struct Entry {
    call: Call,
    answer: Answer,
}

/// What the connections share: the holds that each of them may use next.
#[derive(Default)]
struct Shared {
    recent: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Shared {
    fn add(&self, id: &str) {
        let mut recent = self.recent.lock().expect("not poisoned");
        if recent.len() >= 150 {
            recent.remove(0);
        }
        recent.push(id.to_owned());
    }

    fn any(&self, random: &mut StdRng) -> Option<String> {
        self.recent.lock().expect("not poisoned").choose(random).cloned()
    }
}

#[test]
fn what_was_answered_is_what_the_tables_say() {
    let server = Server::builder().max_connections(60).set("deadlock_timeout", "100ms").start().expect("one");
    for (name, capacity, overbooking, limit) in POOLS {
        server.psql(&format!(
            "select booking.create_pool('{name}', {capacity}, {overbooking}, max_per_holder => {limit})"
        ));
    }
    let shared = Arc::new(Shared::default());
    let sampler = {
        let (session, shared) = (server.connect("postgres"), shared.clone());
        std::thread::spawn(move || sample(session, &shared.over))
    };
    let clients = (0..CONNECTIONS).map(|seed| {
        let (session, shared) = (server.connect("postgres"), shared.clone());
        std::thread::spawn(move || client(session, seed, &shared))
    });
    let clients = clients.collect::<Vec<_>>();
    let entries = clients.into_iter().flat_map(join).collect::<Vec<_>>();
    shared.over.store(true, Ordering::Relaxed);
    let samples = join(sampler);
    assert!(samples > 20, "only {samples} samples");

    server.assert_sound("postgres");
    assert_everything_happened(&entries);
    compare(&mut server.connect("postgres"), &entries);
}

fn client(mut session: Client, seed: u64, shared: &Shared) -> Vec<Entry> {
    let mut random = StdRng::seed_from_u64(seed);
    let begun = Instant::now();
    let mut entries = Vec::new();
    // A call to make once more. A key is drawn from so many that only luck repeats one while its hold is live.
    let mut again = None;
    while begun.elapsed() < LASTS {
        let Some((call, sql)) = again.take().or_else(|| next_call(&mut random, shared)) else { continue };
        match ask(&mut session, &sql) {
            Ok(answer) => {
                if let Call::Hold { key, .. } = &call
                    && answer.ok
                {
                    shared.add(answer.id());
                    if key.is_some() && random.random_ratio(1, 8) {
                        again = Some((call.clone(), sql));
                    }
                }
                entries.push(Entry { call, answer });
            }
            // The call gave back more than the hold still had, because another client gave back a part first.
            Err(error)
                if error.code() == Some(&SqlState::INVALID_PARAMETER_VALUE)
                    && matches!(call, Call::GiveBack { part: Some(_) }) => {}
            Err(error) => panic!("{sql}: {error:?}"),
        }
        if random.random_ratio(1, 40) {
            session.query_typed("select booking.expire(50)", &[]).expect("expire never fails");
        }
    }
    entries
}

fn next_call(random: &mut StdRng, shared: &Shared) -> Option<(Call, String)> {
    let kind = random.random_range(0..100);
    if kind < 40 {
        return Some(next_hold(random));
    }
    if kind < 44 {
        let (pool, capacity, ..) = *POOLS.choose(random)?;
        let capacity = random.random_range(capacity / 2..=capacity);
        return Some((Call::Other, format!("set_capacity('{pool}', {capacity})")));
    }
    if kind < 46 {
        // The pool is closed only for a moment, because opening is called three times as often.
        let (pool, open) = (POOLS.choose(random)?.0, random.random_ratio(3, 4));
        return Some((Call::Other, format!("set_open('{pool}', {open})")));
    }
    let id = shared.any(random)?;
    let part = if random.random_bool(0.5) { Some(random.random_range(1..=2)) } else { None };
    let part_sql = part.map_or("null".to_owned(), |part| part.to_string());
    Some(match kind {
        46..66 => {
            // One of two payments: usually the same one again, sometimes another.
            let reference = format!("{id}/{}", u8::from(random.random_ratio(1, 8)));
            let late = ["refuse", "reacquire"].choose(random)?;
            let sql = format!("confirm('{id}', '{reference}', late => '{late}')");
            (Call::Confirm { reference }, sql)
        }
        66..74 => (Call::Extend, format!("extend('{id}', '{} ms')", random.random_range(1..300))),
        74..84 => (Call::GiveBack { part }, format!("release('{id}', {part_sql})")),
        84..98 => (Call::GiveBack { part }, format!("cancel('{id}', {part_sql})")),
        _ => (Call::Other, format!("find('{id}')")),
    })
}

fn next_hold(random: &mut StdRng) -> (Call, String) {
    let pool = POOLS.choose(random).expect("there are some").0;
    let quantity = random.random_range(1..=3);
    let key = random.random_ratio(1, 2).then(|| format!("key {}", random.random_range(0..600)));
    let key_sql = key.as_ref().map_or("null".to_owned(), |key| format!("'{key}'"));
    // A key always has the same time to live. Otherwise every replay would be a reused key.
    let ttl = if key.is_some() { 150 } else { random.random_range(20..400) };
    let sql = format!(
        "hold('{pool}', {quantity}, '{ttl} ms', key => {key_sql}, holder => 'holder {}', wait => {})",
        if key.is_some() { 0 } else { random.random_range(0..20) },
        random.random_ratio(3, 4),
    );
    (Call::Hold { pool, quantity, key }, sql)
}

/// Counts what is live, from the pools and from the holds alone, in one snapshot after the other.
fn sample(mut session: Client, over: &AtomicBool) -> usize {
    let sql = "with moment as materialized (select clock_timestamp() as now)
               select r.name, r.capacity + r.overbooking, case when r.escrow is null then r.taken end,
                      coalesce(sum(h.quantity) filter (where h.state in ('held', 'confirmed')), 0)::bigint,
                      coalesce(sum(h.quantity) filter (
                          where h.state = 'confirmed' or h.state = 'held' and h.expires_at > m.now), 0)::bigint
               from booking.resources r
               cross join moment m
               left join booking.holds h on h.resource = r.name
               group by r.name";
    let mut samples = 0;
    while !over.load(Ordering::Relaxed) {
        for row in session.query(sql, &[]).expect("a sample") {
            let (name, limit, taken, counted, live): (String, i64, Option<i64>, i64, i64) =
                (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
            assert!(live <= limit, "{name}: {live} are live of {limit}");
            assert!(counted <= limit, "{name}: {counted} are held and confirmed of {limit}");
            // While many wait for the pool, its row does not say what is taken.
            assert_eq!(taken.unwrap_or(counted), counted, "{name}: taken is not what is held and confirmed");
        }
        samples += 1;
    }
    samples
}

/// A load that did not meet a case proves nothing about it.
fn assert_everything_happened(entries: &[Entry]) {
    let mut seen: HashMap<(&str, bool), usize> = HashMap::new();
    for Entry { answer, .. } in entries {
        *seen.entry((&answer.status, answer.replayed)).or_default() += 1;
    }
    println!("{} calls: {seen:?}", entries.len());
    for status in [
        "held",
        "confirmed",
        "released",
        "cancelled",
        "unavailable",
        "busy",
        "expired",
        "closed",
        "changed",
        "already_confirmed",
        "not_confirmed",
        "key_reused",
        "limit_exceeded",
    ] {
        assert!(seen.contains_key(&(status, false)), "nobody was told {status}: {seen:?}");
    }
    for status in ["held", "confirmed", "released", "cancelled", "expired"] {
        assert!(seen.contains_key(&(status, true)), "nobody was told {status} again: {seen:?}");
    }
}

/// The final state of one hold, according to the answers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fate {
    resource: String,
    key: Option<String>,
    quantity: i64,
    reference: Option<String>,
    /// The version after the latest change.
    version: i64,
    /// Only what a caller does: `confirmed`, `released` or `cancelled`.
    state: Option<String>,
}

fn compare(session: &mut Client, entries: &[Entry]) {
    let mut told = fates_by_answers(entries);
    let rows = session.query(
        "select id::text, resource, key, quantity, reference, version,
                nullif(nullif(state::text, 'held'), 'expired')
         from booking.holds",
        &[],
    );
    let rows = rows.expect("the holds");
    let mut keys = HashSet::new();
    for row in &rows {
        let stored = Fate {
            resource: row.get(1),
            key: row.get(2),
            quantity: row.get(3),
            reference: row.get(4),
            version: row.get(5),
            state: row.get(6),
        };
        let id: String = row.get(0);
        assert_eq!(told.remove(&id), Some(stored), "hold {id}: what was answered, and what is stored");
        if let Some(key) = row.get::<_, Option<String>>(2) {
            assert!(keys.insert((row.get::<_, String>(1), key)), "two holds for one key: {id}");
        }
    }
    assert!(told.is_empty(), "acknowledged and not there: {told:?}");
}

fn fates_by_answers(entries: &[Entry]) -> HashMap<String, Fate> {
    let mut fates: HashMap<String, Fate> = HashMap::new();
    let mut by_key: HashMap<(&str, &str), &str> = HashMap::new();
    for Entry { call, answer } in entries {
        let Call::Hold { pool, quantity, key } = call else { continue };
        let Some(id) = &answer.hold_id else { continue };
        if let Some(key) = key {
            let first = by_key.entry((pool, key)).or_insert(id);
            assert_eq!(*first, id, "one key, two holds: {key}");
        }
        if answer.ok && !answer.replayed {
            assert_eq!((answer.status.as_str(), answer.version), ("held", Some(1)));
            let fate = Fate {
                resource: (*pool).to_owned(),
                key: key.clone(),
                quantity: *quantity,
                version: 1,
                ..Fate::default()
            };
            assert_eq!(fates.insert(id.clone(), fate), None, "placed twice: {id}");
        }
    }
    for Entry { call, answer } in entries.iter().filter(|entry| entry.answer.ok && !entry.answer.replayed) {
        let Some(fate) = answer.hold_id.as_ref().and_then(|id| fates.get_mut(id)) else { continue };
        let version = answer.version.expect("a hold has a version");
        match call {
            Call::Confirm { reference } => {
                assert_eq!(fate.reference.replace(reference.clone()), None, "confirmed twice: {answer:?}");
                fate.state.get_or_insert_with(|| "confirmed".to_owned());
            }
            Call::GiveBack { part } if ["held", "confirmed"].contains(&answer.status.as_str()) => {
                fate.quantity -= part.expect("only a part leaves something");
            }
            Call::GiveBack { .. } => {
                let earlier = fate.state.replace(answer.status.clone());
                assert!(earlier.is_none_or(|state| state == "confirmed"), "given back twice: {answer:?}");
            }
            Call::Extend => {}
            Call::Hold { .. } | Call::Other => continue,
        }
        fate.version = fate.version.max(version);
    }
    fates
}

#[test]
fn one_key_from_sixteen_connections_at_once_is_one_hold() {
    const AT_ONCE: usize = 16;
    let server = Server::builder().start().expect("a server");
    // This is the last place. A second hold would be refused, so the key must be checked before the room.
    server.psql("select booking.create_pool('last ' || n, 1) from generate_series(1, 25) n");
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let clients = (0..AT_ONCE).map(|_| {
        let (mut session, barrier) = (server.connect("postgres"), barrier.clone());
        std::thread::spawn(move || {
            (1..=25)
                .map(|n| {
                    barrier.wait();
                    ask(&mut session, &format!("hold('last {n}', key => 'the key', ttl => '1 h')"))
                        .expect("an answer")
                })
                .collect::<Vec<_>>()
        })
    });
    let clients = clients.collect::<Vec<_>>();
    let answers = clients.into_iter().map(join).collect::<Vec<_>>();
    for n in 0..25 {
        let same_key = answers.iter().map(|answers| &answers[n]).collect::<Vec<_>>();
        let ids = same_key.iter().map(|answer| answer.id()).collect::<HashSet<_>>();
        assert_eq!(ids.len(), 1, "{same_key:?}");
        assert!(same_key.iter().all(|answer| answer.ok && answer.status == "held"), "{same_key:?}");
        assert_eq!(same_key.iter().filter(|answer| !answer.replayed).count(), 1, "{same_key:?}");
    }
    assert_eq!(server.psql("select count(*), sum(quantity) from booking.holds"), "25|25");
    server.assert_sound("postgres");
}
