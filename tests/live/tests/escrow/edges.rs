//! Memory that is too small or missing, and other ways in which a count could become wrong.

use booking_live::{Server, Shutdown, Worker, ask, ask_each, in_background, join};

use super::{assert_exact, server};

const CONTENTION: &str = "select booking.create_pool('gig', 3, contention => 'escrow')";

/// With memory for one count, the other pools are summed up for each call; nothing is oversold.
#[test]
fn too_little_memory_is_made_do_with() {
    if Worker::from_env() == Worker::Absent {
        return;
    }
    let server = Server::builder().set("booking.escrow_entries", 1).start().expect("a server");
    for pool in ["a", "b", "c"] {
        server.psql(&format!("select booking.create_pool('{pool}', 3, contention => 'escrow')"));
    }
    let mut first = server.connect("postgres");
    first.batch_execute("begin").expect("begin");
    // The first pool has the only slot for a count while its transaction lasts. The second pool has no count.
    assert_eq!(ask(&mut first, "hold('a', 2)").expect("a hold").available, Some(1));
    assert_eq!(ask(&mut first, "hold('b', 2)").expect("a hold").available, Some(1));
    assert_eq!(ask(&mut first, "hold('b', 2)").expect("an answer").status, "unavailable");
    first.batch_execute("savepoint s").expect("a savepoint");
    assert_eq!(ask(&mut first, "hold('b', 1)").expect("a hold").available, Some(0));
    first.batch_execute("rollback to s").expect("rollback");
    // A request for the second pool must wait: without a count, it cannot tell the committed holds from the
    // pending ones.
    let (pid, second) =
        in_background(server.connect("postgres"), |session| ask(session, "hold('b', 1)").expect("a hold"));
    server.wait_until_blocked(pid);
    let mut third = server.connect("postgres");
    assert_eq!(ask(&mut third, "hold('a', 1)").expect("a hold").available, Some(0));
    assert_eq!(ask(&mut third, "hold('b', 1, wait => false)").expect("an answer").status, "busy");
    first.batch_execute("commit").expect("a commit");
    assert_eq!(join(second).available, Some(0));
    for pool in ["a", "b", "c", "a", "b", "c"] {
        let left: i64 = if pool == "c" { 3 } else { 0 };
        let held = ask(&mut third, &format!("hold('{pool}', 4)")).expect("an answer");
        assert_eq!((held.status.as_str(), held.available), ("unavailable", Some(left)));
    }
    assert_exact(&server);
}

/// A request waits for pending deltas only if they could make room for it.
#[test]
fn a_refusal_waits_for_what_could_come_free() {
    let Some(server) = server(20) else { return };
    server.psql(CONTENTION);
    let mut first = server.connect("postgres");
    first.batch_execute("begin").expect("begin");
    let held = ask(&mut first, "hold('gig', 2)").expect("a hold");
    // Whether that commits or not, four places are not free.
    let mut second = server.connect("postgres");
    assert_eq!(ask(&mut second, "hold('gig', 4)").expect("an answer").status, "unavailable");
    // Two places may come free; one is free now.
    assert_eq!(ask(&mut second, "hold('gig', 2, wait => false)").expect("an answer").status, "busy");
    second.batch_execute("set lock_timeout = '20ms'").expect("a setting");
    assert_eq!(ask(&mut second, "hold('gig', 2)").expect("an answer").status, "busy");
    second.batch_execute("set lock_timeout = 0").expect("a setting");
    assert_eq!(ask(&mut second, "hold('gig', 1)").expect("a hold").status, "held");
    let (pid, waits) = in_background(server.connect("postgres"), |session| {
        ask(session, "hold('gig', 2)").expect("an answer")
    });
    server.wait_until_blocked(pid);
    first.batch_execute("rollback").expect("rollback");
    assert_eq!(join(waits).status, "held");
    // A pending release is waited for as well.
    let mut session = server.connect("postgres");
    let live = "select id::text from booking.holds where state = 'held' and quantity = 2";
    let id: String = session.query_one(live, &[]).expect("it").get(0);
    first.batch_execute("begin").expect("begin");
    assert!(ask(&mut first, &format!("release('{id}')")).expect("a release").ok);
    let (pid, waits) = in_background(server.connect("postgres"), |session| {
        ask(session, "hold('gig', 1)").expect("an answer")
    });
    server.wait_until_blocked(pid);
    first.batch_execute("commit").expect("commit");
    assert_eq!(join(waits).status, "held");
    assert!(held.ok);
    assert_exact(&server);
}

