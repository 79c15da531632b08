//! Upkeep by pg_cron, with the worker switched off.

use std::time::{Duration, Instant};

use booking_live::{Server, Worker};

/// pg_cron's jobs start with the minute. The test waits for at most two of them.
const TWO_MINUTES: Duration = Duration::from_secs(150);

/// Waits until the query returns this answer.
#[track_caller]
fn wait_for(server: &Server, sql: &str, answer: &str) {
    let deadline = Instant::now() + TWO_MINUTES;
    loop {
        let seen = server.psql(sql);
        if seen == answer {
            return;
        }
        let runs = "select string_agg(concat_ws(' ', command, status, return_message), E'\\n') from cron.job_run_details";
        assert!(Instant::now() < deadline, "last seen: {seen}; pg_cron says: {}", server.psql(runs));
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Jobs of a role that may do nothing else end what expired, offer its place to the head of the line, and purge
/// what is old.
#[test]
fn pg_cron_expires_and_purges() {
    let available = "select count(*) from pg_available_extensions where name = 'pg_cron'";
    if Server::builder().plain().start().expect("a server").psql(available) == "0" {
        println!("skipped: this build of PostgreSQL has no pg_cron");
        return;
    }
    let server = Server::builder()
        .worker(Worker::Off)
        .set("shared_preload_libraries", "pg_cron,booking")
        .set("cron.database_name", "postgres")
        .set("cron.use_background_workers", "on")
        .start()
        .expect("a server with pg_cron");
    server.psql("create extension pg_cron");
    server.psql("create role keeper login");
    server.psql("select booking.grant_admin('keeper')");
    server.psql("grant usage on schema cron to keeper");
    server.psql("select booking.create_pool('gig', 2)");
    server.psql("select booking.hold('gig', 1, ttl => '1 ms', key => 'a')");
    server.psql("select booking.hold('gig', 1, ttl => '1 ms', key => 'b')");
    server.psql("select pg_sleep(0.002)");
    // From here on, only the job ends holds.
    assert_eq!(server.psql("select string_agg(state::text, ' ') from booking.holds"), "held held");
    let schedule = "set role keeper;
        select cron.schedule('booking-expire', '* * * * *', 'select booking.expire(10000)');
        select cron.schedule('booking-purge', '* * * * *', 'select booking.purge(''0'')')";
    server.psql(schedule);
    wait_for(&server, "select taken from booking.resources", "0");
    wait_for(&server, "select count(*) from booking.holds", "0");
    let failed =
        "select count(*) from cron.job_run_details where status not in ('succeeded', 'running', 'starting')";
    assert_eq!(server.psql(failed), "0");
    server.assert_sound("postgres");
}
