//! The worker: it sweeps by itself, restarts after every death, obeys its settings, and blocks nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use booking_live::{Builder, Server, Shutdown, Worker, ask, backend_pid, in_background, join, wait_until};
use postgres::Client;
use postgres::error::SqlState;

fn builder() -> Builder {
    Server::builder().worker(Worker::On).set("booking.sweep_interval", "20ms")
}

fn with_pool() -> Server {
    let server = builder().start().expect("a server");
    server.psql("select booking.create_pool('pool', 1000000)");
    server
}

/// Places holds that expire at once.
fn place_overdue(server: &Server, count: usize) {
    server.psql(&format!("select booking.hold('pool', ttl => '1 ms') from generate_series(1, {count})"));
}

fn count(server: &Server, state: &str) -> String {
    server.psql(&format!("select count(*) from booking.holds where state = '{state}'"))
}

const SWEEPERS: &str = "select count(*) from pg_stat_activity where backend_type = 'booking sweeper'";

#[test]
fn sweeps_by_itself_and_says_so() {
    let server = with_pool();
    place_overdue(&server, 5);
    server.wait_until_swept("postgres");
    assert_eq!(count(&server, "expired"), "5");
    let status = "select state, total_expired, last_sweep is not null, last_error from booking.worker_status";
    wait_until("its report", || server.psql(status), |status| status == "running|5|t|");
    let behind = "select coalesce(behind::text, 'null') from booking.worker_status";
    assert_eq!(server.psql(behind), "00:00:00", "nothing is held");
    server.psql("select booking.hold('pool', ttl => '1 h')");
    assert_eq!(server.psql(behind), "00:00:00", "nothing is overdue");
    assert_eq!(server.psql("select taken from booking.resources"), "1");
    server.assert_sound("postgres");
}

#[test]
fn connects_to_no_database_without_need() {
    let server = with_pool();
    place_overdue(&server, 1);
    server.wait_until_swept("postgres");
    server.psql("select booking.hold('pool', ttl => '1 h')");
    wait_until("the last sweeper to go", || server.psql(SWEEPERS), |count| count == "0");
    let sweeps = || server.psql("select last_sweep from booking.worker_status");
    let before = sweeps();
    // After fifty rounds of the launcher, anything that must not happen would have happened.
    let looked = Instant::now();
    while looked.elapsed() < Duration::from_secs(1) {
        assert_eq!(server.psql(SWEEPERS), "0");
    }
    assert_eq!(sweeps(), before);
    let launcher = "select datname is null from pg_stat_activity where backend_type = 'booking launcher'";
    assert_eq!(server.psql(launcher), "t");
}

#[test]
fn the_launcher_comes_back() {
    let server = with_pool();
    let first = server.wait_for_launcher(None);
    server.psql(&format!("select pg_terminate_backend({first})"));
    let second = server.wait_for_launcher(Some(first));
    place_overdue(&server, 3);
    server.wait_until_swept("postgres");

    server.signal(second, libc::SIGKILL);
    let recovered = || {
        let launcher = "select pid from pg_stat_activity where backend_type = 'booking launcher'";
        server.try_psql("postgres", launcher).ok().and_then(|pid| pid.parse::<i32>().ok())
    };
    wait_until("a launcher after the crash", recovered, |pid| pid.is_some_and(|pid| pid != second));
    place_overdue(&server, 3);
    server.wait_until_swept("postgres");
    assert_eq!(count(&server, "expired"), "6");
}

#[test]
fn is_switched_off_and_on_by_a_reload() {
    let server = with_pool();
    server.set("booking.worker", "off");
    place_overdue(&server, 4);
    let state = || server.psql("select state from booking.worker_status");
    wait_until("it to be off", state, |state| state == "off");
    // The launcher reads its settings when it wakes. A sweep that it started before may still end.
    wait_until("the last sweeper to go", || server.psql(SWEEPERS), |count| count == "0");
    let behind = "select coalesce(behind > '1 s', false) from booking.worker_status";
    let held_before = count(&server, "held");
    if held_before != "0" {
        wait_until("a backlog of a second", || server.psql(behind), |behind| behind == "t");
        assert_eq!(count(&server, "held"), held_before, "it swept though it is off");
    }
    place_overdue(&server, 4);
    assert_ne!(count(&server, "held"), "0", "it swept though it is off");
    server.set("booking.worker", "on");
    server.wait_until_swept("postgres");
    assert_eq!(count(&server, "expired"), "8");
}

#[test]
fn a_fast_shutdown_is_fast() {
    let mut server = with_pool();
    server.set("booking.worker", "off");
    place_overdue(&server, 30_000);
    server.set("booking.sweep_batch", "50");
    server.set("booking.worker", "on");
    wait_until("a sweeper", || server.psql(SWEEPERS), |count| count == "1");
    let asked = Instant::now();
    server.stop(Shutdown::Fast);
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    server.start();
    server.wait_until_swept("postgres");
    server.assert_sound("postgres");
}

#[test]
fn sweeps_beside_a_scheduled_expire_and_ends_nothing_twice() {
    const HOLDS: usize = 3000;
    let server = with_pool();
    server.psql("select booking.create_pool('pool ' || n, 1000000) from generate_series(1, 5) n");
    let over = Arc::new(AtomicBool::new(false));
    let stop = over.clone();
    let (_, scheduler) = in_background(server.connect("postgres"), move |session| {
        let mut ended = 0;
        while !stop.load(Ordering::Relaxed) {
            ended += session.query_one("select booking.expire(7)", &[]).expect("expire").get::<_, i64>(0);
        }
        ended
    });
    let mut session = server.connect("postgres");
    for n in 0..HOLDS {
        ask(&mut session, &format!("hold('pool {}', 2, '1 ms')", 1 + n % 5)).expect("a hold");
    }
    server.wait_until_swept("postgres");
    over.store(true, Ordering::Relaxed);
    let ended = join(scheduler);
    let by_worker = "select total_expired from booking.worker_status";
    let worker = wait_until(
        "its report",
        || server.psql(by_worker).parse::<i64>().unwrap_or(0),
        |worker| worker + ended >= HOLDS as i64,
    );
    assert_eq!(worker + ended, HOLDS as i64);
    assert_eq!(server.psql("select sum(taken) from booking.resources"), "0");
    server.assert_sound("postgres");
}

