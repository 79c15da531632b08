//! Two feeds of what happens to holds: `booking.changes()`, and logical decoding.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use booking_live::{Server, ask};
use postgres::Client;
use postgres::error::SqlState;

/// Returns every change since the position, and the position after them.
fn follow(session: &mut Client, since: &mut String, max_rows: i32) -> Vec<String> {
    let sql = "select changed_at::text, change || ' ' || hold_id::text
               from booking.changes($1::text::timestamptz, max_rows => $2)";
    let rows = session.query(sql, &[since, &max_rows]).expect("the feed");
    if let Some(last) = rows.last() {
        *since = last.get(0);
    }
    rows.iter().map(|row| row.get(1)).collect()
}

/// The transaction that acts first commits last. The feed must not show the other one before, or a reader would
/// miss the first.
#[test]
fn the_feed_waits_for_who_acted_first() {
    let server = Server::builder().start().expect("a server");
    server.psql("select booking.create_pool('a', 9); ");
    server.psql("select booking.create_pool('b', 9)");
    let mut slow = server.connect("postgres");
    let mut quick = server.connect("postgres");
    let mut reader = server.connect("postgres");
    let mut since = "2020-01-01 00:00+00".to_owned();
    slow.batch_execute("begin").expect("begin");
    let first = ask(&mut slow, "hold('a', ttl => '1 h')").expect("a hold").id().to_owned();
    let second = ask(&mut quick, "hold('b', ttl => '1 h')").expect("a hold").id().to_owned();
    assert_eq!(follow(&mut reader, &mut since, 10), [""; 0]);
    slow.batch_execute("commit").expect("commit");
    let both = [format!("held {first}"), format!("held {second}")];
    assert_eq!(follow(&mut reader, &mut since, 1), both[..1]);
    assert_eq!(follow(&mut reader, &mut since, 1), both[1..]);
    ask(&mut quick, &format!("confirm('{second}')")).expect("a confirmation");
    ask(&mut quick, &format!("release('{first}')")).expect("a release");
    assert_eq!(
        follow(&mut reader, &mut since, 10),
        [format!("confirmed {second}"), format!("released {first}")]
    );
    assert_eq!(follow(&mut reader, &mut since, 10), [""; 0]);
    // A transaction that only reads, or that has not written yet, delays nothing.
    slow.batch_execute("begin; select 1").expect("begin");
    ask(&mut quick, &format!("cancel('{second}')")).expect("a cancellation");
    assert_eq!(follow(&mut reader, &mut since, 10), [format!("cancelled {second}")]);
    let late = ask(&mut slow, "hold('a', ttl => '1 h')").expect("a hold").id().to_owned();
    slow.batch_execute("commit").expect("commit");
    assert_eq!(follow(&mut reader, &mut since, 10), [format!("held {late}")]);
}

