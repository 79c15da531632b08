//! Pools whose count moves to shared memory while many wait for them, and back to their row.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use booking_live::{Server, Shutdown, Worker, ask, in_background, join, pipe, wait_until};
use postgres::{Client, Error};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{OVERSOLD, assert_exact, is_expected, server};

const CLIENTS: u64 = 24;
const PLACES: i64 = 200;

fn with_pool() -> Option<Server> {
    let server = server(60)?;
    server.psql(&format!("select booking.create_pool('gig', {PLACES})"));
    Some(server)
}

fn is_in_memory(server: &Server) -> bool {
    server.psql("select escrow is not null from booking.resources where name = 'gig'") == "t"
}

/// Lets callers queue behind a transaction that has the pool, then ends it. The first of them moves the count, with the
/// statement `first`, unless something keeps it from that.
fn crowd(server: &Server, first: &str) {
    let mut holder = server.connect("postgres");
    holder.batch_execute("begin; select booking.hold('gig', 1, '1 h')").expect("a hold");
    let waiting: Vec<_> = std::iter::once(first)
        .chain(std::iter::repeat_n("select booking.hold('gig', 1, '1 h')", 4))
        .map(|call| {
            let call = call.to_owned();
            let (pid, client) = in_background(server.connect("postgres"), move |session| {
                session.batch_execute(&call).expect("a call");
            });
            server.wait_until_blocked(pid);
            client
        })
        .collect();
    holder.batch_execute("commit").expect("a commit");
    waiting.into_iter().for_each(join);
}

fn version(session: &mut Client) -> (i64, i64) {
    let row =
        session.query_one("select version, available from booking.availability('gig')", &[]).expect("a look");
    (row.get(0), row.get(1))
}

#[test]
fn a_crowd_moves_the_count_and_each_hold_raises_the_version() {
    let Some(server) = with_pool() else { return };
    let mut session = server.connect("postgres");
    assert!(!is_in_memory(&server));
    crowd(&server, "select booking.hold('gig', 1, '1 h')");
    assert!(is_in_memory(&server));
    assert_eq!(version(&mut session), (7, PLACES - 6));
    assert_exact(&server);
    // A batch, a basket, and what gives back; each says the version that a pool in its row would say.
    ask(&mut session, "release((select id from booking.holds limit 1))").expect("a release");
    assert_eq!(version(&mut session), (8, PLACES - 5));
    session
        .batch_execute("select booking.hold_each('[{\"resource\": \"gig\"}, {\"resource\": \"gig\"}]')")
        .expect("a batch");
    assert_eq!(version(&mut session).1, PLACES - 7);
    // Who expects a version finds the count in the row again, and the version as it was said.
    let (seen, _) = version(&mut session);
    let held =
        ask(&mut session, &format!("hold('gig', 1, '1 h', expected_version => {seen})")).expect("a hold");
    assert!(held.ok && !is_in_memory(&server), "{held:?}");
    assert_eq!(version(&mut session), (seen + 1, PLACES - 8));
    let stale = ask(&mut session, &format!("hold('gig', expected_version => {seen})")).expect("an answer");
    assert_eq!(stale.status, "version_mismatch");
    // For a while it stays there.
    crowd(&server, "select booking.hold('gig', 1, '1 h')");
    assert!(!is_in_memory(&server));
    server.assert_sound("postgres");
}

#[test]
fn what_decides_on_the_whole_pool_finds_it_in_its_row() {
    for verb in [
        "set_capacity('gig', 7)",
        "set_open('gig', false)",
        "set_contention('gig', 'locked')",
        "join_waitlist('gig', 199)",
    ] {
        let Some(server) = with_pool() else { return };
        crowd(&server, "select booking.hold('gig', 1, '1 h')");
        assert!(is_in_memory(&server));
        let answer = ask(&mut server.connect("postgres"), verb);
        assert!(answer.is_ok_and(|answer| answer.ok) || verb.starts_with("join"), "{verb}");
        if !verb.starts_with("join") {
            assert!(!is_in_memory(&server), "{verb}");
        }
        assert_eq!(
            server.psql("select taken + 0 from booking.resources where escrow is null and taken <> 6"),
            ""
        );
        assert_exact(&server);
    }
}

