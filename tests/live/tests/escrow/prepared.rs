//! Transactions on escrow pools that are prepared, and decided later by another session, or after a crash. The processes
//! of the server do not learn how a prepared transaction ends, so its count is given up until then.

use booking_live::{Server, ask, in_background, join};
use postgres::Client;

use super::{assert_exact, server};

fn with_pool(places: i64) -> Option<(Server, Client)> {
    let server = server(20)?;
    server.psql(&format!("select booking.create_pool('gig', {places}, contention => 'escrow')"));
    let session = server.connect("postgres");
    Some((server, session))
}

/// Holds places in a transaction and prepares it.
fn prepare(server: &Server, quantity: i64) {
    let mut session = server.connect("postgres");
    session.batch_execute("begin").expect("begin");
    assert!(ask(&mut session, &format!("hold('gig', {quantity}, '1 h')")).expect("a hold").ok);
    session.batch_execute("prepare transaction 'p'").expect("prepare");
}

#[test]
fn what_is_prepared_is_not_free_before_it_is_decided() {
    for (decision, left) in [("commit", 1), ("rollback", 3)] {
        let Some((server, mut other)) = with_pool(3) else { return };
        prepare(&server, 2);
        assert_eq!(ask(&mut other, "hold('gig', 2, wait => false)").expect("an answer").status, "busy");
        let (pid, waiting) = in_background(server.connect("postgres"), move |session| {
            ask(session, &format!("hold('gig', {left}, '1 h')")).expect("a hold")
        });
        server.wait_until_blocked(pid);
        server.psql(&format!("{decision} prepared 'p'"));
        assert_eq!(
            (join(waiting).status.as_str(), ask(&mut other, "hold('gig')").expect("an answer").ok),
            ("held", false)
        );
        assert_exact(&server);
    }
}

/// Who has taken some of the pool before goes on with the count, in which what is prepared is taken.
#[test]
fn a_transaction_under_way_goes_on_beside_it() {
    for (decision, status) in [("commit", "unavailable"), ("rollback", "held")] {
        let Some((server, mut first)) = with_pool(5) else { return };
        first.batch_execute("begin").expect("begin");
        assert!(ask(&mut first, "hold('gig', 1, '1 h')").expect("a hold").ok);
        prepare(&server, 3);
        assert_eq!(ask(&mut first, "hold('gig', 1, '1 h')").expect("a hold").available, Some(0));
        assert_eq!(ask(&mut first, "hold('gig', 4)").expect("an answer").status, "unavailable");
        assert_eq!(ask(&mut first, "hold('gig', 1, wait => false)").expect("an answer").status, "busy");
        let (pid, first) = in_background(first, |session| {
            let answer = ask(session, "hold('gig', 3, '1 h')").expect("an answer");
            session.batch_execute("commit").expect("a commit");
            answer
        });
        server.wait_until_blocked(pid);
        server.psql(&format!("{decision} prepared 'p'"));
        assert_eq!(join(first).status, status);
        assert_exact(&server);
    }
}

/// A refused call has no lock any more, so others may have counted again before the next call.
#[test]
fn a_transaction_that_was_refused_before_counts_again() {
    let Some((server, mut first)) = with_pool(5) else { return };
    first.batch_execute("begin").expect("begin");
    assert_eq!(ask(&mut first, "hold('gig', 6)").expect("an answer").status, "unavailable");
    prepare(&server, 3);
    server.psql("rollback prepared 'p'");
    server.psql("select booking.hold('gig', 4, '1 h')");
    assert_eq!(ask(&mut first, "hold('gig', 2)").expect("an answer").status, "unavailable");
    assert_eq!(ask(&mut first, "hold('gig', 1, '1 h')").expect("a hold").available, Some(0));
    first.batch_execute("commit").expect("a commit");
    assert_exact(&server);
}

#[test]
fn what_is_prepared_survives_a_crash() {
    for (decision, left) in [("commit", 0), ("rollback", 2)] {
        let Some((mut server, session)) = with_pool(2) else { return };
        prepare(&server, 2);
        drop(session);
        server.kill_9();
        server.start();
        let mut other = server.connect("postgres");
        assert_eq!(ask(&mut other, "hold('gig', wait => false)").expect("an answer").status, "busy");
        server.psql(&format!("{decision} prepared 'p'"));
        let answer = ask(&mut other, "hold('gig', 1, '1 h')").expect("an answer");
        assert_eq!((answer.ok, answer.available), (left > 0, Some((left - 1).max(0))));
        assert_exact(&server);
    }
}

/// Two counts and a savepoint: each is given up, and nothing of it is lost.
#[test]
fn what_a_savepoint_took_is_prepared_with_the_rest() {
    let Some((server, mut session)) = with_pool(5) else { return };
    server.psql("select booking.create_pool('cloakroom', 5, contention => 'escrow')");
    session
        .batch_execute(
            "begin;
             select booking.hold_all('[{\"resource\": \"gig\"}, {\"resource\": \"cloakroom\"}]', '1 h');
             savepoint s; select booking.hold('gig', 2, '1 h'); release s;
             savepoint s; select booking.hold('cloakroom', 2, '1 h'); rollback to s;
             prepare transaction 'p'",
        )
        .expect("a transaction");
    server.psql("commit prepared 'p'");
    for (pool, left) in [("gig", 2), ("cloakroom", 4)] {
        assert_eq!(server.psql(&format!("select booking.available('{pool}')")), left.to_string());
        assert_eq!(
            server.psql(&format!("select available from booking.hold('{pool}')")),
            (left - 1).to_string()
        );
    }
    assert_exact(&server);
}
