//! What `available()` says while everything changes: never more than there is, and exactly what is free when all is quiet.
//! Of seats it says so by a count in shared memory, which each transaction that takes or frees seats adds to.

use std::sync::atomic::{AtomicU64, Ordering};

use booking_live::{Server, Worker, ask, wait_until};
use postgres::{Client, Error};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const CLIENTS: u64 = 8;
const ROUNDS: u64 = 12;
const TRANSACTIONS: usize = 25;
const SEATS: i64 = 40;

/// A query that returns nothing if `available()` says of each resource what its holds and seats leave.
const FALSE: &str = "select r.name, booking.available(r.name), a.available, free.seats
    from booking.resources r
    cross join lateral booking.availability(r.name) a
    cross join lateral (
        select count(*) from booking.seats s left join booking.holds h on h.id = s.hold_id and h.resource = s.resource
        where s.resource = r.name and not blocked
          and (hold_id is null or h.state = 'held' and h.expires_at <= clock_timestamp())) as free(seats)
    where booking.available(r.name) <> a.available or r.kind = 'seats' and booking.available(r.name) <> free.seats";

fn server() -> Server {
    let server =
        Server::builder().max_connections(40).set("deadlock_timeout", "50ms").start().expect("a server");
    server.psql("select booking.create_seats('hall', booking.seat_grid(4, 'ABCDEFGHIJ'))");
    server.psql("select booking.create_pool('gig', 30)");
    if Worker::from_env() != Worker::Absent {
        server.psql("select booking.create_pool('drop', 30, contention => 'escrow')");
    }
    server
}

/// When the clients of a round have ended, nothing is under way, and what is said must be exact.
#[test]
fn what_is_said_is_what_is_free() {
    let server = server();
    for round in 0..ROUNDS {
        let working = AtomicU64::new(CLIENTS);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (server, working) = (&server, &working);
                scope.spawn(move || {
                    let _done = Done(working);
                    book(&mut server.connect("postgres"), round * CLIENTS + client);
                });
            }
            for _ in 0..2 {
                scope.spawn(|| look(&mut server.connect("postgres"), &working));
            }
        });
        // A hold may run out between the looks of one query.
        wait_until("what is said to be what is free", || server.psql(FALSE), String::is_empty);
        server.psql("select booking.expire(100000)");
        wait_until("what is said to be what is free", || server.psql(FALSE), String::is_empty);
    }
    server.assert_sound("postgres");
}

/// Counts a client as done when it ends, also if it fails: those who look wait for it.
struct Done<'c>(&'c AtomicU64);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn book(session: &mut Client, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..TRANSACTIONS {
        if let Err(error) = transaction(session, &mut random) {
            assert!(is_expected(&error), "{error:?}");
            session.batch_execute("rollback").expect("a rollback");
        }
    }
}

fn look(session: &mut Client, working: &AtomicU64) {
    while working.load(Ordering::Relaxed) > 0 {
        for (name, most) in [("hall", SEATS), ("gig", 30)] {
            let said: i64 =
                session.query_one("select booking.available($1)", &[&name]).expect("a look").get(0);
            assert!((0..=most).contains(&said), "{said} of {name} are left");
        }
    }
}