/// A rollback of the transaction that has moved the count leaves it where it was, and what others hold is right.
#[test]
fn a_move_that_is_rolled_back_leaves_the_count_where_it_was() {
    let Some(server) = with_pool() else { return };
    crowd(&server, "begin; select booking.hold('gig', 1, '1 h'); rollback");
    assert_exact(&server);
    assert_eq!(server.psql("select booking.available('gig')"), (PLACES - 5).to_string());
    let savepoint = "begin; savepoint s; select booking.hold('gig', 1, '1 h'); rollback to s;
                     select booking.hold('gig', 1, '1 h'); commit";
    server.psql("select booking.set_contention('gig', 'locked')");
    server.psql("select booking.set_contention('gig', 'auto')");
    crowd(&server, savepoint);
    assert_exact(&server);
    assert_eq!(server.psql("select booking.available('gig')"), (PLACES - 11).to_string());
    // And so does a rollback of the move back.
    assert!(is_in_memory(&server));
    let mut session = server.connect("postgres");
    let before = version(&mut session);
    session
        .batch_execute(
            "begin; select booking.hold('gig', 2, '1 h'); select booking.set_open('gig', false); rollback",
        )
        .expect("a rollback");
    assert!(is_in_memory(&server));
    assert_eq!(version(&mut session).1, before.1);
    assert_exact(&server);
}

/// A count that is lost is in the row again, and nobody can expect a version that was seen before.
#[test]
fn a_crash_loses_the_count_and_no_version() {
    let Some(mut server) = with_pool() else { return };
    crowd(&server, "select booking.hold('gig', 1, '1 h')");
    assert!(is_in_memory(&server));
    let (seen, available) = version(&mut server.connect("postgres"));
    server.kill_9();
    server.start();
    let mut session = server.connect("postgres");
    assert_eq!(version(&mut session).1, available);
    let now = version(&mut session).0;
    for expected in [seen, now] {
        let stale =
            ask(&mut session, &format!("hold('gig', expected_version => {expected})")).expect("an answer");
        assert_eq!(stale.status, "version_mismatch");
    }
    assert!(!is_in_memory(&server));
    let (later, _) = version(&mut session);
    assert!(later > seen + 1_000_000, "{later}");
    assert!(ask(&mut session, &format!("hold('gig', expected_version => {later})")).expect("a hold").ok);
    server.assert_sound("postgres");
}

/// The last places are sold from the row, one buyer after the other.
#[test]
fn the_last_places_are_in_the_row() {
    let Some(server) = with_pool() else { return };
    crowd(&server, "select booking.hold('gig', 1, '1 h')");
    let mut session = server.connect("postgres");
    assert!(ask(&mut session, &format!("hold('gig', {}, '1 h')", PLACES - 6 - 31)).expect("a hold").ok);
    assert!(is_in_memory(&server));
    assert_eq!(ask(&mut session, "hold('gig', 31, '1 h')").expect("a hold").available, Some(0));
    assert!(!is_in_memory(&server));
    crowd_without_places(&server);
    assert!(!is_in_memory(&server));
    assert_exact(&server);
}

/// Lets callers queue for a pool of which nothing is left.
fn crowd_without_places(server: &Server) {
    let mut holder = server.connect("postgres");
    holder.batch_execute("begin; select booking.release(id) from booking.holds limit 1").expect("a release");
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let (pid, client) = in_background(server.connect("postgres"), |session| {
                ask(session, "hold('gig', 1, '1 h')").expect("an answer").ok
            });
            server.wait_until_blocked(pid);
            client
        })
        .collect();
    holder.batch_execute("commit").expect("a commit");
    assert_eq!(waiting.into_iter().map(join).filter(|ok| *ok).count(), 1);
}

/// Once it is quiet, the next hold finds the count in the row.
#[test]
fn a_quiet_pool_is_in_its_row_again() {
    let Some(server) = with_pool() else { return };
    crowd(&server, "select booking.hold('gig', 1, '1 h')");
    let mut session = server.connect("postgres");
    let (before, _) = version(&mut session);
    let quiet = "select clock_timestamp() - changed_at > interval '10 s' from booking.escrow_status where resource = 'gig'";
    wait_until("it to be quiet", || server.psql(quiet), |quiet| quiet == "t");
    assert!(is_in_memory(&server));
    assert!(ask(&mut session, "hold('gig', 1, '1 h')").expect("a hold").ok);
    assert!(!is_in_memory(&server));
    assert_eq!(version(&mut session).0, before + 1);
    server.assert_sound("postgres");
}

