//! Dump and restore, plain and custom, while the worker is at it.

use std::process::Stdio;

use booking_live::{Server, wait_until};

const TABLES: [&str; 3] = [
    "select * from booking.resources order by name",
    "select * from booking.seats order by resource, label",
    "select * from booking.holds order by id",
];

/// Every state there is, keys, holders and metadata; nothing runs out while it is compared.
fn fill(server: &Server) {
    server.psql("create role app");
    server.psql("select booking.grant_client('app')");
    server.psql("select booking.create_pool('gig', 50, 5, max_per_holder => 9, metadata => '{\"a\": 1}')");
    server.psql(
        "with h as (select n, (booking.hold('gig', 1, '1 hour', key => 'k' || n, holder => 'h' || n % 5,
                                            metadata => jsonb_build_object('n', n))).hold_id as id
                    from generate_series(1, 20) n)
         select count(case when n % 4 = 1 then booking.confirm(id, 'p' || n)
                           when n % 4 = 2 then booking.release(id) end) from h",
    );
    server.psql("select count(booking.cancel(id)) from booking.holds where reference in ('p1', 'p5')");
    server.psql("select booking.create_seats('hall', booking.seat_grid(4, 'AB CD', 'stalls'))");
    server.psql(
        "select booking.hold_best('hall', 2, '1 hour'), booking.set_blocked('hall', '{stalls 4A}', true)",
    );
    server.psql(
        "select booking.hold_all('[{\"resource\": \"hall\", \"seats\": [\"stalls 3A\", \"stalls 3B\"]},
                                   {\"resource\": \"gig\"}]', '1 hour', key => 'basket', holder => 'b')",
    );
    assert_eq!(server.psql("select count(*) from booking.check()"), "0");
}

fn pipe(server: &Server, dump: &[&str], restore: (&str, &[&str])) {
    let mut dumping =
        server.command("pg_dump").args(dump).stdout(Stdio::piped()).spawn().expect("pg_dump starts");
    let stdout = dumping.stdout.take().expect("piped");
    let status = server.command(restore.0).args(restore.1).stdin(stdout).stdout(Stdio::null()).status();
    assert!(status.expect("it starts").success());
    assert!(dumping.wait().expect("pg_dump ends").success());
}

fn check(server: &Server, copy: &str) {
    for rows in TABLES {
        assert_eq!(server.psql_in(copy, rows), server.psql(rows));
    }
    assert_eq!(server.psql_in(copy, "select count(*) from booking.check()"), "0");
    // What was granted is granted there, and nothing else.
    let may = "select has_function_privilege('app', 'booking.find(uuid, text)', 'execute'),
                      has_function_privilege('app', 'booking.expire(int, text)', 'execute'),
                      has_table_privilege('app', 'booking.holds', 'select')";
    assert_eq!(server.psql_in(copy, may), "t|f|f");
    let replayed = "select ok, status, replayed from booking.hold('gig', 1, '1 hour', key => 'k3',
                    holder => 'h3', metadata => '{\"n\": 3}')";
    assert_eq!(server.psql_in(copy, replayed), "t|held|t");
    assert_eq!(
        server.psql_in(copy, "select status from booking.hold('gig', key => 'new', holder => 'x')"),
        "held"
    );
    let basket =
        "select ok, status from booking.confirm((select basket from booking.holds where key = 'basket'
                                                          and item = 1))";
    assert_eq!(server.psql_in(copy, basket), "t|confirmed");
    let taken = "select status, seats from booking.hold('hall', seats => '{stalls 3B,stalls 3C}')";
    assert_eq!(server.psql_in(copy, taken), "unavailable|{\"stalls 3B\"}");
}

#[test]
fn plain() {
    let server = Server::builder().start().expect("a server");
    fill(&server);
    server.psql("create database copy");
    pipe(&server, &["postgres"], ("psql", &["-Xq", "-v", "ON_ERROR_STOP=1", "-d", "copy"]));
    check(&server, "copy");
}

#[test]
fn custom() {
    let server = Server::builder().start().expect("a server");
    fill(&server);
    server.psql("create database copy");
    pipe(&server, &["-Fc", "postgres"], ("pg_restore", &["--exit-on-error", "-d", "copy"]));
    check(&server, "copy");
}

/// What is overdue is restored as it was dumped; a sweep before, during or after leaves it sound.
#[test]
fn overdue_holds_are_restored_too() {
    let server = Server::builder().set("booking.sweep_interval", "10ms").start().expect("a server");
    server.psql("select booking.create_pool('gig', 100000)");
    server.psql("select count(booking.hold('gig', 1, '1 ms')) from generate_series(1, 2000)");
    server.psql("select booking.create_seats('hall', booking.seat_grid(100, 'ABCDEFGHIJ'))");
    server
        .psql("select count(booking.hold('hall', seats => array[label], ttl => '1 ms')) from booking.seats");
    for copy in ["one", "two"] {
        server.psql(&format!("create database {copy}"));
        pipe(&server, &["-Fc", "postgres"], ("pg_restore", &["--exit-on-error", "-d", copy]));
        assert_eq!(server.psql_in(copy, "select count(*) from booking.check()"), "0");
        assert_eq!(server.psql_in(copy, "select count(*) from booking.holds"), "3000");
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