#[test]
fn a_hot_pool_is_swept_too() {
    let server = with_pool();
    let over = Arc::new(AtomicBool::new(false));
    // Another session always waits for the pool's lock, so the lock is never free.
    let clients = (0..8).map(|_| {
        let over = over.clone();
        let client = in_background(server.connect("postgres"), move |session| {
            while !over.load(Ordering::Relaxed) {
                let mut transaction = session.transaction().expect("a transaction");
                ask(&mut transaction, "hold('pool', ttl => '1 h')").expect("a hold");
                transaction.query("select pg_sleep(0.005)", &[]).expect("a moment");
                transaction.commit().expect("a commit");
            }
        });
        client.1
    });
    let clients = clients.collect::<Vec<_>>();
    place_overdue(&server, 10);
    server.wait_until_swept("postgres");
    assert_eq!(count(&server, "expired"), "10");
    assert!(clients.iter().all(|client| !client.is_finished()), "the load ended before the sweep");
    over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(join);
    server.assert_sound("postgres");
}

/// Returns the process id of a sweeper that waits for a lock which `holder` has.
fn blocked_sweeper(server: &Server, holder: i32) -> i32 {
    let sql = format!(
        "select max(pid) from pg_stat_activity
         where backend_type = 'booking sweeper' and {holder} = any(pg_blocking_pids(pid))"
    );
    wait_until("a blocked sweeper", || server.psql(&sql).parse().ok(), Option::is_some).expect("just seen")
}

fn wait_until_gone(server: &Server, pid: i32) -> Duration {
    let asked = Instant::now();
    let sql = format!("select count(*) from pg_stat_activity where pid = {pid}");
    wait_until("it to go", || server.psql(&sql), |count| count == "0");
    asked.elapsed()
}

/// Returns a server whose sweeper waits for the table of holds, the session that locks the table, and the
/// sweeper's process id.
fn with_a_blocked_sweeper() -> (Server, Client, i32) {
    let server = with_pool();
    server.set("booking.worker", "off");
    place_overdue(&server, 3);
    let mut other = server.connect("postgres");
    other.batch_execute("begin; lock table booking.holds in access exclusive mode").expect("the lock");
    let holder = backend_pid(&mut other);
    server.set("booking.worker", "on");
    let sweeper = blocked_sweeper(&server, holder);
    (server, other, sweeper)
}

#[test]
fn a_sweeper_that_waits_for_a_lock_does_not_wait_long() {
    let (server, mut other, sweeper) = with_a_blocked_sweeper();
    let waited = wait_until_gone(&server, sweeper);
    assert!(waited < Duration::from_secs(5), "its lock_timeout is a second, it went after {waited:?}");
    // The view worker_status reads the table of holds, which is locked. This is the view without that column.
    let error = "select last_error from booking.worker_state()";
    wait_until("its complaint", || server.psql(error), |error| error.contains("lock timeout"));

    other.batch_execute("commit").expect("a commit");
    // The launcher repeats a failed sweep after ten seconds.
    server.wait_until_swept("postgres");
    server.assert_sound("postgres");
}

#[test]
fn a_sweeper_that_waits_for_a_lock_obeys_at_once() {
    let (server, mut other, sweeper) = with_a_blocked_sweeper();
    server.psql(&format!("select pg_terminate_backend({sweeper})"));
    wait_until_gone(&server, sweeper);
    wait_until(
        "its end in the log",
        || server.log(),
        |log| {
            let own = format!("[{sweeper}]");
            let mut lines = log.lines().filter(|line| line.contains(&own));
            lines.any(|line| line.contains("terminating")) && !log.contains("lock timeout")
        },
    );
    other.batch_execute("rollback").expect("a rollback");
    server.wait_until_swept("postgres");
}

#[test]
fn a_standby_waits_for_its_promotion() {
    let primary = with_pool();
    primary.set("booking.worker", "off");
    let held = primary.psql("select hold_id from booking.hold('pool', 3, ttl => '1 h')");
    place_overdue(&primary, 5);
    let standby = primary.standby();
    assert_eq!(standby.launcher(), None);
    assert_eq!(standby.psql("select state from booking.worker_status"), "standby");
    assert_eq!(standby.psql(&format!("select status from booking.find('{held}')")), "held");
    assert_eq!(standby.psql("select held, available from booking.availability('pool')"), "3|999997");
    let mut session = standby.connect("postgres");
    let calls = [
        "hold('pool')".to_owned(),
        format!("confirm('{held}')"),
        format!("extend('{held}')"),
        format!("release('{held}')"),
        "set_capacity('pool', 7)".to_owned(),
    ];
    for call in calls {
        let error = ask(&mut session, &call).expect_err(&call);
        assert_eq!(error.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION), "{call}: {error:?}");
    }
    standby.promote();
    standby.wait_for_launcher(None);
    standby.set("booking.worker", "on");
    standby.wait_until_swept("postgres");
    assert_eq!(count(&standby, "expired"), "5");
    assert_eq!(ask(&mut session, &format!("confirm('{held}')")).expect("an answer").status, "confirmed");
    standby.assert_sound("postgres");
}
