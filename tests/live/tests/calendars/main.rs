//! Thirty-two guests and twenty calendars, over a few days that all guests want. A query that shares nothing with
//! the extension checks that no room is ever overbooked.
//!
//! `CALENDAR_ROUNDS` is the number of rounds of each guest. The default is enough to meet every case.

mod everybody;
mod guest;
mod judge;
mod placing;
mod record;
mod rivals;
mod rooms;
mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use booking_live::{Caller, Server, Worker, join, wait_until};
use guest::Guest;
use judge::Judge;
use postgres::{Config, NoTls};
use rand::SeedableRng;
use rand::rngs::StdRng;
use record::{Fate, Record, Stand, capacity_after};
use rooms::ROOMS;
use shared::Shared;

const GUESTS: usize = 32;
const ROUNDS: usize = 70;
/// Kills a backend each time, and every third time the server.
const KILLS: usize = 6;

/// The number of rounds of each guest.
pub fn rounds() -> usize {
    std::env::var("CALENDAR_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("a number"))
}

/// Most guests run in READ COMMITTED, which keeps no snapshot.
pub fn level_of(number: usize) -> &'static str {
    match number % 8 {
        3 => "repeatable read",
        7 => "serializable",
        _ => "read committed",
    }
}

#[test]
fn nothing_is_over_capacity_and_every_answer_was_true() {
    let mut server = Server::builder().max_connections(60).start().expect("a server");
    server.psql(&rooms::sql());
    let (rounds, shared, over) = (rounds(), Arc::new(Shared::default()), Arc::new(AtomicBool::new(false)));
    let sampler = sample(server.config("postgres"), over.clone());
    let guests = (0..GUESTS).map(|number| {
        let caller = Caller::at_level(server.config("postgres"), level_of(number));
        let shared = shared.clone();
        std::thread::spawn(move || {
            let random = StdRng::seed_from_u64(number as u64);
            Guest { number, caller, random, shared: &shared, kept: Vec::new(), keys: 0 }.run(rounds);
        })
    });
    let guests = guests.collect::<Vec<_>>();
    let part = |kill| GUESTS * rounds * kill / (KILLS + 2);
    for kill in 1..=KILLS {
        shared.gate.open_up_to(part(kill + 1));
        let due = part(kill);
        let done = || shared.rounds.load(Ordering::SeqCst) >= due;
        wait_until(
            "the stay to go on",
            || done() || guests.iter().any(JoinHandle::is_finished),
            |done| *done,
        );
        let promised = shared.promised.lock().expect("no guest panicked").clone();
        if kill % 3 == 0 {
            server.kill_9();
            server.start();
        } else {
            server.kill_a_process("client backend");
        }
        verify(&server, &shared, &promised);
    }
    shared.gate.open_up_to(usize::MAX);
    guests.into_iter().for_each(|guest| guest.join().expect("no guest panicked"));
    over.store(true, Ordering::Relaxed);
    let samples = join(sampler);

    let promised = shared.promised.lock().expect("no guest panicked").clone();
    verify(&server, &shared, &promised);
    let record = shared.record.lock().expect("no guest panicked");
    compare(&server, &record);
    let judge = Judge::new(&record);
    judge.nothing_was_given_twice();
    let judged = judge.every_refusal_was_true();
    println!("{:?}", record.seen);
    println!("refusals: {judged:?}");
    println!("{} asked again, {} conflicts, {samples} samples", record.again, record.conflicts);
    assert!(samples > 10, "only {samples} samples");
    assert_everything_happened(&server, &record, &judged);
    assert_log(&server);
    if Worker::from_env() == Worker::On {
        server.wait_for_launcher(None);
        server.wait_until_swept("postgres");
    }
    server.assert_sound("postgres");
}

/// Checks the tables again and again, through any number of lost connections, and slowly enough not to take the
/// guests' time. It also ends a few overdue holds, so that, with or without the worker, guests meet expired holds
/// before and after their rows say so.
pub fn sample(config: Config, over: Arc<AtomicBool>) -> JoinHandle<usize> {
    std::thread::spawn(move || {
        let mut samples = 0;
        while !over.load(Ordering::Relaxed) {
            let Ok(mut session) = config.connect(NoTls) else {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            };
            while !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let looked = rooms::look_for_too_much(&mut session)
                    .and_then(|()| session.query_typed("select booking.expire(5)", &[]));
                match looked {
                    Ok(_) => samples += 1,
                    Err(error) => {
                        let code = error.code().map(|code| code.code().to_owned());
                        assert!(
                            matches!(code.as_deref(), None | Some("57P01" | "57P02" | "57P03")),
                            "{error:?}"
                        );
                        break;
                    }
                }
                std::thread::sleep(begun.elapsed() * 3);
            }
        }
        samples
    })
}

/// Asserts that no statement failed with an error of the constraint or of the extension, or with a deadlock.
pub fn assert_log(server: &Server) {
    let log = server.log();
    for unwanted in ["holds_never_double_booked", "deadlock detected", "internal error", "panicked"] {
        assert!(!log.contains(unwanted), "{unwanted}");
    }
}