#[test]
fn what_replaces_the_holds_replaces_the_counts() {
    let Some(mut server) = server(20) else { return };
    server.psql(CONTENTION);
    let hold_all = |server: &Server, left: &str| {
        assert_eq!(
            server.psql("select status, available from booking.hold('gig', 3)"),
            format!("held|{left}")
        );
        assert_eq!(server.psql("select status from booking.hold('gig')"), "unavailable");
    };
    hold_all(&server, "0");
    server.psql("truncate booking.holds");
    hold_all(&server, "0");
    // After the rollback, the old holds are there again, and the count is the old one.
    server.psql("begin; truncate booking.holds; select booking.hold('gig', 1); rollback");
    assert_eq!(server.psql("select status from booking.hold('gig')"), "unavailable");
    // A pool that was dropped and created again under the same name has a count of its own.
    server.psql("update booking.holds set expires_at = clock_timestamp()");
    server.psql("select booking.drop_resource('gig')");
    server.psql(CONTENTION);
    hold_all(&server, "0");
    // Rows that were deleted by hand, followed by after_restore().
    server.psql("delete from booking.holds");
    server.psql("select booking.after_restore()");
    hold_all(&server, "0");
    server.restart(Shutdown::Fast);
    assert_eq!(server.psql("select status from booking.hold('gig')"), "unavailable");
    server.psql("drop extension booking cascade; create extension booking cascade");
    server.psql(CONTENTION);
    hold_all(&server, "0");
    // A switch to locked and back, in a transaction that rolls back.
    server.psql("begin; select booking.set_contention('gig', 'locked'); select booking.set_contention('gig', 'escrow'); rollback");
    assert_eq!(server.psql("select status from booking.hold('gig')"), "unavailable");
    assert_exact(&server);
    // A copy of the database has counts of its own.
    server.psql("create database copy template template0");
    server.psql_in("copy", "create extension booking cascade");
    server.psql_in("copy", CONTENTION);
    assert_eq!(server.psql_in("copy", "select available from booking.hold('gig')"), "2");
}

/// A count is of the committed holds now, whatever the snapshot of the counting transaction shows.
#[test]
fn an_old_snapshot_counts_what_is_so_now() {
    let Some(server) = server(20) else { return };
    server.psql(CONTENTION);
    let mut old = server.connect("postgres");
    old.batch_execute("begin isolation level repeatable read; select count(*) from booking.holds")
        .expect("one");
    server.psql("select booking.hold('gig', 2, '1 h')");
    server.psql("select booking.after_restore()");
    assert_eq!(ask(&mut old, "hold('gig', 2)").expect("an answer").status, "unavailable");
    assert_eq!(ask(&mut old, "hold('gig', 1)").expect("a hold").available, Some(0));
    old.batch_execute("commit").expect("commit");
    assert_exact(&server);
}

/// A promoted standby counts its pools itself.
#[test]
fn a_promoted_standby_counts_again() {
    let Some(server) = server(20) else { return };
    server.psql(CONTENTION);
    server.psql("select booking.hold('gig', 2, '1 h')");
    let standby = server.standby();
    assert_eq!(standby.psql("select available from booking.availability('gig')"), "1");
    drop(server);
    standby.promote();
    assert_eq!(standby.psql("select status from booking.hold('gig', 2)"), "unavailable");
    assert_eq!(standby.psql("select status, available from booking.hold('gig', 1)"), "held|0");
    assert_exact(&standby);
}

#[test]
fn without_shared_memory_there_are_none() {
    let mut server = Server::builder().worker(Worker::Absent).start().expect("a server");
    let refused = server.try_psql("postgres", CONTENTION).expect_err("it needs memory").to_string();
    assert!(refused.contains("shared_preload_libraries"), "{refused}");
    // An escrow pool from the time when the library was preloaded.
    server.psql("alter system set shared_preload_libraries = 'booking'");
    server.restart(Shutdown::Fast);
    server.psql(CONTENTION);
    let held = server.psql("select hold_id from booking.hold('gig', 2, '1 h')");
    server.psql("alter system reset shared_preload_libraries");
    server.restart(Shutdown::Fast);
    let refused =
        server.try_psql("postgres", "select booking.hold('gig')").expect_err("no memory").to_string();
    assert!(refused.contains("set_contention"), "{refused}");
    assert_eq!(server.psql("select available from booking.availability('gig')"), "1");
    assert_eq!(server.psql(&format!("select status, available from booking.release('{held}', 1)")), "held|2");
    assert_eq!(server.psql("select status from booking.set_contention('gig', 'locked')"), "changed");
    assert_eq!(server.psql("select status, available from booking.hold('gig')"), "held|1");
    server.assert_sound("postgres");
}

/// A call that finds a line on the pool takes the exclusive lock, and releases its share lock before.
#[test]
fn batches_on_a_pool_with_a_line_do_not_wait_for_each_other() {
    let Some(server) = server(20) else { return };
    server.psql(CONTENTION);
    server.psql("select booking.create_pool('other', 1000, contention => 'escrow')");
    server.psql("select booking.hold('gig', 3, '1 h')");
    server.psql("select booking.join_waitlist('gig', 1)");
    let batches: Vec<_> = (0..8)
        .map(|_| {
            let mut session = server.connect("postgres");
            std::thread::spawn(move || {
                let call = "hold_each('[{\"resource\": \"gig\"}, {\"resource\": \"other\"}]')";
                for _ in 0..40 {
                    let answers = ask_each(&mut session, call).expect("no deadlock");
                    let told: Vec<_> = answers.iter().map(|answer| answer.status.as_str()).collect();
                    assert_eq!(told, ["unavailable", "held"]);
                }
            })
        })
        .collect();
    batches.into_iter().for_each(join);
    assert_eq!(server.psql("select taken from booking.escrow_status where resource = 'other'"), "320");
    assert_exact(&server);
}
