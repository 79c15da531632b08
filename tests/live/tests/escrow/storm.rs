//! Ninety-six clients on three pools. They do everything that ends a transaction, to themselves and to each other.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use booking_live::{Server, ask, wait_until};
use postgres::{Client, Config, Error};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{OVERSOLD, assert_exact, is_expected, reconnect, server};

const CLIENTS: u64 = 96;
const POOLS: [&str; 3] = ["tight", "fair", "wide"];

/// The number of transactions of each client: `ESCROW_ROUNDS`.
fn rounds() -> usize {
    std::env::var("ESCROW_ROUNDS").map_or(40, |rounds| rounds.parse().expect("ESCROW_ROUNDS is a number"))
}

pub fn create_pools(server: &Server) {
    server.psql("select booking.create_pool('tight', 5, contention => 'escrow')");
    server.psql("select booking.create_pool('fair', 40, contention => 'escrow', max_per_holder => 4)");
    server.psql("select booking.create_pool('wide', 300, 10, contention => 'escrow')");
}

#[test]
fn nothing_is_oversold_or_lost_however_transactions_end() {
    let Some(server) = server(CLIENTS as usize + 30) else { return };
    create_pools(&server);
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let (server, over, done) = (&server, &over, &done);
        let sampler = scope.spawn(move || sample(&mut server.connect("postgres"), over));
        let chaos = scope.spawn(move || disturb(&mut server.connect("postgres"), over));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| {
                scope.spawn(move || {
                    let mut round = 0..rounds();
                    client(server.config("postgres"), seed, done, || round.next().is_some());
                })
            })
            .collect();
        let ended: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        over.store(true, Ordering::Relaxed);
        assert!(sampler.join().expect("the sampler") > 10);
        assert!(chaos.join().expect("who disturbs") > 10);
        ended.into_iter().for_each(|ended| ended.expect("a client"));
    });
    let mut session = server.connect("postgres");
    let prepared = || {
        decide(&mut session);
        server.psql("select count(*) from pg_prepared_xacts")
    };
    wait_until("the last transactions to be decided", prepared, |count| count == "0");
    let done = done.load(Ordering::Relaxed);
    assert!(done > CLIENTS as usize * rounds() / 4, "only {done} transactions came to their end");
    assert_exact(&server);
    // When everything is given back, all places are free.
    server.psql("select booking.expire(100000)");
    server.psql("update booking.holds set expires_at = clock_timestamp() where state = 'held'");
    server.psql("select count(booking.cancel(id)) from booking.holds where state = 'confirmed'");
    for (pool, all) in [("tight", 5), ("wide", 310)] {
        assert_eq!(server.psql(&format!("select status from booking.hold('{pool}', {all})")), "held");
    }
    assert_exact(&server);
}

/// Runs one transaction after the other, on a new session after each loss, as long as `goes_on` says.
pub fn client(config: Config, seed: u64, done: &AtomicUsize, mut goes_on: impl FnMut() -> bool) {
    let mut session = reconnect(&config);
    let mut random = StdRng::seed_from_u64(seed);
    while goes_on() {
        match transaction(&mut session, &mut random) {
            Ok(()) => {
                done.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                assert!(is_expected(&error), "{error:?}");
                if session.is_closed() || session.batch_execute("rollback").is_err() {
                    session = reconnect(&config);
                }
            }
        }
    }
}

fn sample(session: &mut Client, over: &AtomicBool) -> usize {
    let mut samples = 0;
    while !over.load(Ordering::Relaxed) {
        let rows = session.query(OVERSOLD, &[]).expect("a sample");
        assert!(rows.is_empty(), "{} is oversold", rows[0].get::<_, String>(0));
        samples += 1;
    }
    samples
}

