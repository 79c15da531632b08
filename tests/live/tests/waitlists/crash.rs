//! Lines through crashes. The clients remember outside the database that they wait, were offered something, or
//! left. It must still be so after each crash.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use booking_live::{Answer, Caller, Server, join, wait_until};

const CLIENTS: usize = 12;
const CYCLES: usize = 12;

/// The last answer that a client had about its place in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Waits,
    /// The client was offered a place and holds it. What becomes of holds is tested elsewhere.
    Offered,
    Left,
}

#[derive(Default)]
struct Ledger {
    told: Mutex<BTreeMap<String, Last>>,
    /// The number of answers of every kind.
    answers: Mutex<usize>,
    over: AtomicBool,
}

impl Ledger {
    fn note(&self, id: &str, last: Last) {
        self.told.lock().expect("no client panicked").insert(id.to_owned(), last);
        *self.answers.lock().expect("no client panicked") += 1;
    }

    fn answers(&self) -> usize {
        *self.answers.lock().expect("no client panicked")
    }
}

#[test]
fn who_waits_goes_on_waiting_through_crashes() {
    let mut server = Server::builder().max_connections(60).start().expect("a server");
    server.psql("select booking.create_pool('gig', 4)");
    let ledger = Arc::new(Ledger::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (config, ledger) = (server.config("postgres"), ledger.clone());
            std::thread::spawn(move || client(Caller::new(config), number, &ledger))
        })
        .collect();
    for cycle in 0..CYCLES {
        let before = ledger.answers();
        wait_until("the load to go on", || ledger.answers(), |answers| *answers > before + 100);
        let told = ledger.told.lock().expect("no client panicked").clone();
        if cycle % 2 == 0 {
            server.kill_a_process("client backend");
        } else {
            server.kill_9();
            server.start();
        }
        verify(&server, &told);
    }
    ledger.over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(join);
    verify(&server, &ledger.told.lock().expect("no client panicked"));
    // Every client gave back what it had, so every client was served.
    assert_eq!(server.psql("select waiting, taken from booking.resources"), "0|0");
}

/// Asserts that nobody lost a place that it knew of, and that nothing is free that somebody waits for.
fn verify(server: &Server, told: &BTreeMap<String, Last>) {
    server.assert_sound("postgres");
    let mut session = server.connect("postgres");
    let sql = "select id::text, state::text from booking.waitlist_entries";
    let stored: BTreeMap<String, String> =
        session.query(sql, &[]).expect("the entries").iter().map(|row| (row.get(0), row.get(1))).collect();
    for (id, last) in told {
        let state = stored.get(id).unwrap_or_else(|| panic!("{id} was told {last:?} and is gone"));
        let may_be: &[&str] = match last {
            // Since then the entry may have moved on, by itself or because a place came free.
            Last::Waits => &["waiting", "offered", "left"],
            Last::Offered => &["offered"],
            Last::Left => &["left"],
        };
        assert!(may_be.contains(&state.as_str()), "{id} was told {last:?} and is {state}");
    }
    let idle = "select r.name, r.capacity - r.taken as free, e.quantity from booking.resources r
        join lateral (select quantity from booking.waitlist_entries
                      where resource = r.name and state = 'waiting' order by position limit 1) e on true
        where e.quantity <= r.capacity - r.taken";
    assert_eq!(server.psql(idle), "", "something is free, and the head of the line is not served");
}

/// Joins, and either leaves, or waits until it is served and gives back what it got. The client repeats each call
/// whose answer a crash swallowed.
fn client(mut caller: Caller, number: usize, ledger: &Ledger) {
    for n in 0.. {
        if ledger.over.load(Ordering::Relaxed) {
            return;
        }
        let quantity = 1 + (number + n) % 3;
        let key = format!("client {number}, number {n}");
        let call = format!("join_waitlist('gig', {quantity}, offer_ttl => '1 h', key => '{key}')");
        let told = caller.ask(&call);
        let (again, joined) = (told.again(), told.answer);
        assert!(joined.ok && (again || !joined.replayed), "{call}: {joined:?}");
        let id = joined.id().to_owned();
        note(ledger, &joined);
        if joined.status == "waiting" && n % 5 == 4 {
            let left = caller.ask(&format!("leave_waitlist('{id}')")).answer;
            // The client may have been served in between, and has then given its place back.
            match left.status.as_str() {
                "left" => ledger.note(&id, Last::Left),
                "released" => ledger.note(&id, Last::Offered),
                _ => panic!("leaving: {left:?}"),
            }
            continue;
        }
        let mut find = || caller.ask(&format!("find('{id}')")).answer;
        let served = wait_until("to be served", &mut find, |answer| answer.status != "waiting");
        assert_eq!(served.status, "held", "{served:?}");
        note(ledger, &served);
        let released = caller.ask(&format!("release('{id}')")).answer;
        assert!(released.ok && released.status == "released", "{released:?}");
        ledger.note(&id, Last::Offered);
    }
}

fn note(ledger: &Ledger, answer: &Answer) {
    let last = if answer.status == "waiting" { Last::Waits } else { Last::Offered };
    ledger.note(answer.id(), last);
}
