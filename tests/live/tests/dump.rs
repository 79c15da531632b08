//! Dump and restore, in plain and custom format, while the worker runs.

use booking_live::{Server, everything, pipe, wait_until};

/// Dumps the database `postgres` and restores it.
fn carry(server: &Server, dump: &[&str], restore: (&str, &[&str])) {
    pipe(server.command("pg_dump").args(dump), server.command(restore.0).args(restore.1));
}

fn check(server: &Server, copy: &str) {
    assert_eq!(everything::rows(server, copy), everything::rows(server, "postgres"));
    everything::check(server, copy);
}

#[test]
fn plain() {
    let server = Server::builder().start().expect("a server");
    everything::fill(&server);
    server.psql("create database copy");
    carry(&server, &["postgres"], ("psql", &["-Xq", "-v", "ON_ERROR_STOP=1", "-d", "copy"]));
    check(&server, "copy");
}

#[test]
fn custom() {
    let server = Server::builder().start().expect("a server");
    everything::fill(&server);
    server.psql("create database copy");
    carry(&server, &["-Fc", "postgres"], ("pg_restore", &["--exit-on-error", "-d", "copy"]));
    check(&server, "copy");
}

/// Overdue holds are restored as they were dumped. A sweep before, during or after leaves the tables sound.
#[test]
fn overdue_holds_are_restored_too() {
    let server = Server::builder().set("booking.sweep_interval", "10ms").start().expect("a server");
    server.psql("select booking.create_pool('gig', 100000)");
    server.psql("select count(booking.hold('gig', 1, '1 ms')) from generate_series(1, 2000)");
    server.psql("select booking.create_seats('hall', booking.seat_grid(100, 'ABCDEFGHIJ'))");
    server
        .psql("select count(booking.hold('hall', seats => array[label], ttl => '1 ms')) from booking.seats");
    server.psql(
        "select booking.create_calendar('room');
         select count(booking.hold('room', ttl => '1 ms', during => tstzrange(
                    timestamptz '2032-06-01 00:00Z' + n * interval '1 h',
                    timestamptz '2032-06-01 00:45Z' + n * interval '1 h')))
         from generate_series(1, 1000) n",
    );
    for copy in ["one", "two"] {
        server.psql(&format!("create database {copy}"));
        carry(&server, &["-Fc", "postgres"], ("pg_restore", &["--exit-on-error", "-d", copy]));
        assert_eq!(server.psql_in(copy, "select count(*) from booking.check()"), "0");
        assert_eq!(server.psql_in(copy, "select count(*) from booking.holds"), "4000");
        wait_until(
            "all of it to be ended",
            || {
                server.psql_in(copy, "select booking.expire(10000)");
                server.psql_in(copy, "select count(*) from booking.holds where state = 'held'")
            },
            |held| held == "0",
        );
        assert_eq!(server.psql_in(copy, "select count(*) from booking.check()"), "0");
    }
}