/// A server that does not preload the library any more, and a dump, have the row and not the count.
#[test]
fn a_row_without_its_count_is_counted_again() {
    let mut server = Server::builder().worker(Worker::Absent).start().expect("a server");
    server.psql("alter system set shared_preload_libraries = 'booking'");
    server.restart(Shutdown::Fast);
    server.psql(&format!("select booking.create_pool('gig', {PLACES})"));
    crowd(&server, "select booking.hold('gig', 1, '1 h')");
    assert!(is_in_memory(&server));
    server.psql("create database copy");
    pipe(
        server.command("pg_dump").arg("postgres"),
        server.command("psql").args(["-Xq", "-v", "ON_ERROR_STOP=1", "-d", "copy"]),
    );
    assert_eq!(server.psql_in("copy", "select booking.available('gig')"), (PLACES - 6).to_string());
    let held = server.psql_in("copy", "select available from booking.hold('gig')");
    assert_eq!(held, (PLACES - 7).to_string());
    assert_eq!(server.psql_in("copy", "select count(*) from booking.check()"), "0");
    server.psql("alter system reset shared_preload_libraries");
    server.restart(Shutdown::Fast);
    assert_eq!(server.psql("select booking.available('gig')"), (PLACES - 6).to_string());
    let mut session = server.connect("postgres");
    for call in ["hold('gig', 1, '1 h')", r#"hold_all('[{"resource": "gig"}]', '1 h')"#] {
        assert!(ask(&mut session, call).expect("a hold").ok);
        assert!(!is_in_memory(&server));
    }
    assert_eq!(server.psql("select taken from booking.resources"), "8");
    server.assert_sound("postgres");
}

/// A transaction that keeps its snapshot never decides by a count that is elsewhere by now.
#[test]
fn an_old_snapshot_does_not_take_from_where_the_count_was() {
    for level in ["repeatable read", "serializable"] {
        let Some(server) = with_pool() else { return };
        let mut old = server.connect("postgres");
        let begin = format!("begin isolation level {level}; select 1");
        old.batch_execute(&begin).expect("begin");
        crowd(&server, "select booking.hold('gig', 1, '1 h')");
        assert!(is_in_memory(&server));
        let refused = ask(&mut old, "hold('gig', 1, '1 h')").expect_err("the pool was redefined");
        assert_eq!(refused.code().map(|code| code.code()), Some("40001"));
        old.batch_execute("rollback").expect("a rollback");
        old.batch_execute(&begin).expect("begin");
        server.psql("select booking.set_open('gig', true)");
        let refused = ask(&mut old, "hold('gig', 1, '1 h')").expect_err("the row has changed");
        assert_eq!(refused.code().map(|code| code.code()), Some("40001"));
        old.batch_execute("rollback").expect("a rollback");
        assert!(ask(&mut old, "hold('gig', 1, '1 h')").expect("a hold").ok);
        assert_exact(&server);
    }
}

const POOLS: usize = 8;

/// Nothing is oversold or lost while counts move to and fro under load, and no version either.
#[test]
fn counts_move_under_load() {
    let Some(server) = server(60) else { return };
    for pool in 0..POOLS {
        server.psql(&format!("select booking.create_pool('gig{pool}', {PLACES})"));
    }
    // The pool that everybody wants. At the end there is none.
    let (wanted, accepted, calm) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (server, wanted, accepted, calm) = (&server, &wanted, &accepted, &calm);
        for seed in 0..CLIENTS {
            scope.spawn(move || {
                want(&mut server.connect("postgres"), &mut StdRng::seed_from_u64(seed), wanted, calm)
            });
        }
        scope.spawn(move || watch(&mut server.connect("postgres"), wanted));
        let mover = scope.spawn(move || {
            let (mut session, mut random) = (server.connect("postgres"), StdRng::seed_from_u64(CLIENTS));
            for pool in 0..POOLS {
                let is_in_memory = || {
                    server.psql(&format!(
                        "select escrow is not null from booking.resources where name = 'gig{pool}'"
                    ))
                };
                for _ in 0..3 {
                    wait_until("the count to be in memory", is_in_memory, |is| is == "t");
                    let call = ["set_open('gig{}', true)", "set_capacity('gig{}', 200)"]
                        .choose(&mut random)
                        .expect("a call");
                    assert!(ask(&mut session, &call.replace("{}", &pool.to_string())).expect("an answer").ok);
                }
                wait_until("the count to be in memory", is_in_memory, |is| is == "t");
                for n in 0..60 {
                    // At first the pool is wanted by all, so that somebody is nearly always quicker.
                    calm.store(n > 20, Ordering::Relaxed);
                    let as_seen = expect_what_was_seen(&mut session, pool);
                    accepted.fetch_add(usize::from(as_seen), Ordering::Relaxed);
                }
                calm.store(false, Ordering::Relaxed);
                wanted.store(pool + 1, Ordering::Relaxed);
            }
        });
        // Without the mover nobody would end the others.
        let moved = mover.join();
        wanted.store(POOLS, Ordering::Relaxed);
        moved.expect("the mover");
    });
    assert!(accepted.load(Ordering::Relaxed) > 0, "no caller met the version that it had seen");
    assert_exact(&server);
}

