//! The stricter isolation levels: a transaction with an old snapshot fails and is tried again, and
//! nothing is oversold.

use booking_live::{Server, ask, join};
use postgres::error::SqlState;
use postgres::{Client, IsolationLevel};

const CONNECTIONS: usize = 16;
const CAPACITY: usize = 60;

/// How often a client got a place, and how often it had to try again.
#[derive(Default)]
struct Tally {
    confirmed: usize,
    retried: usize,
}

/// Looks first, so that the snapshot is old by the time of the hold, and books in the same transaction.
fn try_once(session: &mut Client, level: IsolationLevel) -> Result<bool, postgres::Error> {
    let mut transaction = session.build_transaction().isolation_level(level).start()?;
    transaction.query("select available from booking.availability('pool')", &[])?;
    let hold = ask(&mut transaction, "hold('pool')")?;
    if !hold.ok {
        assert_eq!(hold.status, "unavailable");
        return Ok(false);
    }
    let confirmed = ask(&mut transaction, &format!("confirm('{}')", hold.id()))?;
    assert_eq!(confirmed.status, "confirmed");
    transaction.commit()?;
    Ok(true)
}

fn client(mut session: Client, level: IsolationLevel) -> Tally {
    let mut tally = Tally::default();
    loop {
        match try_once(&mut session, level) {
            Ok(true) => tally.confirmed += 1,
            Ok(false) => return tally,
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE), "{error:?}");
                tally.retried += 1;
            }
        }
    }
}

fn sells_exactly_what_there_is(level: IsolationLevel) {
    let server = Server::builder().start().expect("a server");
    server.psql(&format!("select booking.create_pool('pool', {CAPACITY})"));
    let clients = (0..CONNECTIONS).map(|_| {
        let session = server.connect("postgres");
        std::thread::spawn(move || client(session, level))
    });
    let clients = clients.collect::<Vec<_>>();
    let tallies = clients.into_iter().map(join).collect::<Vec<_>>();
    let confirmed = tallies.iter().map(|tally| tally.confirmed).sum::<usize>();
    let retried = tallies.iter().map(|tally| tally.retried).sum::<usize>();
    assert_eq!(confirmed, CAPACITY);
    assert!(retried > 0, "no two of {CONNECTIONS} clients ever met");
    let stored = "select count(*), sum(quantity), min(state), max(state) from booking.holds";
    assert_eq!(server.psql(stored), format!("{CAPACITY}|{CAPACITY}|confirmed|confirmed"));
    server.assert_sound("postgres");
}

#[test]
fn repeatable_read_never_oversells() {
    sells_exactly_what_there_is(IsolationLevel::RepeatableRead);
}

#[test]
fn serializable_never_oversells() {
    sells_exactly_what_there_is(IsolationLevel::Serializable);
}

/// The last place, and a snapshot from before it went: no oversold place, and no wrong answer either.
#[test]
fn an_old_snapshot_fails_instead_of_deciding() {
    let server = Server::builder().start().expect("a server");
    for level in [IsolationLevel::RepeatableRead, IsolationLevel::Serializable] {
        let pool = format!("{level:?}");
        server.psql(&format!("select booking.create_pool('{pool}', 2)"));
        let mut session = server.connect("postgres");
        let mut old = session.build_transaction().isolation_level(level).start().expect("begin");
        old.query("select 1", &[]).expect("a snapshot");
        server.psql(&format!("select booking.hold('{pool}', ttl => '1 h')"));
        let error = ask(&mut old, &format!("hold('{pool}')")).expect_err("an old snapshot");
        assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE), "{error:?}");
        old.rollback().expect("a rollback");
        assert!(ask(&mut session, &format!("hold('{pool}')")).expect("an answer").ok);
    }
    server.assert_sound("postgres");
}
