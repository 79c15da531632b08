//! From one version of PostgreSQL to another: `tests/versions/run` says which, and where the older one is.

use std::path::PathBuf;

use booking_live::{Builder, Server, Shutdown, Tree, Worker, everything, pipe, wait_until};

fn older() -> Builder {
    let bin = std::env::var_os("BOOKING_OLD_PGBIN").expect("tests/versions/run sets it");
    Server::builder().tree(Tree::of_programs(PathBuf::from(bin)).expect("the set-up made one"))
}

/// Every row is as it was, nothing was swept while nobody could see it, tokens rise, and the worker goes on.
#[test]
fn pg_upgrade_carries_everything_over() {
    let mut old = older().worker(Worker::On).start().expect("the older server");
    everything::fill(&old);
    old.set("booking.worker", "off");
    everything::fill_overdue(&old);
    let before = everything::rows(&old, "postgres");
    let major = |server: &Server| server.psql("select current_setting('server_version_num')::int / 10000");
    let from = major(&old);
    let token = "select max(token) from booking.leases";
    let highest: i64 = old.psql(token).parse().expect("a token");
    old.stop(Shutdown::Fast);

    let new = old.upgraded(Server::builder().worker(Worker::Off));
    assert_ne!(major(&new), from);
    assert_eq!(everything::rows(&new, "postgres"), before);
    assert_eq!(new.psql("select count(*) from booking.check()"), "0");
    let granted: i64 = new
        .psql("select token from booking.acquire_lease('workers', 'w5', '1 h', slots => 4)")
        .parse()
        .expect("a token");
    assert!(granted > highest, "{granted} is not above {highest}");
    new.psql("select booking.release_lease('workers', token) from booking.leases where holder = 'w5'");

    let late = "select string_agg(distinct state::text, ' ') from booking.holds where key = 'late'";
    assert_eq!(new.psql(late), "held");
    new.set("booking.worker", "on");
    wait_until("the worker to end what is overdue", || new.psql(late), |states| states == "expired");
    everything::check(&new, "postgres");
}

/// As people move without pg_upgrade. The newer pg_dump is what PostgreSQL recommends; the older one is what they have.
#[test]
fn a_dump_of_the_older_server_is_restored_into_the_newer() {
    let old = older().start().expect("the older server");
    everything::fill(&old);
    let new = Server::builder().start().expect("the newer server");
    new.psql("create role app");
    for (copy, dumps) in [("by_newer", &new), ("by_older", &old)] {
        new.psql(&format!("create database {copy}"));
        let mut dump = dumps.command("pg_dump");
        dump.env("PGHOST", old.socket_dir()).env("PGPORT", old.port().to_string());
        pipe(dump.arg("postgres"), new.command("psql").args(["-Xq", "-v", "ON_ERROR_STOP=1", "-d", copy]));
        assert_eq!(everything::rows(&new, copy), everything::rows(&old, "postgres"), "{copy}");
        everything::check(&new, copy);
    }
}