/// Holds places of the wanted pool, and gives them back, until no pool is wanted.
fn want(session: &mut Client, random: &mut StdRng, wanted: &AtomicUsize, calm: &AtomicBool) {
    loop {
        if calm.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(random.random_range(0..100)));
        }
        let pool = wanted.load(Ordering::Relaxed);
        if pool >= POOLS {
            return;
        }
        if let Err(error) = transaction(session, random, pool) {
            assert!(is_expected(&error), "{error:?}");
            session.batch_execute("rollback").expect("a rollback");
        }
    }
}

fn transaction(session: &mut Client, random: &mut StdRng, pool: usize) -> Result<(), Error> {
    let hold = format!("hold('gig{pool}', {}, '1 h')", random.random_range(1..4));
    match random.random_range(0..8) {
        0 => session.batch_execute(&format!("select 1 / (h.version - 1) from booking.{hold} h where h.ok")),
        1 => {
            session.batch_execute("begin; savepoint s")?;
            ask(session, &hold)?;
            session.batch_execute(["rollback to s", "release s"].choose(random).expect("an end"))?;
            let held = ask(session, &hold)?;
            if let Some(id) = held.hold_id {
                ask(session, &format!("release('{id}')"))?;
            }
            session.batch_execute(["commit", "rollback"].choose(random).expect("an end"))?;
            give_some_back(session, pool)
        }
        2 => {
            let items = format!(r#"[{{"resource": "gig{pool}"}}, {{"resource": "gig0"}}]"#);
            let held = ask(session, &format!("hold_all('{items}', '1 h')"))?;
            held.hold_id.map_or(Ok(()), |id| ask(session, &format!("release('{id}')")).map(drop))
        }
        3 => give_some_back(session, pool),
        _ => {
            let held = ask(session, &hold)?;
            held.hold_id.map_or(Ok(()), |id| ask(session, &format!("release('{id}')")).map(drop))
        }
    }
}

fn give_some_back(session: &mut Client, pool: usize) -> Result<(), Error> {
    session.batch_execute(&format!(
        "select booking.release(id) from booking.holds where resource = 'gig{pool}' and state = 'held' limit 2"
    ))
}

/// What anybody sees: a version that never falls, and never more than there is.
fn watch(session: &mut Client, wanted: &AtomicUsize) {
    let mut before = [0; POOLS];
    loop {
        let pool = wanted.load(Ordering::Relaxed);
        if pool >= POOLS {
            return;
        }
        let look = format!("select version, available from booking.availability('gig{pool}')");
        let row = session.query_one(&look, &[]).expect("a look");
        let (version, available): (i64, i64) = (row.get(0), row.get(1));
        assert!(version >= before[pool], "version {version} after {}", before[pool]);
        assert!((0..=PLACES).contains(&available), "{available} are left");
        before[pool] = version;
        assert!(session.query(OVERSOLD, &[]).expect("a look").is_empty());
    }
}

/// Looks, and holds one place if the pool is as it was seen. Returns whether it was. Then nobody may have taken any of it
/// in between.
fn expect_what_was_seen(session: &mut Client, pool: usize) -> bool {
    let look = format!("select version, available from booking.availability('gig{pool}')");
    let seen = session.query_one(&look, &[]).expect("a look");
    let (version, available): (i64, i64) = (seen.get(0), seen.get(1));
    session.batch_execute("begin").expect("begin");
    let held = ask(session, &format!("hold('gig{pool}', 1, '1 h', expected_version => {version})"))
        .expect("an answer");
    if held.ok {
        let now = session.query_one(&look, &[]).expect("a look");
        assert_eq!(now.get::<_, i64>(0), version + 1);
        assert!(now.get::<_, i64>(1) + 1 >= available, "another transaction took some of what was expected");
    } else {
        assert!(["version_mismatch", "unavailable"].contains(&held.status.as_str()), "{held:?}");
    }
    session.batch_execute("commit").expect("a commit");
    held.ok
}
