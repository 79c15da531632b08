//! A database that has something of everything, for what must carry a database over as it is: a dump, `pg_upgrade`,
//! an upgrade of the extension.
//!
//! Nothing in it expires within an hour, but for what [`fill_overdue`] adds.

use crate::Server;

/// What the database has, in an order that does not change.
const TABLES: [&str; 7] = [
    "select * from booking.resources order by name",
    "select * from booking.capacity_changes order by resource, during",
    "select * from booking.seats order by resource, label",
    "select * from booking.holds order by id",
    "select * from booking.waitlist_entries order by resource, position",
    "select * from booking.leases order by name, slot",
    "select * from booking.lease_epochs",
];

/// Adds holds in every state, with keys, holders and metadata, on resources of every kind; a line and leases.
pub fn fill(server: &Server) {
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
    fill_escrow(server);
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

/// An escrow pool with every kind of hold, if the server has memory for its count.
fn fill_escrow(server: &Server) {
    if !has_memory(server) {
        return;
    }
    server.psql("select booking.create_pool('rush', 1000, contention => 'escrow')");
    server.psql(
        "with h as (select n, (booking.hold('rush', 2, '1 hour', key => 'r' || n)).hold_id as id
                    from generate_series(1, 50) n)
         select count(case when n % 2 = 1 then booking.confirm(id, 'p' || n)
                           when n % 5 = 0 then booking.release(id) end) from h",
    );
}

fn has_memory(server: &Server) -> bool {
    server.psql("show shared_preload_libraries").contains("booking")
}

/// Adds a hold whose time to live is over at once, to each kind of resource. Nobody may sweep meanwhile.
pub fn fill_overdue(server: &Server) {
    server.psql(
        "select booking.hold('gig', 1, '1 ms', key => 'late', holder => 'late'),
                booking.hold('hall', seats => '{stalls 1A}', ttl => '1 ms', key => 'late'),
                booking.hold('hotel', 1, '1 ms', during => '[2033-01-01 12:00Z, 2033-01-02 12:00Z)',
                             key => 'late', holder => 'late')",
    );
    if has_memory(server) {
        server.psql("select booking.hold('rush', 1, '1 ms', key => 'late')");
    }
}

/// Returns the rows of each table, as psql prints them.
pub fn rows(server: &Server, dbname: &str) -> Vec<String> {
    TABLES.iter().map(|rows| server.psql_in(dbname, rows)).collect()
}

/// The count in shared memory is what the holds say, and goes on from there.
fn check_escrow(server: &Server, copy: &str) {
    if server.psql_in(copy, "select count(*) from booking.resources where contention = 'escrow'") == "0" {
        return;
    }
    let taken = || {
        let sums = "select coalesce(sum(quantity), 0) from booking.holds
                    where resource = 'rush' and state in ('held', 'confirmed')";
        server.psql_in(copy, sums).parse::<i64>().expect("a sum")
    };
    let left = 1000 - taken();
    let hold = |quantity: i64| {
        let sql = format!("select status from booking.hold('rush', {quantity}, '1 hour')");
        server.psql_in(copy, &sql)
    };
    assert_eq!(hold(left + 1), "unavailable");
    assert_eq!(hold(left), "held");
    assert_eq!(taken(), 1000);
    server.psql_in(copy, "select booking.release(id) from booking.holds where key = 'r2'");
    assert_eq!(hold(3), "unavailable");
    assert_eq!(hold(2), "held");
}

/// A lease that somebody has stays his; one that is granted anew has a token above all before.
fn check_leases(server: &Server, copy: &str) {
    let highest = "select max(token) from booking.leases where name = 'workers'";
    let before: i64 = server.psql_in(copy, highest).parse().expect("a token");
    let acquire = |name: &str, holder: &str, more: &str| {
        let sql =
            format!("select status, token from booking.acquire_lease('{name}', '{holder}', '1 h'{more})");
        server.psql_in(copy, &sql)
    };
    assert_eq!(acquire("import", "b", ""), "unavailable|");
    assert!(acquire("import", "a", "").starts_with("renewed|"), "who has it may ask again");
    let granted = acquire("workers", "w4", ", slots => 3");
    let token = granted.strip_prefix("acquired|").expect("one of three was released");
    assert!(token.parse::<i64>().expect("a token") > before, "{token} is not above {before}");
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

/// The copy works on from where the original stood. Changes it.
#[track_caller]
pub fn check(server: &Server, copy: &str) {
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
    check_leases(server, copy);
    check_escrow(server, copy);
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
