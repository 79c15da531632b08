//! Dump and restore, in plain and custom format, while the worker runs.

use std::process::Stdio;

use booking_live::{Server, wait_until};

const TABLES: [&str; 7] = [
    "select * from booking.resources order by name",
    "select * from booking.capacity_changes order by resource, during",
    "select * from booking.seats order by resource, label",
    "select * from booking.holds order by id",
    "select * from booking.waitlist_entries order by resource, position",
    "select * from booking.leases order by name, slot",
    "select * from booking.lease_epochs",
];

/// Holds in every state, keys, holders and metadata. Nothing expires while the databases are compared.
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
    fill_calendars(server);
    fill_lines(server);
    assert_eq!(server.psql("select count(*) from booking.check()"), "0");
}

/// Hours, a buffer and changed capacities; held and confirmed periods, alone and overlapping.
fn fill_calendars(server: &Server) {
    server.psql(
        "select booking.create_calendar('room', 1, 'Europe/Berlin', '15 min'),
                booking.create_calendar('hotel', 40, 'Europe/Berlin', check_in => '14:00', max_per_holder => 30)",
    );
    server.psql("select booking.set_hours('room', '{\"mon\": [\"09:00-12:00\", \"13:00-17:00\"]}')");
    server.psql(
        "select booking.set_capacity('hotel', 2, '[2032-07-01 00:00+02, 2032-07-08 00:00+02)'),
                booking.set_capacity('hotel', 50)",
    );
    server.psql(
        "select booking.confirm((booking.hold('room', during => '[2032-06-07 09:00+02, 2032-06-07 10:00+02)',
                                             ttl => '1 hour', key => 'first')).hold_id, 'p')",
    );
    server.psql("select booking.hold('room', during => '[2032-06-07 10:15+02, 2032-06-07 11:00+02)', ttl => '1 hour')");
    server
        .psql("select booking.hold_nights('hotel', '2032-07-03', '2032-07-05', 2, '1 hour', holder => 'h')");
    server
        .psql("select booking.hold_nights('hotel', '2032-06-20', '2032-06-30', 20, '1 hour', holder => 'h')");
}

/// An entry in a line, an offer, and leases in each state.
fn fill_lines(server: &Server) {
    server.psql("select booking.create_pool('full', 1), booking.hold('full', key => 'theirs', ttl => '1 h')");
    for key in ["first", "second"] {
        server.psql(&format!("select booking.join_waitlist('full', key => '{key}', offer_ttl => '1 h')"));
    }
    server.psql("select booking.release(id) from booking.holds where key = 'theirs'");
    server.psql("select booking.acquire_lease('import', 'a', '1 h')");
    server.psql(
        "select booking.acquire_lease('workers', 'w' || n, '1 h', slots => 3) from generate_series(1, 3) n",
    );
    server.psql("select booking.release_lease('workers', 2)");
}

/// The line continues where it stood.
fn check_lines(server: &Server, copy: &str) {
    let line = "select state, position from booking.waitlist('full') order by state desc";
    assert_eq!(server.psql_in(copy, line), "offered|\nwaiting|1");
    let passed = server.psql_in(copy, "select status from booking.hold('full')");
    assert_eq!(passed, "unavailable");
    server.psql_in(
        copy,
        "select booking.leave_waitlist(id) from booking.waitlist('full') where state = 'offered'",
    );
    assert_eq!(server.psql_in(copy, line), "offered|");
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
    // Grants are restored, and nothing more is granted.
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
    check_calendars(server, copy);
    check_lines(server, copy);
    assert_eq!(server.psql_in(copy, "select count(*) from booking.check()"), "0");
}

fn check_calendars(server: &Server, copy: &str) {
    let hold = |from: &str, to: &str| {
        let during = format!("[2032-06-07 {from}+02, 2032-06-07 {to}+02)");
        server.psql_in(copy, &format!("select status from booking.hold('room', during => '{during}')"))
    };
    // The hours apply, and so do the buffers after confirmed bookings and after the request.
    assert_eq!(hold("12:00", "12:30"), "closed");
    assert_eq!(hold("10:05", "10:10"), "unavailable");
    assert_eq!(hold("11:00", "11:30"), "unavailable");
    assert_eq!(hold("11:15", "11:45"), "held");
    // The capacity that was changed for a week, the usual one, and the limit for each holder.
    let nights = |from: &str, to: &str, quantity: i64, holder: &str| {
        let nights = format!("'hotel', '2032-{from}', '2032-{to}', {quantity}, holder => '{holder}'");
        server.psql_in(copy, &format!("select status, available from booking.hold_nights({nights})"))
    };
    assert_eq!(nights("07-04", "07-06", 1, "x"), "unavailable|0");
    assert_eq!(nights("07-05", "07-06", 2, "x"), "held|0");
    assert_eq!(nights("06-21", "06-22", 30, "y"), "held|0");
    assert_eq!(nights("06-10", "06-11", 9, "h"), "limit_exceeded|");
    // The constraint holds against statements that write the tables directly.
    let overlap = "insert into booking.holds (id, resource, quantity, during, occupied, exclusive, state, placed_at, expires_at)
                   select gen_random_uuid(), resource, 1, during, occupied, true, 'held', placed_at, expires_at
                   from booking.holds where key = 'first'";
    let refused = server.try_psql(copy, overlap).expect_err("it overlaps").to_string();
    assert!(refused.contains("holds_never_double_booked"), "{refused}");
    let contradiction = "insert into booking.capacity_changes
                         select resource, tstzrange(lower(during) + '1 h', upper(during)), 9
                         from booking.capacity_changes";
    let refused = server.try_psql(copy, contradiction).expect_err("it overlaps").to_string();
    assert!(refused.contains("capacity_changes_apart"), "{refused}");
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
        pipe(&server, &["-Fc", "postgres"], ("pg_restore", &["--exit-on-error", "-d", copy]));
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
