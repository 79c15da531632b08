//! Tokens through crashes. The clients remember outside the database what was answered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use booking_live::{Server, clock, join, wait_until};
use postgres::{Client, NoTls};

use super::ask;

const CLIENTS: usize = 8;
const NAMES: usize = 3;

/// When a grant was asked for and when it was answered, and its token.
#[derive(Clone, Copy, Debug)]
struct Grant {
    asked: i64,
    answered: i64,
    token: i64,
}

type Ledger = Mutex<BTreeMap<usize, Vec<Grant>>>;

/// The number of times that the server is killed: `LEASE_KILLS`; a hundred in CI.
fn kills() -> usize {
    let default = if std::env::var_os("CI").is_some() { 100 } else { 15 };
    std::env::var("LEASE_KILLS").map_or(default, |kills| kills.parse().expect("LEASE_KILLS is a number"))
}

fn client(config: &postgres::Config, number: usize, ledger: &Ledger, over: &AtomicBool) {
    let mut session: Option<Client> = None;
    let mut round = number;
    while !over.load(Ordering::Relaxed) {
        let Some(open) = session.as_mut().filter(|open| !open.is_closed()) else {
            session = config.connect(NoTls).ok().and_then(|mut open| {
                // Half of the clients use asynchronous commit. A token must not be lost because of it.
                let off = if number.is_multiple_of(2) { "off" } else { "on" };
                open.batch_execute(&format!("set synchronous_commit = {off}")).ok().map(|()| open)
            });
            continue;
        };
        round += 1;
        let name = round % NAMES;
        let asked = clock();
        let call = format!("acquire_lease('name {name}', 'client {number}, round {round}', '20 ms')");
        let Ok(said) = ask(open, &call) else { continue };
        let (Some(token), true) = (said.token, said.status == "acquired") else { continue };
        let grant = Grant { asked, answered: clock(), token };
        ledger.lock().expect("no client panicked").entry(name).or_default().push(grant);
        if round.is_multiple_of(2) {
            let _ = ask(open, &format!("release_lease('name {name}', {token})"));
        }
    }
}

#[test]
fn tokens_rise_through_crashes() {
    let mut server = Server::builder().max_connections(40).start().expect("a server");
    let ledger = Arc::new(Ledger::default());
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (config, ledger, over) = (server.config("postgres"), ledger.clone(), over.clone());
            std::thread::spawn(move || client(&config, number, &ledger, &over))
        })
        .collect();
    let size = || ledger.lock().expect("no client panicked").values().map(Vec::len).sum::<usize>();
    for _ in 0..kills() {
        let before = size();
        wait_until("the load to go on", size, |now| *now > before + 40);
        server.kill_9();
        server.start();
    }
    over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(join);
    for (name, grants) in ledger.lock().expect("no client panicked").iter_mut() {
        grants.sort_by_key(|grant| grant.token);
        for pair in grants.windows(2) {
            assert!(
                pair[0].token < pair[1].token,
                "name {name}: token {} was given out twice",
                pair[0].token
            );
            // If one grant was answered before another was asked for, its token is lower.
            assert!(pair[0].asked <= pair[1].answered, "name {name}: {pair:?}");
        }
        let mut lowest_answer = i64::MAX;
        for grant in grants.iter().rev() {
            assert!(
                lowest_answer >= grant.asked,
                "name {name}: {grant:?} came after a higher token was answered"
            );
            lowest_answer = lowest_answer.min(grant.answered);
        }
        let last = grants.last().expect("some were granted").token;
        let stored =
            server.psql(&format!("select max(token) from booking.leases where name = 'name {name}'"));
        assert!(
            stored.parse::<i64>().expect("a token") >= last,
            "name {name}: {stored} is there, {last} was answered"
        );
    }
    server.assert_sound("postgres");
}

/// The commit of a release alone does not wait for the disk. The commit of anything written beside it does,
/// whether it was written before or after the release.
#[test]
fn what_is_written_beside_a_release_survives() {
    // The WAL writer is delayed, so that a commit that does not wait is not on disk by chance.
    let mut server = Server::builder().set("wal_writer_delay", "10s").start().expect("a server");
    server.psql("create table ledger (n int)");
    let around = [
        "insert into ledger values (1); {}",
        "{}; insert into ledger values (2)",
        "savepoint s; {}; insert into ledger values (3); release s",
    ];
    for (n, around) in around.iter().enumerate() {
        let mut session = server.connect("postgres");
        let token =
            ask(&mut session, &format!("acquire_lease('name {n}', 'a', '1 h')")).expect("a lease").token;
        let release = format!("select booking.release_lease('name {n}', {})", token.expect("a token"));
        session
            .batch_execute(&format!("begin; {}; commit", around.replace("{}", &release)))
            .expect("a commit");
        server.kill_9();
        server.start();
        assert_eq!(server.psql("select max(n) from ledger"), (n + 1).to_string());
        // The same commit makes the release durable.
        let held = format!("select count(*) from booking.active_leases where name = 'name {n}'");
        assert_eq!(server.psql(&held), "0");
    }
    // After a release alone, the commits of the session wait for the disk as before.
    let mut session = server.connect("postgres");
    let token =
        ask(&mut session, "acquire_lease('alone', 'a', '1 h')").expect("a lease").token.expect("a token");
    ask(&mut session, &format!("release_lease('alone', {token})")).expect("a release");
    session.batch_execute("insert into ledger values (9)").expect("an insert");
    server.kill_9();
    server.start();
    assert_eq!(server.psql("select max(n) from ledger"), "9");
}
