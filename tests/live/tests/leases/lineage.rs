//! Tokens where history is cut off: a promoted standby that lacks the last grants, and a dump restored in another
//! server.

use booking_live::{Server, wait_until};
use postgres::Client;

use super::ask;

/// Grants and releases a lease a number of times. Returns the last token.
fn grant(session: &mut Client, times: usize) -> i64 {
    let mut last = 0;
    for _ in 0..times {
        let said = ask(session, "acquire_lease('job', 'somebody', '1 h')").expect("a lease");
        let token = said.token.unwrap_or_else(|| panic!("no token: {said:?}"));
        assert!(token > last, "{token} after {last}");
        last = token;
        ask(session, &format!("release_lease('job', {last})")).expect("a release");
    }
    last
}

#[test]
fn a_standby_that_lacks_the_last_grants_gives_out_higher_tokens() {
    let primary = Server::builder().start().expect("a server");
    let mut session = primary.connect("postgres");
    grant(&mut session, 3);
    let standby = primary.standby();
    let position = primary.psql("select pg_current_wal_lsn()");
    let caught_up = format!("select pg_last_wal_replay_lsn() >= '{position}'");
    wait_until("the standby to catch up", || standby.psql(&caught_up), |caught_up| caught_up == "t");
    // From here on the standby receives nothing.
    standby.set("primary_conninfo", "");
    let deaf = || standby.psql("select count(*) from pg_stat_wal_receiver");
    wait_until("the receiver to end", deaf, |receivers| receivers == "0");
    let last = grant(&mut session, 5);
    let of_new_name = ask(&mut session, "acquire_lease('new', 'somebody', '1 h')").expect("a lease").token;
    assert_eq!((last, of_new_name), (8, Some(1)));
    drop(session);
    drop(primary);
    standby.promote();
    let mut session = standby.connect("postgres");
    assert_eq!(standby.psql("select max(token) from booking.leases"), "3");
    let after = grant(&mut session, 2);
    assert!(after > last, "{after} after {last}");
    let of_new_name = ask(&mut session, "acquire_lease('new', 'somebody', '1 h')").expect("a lease").token;
    assert!(of_new_name > Some(1), "{of_new_name:?} was given out before");
    // From there on, tokens rise one by one again.
    assert_eq!(grant(&mut session, 1), after + 1);
    standby.assert_sound("postgres");
}

/// The holder of a lease still has it after the standby takes over.
#[test]
fn a_failover_ends_no_lease() {
    let primary = Server::builder().start().expect("a server");
    let mut session = primary.connect("postgres");
    let token =
        ask(&mut session, "acquire_lease('job', 'a', '1 h')").expect("a lease").token.expect("a token");
    let standby = primary.standby();
    let position = primary.psql("select pg_current_wal_lsn()");
    let caught_up = format!("select pg_last_wal_replay_lsn() >= '{position}'");
    wait_until("the standby to catch up", || standby.psql(&caught_up), |caught_up| caught_up == "t");
    drop(session);
    drop(primary);
    standby.promote();
    let mut session = standby.connect("postgres");
    assert_eq!(standby.psql(&format!("select booking.check_lease('job', {token})")), "t");
    assert_eq!(
        ask(&mut session, "acquire_lease('job', 'b', '1 h')").expect("an answer").status,
        "unavailable"
    );
    let again = ask(&mut session, "acquire_lease('job', 'a', '2 h')").expect("an answer");
    assert_eq!((again.status.as_str(), again.token), ("renewed", Some(token)));
}

#[test]
fn a_dump_in_another_server_gives_out_higher_tokens() {
    let old = Server::builder().start().expect("a server");
    let mut session = old.connect("postgres");
    grant(&mut session, 3);
    let held =
        ask(&mut session, "acquire_lease('held', 'a', '1 h')").expect("a lease").token.expect("a token");
    let dump = old.command("pg_dump").args(["-d", "postgres"]).output().expect("pg_dump");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    // The original database continued after the dump.
    let last = grant(&mut session, 4);
    let new = Server::builder().plain().start().expect("a server");
    let file = new.home().join("dump.sql");
    std::fs::write(&file, &dump.stdout).expect("the dump");
    let restored = new
        .command("psql")
        .args(["-Xq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f"])
        .arg(&file)
        .output();
    let restored = restored.expect("psql");
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let mut session = new.connect("postgres");
    assert!(grant(&mut session, 1) > last);
    // A lease that was live when the dump was made is valid until somebody calls after_restore().
    assert_eq!(new.psql(&format!("select booking.check_lease('held', {held})")), "t");
    new.psql("select booking.after_restore()");
    assert_eq!(new.psql(&format!("select booking.check_lease('held', {held})")), "f");
    let said = ask(&mut session, "acquire_lease('held', 'b', '1 h')").expect("a lease");
    assert!(said.token > Some(last), "{said:?}");
    new.assert_sound("postgres");
}
