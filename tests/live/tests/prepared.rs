//! Two-phase commit. What a prepared transaction did is neither lost nor given to others until the transaction is
//! decided, also through a crash.

use booking_live::{Server, ask, in_background, join};
use postgres::Client;

fn with_pools() -> Server {
    let server = Server::builder().start().expect("a server");
    server.psql("select booking.create_pool('kept', 2), booking.create_pool('undone', 2)");
    server
}

/// Prepares a transaction with one confirmed hold and one that is only held. Returns their ids.
fn prepare(session: &mut Client, pool: &str) -> (String, String) {
    session.batch_execute("begin").expect("begin");
    let mut hold = |key: &str| {
        let call = format!("hold('{pool}', ttl => '1 h', key => '{key}')");
        ask(session, &call).expect("an answer").id().to_owned()
    };
    let (confirmed, held) = (hold("first"), hold("second"));
    assert!(ask(session, &format!("confirm('{confirmed}', 'payment')")).expect("an answer").ok);
    session.batch_execute(&format!("prepare transaction '{pool}'")).expect("prepare");
    (confirmed, held)
}

fn assert_busy(server: &Server, pool: &str, held: &str) {
    let mut other = server.connect("postgres");
    let refused = ask(&mut other, &format!("hold('{pool}', wait => false)")).expect("an answer");
    assert_eq!((refused.ok, refused.status.as_str()), (false, "busy"));
    other.batch_execute("set lock_timeout = '50ms'").expect("set");
    let refused = ask(&mut other, &format!("hold('{pool}')")).expect("an answer");
    assert_eq!((refused.ok, refused.status.as_str()), (false, "busy"));
    assert_eq!(ask(&mut other, &format!("find('{held}')")).expect("an answer").status, "not_found");
}

fn assert_decided(server: &Server, kept: &(String, String), undone: &(String, String)) {
    let mut session = server.connect("postgres");
    let mut status = |id: &str| ask(&mut session, &format!("find('{id}')")).expect("an answer").status;
    assert_eq!((status(&kept.0), status(&kept.1)), ("confirmed".to_owned(), "held".to_owned()));
    assert_eq!((status(&undone.0), status(&undone.1)), ("not_found".to_owned(), "not_found".to_owned()));

    let replay = ask(&mut session, "hold('kept', ttl => '1 h', key => 'second')").expect("an answer");
    assert!(replay.replayed && replay.id() == kept.1, "{replay:?}");
    let again = ask(&mut session, &format!("confirm('{}', 'payment')", kept.0)).expect("an answer");
    assert!(again.ok && again.replayed, "{again:?}");
    assert_eq!(ask(&mut session, "hold('kept')").expect("an answer").status, "unavailable");
    // The rollback freed the key and the places.
    let repeated = ask(&mut session, "hold('undone', 2, key => 'first')").expect("an answer");
    assert!(repeated.ok && !repeated.replayed, "{repeated:?}");
    server.assert_sound("postgres");
}

fn decide(server: &Server) {
    server.psql("commit prepared 'kept'");
    server.psql("rollback prepared 'undone'");
}

#[test]
fn a_prepared_transaction_keeps_its_locks_until_it_is_decided() {
    let server = with_pools();
    let mut session = server.connect("postgres");
    let (kept, undone) = (prepare(&mut session, "kept"), prepare(&mut session, "undone"));
    for (pool, ids) in [("kept", &kept), ("undone", &undone)] {
        assert_busy(&server, pool, &ids.1);
    }
    decide(&server);
    assert_decided(&server, &kept, &undone);
}

#[test]
fn a_prepared_transaction_survives_a_crash() {
    let mut server = with_pools();
    let mut session = server.connect("postgres");
    let (kept, undone) = (prepare(&mut session, "kept"), prepare(&mut session, "undone"));
    server.kill_9();
    server.start();
    assert_eq!(server.psql("select count(*) from pg_prepared_xacts"), "2");
    for (pool, ids) in [("kept", &kept), ("undone", &undone)] {
        assert_busy(&server, pool, &ids.1);
    }
    decide(&server);
    assert_decided(&server, &kept, &undone);
}

/// A hold that is confirmed in a prepared transaction. Until the transaction is decided, the hold cannot expire,
/// and nobody else can confirm it.
#[test]
fn a_prepared_confirmation_outlives_the_time_to_live() {
    let server = with_pools();
    let mut session = server.connect("postgres");
    let held = ask(&mut session, "hold('kept', 2, ttl => '2 s')").expect("an answer").id().to_owned();
    session.batch_execute("begin").expect("begin");
    assert!(ask(&mut session, &format!("confirm('{held}', 'payment')")).expect("an answer").ok);
    session.batch_execute("prepare transaction 'payment'").expect("prepare");
    let overdue = format!("select expires_at < clock_timestamp() from booking.holds where id = '{held}'");
    booking_live::wait_until("its time to run out", || server.psql(&overdue), |overdue| overdue == "t");

    assert_eq!(server.psql("select booking.expire()"), "0");
    let refused = ask(&mut session, "hold('kept', wait => false)").expect("an answer");
    assert_eq!(refused.status, "busy");
    server.psql("commit prepared 'payment'");
    assert_eq!(ask(&mut session, "hold('kept')").expect("an answer").status, "unavailable");
    let again = ask(&mut session, &format!("confirm('{held}', 'payment')")).expect("an answer");
    assert!(again.ok && again.replayed, "{again:?}");
    server.assert_sound("postgres");
}

/// A night on a calendar, held in a prepared transaction. Requests for the evening before or the next morning
/// wait, also after a crash; no other request waits.
#[test]
fn who_wants_a_part_of_a_prepared_night_waits() {
    let mut server = Server::builder().start().expect("a server");
    server.psql("select booking.create_calendar('kept'), booking.create_calendar('undone')");
    let rooms = ["kept", "undone"];
    for room in rooms {
        let mut session = server.connect("postgres");
        session.batch_execute("begin").expect("begin");
        let call = format!("hold_nights('{room}', '2032-06-01', '2032-06-02', ttl => '1 h')");
        let held = ask(&mut session, &call).expect("an answer");
        assert!(ask(&mut session, &format!("confirm('{}')", held.id())).expect("an answer").ok);
        session.batch_execute(&format!("prepare transaction '{room}'")).expect("prepare");
    }
    server.kill_9();
    server.start();

    let hold = |room: &str, from: &str, to: &str| {
        format!("hold('{room}', during => '[2032-06-{from}Z, 2032-06-{to}Z)'")
    };
    let rivals = rooms.map(|room| {
        let mut session = server.connect("postgres");
        for (from, to, status) in [
            ("01 21:00", "01 22:00", "busy"),
            ("02 09:00", "02 10:00", "busy"),
            ("03 09:00", "03 10:00", "held"),
        ] {
            let call = hold(room, from, to) + ", wait => false)";
            assert_eq!(ask(&mut session, &call).expect("an answer").status, status, "{call}");
        }
        let call = hold(room, "02 10:30", "02 12:00") + ")";
        let rival = in_background(session, move |session| ask(session, &call).expect("an answer"));
        server.wait_until_blocked(rival.0);
        rival.1
    });
    decide(&server);
    assert_eq!(rivals.map(join).map(|answer| answer.status), ["unavailable", "held"]);
    server.assert_sound("postgres");
}