/// Sixteen writers at once, and a reader that asks again and again: it must see each change once, and miss none.
#[test]
fn nothing_is_missed() {
    const WRITERS: usize = 16;
    const ROUNDS: usize = 60;
    let server = Server::builder().max_connections(WRITERS + 20).start().expect("a server");
    for pool in 0..4 {
        server.psql(&format!("select booking.create_pool('pool {pool}', 1000000)"));
    }
    let done = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut session = server.connect("postgres");
            let mut since = "2020-01-01 00:00+00".to_owned();
            let mut seen = Vec::new();
            loop {
                let was_done = done.load(Ordering::SeqCst);
                let more = follow(&mut session, &mut since, 7);
                if more.is_empty() && was_done {
                    return seen;
                }
                seen.extend(more);
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                scope.spawn({
                    let server = &server;
                    move || {
                        let mut session = server.connect("postgres");
                        for round in 0..ROUNDS {
                            session.batch_execute("begin").expect("begin");
                            let call = format!("hold('pool {}', ttl => '1 h')", (n + round) % 4);
                            let id = ask(&mut session, &call).expect("a hold").id().to_owned();
                            // Some writers act early and commit late.
                            if (n + round) % 3 == 0 {
                                session.batch_execute("select pg_sleep(0.003)").expect("a pause");
                            }
                            session.batch_execute("commit").expect("commit");
                            let end = if round % 2 == 0 { "confirm" } else { "release" };
                            ask(&mut session, &format!("{end}('{id}')")).expect(end);
                        }
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
        done.store(true, Ordering::SeqCst);
        reader.join().expect("the reader")
    });
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "something was told twice");
    assert_eq!(seen.len(), WRITERS * ROUNDS * 2);
    let all = "select count(*) from booking.hold_changes";
    assert_eq!(server.psql(all), seen.len().to_string());
}

/// A reader continues after the last time that it saw, so changes of one time must not be split between two calls.
#[test]
fn what_happened_at_one_time_comes_together() {
    let server = Server::builder().start().expect("a server");
    server.psql(
        "insert into booking.holds (id, resource, quantity, state, placed_at, expires_at)
         select gen_random_uuid(), 'a', 1, 'held', now() - interval '1 minute', now() + interval '1 hour'
         from generate_series(1, 3)",
    );
    assert_eq!(server.psql("select count(*) from booking.changes('2020-01-01', max_rows => 1)"), "3");
}

#[test]
fn where_nobody_can_tell_who_is_under_way_it_is_refused() {
    let server = Server::builder().start().expect("a server");
    let mut session = server.connect("postgres");
    session.batch_execute("begin isolation level repeatable read").expect("begin");
    let refused = session.query("select booking.changes('2020-01-01')", &[]).expect_err("an old snapshot");
    assert_eq!(refused.code(), Some(&SqlState::FEATURE_NOT_SUPPORTED));
    let standby = server.standby();
    let refused =
        standby.try_psql("postgres", "select booking.changes('2020-01-01')").expect_err("a standby");
    assert!(refused.to_string().contains("standby"), "{refused}");
}

/// The exact feed, by logical decoding: every version of every row, in the order of the commits.
#[test]
fn logical_decoding_follows_the_commits() {
    let server = Server::builder().set("wal_level", "logical").start().expect("a server");
    server.psql("select booking.create_pool('a', 9)");
    server.psql("select booking.create_pool('b', 9)");
    server.psql("select booking.create_calendar('room')");
    server.psql("select pg_create_logical_replication_slot('booking', 'test_decoding')");
    let mut slow = server.connect("postgres");
    let mut quick = server.connect("postgres");
    slow.batch_execute("begin").expect("begin");
    let first = ask(&mut slow, "hold('a', ttl => '1 h')").expect("a hold").id().to_owned();
    let second = ask(&mut quick, "hold('b', 2, ttl => '1 h')").expect("a hold").id().to_owned();
    slow.batch_execute("commit").expect("commit");
    ask(&mut quick, &format!("extend('{second}', '2 h')")).expect("more time");
    ask(&mut quick, &format!("release('{second}', 1)")).expect("a part");
    ask(&mut quick, &format!("transfer('{second}', 'bob')")).expect("another holder");
    ask(&mut quick, &format!("confirm('{first}')")).expect("a confirmation");
    slow.batch_execute("begin").expect("begin");
    ask(&mut slow, &format!("release('{second}')")).expect("a release");
    slow.batch_execute("rollback").expect("rollback");
    let sql = "select data from pg_logical_slot_get_changes('booking', null, null)
               where data like 'table booking.holds:%'";
    let rows = quick.query(sql, &[]).expect("what was decoded");
    let said: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let is = |n: usize, what: &[&str]| {
        let line = said.get(n).unwrap_or_else(|| panic!("nothing in place {n} of {said:#?}"));
        what.iter().for_each(|part| assert!(line.contains(part), "{part} is not in {line}"));
    };
    // The second transaction committed first, though it acted later.
    is(0, &["INSERT", &second, "quantity[booking.quantity]:'2'", "version[bigint]:1"]);
    is(1, &["INSERT", &first]);
    is(2, &["UPDATE", &second, "version[bigint]:2"]);
    is(3, &["UPDATE", &second, "quantity[booking.quantity]:'1'", "version[bigint]:3"]);
    is(4, &["UPDATE", &second, "holder[text]:'bob'"]);
    is(5, &["UPDATE", &first, "state[booking.hold_state]:'confirmed'"]);
    assert_eq!(said.len(), 6, "{said:#?}");
}
