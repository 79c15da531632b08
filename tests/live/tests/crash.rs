//! Thirty crashes under load. The clients remember outside the database what was acknowledged, and all of it must
//! be there after each crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use booking_live::{Answer, Caller, Server, Worker, join, wait_until};

const CONNECTIONS: usize = 16;
const CYCLES: usize = 30;

/// What the database acknowledged.
#[derive(Clone, Debug, Default)]
struct Promises {
    /// The hold of each key. A key that is answered twice must name the same hold.
    placed: BTreeMap<String, String>,
    /// The reference of each hold.
    confirmed: BTreeMap<String, String>,
    released: BTreeSet<String>,
    /// The number of calls whose answer a crash swallowed, and that turned out to be done.
    done_before: usize,
}

#[derive(Default)]
struct Ledger {
    promises: Mutex<Promises>,
    /// At how many promises the clients stop until the next cycle. Without it they would place more and more holds
    /// while the test reads all of them.
    limit: AtomicUsize,
    over: AtomicBool,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Promises> {
        self.promises.lock().expect("no client panicked")
    }

    fn size(&self) -> usize {
        let promises = self.lock();
        promises.placed.len() + promises.confirmed.len() + promises.released.len()
    }

    /// Waits while there are as many promises as one cycle may have. Returns whether the test is over.
    fn is_over(&self) -> bool {
        let is_over = || self.over.load(Ordering::Relaxed);
        while !is_over() && self.size() >= self.limit.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        is_over()
    }
}

#[test]
fn what_was_acknowledged_survives_thirty_crashes() {
    let mut server = Server::builder().max_connections(60).start().expect("a server");
    server.psql("select booking.create_pool('large', 1000000), booking.create_pool('small', 12, 3)");
    let ledger = Arc::new(Ledger::default());
    let clients = (0..CONNECTIONS).map(|number| {
        let (config, ledger) = (server.config("postgres"), ledger.clone());
        std::thread::spawn(move || client(Caller::new(config), number, &ledger))
    });
    let clients = clients.collect::<Vec<_>>();

    for cycle in 0..CYCLES {
        let before = ledger.size();
        ledger.limit.store(before + 1000, Ordering::Relaxed);
        wait_until("the load to go on", || ledger.size(), |size| *size > before + 150);
        let promised = ledger.lock().clone();
        match cycle % 3 {
            0 => server.kill_a_process("client backend"),
            1 if Worker::from_env() == Worker::On => server.kill_a_process("booking launcher"),
            1 => server.kill_a_process("checkpointer"),
            _ => {
                server.kill_9();
                server.start();
            }
        }
        verify(&server, &promised);
    }

    ledger.over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(join);
    let promised = ledger.lock().clone();
    verify(&server, &promised);
    println!(
        "{} placed, {} confirmed, {} released, {} answered only after a crash",
        promised.placed.len(),
        promised.confirmed.len(),
        promised.released.len(),
        promised.done_before,
    );
    if Worker::from_env() == Worker::On {
        server.wait_for_launcher(None);
        server.wait_until_swept("postgres");
    }
}

fn verify(server: &Server, promised: &Promises) {
    server.assert_sound("postgres");
    let sql = "select id::text, key, state::text, reference from booking.holds";
    let mut session = server.connect("postgres");
    let rows = session.query(sql, &[]).expect("the holds");
    let mut stored = BTreeMap::new();
    for row in &rows {
        let (id, key): (String, String) = (row.get(0), row.get(1));
        stored.insert(id, (key, row.get::<_, String>(2), row.get::<_, Option<String>>(3)));
    }
    let keys = stored.values().map(|(key, ..)| key).collect::<BTreeSet<_>>();
    assert_eq!(keys.len(), stored.len(), "one hold for each key");
    for (key, id) in &promised.placed {
        assert_eq!(stored.get(id).map(|(key, ..)| key), Some(key), "an acknowledged hold is gone");
    }
    for (id, reference) in &promised.confirmed {
        let (_, state, stored_reference) = &stored[id];
        assert_eq!((state.as_str(), stored_reference.as_ref()), ("confirmed", Some(reference)), "{id}");
    }
    for id in &promised.released {
        assert_eq!(stored[id].1, "released", "{id}");
    }
    let oversold = "with live as (
            select resource, sum(quantity) as quantity from booking.holds
            where state in ('held', 'confirmed') group by resource)
        select r.name, r.taken, l.quantity from booking.resources r left join live l on l.resource = r.name
        where (r.escrow is null and r.taken <> coalesce(l.quantity, 0)) or l.quantity > r.capacity + r.overbooking";
    assert_eq!(server.psql(oversold), "");
}

fn client(mut caller: Caller, number: usize, ledger: &Ledger) {
    for n in 0.. {
        if ledger.is_over() {
            return;
        }
        let key = format!("client {number}, number {n}");
        let small = n % 4 == 3;
        let (pool, ttl) = if small { ("small", "100 ms") } else { ("large", "1 h") };
        let call = format!("hold('{pool}', {}, '{ttl}', key => '{key}')", 1 + n % 3);
        let told = caller.ask(&call);
        let (again, hold) = (told.again(), told.answer);
        if hold.status == "unavailable" && small {
            continue;
        }
        // The hold was placed before the crash, and expired before the client could repeat the call.
        assert!(hold.ok || (again && small && hold.status == "expired"), "{call}: {hold:?}");
        note_placed(ledger, &key, &hold, again);
        if !small && n % 4 == 2 {
            release(&mut caller, hold.id(), ledger);
        } else if !small {
            confirm(&mut caller, hold.id(), ledger);
        }
    }
}

fn note_placed(ledger: &Ledger, key: &str, hold: &Answer, again: bool) {
    assert!(again || !hold.replayed, "a new key was taken for an old one: {hold:?}");
    let mut promises = ledger.lock();
    promises.done_before += usize::from(hold.replayed);
    assert_eq!(promises.placed.insert(key.to_owned(), hold.id().to_owned()), None);
}

fn confirm(caller: &mut Caller, id: &str, ledger: &Ledger) {
    let reference = format!("payment for {id}");
    let call = format!("confirm('{id}', '{reference}')");
    let told = caller.ask(&call);
    let (again, answer) = (told.again(), told.answer);
    assert!(answer.ok && answer.status == "confirmed", "{call}: {answer:?}");
    assert!(again || !answer.replayed, "{call}: {answer:?}");
    let mut promises = ledger.lock();
    promises.done_before += usize::from(answer.replayed);
    promises.confirmed.insert(id.to_owned(), reference);
}

fn release(caller: &mut Caller, id: &str, ledger: &Ledger) {
    let told = caller.ask(&format!("release('{id}')"));
    let (again, answer) = (told.again(), told.answer);
    assert!(answer.ok && answer.status == "released" && (again || !answer.replayed), "{answer:?}");
    let mut promises = ledger.lock();
    promises.done_before += usize::from(answer.replayed);
    promises.released.insert(id.to_owned());
}