/// Each verb that takes or frees seats, after a look that has counted them.
#[test]
fn every_verb_tells_of_its_seats() {
    let server = server();
    let mut session = server.connect("postgres");
    let overdue = "select count(*) from booking.holds where state = 'held' and expires_at > clock_timestamp() and key like 'short%'";
    assert_eq!(server.psql(FALSE), "");
    for call in [
        "hold('hall', seats => '{1A,1B,1C}', key => 'first')",
        "hold('hall', seats => '{2A,2B}', ttl => '20 ms', key => 'short')",
        "hold_best('hall', 4, key => 'best')",
        r#"hold_all('[{"resource": "hall", "seats": ["3A"]}, {"resource": "gig"}]', key => 'basket')"#,
        "release((select id from booking.holds where key = 'first'), seats => '{1B}')",
        "swap_seats((select id from booking.holds where key = 'first'), '{4J,1C}')",
        "confirm((select id from booking.holds where key = 'best'))",
        "cancel((select id from booking.holds where key = 'best'), seats => array[(select min(label) from booking.seats s join booking.holds h on h.id = s.hold_id and h.key = 'best')])",
        "release((select basket from booking.holds where key = 'basket' limit 1))",
        "hold('hall', seats => '{4A,4B}', ttl => '20 ms', key => 'short late')",
        "set_blocked('hall', '{2A}', true)",
        "set_blocked('hall', '{2A}', false)",
        "confirm((select id from booking.holds where key = 'short late'), late => 'reacquire')",
        "cancel((select id from booking.holds where key = 'short late'))",
    ] {
        // What is short is overdue from here on, so that the verbs have to end it.
        if !call.contains("20 ms") {
            wait_until("it to run out", || server.psql(overdue), |held| held == "0");
        }
        let answer = ask(&mut session, call).expect("an answer");
        assert!(answer.ok, "{call}: {answer:?}");
        wait_until(call, || server.psql(FALSE), String::is_empty);
    }
    session.batch_execute("select count(*) from booking.hold_each('[{\"resource\": \"hall\", \"seats\": [\"2C\"]}, {\"resource\": \"hall\", \"seats\": [\"2D\"], \"ttl\": \"1 ms\"}]')").expect("a batch");
    wait_until("the batch", || server.psql(FALSE), String::is_empty);
    for sweep in ["booking.expire()", "booking.expire(resource => 'hall')"] {
        session
            .batch_execute("select booking.hold('hall', seats => '{3C,3D,3E}', ttl => '1 ms')")
            .expect("a hold");
        let due = "select count(*) from booking.holds where state = 'held' and expires_at <= clock_timestamp() + interval '1 s'
                   and expires_at > clock_timestamp()";
        wait_until("it to run out", || server.psql(due), |held| held == "0");
        session.batch_execute(&format!("select {sweep}")).expect("a sweep");
        assert_eq!(server.psql(FALSE), "", "{sweep}");
    }
}

fn seats(random: &mut StdRng) -> String {
    let mut seat =
        || format!("{}{}", random.random_range(1..5), ["A", "B", "C", "D"].choose(random).expect("a seat"));
    let (first, second) = (seat(), seat());
    if first == second { format!("array['{first}']") } else { format!("array['{first}', '{second}']") }
}

fn transaction(session: &mut Client, random: &mut StdRng) -> Result<(), Error> {
    let ttl = ["5 ms", "1 h"].choose(random).expect("a time");
    let hold = match random.random_range(0..5) {
        0 => format!("hold('gig', 2, '{ttl}')"),
        1 => format!("hold_best('hall', 3, ttl => '{ttl}')"),
        2 => format!(
            "hold_all('[{{\"resource\": \"gig\"}}, {{\"resource\": \"hall\", \"seats\": [\"1A\", \"2B\"]}}]', '{ttl}')"
        ),
        _ => format!("hold('hall', ttl => '{ttl}', seats => {})", seats(random)),
    };
    match random.random_range(0..7) {
        0 => {
            session.batch_execute("begin")?;
            ask(session, &hold)?;
            session.batch_execute("savepoint s")?;
            ask(session, &format!("hold('hall', seats => {})", seats(random)))?;
            // A transaction sees its own seats as taken, and counts nothing that may be rolled back.
            session.batch_execute("select booking.available('hall')")?;
            session.batch_execute(["rollback to s", "release s"].choose(random).expect("an end"))?;
            session.batch_execute(["commit", "rollback"].choose(random).expect("an end"))
        }
        1 => {
            session.batch_execute("begin")?;
            ask(session, &hold)?;
            let gid = format!("p{:x}", random.random::<u64>());
            session.batch_execute(&format!("prepare transaction '{gid}'"))?;
            session.batch_execute(&format!(
                "{} prepared '{gid}'",
                ["commit", "rollback"].choose(random).expect("an end")
            ))
        }
        2 => {
            let seats = seats(random);
            ask(session, &format!("set_blocked('hall', {seats}, true)"))?;
            ask(session, &format!("set_blocked('hall', {seats}, false)")).map(drop)
        }
        3 => session.batch_execute("select booking.expire(20)"),
        4 => session.batch_execute(&format!("select 1 / (h.version - 1) from booking.{hold} h where h.ok")),
        _ => {
            let held = ask(session, &hold)?;
            let Some(id) = held.hold_id else { return Ok(()) };
            let verbs: &[&str] =
                [&["release"][..], &["confirm", "cancel"], &[]].choose(random).expect("some");
            verbs.iter().try_for_each(|verb| ask(session, &format!("{verb}('{id}')")).map(drop))
        }
    }
}

