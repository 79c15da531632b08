//! Cleaning up by pg_cron, with the worker switched off.

use std::time::{Duration, Instant};

use booking_live::{Server, Worker};

/// pg_cron's jobs begin with the minute, and there are two to wait for at the most.
const TWO_MINUTES: Duration = Duration::from_secs(150);

/// Looks until the answer is this one.
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

/// What ran out is ended, its place offered to who waits for it, and what is old purged, by jobs of a role that
/// may do just that.
#[test]
fn pg_cron_expires_and_purges() {
    let server = Server::builder()
        .worker(Worker::Off)
        .set("shared_preload_libraries", "pg_cron,booking")
        .set("cron.database_name", "postgres")
        .set("cron.use_background_workers", "on")
        .start()
        .expect("a server with pg_cron, which scripts/setup installs");
    server.psql("create extension pg_cron");
    server.psql("create role keeper login");
    server.psql("select booking.grant_admin('keeper')");
    server.psql("grant usage on schema cron to keeper");
    server.psql("select booking.create_pool('gig', 2)");
    server.psql("select booking.hold('gig', 1, ttl => '1 ms', key => 'a')");
    server.psql("select booking.hold('gig', 1, ttl => '1 ms', key => 'b')");
    server.psql("select pg_sleep(0.002)");
    // Nobody but the job will look.
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
