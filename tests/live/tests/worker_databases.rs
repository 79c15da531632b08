//! The worker among many databases, which are created and dropped while it runs.

use std::time::{Duration, Instant};

use booking_live::{Builder, Server, Worker, ask, in_background, join, wait_until};

fn builder() -> Builder {
    Server::builder().worker(Worker::On).set("booking.sweep_interval", "20ms")
}

fn start() -> Server {
    builder().start().expect("a server")
}

fn create_booked(server: &Server, dbname: &str) {
    server.psql(&format!("create database {dbname}"));
    server.psql_in(dbname, "create extension booking cascade");
    server.psql_in(dbname, "select booking.create_pool('pool', 1000000)");
}

fn place_overdue(server: &Server, dbname: &str, count: usize) {
    let sql = format!("select booking.hold('pool', ttl => '1 ms') from generate_series(1, {count})");
    server.psql_in(dbname, &sql);
}

fn expired(server: &Server, dbname: &str) -> String {
    server.psql_in(dbname, "select count(*) from booking.holds where state = 'expired'")
}

/// The launcher sweeps every database once a minute, and at once when it starts.
fn discover_now(server: &Server) {
    let launcher = server.wait_for_launcher(None);
    server.psql(&format!("select pg_terminate_backend({launcher})"));
    server.wait_for_launcher(Some(launcher));
}

#[test]
fn finds_a_database_that_was_created_later() {
    let server = start();
    server.wait_for_launcher(None);
    create_booked(&server, "later");
    place_overdue(&server, "later", 4);
    server.wait_until_swept("later");
    assert_eq!(expired(&server, "later"), "4");
}

#[test]
fn a_database_with_a_backlog_can_be_a_template_and_its_copy_is_swept() {
    let server = start();
    create_booked(&server, "model");
    server.set("booking.worker", "off");
    place_overdue(&server, "model", 20_000);
    // The batches are small, so that the sweeper works for its whole time.
    server.set("booking.sweep_batch", "20");
    server.set("booking.worker", "on");
    let sweeper = "select count(*) from pg_stat_activity
                   where backend_type = 'booking sweeper' and datname = 'model'";
    wait_until("a sweeper in the template", || server.psql(sweeper), |count| count == "1");
    server.psql("create database copy template model");
    discover_now(&server);
    server.set("booking.sweep_batch", "10000");
    for dbname in ["model", "copy"] {
        server.wait_until_swept(dbname);
        assert_eq!(expired(&server, dbname), "20000");
        server.assert_sound(dbname);
    }
}

#[test]
fn finds_a_restored_database_by_itself() {
    let server = start();
    create_booked(&server, "restored");
    server.set("booking.worker", "off");
    // The rows are as a restore leaves them: no call has entered them in the registry.
    server.psql_in(
        "restored",
        "update booking.resources set taken = 7;
         insert into booking.holds (id, resource, quantity, state, placed_at, expires_at)
         values (gen_random_uuid(), 'pool', 7, 'held', now() - interval '2 h', now() - interval '1 h')",
    );
    server.set("booking.worker", "on");
    discover_now(&server);
    server.wait_until_swept("restored");
    server.assert_sound("restored");
}

#[test]
fn looks_after_the_databases_it_is_told_to() {
    let server = builder().set("booking.databases", "mine, other").start().expect("a server");
    for dbname in ["mine", "yours"] {
        create_booked(&server, dbname);
    }
    place_overdue(&server, "yours", 3);
    place_overdue(&server, "mine", 3);
    server.wait_until_swept("mine");
    discover_now(&server);
    place_overdue(&server, "mine", 3);
    server.wait_until_swept("mine");
    assert_eq!((expired(&server, "mine"), expired(&server, "yours")), ("6".to_owned(), "0".to_owned()));
    let state = |dbname: &str| server.psql_in(dbname, "select state from booking.worker_status");
    if Worker::from_env() == Worker::On {
        assert_eq!((state("mine"), state("yours")), ("running".to_owned(), "off".to_owned()));
    }
    server.set("booking.databases", "");
    server.wait_until_swept("yours");
}

#[test]
fn a_database_is_dropped_at_once_though_it_is_booked_and_swept() {
    let server = start();
    for n in 0..5 {
        create_booked(&server, "doomed");
        let (_, client) = in_background(server.connect("doomed"), |session| {
            let mut holds = 0;
            while ask(session, "hold('pool', ttl => '1 ms')").is_ok() {
                holds += 1;
            }
            holds
        });
        let swept = "select coalesce(total_expired, 0) > 20 from booking.worker_status";
        wait_until("sweeps", || server.psql_in("doomed", swept), |swept| swept == "t");
        let asked = Instant::now();
        server.psql("drop database doomed with (force)");
        assert!(asked.elapsed() < Duration::from_secs(4), "round {n}: it took {:?}", asked.elapsed());
        assert!(join(client) > 20);
    }
    // DROP DATABASE works without FORCE too, once the clients are gone: the sweeper ends when it is asked to.
    create_booked(&server, "doomed");
    server.set("booking.worker", "off");
    place_overdue(&server, "doomed", 20_000);
    server.set("booking.sweep_batch", "20");
    server.set("booking.worker", "on");
    let sweeper = "select count(*) from pg_stat_activity
                   where backend_type = 'booking sweeper' and datname = 'doomed'";
    wait_until("a sweeper", || server.psql(sweeper), |count| count == "1");
    server.psql("drop database doomed");
    let launcher = server.launcher();
    create_booked(&server, "another");
    place_overdue(&server, "another", 3);
    server.wait_until_swept("another");
    assert_eq!(server.launcher(), launcher, "the launcher lived through it all");
}

#[test]
fn a_database_is_renamed_though_it_has_a_backlog() {
    let server = start();
    create_booked(&server, "before");
    server.set("booking.worker", "off");
    place_overdue(&server, "before", 20_000);
    server.set("booking.sweep_batch", "20");
    server.set("booking.worker", "on");
    server.psql("alter database before rename to after");
    server.set("booking.sweep_batch", "10000");
    server.wait_until_swept("after");
    assert_eq!(expired(&server, "after"), "20000");
}

#[test]
fn the_extension_is_dropped_and_created_while_it_sweeps() {
    let server = start();
    let launcher = server.wait_for_launcher(None);
    create_booked(&server, "fickle");
    server.set("booking.sweep_batch", "20");
    for round in 0..5 {
        let (_, client) = in_background(server.connect("fickle"), |session| {
            while ask(session, "hold('pool', ttl => '1 ms')").is_ok() {}
        });
        let some = "select count(*) > 50 from booking.holds where state = 'expired'";
        wait_until("sweeps", || server.psql_in("fickle", some), |some| some == "t");
        let dropped = server.try_psql("fickle", "drop extension booking");
        dropped.unwrap_or_else(|error| panic!("round {round}: {error:#}"));
        join(client);
        server.psql_in(
            "fickle",
            "create extension booking cascade; select booking.create_pool('pool', 1000000)",
        );
    }
    place_overdue(&server, "fickle", 3);
    server.wait_until_swept("fickle");
    assert_eq!(expired(&server, "fickle"), "3");
    assert_eq!(server.launcher(), Some(launcher));
    let log = server.log();
    for word in ["PANIC", "was terminated by signal", "TRAP"] {
        assert!(!log.contains(word), "{word} in the log");
    }
}