/// Division by zero, a deadlock, a write that would rest on an old look.
fn is_expected(error: &Error) -> bool {
    error.code().is_some_and(|code| ["22012", "40P01", "40001"].contains(&code.code()))
}

/// Whoever drops a hall and makes another one of the same name looks at the new one.
#[test]
fn a_new_hall_is_counted_anew() {
    let server = server();
    let said = || server.psql("select booking.available('hall')");
    server.psql("select booking.hold('hall', seats => '{1A,1B,1C}')");
    assert_eq!(said(), "37");
    server.psql("select booking.release(id) from booking.holds");
    server.psql("select booking.drop_resource('hall')");
    server.psql("select booking.create_seats('hall', booking.seat_grid(1, 'AB'))");
    assert_eq!(said(), "2");
    server.psql("select booking.hold('hall', seats => '{1A}')");
    assert_eq!(said(), "1");
}

/// After a crash, and on a standby, where nobody counts, and when it is promoted.
#[test]
fn what_is_said_is_true_after_a_crash_and_on_a_standby() {
    let mut server = server();
    let pools: &[&str] =
        if Worker::from_env() == Worker::Absent { &["hall", "gig"] } else { &["hall", "gig", "drop"] };
    let said = |server: &Server| -> Vec<String> {
        pools.iter().map(|pool| server.psql(&format!("select booking.available('{pool}')"))).collect()
    };
    let hold = |server: &Server| {
        server.psql("select booking.hold_best('hall', 2, ttl => '1 h')");
        pools[1..]
            .iter()
            .for_each(|pool| drop(server.psql(&format!("select booking.hold('{pool}', 2, '1 h')"))));
    };
    hold(&server);
    assert_eq!(said(&server), ["38", "28", "28"][..pools.len()]);
    server.kill_9();
    server.start();
    assert_eq!(said(&server), ["38", "28", "28"][..pools.len()]);
    let standby = server.standby();
    assert_eq!(said(&standby), ["38", "28", "28"][..pools.len()]);
    hold(&server);
    wait_until(
        "the standby to follow",
        || said(&standby),
        |said| said[..] == ["36", "26", "26"][..pools.len()],
    );
    drop(server);
    standby.promote();
    hold(&standby);
    assert_eq!(said(&standby), ["34", "24", "24"][..pools.len()]);
}

/// A look waits for nobody, and nobody waits for a look.
#[test]
fn a_look_waits_for_nobody() {
    let server = server();
    let mut first = server.connect("postgres");
    first.batch_execute("begin").expect("begin");
    assert!(ask(&mut first, "hold('hall', seats => '{1A}')").expect("a hold").ok);
    // Whether that commits is open, so nobody can keep a count; the sum is that of what is committed.
    server.psql("set statement_timeout = '10s'; select booking.available('hall')");
    assert_eq!(server.psql("select booking.available('hall')"), "40");
    let own: i64 = first.query_one("select booking.available('hall')", &[]).expect("a look").get(0);
    assert_eq!(own, 39);
    first.batch_execute("rollback").expect("a rollback");
    assert_eq!(server.psql("select booking.available('hall')"), "40");
    assert_eq!(server.psql(FALSE), "");
}
