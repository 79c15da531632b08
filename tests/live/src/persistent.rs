//! Clients that outlive the server's crashes, and the crashes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postgres::error::SqlState;
use postgres::{Client, Config, Error, NoTls};

use crate::{Answer, Server, ask, ask_each, wait_until};

/// The clock that the server reads, too, in microseconds since 1970.
pub fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    since.as_micros().try_into().expect("a small number")
}

/// An answer that was waited for over as many connections as it took.
#[derive(Clone, Debug)]
pub struct Told<T = Answer> {
    pub answer: T,
    /// When it was first asked, and when for the last time; the same where no connection was lost.
    pub first_sent: i64,
    pub sent: i64,
    pub answered: i64,
}

impl<T> Told<T> {
    /// Whether it was asked more than once.
    pub fn again(&self) -> bool {
        self.sent > self.first_sent
    }
}

/// A client that wants to know.
pub struct Caller {
    config: Config,
    session: Option<Client>,
    keeps_snapshots: bool,
    /// How often it was told that its snapshot was too old.
    pub conflicts: usize,
}

impl Caller {
    pub fn new(config: Config) -> Caller {
        Caller { config, session: None, keeps_snapshots: false, conflicts: 0 }
    }

    /// One whose every call is a transaction of this isolation level, in which conflicts are to be expected.
    pub fn at_level(mut config: Config, level: &str) -> Caller {
        config.options(&format!("-c default_transaction_isolation={}", level.replace(' ', "\\ ")));
        Caller { keeps_snapshots: level != "read committed", ..Caller::new(config) }
    }

    /// Asks until there is an answer, over one connection after the other. Nothing but the loss of the
    /// connection is excused.
    pub fn ask(&mut self, call: &str) -> Told {
        self.until_answered(call, ask)
    }

    /// The same for a verb that gives several answers.
    pub fn ask_each(&mut self, call: &str) -> Told<Vec<Answer>> {
        self.until_answered(call, ask_each)
    }

    fn until_answered<T>(
        &mut self,
        call: &str,
        ask: impl Fn(&mut Client, &str) -> Result<T, Error>,
    ) -> Told<T> {
        let mut first_sent = clock();
        let mut sent = first_sent;
        let mut was_lost = false;
        loop {
            let session = self.session.get_or_insert_with(|| connect(&self.config));
            match ask(session, call) {
                Ok(answer) => return Told { answer, first_sent, sent, answered: clock() },
                Err(error)
                    if self.keeps_snapshots && error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) =>
                {
                    self.conflicts += 1;
                }
                Err(error) => {
                    let code = error.code().map(|code| code.code().to_owned());
                    let lost = matches!(code.as_deref(), None | Some("57P01" | "57P02" | "57P03"));
                    assert!(lost, "{call}: {error:?}");
                    self.session = None;
                    was_lost = true;
                }
            }
            // What ended in a conflict is known to have done nothing. After a loss it is later than the first
            // time, whatever the clock's resolution.
            (first_sent, sent) = match was_lost {
                true => (first_sent, clock().max(first_sent + 1)),
                false => [clock(); 2].into(),
            };
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
        let kill_one = || {
            let victim = watcher.query_opt(sql, &[&backend_type]).expect("the processes");
            victim.is_some_and(|victim| self.signal_if_there(victim.get(0), libc::SIGKILL))
        };
        wait_until(&format!("a {backend_type}"), kill_one, |killed| *killed);
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
