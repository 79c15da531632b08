//! Leases: the answers are linearizable, tokens rise through crashes and failovers, and clients that wait get the
//! lease in their order.

mod history;
mod kills;
mod lineage;
mod linear;

use booking_live::{Server, Worker, backend_pid, in_background, join, wait_until};
use postgres::{Client, Error};

/// A `booking.lease_result`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub ok: bool,
    pub status: String,
    pub holder: Option<String>,
    pub token: Option<i64>,
    /// The expiry, in microseconds since 1970 by the server's clock, which is this machine's.
    pub expires_at: Option<i64>,
}

pub fn ask(session: &mut Client, call: &str) -> Result<Said, Error> {
    let sql = format!(
        "select ok, status, holder, token, (extract(epoch from expires_at) * 1000000)::bigint from booking.{call}"
    );
    let row = session.query_one(&sql, &[])?;
    let (ok, status, holder, token) = (row.get(0), row.get(1), row.get(2), row.get(3));
    Ok(Said { ok, status, holder, token, expires_at: row.get(4) })
}

/// First come, first served: each waiter has its place, whether another session wakes it or it looks by itself.
#[test]
fn those_who_wait_have_it_in_their_order() {
    const WAITERS: usize = 12;
    for worker in [Worker::from_env(), Worker::Absent] {
        let server =
            Server::builder().worker(worker).max_connections(WAITERS + 20).start().expect("a server");
        server.psql("create table had (n serial, holder text)");
        let mut first = server.connect("postgres");
        let token =
            ask(&mut first, "acquire_lease('job', 'first', '1 h')").expect("a lease").token.expect("a token");
        let waiters: Vec<_> = (0..WAITERS)
            .map(|n| {
                let call = format!("acquire_lease('job', 'waiter {n:02}', '1 h', wait => true)");
                let (pid, waiter) = in_background(server.connect("postgres"), move |session| {
                    let said = ask(session, &call).expect("a lease");
                    assert_eq!(said.status, "acquired");
                    session.execute("insert into had (holder) values ($1)", &[&said.holder]).expect("a note");
                    let release = format!("release_lease('job', {})", said.token.expect("a token"));
                    ask(session, &release).expect("a release");
                });
                // The head of the queue sleeps; those behind it wait for a lock.
                let waits = format!(
                    "select wait_event_type in ('Lock', 'Extension') from pg_stat_activity where pid = {pid}"
                );
                wait_until("it to wait", || server.psql(&waits), |waits| waits == "t");
                waiter
            })
            .collect();
        ask(&mut first, &format!("release_lease('job', {token})")).expect("a release");
        waiters.into_iter().for_each(join);
        let order = server.psql("select string_agg(right(holder, 2), ' ' order by n) from had");
        let expected: Vec<String> = (0..WAITERS).map(|n| format!("{n:02}")).collect();
        assert_eq!(order, expected.join(" "), "{worker:?}");
    }
}

/// A waiter that is cancelled, or loses its connection, leaves the queue and delays nobody in it.
#[test]
fn who_gives_up_keeps_nobody_waiting() {
    let server = Server::builder().start().expect("a server");
    let mut first = server.connect("postgres");
    let token =
        ask(&mut first, "acquire_lease('job', 'first', '1 h')").expect("a lease").token.expect("a token");
    let wait = "acquire_lease('job', 'second', '1 h', wait => true)";
    let (pid, waiter) = in_background(server.connect("postgres"), move |session| {
        let refused = ask(session, wait).expect_err("cancelled");
        assert_eq!(refused.code(), Some(&postgres::error::SqlState::QUERY_CANCELED));
        // The cancelled session can go on.
        assert_eq!(
            ask(session, "acquire_lease('other', 'second', '1 h')").expect("a lease").status,
            "acquired"
        );
    });
    let (killed, dead) = in_background(server.connect("postgres"), move |session| {
        assert!(ask(session, "acquire_lease('job', 'third', '1 h', wait => true)").is_err());
    });
    for waiting in [pid, killed] {
        let waits = format!(
            "select wait_event_type in ('Lock', 'Extension') from pg_stat_activity where pid = {waiting}"
        );
        wait_until("it to wait", || server.psql(&waits), |waits| waits == "t");
    }
    assert_eq!(
        server.psql(&format!("select pg_cancel_backend({pid}), pg_terminate_backend({killed})")),
        "t|t"
    );
    join(waiter);
    join(dead);
    ask(&mut first, &format!("release_lease('job', {token})")).expect("a release");
    let mut fourth = server.connect("postgres");
    assert_eq!(
        ask(&mut fourth, "acquire_lease('job', 'fourth', '1 h')").expect("a lease").status,
        "acquired"
    );
    assert!(backend_pid(&mut fourth) != pid);
}