/// Cancels a statement of another session, or terminates the session.
fn disturb(session: &mut Client, over: &AtomicBool) -> usize {
    let mut disturbed = 0;
    while !over.load(Ordering::Relaxed) {
        let verb = if disturbed % 3 == 0 { "pg_terminate_backend" } else { "pg_cancel_backend" };
        let sql = format!(
            "select {verb}(pid) from pg_stat_activity where backend_type = 'client backend' and state <> 'idle'
               and pid <> pg_backend_pid() and query like '%booking.%' and query not like '%having sum%'
             order by random() limit 2"
        );
        disturbed += session.query(&sql, &[]).expect("a disturbance").len();
        decide(session);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    disturbed
}

/// Decides transactions that were prepared by sessions which were terminated then.
pub fn decide(session: &mut Client) {
    let old = "select gid from pg_prepared_xacts where prepared < clock_timestamp() - interval '50 ms'";
    for row in session.query(old, &[]).expect("a look") {
        let (gid, how) = (row.get::<_, String>(0), if rand::random() { "commit" } else { "rollback" });
        // Its own session may decide it first.
        let _ = session.batch_execute(&format!("{how} prepared '{gid}'"));
    }
}

fn transaction(session: &mut Client, random: &mut StdRng) -> Result<(), Error> {
    let pool = *POOLS.choose(random).expect("a pool");
    let quantity = random.random_range(1..3);
    let ttl = ["20 ms", "1 h"].choose(random).expect("a time");
    let holder = format!("h{}", random.random_range(0..12));
    let hold = format!("hold('{pool}', {quantity}, '{ttl}', holder => '{holder}')");
    match random.random_range(0..10) {
        0 => {
            session.batch_execute("set statement_timeout = '3ms'")?;
            let held = ask(session, &hold);
            session.batch_execute("set statement_timeout = 0")?;
            part_with(session, random, held?.hold_id)
        }
        1 => {
            session.batch_execute("begin")?;
            let first = ask(session, &hold)?;
            session.batch_execute("savepoint s")?;
            ask(session, &format!("hold('{pool}', 1, holder => '{holder}')"))?;
            if let Some(id) = first.hold_id {
                ask(session, &format!("release('{id}')"))?;
            }
            session.batch_execute(["rollback to s", "release s"].choose(random).expect("an end"))?;
            session.batch_execute(["commit", "rollback"].choose(random).expect("an end"))
        }
        2 => {
            let items = format!(
                "hold_all('[{{\"resource\": \"tight\"}}, {{\"resource\": \"wide\", \"quantity\": {quantity}}}]', '{ttl}')"
            );
            let held = ask(session, &items)?;
            part_with(session, random, held.hold_id)
        }
        3 => session.batch_execute(&format!(
            "select count(*) from booking.hold_each('[
                {{\"resource\": \"tight\", \"ttl\": \"20 ms\"}}, {{\"resource\": \"wide\", \"ttl\": \"20 ms\", \"quantity\": {quantity}}},
                {{\"resource\": \"fair\", \"holder\": \"{holder}\", \"ttl\": \"20 ms\"}}]')"
        )),
        // An error after the hold, in the same statement, and in a block that continues.
        4 => session.batch_execute(&format!("select 1 / (h.version - 1) from booking.{hold} h where h.ok")),
        5 => session.batch_execute(&format!(
            "do $$ begin
                 begin perform booking.{hold}; perform 1 / 0; exception when division_by_zero then end;
                 perform booking.{hold};
             end $$"
        )),
        6 => {
            session.batch_execute("set lock_timeout = '2ms'")?;
            let held = ask(session, &hold);
            session.batch_execute("set lock_timeout = 0")?;
            part_with(session, random, held?.hold_id)
        }
        7 => session.batch_execute("select booking.expire(20)"),
        8 => {
            session.batch_execute("begin")?;
            ask(session, &hold)?;
            ask(session, &format!("hold('wide', 1, '{ttl}')"))?;
            let gid = format!("p{:x}", random.random::<u64>());
            session.batch_execute(&format!("prepare transaction '{gid}'"))?;
            let how = ["commit", "rollback"].choose(random).expect("an end");
            session.batch_execute(&format!("{how} prepared '{gid}'"))
        }
        _ => {
            let held = ask(session, &hold)?;
            part_with(session, random, held.hold_id)
        }
    }
}

fn part_with(session: &mut Client, random: &mut StdRng, id: Option<String>) -> Result<(), Error> {
    let Some(id) = id else { return Ok(()) };
    let verbs: &[&str] =
        [&["release"][..], &["confirm", "cancel"], &["confirm"], &[]].choose(random).expect("some");
    // Few holds stay confirmed, so that places come free until the end.
    let verbs = if verbs == ["confirm"] && random.random_bool(0.9) { &["confirm", "cancel"] } else { verbs };
    for verb in verbs {
        ask(session, &format!("{verb}('{id}')"))?;
    }
    Ok(())
}
