//! The throw-away servers themselves, which every other live test relies on.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use booking_live::{Server, Shutdown, backend_pid, in_background, join, wait_until};

fn plain() -> Server {
    Server::builder().plain().start().expect("a plain server")
}

#[test]
fn keeps_its_data_over_a_restart_and_over_kill_9() {
    let mut server = plain();
    server.psql("create table t (n int); insert into t values (1)");
    server.restart(Shutdown::Fast);
    assert_eq!(server.psql("select n from t"), "1");
    server.psql("insert into t values (2)");

    let pids = server.pids();
    assert!(pids.len() > 4, "a postmaster and its processes: {pids:?}");
    server.kill_9();
    assert!(!server.is_running());
    server.start();
    assert_eq!(server.psql("select sum(n) from t"), "3");
    assert!(server.log().contains("database system was not properly shut down"));
}

#[test]
fn leaves_nothing_behind() {
    let server = Server::builder().plain().tcp().start().expect("a plain server");
    let (home, pids) = (server.home().to_owned(), server.pids());
    assert!(std::net::TcpStream::connect(("127.0.0.1", server.port())).is_ok());
    drop(server);
    assert!(!home.exists());
    assert!(pids.iter().all(|pid| is_gone(*pid)), "{pids:?}");
}

/// The test runs itself a second time as the program that dies. Ctrl-C, or a worse signal, gives that program no
/// chance to clean up.
#[test]
#[allow(unsafe_code)]
fn leaves_nothing_behind_when_its_owner_is_killed() {
    const INNER: &str = "BOOKING_LIVE_INNER";
    if std::env::var_os(INNER).is_some() {
        let server = plain();
        println!("\nhome {}\npid {}", server.home().display(), server.pid());
        std::thread::sleep(booking_live::BOUND);
        return;
    }
    for signal in [libc::SIGINT, libc::SIGKILL] {
        let mut owner = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "leaves_nothing_behind_when_its_owner_is_killed", "--nocapture"])
            .env(INNER, "1")
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("this program again");
        let (home, pid) = read_home_and_pid(owner.stdout.take().expect("its output"));
        assert!(home.exists() && !is_gone(pid));
        // SAFETY: the signal goes to the process group that was created for it just now.
        unsafe { libc::kill(-(owner.id() as i32), signal) };
        owner.wait().expect("its end");
        wait_until("the guard to clean up", || (home.exists(), is_gone(pid)), |seen| *seen == (false, true));
    }
}

fn read_home_and_pid(output: impl std::io::Read) -> (PathBuf, u32) {
    let mut home = None;
    for line in std::io::BufRead::lines(std::io::BufReader::new(output)) {
        let line = line.expect("a line");
        if let Some(path) = line.strip_prefix("home ") {
            home = Some(PathBuf::from(path));
        } else if let Some(pid) = line.strip_prefix("pid ") {
            return (home.expect("home comes first"), pid.parse().expect("a number"));
        }
    }
    panic!("the server did not start");
}

fn is_gone(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_err() || stat.is_ok_and(|line| line.contains(") Z "))
}

#[test]
fn a_standby_follows_and_is_promoted() {
    let primary = plain();
    primary.psql("create table t (n int); insert into t values (1)");
    let standby = primary.standby();
    assert_eq!(standby.psql("select pg_is_in_recovery()"), "t");
    primary.psql("insert into t values (2)");
    wait_until("the second row", || standby.psql("select count(*) from t"), |count| count == "2");
    standby.promote();
    standby.psql("insert into t values (3)");
    assert_eq!(standby.psql("select count(*) from t"), "3");
    assert_eq!(primary.psql("select count(*) from t"), "2");
}

#[test]
fn sees_who_waits_for_whom() {
    let server = plain();
    server.psql("create table t (n int); insert into t values (1)");
    let mut first = server.connect("postgres");
    let holder = backend_pid(&mut first);
    first.batch_execute("begin; update t set n = 2").expect("the first update");
    let second = server.connect("postgres");
    let (waiter, thread) = in_background(second, |client| client.batch_execute("update t set n = 3"));
    assert_eq!(server.wait_until_blocked(waiter), vec![holder]);
    first.batch_execute("commit").expect("the first commit");
    server.wait_until_unblocked(waiter);
    join(thread).expect("the second update");
    assert_eq!(server.psql("select n from t"), "3");
}

#[test]
fn settings_change_while_it_runs() {
    let server =
        Server::builder().plain().max_connections(7).set("work_mem", "1MB").start().expect("a server");
    assert_eq!(server.psql("show max_connections"), "7");
    server.set("work_mem", "2MB");
    assert_eq!(server.psql("show work_mem"), "2MB");
}
