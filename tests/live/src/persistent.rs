//! Clients that outlive the server's crashes, and the crashes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postgres::{Client, Config, NoTls};

use crate::{Answer, Server, ask, wait_until};

/// The clock that the server reads, too, in microseconds since 1970.
pub fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    since.as_micros().try_into().expect("a small number")
}

/// An answer that was waited for over as many connections as it took.
#[derive(Clone, Debug)]
pub struct Told {
    pub answer: Answer,
    /// When it was first asked, and when for the last time; the same where no connection was lost.
    pub first_sent: i64,
    pub sent: i64,
    pub answered: i64,
}

impl Told {
    /// Whether it was asked more than once.
    pub fn again(&self) -> bool {
        self.sent > self.first_sent
    }
}

/// A client that wants to know.
pub struct Caller {
    config: Config,
    session: Option<Client>,
}

impl Caller {
    pub fn new(config: Config) -> Caller {
        Caller { config, session: None }
    }

    /// Asks until there is an answer, over one connection after the other. Nothing but the loss of the
    /// connection is excused.
    pub fn ask(&mut self, call: &str) -> Told {
        let first_sent = clock();
        let mut sent = first_sent;
        loop {
            let session = self.session.get_or_insert_with(|| connect(&self.config));
            match ask(session, call) {
                Ok(answer) => return Told { answer, first_sent, sent, answered: clock() },
                Err(error) => {
                    let code = error.code().map(|code| code.code().to_owned());
                    let lost = matches!(code.as_deref(), None | Some("57P01" | "57P02" | "57P03"));
                    assert!(lost, "{call}: {error:?}");
                    self.session = None;
                }
            }
            // Later than the first time, whatever the clock's resolution.
            sent = clock().max(first_sent + 1);
        }
    }
}

fn connect(config: &Config) -> Client {
    let mut client = None;
    let mut connected = || {
        client = config.connect(NoTls).ok();
        client.is_some()
    };
    wait_until("a connection", &mut connected, |connected| *connected);
    client.expect("just connected")
}

impl Server {
    /// Kills a process by SIGKILL, any of these. Such a backend's death makes the server end all others
    /// and recover; this returns when it has.
    #[track_caller]
    pub fn kill_a_process(&self, backend_type: &str) {
        let mut watcher = self.connect("postgres");
        let sql = "select pid from pg_stat_activity
                   where backend_type = $1 and pid <> pg_backend_pid() order by random() limit 1";
        let mut victim = || watcher.query_opt(sql, &[&backend_type]).expect("the processes");
        let victim = wait_until(&format!("a {backend_type}"), &mut victim, Option::is_some);
        self.signal(victim.expect("just seen").get(0), libc::SIGKILL);
        wait_until(
            "the server to notice",
            || watcher.is_valid(Duration::from_secs(5)).is_err(),
            |gone| *gone,
        );
        wait_until(
            "the server to recover",
            || self.config("postgres").connect(NoTls).is_ok(),
            |recovered| *recovered,
        );
    }
}
