//! A caller that may only read can look at calendars: in a read-only transaction, at every isolation level, and on
//! a standby. All of them see the same.

use booking_live::{Server, wait_until};
use postgres::error::SqlState;

/// The views as text. One hold has expired, whether its row says so or not.
const LOOKS: [&str; 8] = [
    "select string_agg(a::text, ' ') from booking.availability('room', '[2032-06-07 09:30Z, 2032-06-07 10:10Z)') a",
    "select string_agg(a::text, ' ') from booking.availability('room', '[2032-06-07 09:30Z, 2032-06-07 10:30Z)') a",
    "select string_agg(a::text, ' ') from booking.availability('hotel', '[2032-06-01 00:00Z, 2032-06-30 00:00Z)') a",
    "select string_agg(c::text, ' ') from booking.calendar('hotel', '[2032-06-01 00:00Z, 2032-06-12 00:00Z)') c",
    "select string_agg(c::text, ' ')
     from booking.calendar('room', '[2032-06-07 08:00Z, 2032-06-07 18:00Z)', '1 hour') c",
    "select string_agg(s::text, ' ')
     from booking.free_slots('room', '[2032-06-07 00:00Z, 2032-06-09 00:00Z)', '45 min', '15 min') s",
    "select booking.calendar_map('hotel', '2032-06-01')",
    "select string_agg(status, ' ' order by h.key) from booking.holds h, booking.find(h.id) f",
];

fn fill(server: &Server) {
    server.psql("select booking.create_calendar('room', 1, 'UTC', '15 min')");
    server.psql(
        "select booking.set_hours('room', '{\"mon\": [\"09:00-12:00\", \"13:00-17:00\"], \"tue\": [\"10:00-12:00\"]}')",
    );
    server.psql("select booking.create_calendar('hotel', 3, 'Europe/Berlin')");
    server.psql("select booking.set_capacity('hotel', 1, '[2032-06-05 00:00Z, 2032-06-09 00:00Z)')");
    server.psql("select booking.hold('room', during => '[2032-06-07 10:30Z, 2032-06-07 11:00Z)', ttl => '1 h', key => 'a')");
    server.psql(
        "select booking.confirm((booking.hold('room', during => '[2032-06-08 10:00Z, 2032-06-08 11:00Z)',
                                             key => 'b')).hold_id, 'payment')",
    );
    server.psql("select booking.hold_nights('hotel', '2032-06-02', '2032-06-04', 2, '1 h', key => 'c')");
    server.psql("select booking.hold_nights('hotel', '2032-06-04', '2032-06-07', 1, '1 ms', key => 'd')");
    assert_eq!(server.psql("select clock_timestamp() > expires_at from booking.holds where key = 'd'"), "t");
    server.assert_sound("postgres");
}

fn look(server: &Server, begin: &str) -> Vec<String> {
    let mut session = server.connect("postgres");
    session.batch_execute(begin).expect("begin");
    let seen = LOOKS.map(|sql| session.query_one(sql, &[]).expect("a look").get::<_, String>(0));
    session.batch_execute("commit").expect("commit");
    seen.into()
}

#[test]
fn a_reader_sees_the_same() {
    let primary = Server::builder().start().expect("a server");
    fill(&primary);
    let seen = look(&primary, "begin");
    // A period of an hour would reach into the buffer before the booking at half past; a period of forty minutes
    // does not.
    assert!(seen[0].starts_with("(1,0,0,1,"), "{seen:?}");
    assert!(seen[1].starts_with("(1,0,1,0,"), "{seen:?}");
    assert!(seen[3].contains("(\"[\"\"2032-06-03 00:00:00+00\"\""), "{seen:?}");
    assert_eq!(seen[7], "held confirmed held expired");
    for level in ["read committed", "repeatable read", "serializable"] {
        assert_eq!(look(&primary, &format!("begin isolation level {level} read only")), seen, "{level}");
    }
    let standby = primary.standby();
    let position = primary.psql("select pg_current_wal_lsn()");
    let caught_up = format!("select pg_last_wal_replay_lsn() >= '{position}'");
    wait_until("the standby to catch up", || standby.psql(&caught_up), |caught_up| caught_up == "t");
    for level in ["read committed", "repeatable read"] {
        assert_eq!(look(&standby, &format!("begin isolation level {level}")), seen, "{level}");
    }
    let mut session = standby.connect("postgres");
    let hold = "select booking.hold('room', during => '[2032-06-07 09:00Z, 2032-06-07 09:30Z)')";
    let refused = session.query(hold, &[]).expect_err("there is nothing to be written");
    assert_eq!(refused.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
    drop(session);

    // Existing bookings are still protected after the standby is promoted.
    drop(primary);
    standby.promote();
    assert_eq!(look(&standby, "begin"), seen);
    let again = "select status from booking.hold('room', during => '[2032-06-07 10:10Z, 2032-06-07 10:20Z)')";
    assert_eq!(standby.psql(again), "unavailable");
    assert_eq!(standby.psql(&again.replace("10:20", "10:15").replace("10:10", "09:10")), "held");
    standby.assert_sound("postgres");
}