/// Asserts that nothing is overbooked, and that what was confirmed and not touched since is there.
fn verify(server: &Server, shared: &Shared, before: &BTreeMap<String, Stand>) {
    server.assert_sound("postgres");
    rooms::look_for_too_much(&mut server.connect("postgres")).expect("a look");
    let stored = stored(server);
    let now = shared.promised.lock().expect("no guest panicked");
    for (id, stand) in before.iter().filter(|(id, stand)| now.get(*id) == Some(stand)) {
        let (_, state, found) =
            stored.get(id).unwrap_or_else(|| panic!("an acknowledged hold is gone: {id}"));
        assert_eq!((state.as_str(), found), ("confirmed", stand), "an acknowledged confirmation: {id}");
    }
}

/// The stored holds: room, state, and the rest.
fn stored(server: &Server) -> BTreeMap<String, (String, String, Stand)> {
    let sql = "select id::text, resource, state::text, quantity, version,
                      (extract(epoch from lower(during)) * 1000000)::bigint,
                      (extract(epoch from upper(during)) * 1000000)::bigint
               from booking.holds";
    let rows = server.connect("postgres").query(sql, &[]).expect("the holds");
    let stored = rows.iter().map(|row| {
        let stand = Stand { quantity: row.get(3), version: row.get(4), during: (row.get(5), row.get(6)) };
        (row.get(0), (row.get(1), row.get(2), stand))
    });
    stored.collect()
}

/// Asserts that the answers agree with the tables, for every hold and every capacity.
fn compare(server: &Server, record: &Record) {
    let stored = stored(server);
    for (id, Fate { room, state, stands }) in &record.fates {
        let (name, found, stand) =
            stored.get(id).unwrap_or_else(|| panic!("acknowledged and not there: {id}"));
        let over = Some(found.as_str()).filter(|state| !["held", "expired"].contains(state));
        assert_eq!((name.as_str(), over), (ROOMS[*room].name, *state), "{id}");
        assert!(stands.contains(stand), "{id}: told {stands:?}, stored {stand:?}");
    }
    assert_eq!(stored.len(), record.fates.len(), "holds that nobody was told of");
    let mut session = server.connect("postgres");
    let sql = "select r.name, coalesce(c.capacity, r.capacity) from booking.resources r
               left join booking.capacity_changes c on c.resource = r.name and c.during @> to_timestamp($1)";
    for quarter in 0..8 * 96 {
        let at = rooms::BEGIN + quarter * 15 * rooms::MINUTE;
        for row in session.query(sql, &[&(at as f64 / 1e6)]).expect("the capacities") {
            let (name, capacity): (String, i64) = (row.get(0), row.get(1));
            let room = ROOMS.iter().position(|room| room.name == name).expect("a room");
            let changes = record.resizings.get(&room).map_or(&[][..], Vec::as_slice);
            assert_eq!(capacity, capacity_after(room, changes, at), "{name} at {at}");
        }
    }
}

/// A run that did not meet a case proves nothing about it.
fn assert_everything_happened(
    server: &Server,
    record: &Record,
    judged: &BTreeMap<(&'static str, &str), usize>,
) {
    assert!(record.again > 0, "nothing was under way in a crash");
    assert!(record.conflicts > 0, "no snapshot was ever too old");
    for (verb, status) in [
        ("hold", "held"),
        ("hold", "unavailable"),
        ("hold", "closed"),
        ("hold again", "key_reused"),
        ("hold_all", "held"),
        ("hold_all", "unavailable"),
        ("hold_each", "held"),
        ("hold_each", "unavailable"),
        ("hold_each", "limit_exceeded"),
        ("confirm", "confirmed"),
        ("confirm", "expired"),
        ("extend", "held"),
        ("reschedule", "held"),
        ("reschedule", "confirmed"),
        ("reschedule", "unavailable"),
        ("reschedule", "closed"),
        ("release", "released"),
        ("release", "held"),
        ("cancel", "cancelled"),
        ("cancel", "confirmed"),
        ("set_capacity", "changed"),
        ("set_capacity", "unavailable"),
    ] {
        assert!(record.seen.contains_key(&(verb, status.to_owned(), false)), "never: {verb}, {status}");
    }
    for (kind, at_least) in
        [("hold", 50), ("hold_all", 50), ("hold_each", 50), ("reschedule", 30), ("set_capacity", 10)]
    {
        let refusals = judged.get(&(kind, "unavailable")).copied().unwrap_or_default();
        assert!(refusals >= at_least, "{kind}: {judged:?}");
    }
    for what in [
        "confirmed_at > expires_at",
        "during @> '2032-06-02 00:00Z'::timestamptz and upper(during) - lower(during) > '65 days'",
    ] {
        assert_eq!(
            server.psql(&format!("select count(*) > 0 from booking.holds where {what}")),
            "t",
            "{what}"
        );
    }
}
