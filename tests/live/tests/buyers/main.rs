//! Sixty-four buyers in a hall and at some pools, until nothing is left, while backends and the server are killed.
//! Afterwards every answer is judged by what all buyers know: a client's log of when it sent a call and when it
//! had the answer shows what may have been true in between.

mod buyer;
mod house;
mod judge;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use booking_live::{Caller, Server, wait_until};
use buyer::{Buyer, ROUNDS, Shared};
use house::{House, POOLS};
use judge::Judge;
use rand::SeedableRng;
use rand::rngs::StdRng;
use record::Record;

const BUYERS: usize = 64;
/// Kills a backend each time, and once the server.
const KILLS: usize = 6;

#[test]
fn everything_is_sold_once_and_every_refusal_was_true() {
    let mut server = Server::builder().max_connections(100).start().expect("a server");
    server.psql(&House::sql());
    let shared = Arc::new(Shared {
        record: Default::default(),
        rounds: Default::default(),
        gate: Default::default(),
        fickle: AtomicUsize::new(BUYERS),
        runs_out: Default::default(),
        promised: Default::default(),
    });
    let buyers = (0..BUYERS).map(|number| {
        let (caller, shared) = (Caller::new(server.config("postgres")), shared.clone());
        std::thread::spawn(move || {
            let random = StdRng::seed_from_u64(number as u64);
            let labels = House::new().0.into_keys().collect();
            let buyer = Buyer { number, caller, random, shared: &shared, labels, kept: Vec::new(), keys: 0 };
            buyer.shop();
        })
    });
    let buyers = buyers.collect::<Vec<_>>();
    let part = |kill| BUYERS * ROUNDS * kill / (KILLS + 2);
    for kill in 1..=KILLS {
        shared.gate.open_up_to(part(kill + 1));
        let due = part(kill);
        wait_until("the sale to go on", || shared.rounds.load(Ordering::SeqCst), |rounds| *rounds >= due);
        let promised = shared.promised.lock().expect("no buyer panicked").clone();
        if kill == KILLS / 2 {
            server.kill_9();
            server.start();
        } else {
            server.kill_a_process("client backend");
        }
        verify(&server, &shared, &promised);
    }
    shared.gate.open_up_to(usize::MAX);
    buyers.into_iter().for_each(booking_live::join);

    let promised = shared.promised.lock().expect("no buyer panicked").clone();
    verify(&server, &shared, &promised);
    assert_all_is_sold(&server);
    let record = shared.record.lock().expect("no buyer panicked");
    let judge = Judge::new(&record);
    judge.nothing_was_sold_twice();
    let judged = judge.every_answer_was_true();
    assert_everything_happened(&record, &judged);
    let late = "select count(*) > 0 from booking.holds where confirmed_at > expires_at";
    assert_eq!(server.psql(late), "t", "nothing was confirmed late");
}

/// Asserts that what was confirmed, and not given back since, is there.
fn verify(server: &Server, shared: &Shared, before: &BTreeMap<String, (Vec<String>, i64)>) {
    server.assert_sound("postgres");
    let sql = "select id::text, coalesce(seats, '{}'), quantity from booking.holds where state = 'confirmed'";
    let rows = server.connect("postgres").query(sql, &[]).expect("the holds");
    let stored: BTreeMap<String, (Vec<String>, i64)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    let now = shared.promised.lock().expect("no buyer panicked");
    for (id, promise) in before.iter().filter(|(id, promise)| now.get(*id) == Some(promise)) {
        let sorted = |(seats, quantity): &(Vec<String>, i64)| {
            let mut seats = seats.clone();
            seats.sort();
            (seats, *quantity)
        };
        assert_eq!(stored.get(id).map(sorted), Some(sorted(promise)), "an acknowledged confirmation: {id}");
    }
}

/// Every buyer wanted more when it was refused, so every seat has its owner and no place is left.
fn assert_all_is_sold(server: &Server) {
    let lost = "select s.label, h.state from booking.seats s left join booking.holds h on h.id = s.hold_id
                where not s.blocked and h.state is distinct from 'confirmed'";
    assert_eq!(server.psql(lost), "", "seats that nobody was given");
    let confirmed = "select resource, sum(quantity) from booking.holds
                     where state = 'confirmed' and seats is null group by 1 order by 1";
    let all = POOLS.map(|(name, capacity, overbooking)| format!("{name}|{}", capacity + overbooking));
    assert_eq!(server.psql(confirmed), all.join("\n"));
}

/// A sale that did not meet a case proves nothing about it.
fn assert_everything_happened(record: &Record, judged: &BTreeMap<&str, usize>) {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for request in &record.requests {
        let verb = if request.wants.len() > 1 { "hold_all" } else { "hold" };
        *seen.entry((verb, &request.told.answer.status)).or_default() += 1;
    }
    for (verb, status) in &record.others {
        *seen.entry((verb, status)).or_default() += 1;
    }
    let again = record.requests.iter().filter(|request| request.told.again()).count();
    println!("{seen:?}\nrefusals: {judged:?}; {again} requests were repeated after a crash");
    assert!(again > 0, "no request was under way in a crash");
    for what in [
        ("hold", "held"),
        ("hold", "unavailable"),
        ("hold_all", "held"),
        ("hold_all", "unavailable"),
        ("confirm", "confirmed"),
        ("confirm", "expired"),
        ("extend", "held"),
        ("release", "released"),
        ("release", "held"),
        ("cancel", "cancelled"),
        ("cancel", "confirmed"),
    ] {
        assert!(seen.contains_key(&what), "never: {what:?}");
    }
    for kind in ["named seats", "best seats", "pools"] {
        assert!(judged.get(kind).is_some_and(|refusals| *refusals > 30), "{kind}: {judged:?}");
    }
}
