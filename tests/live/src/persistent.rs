//! Clients that repeat their calls through crashes of the server, and the crashes themselves.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postgres::error::SqlState;
use postgres::{Client, Config, Error, NoTls};

use crate::{Answer, Server, ask, ask_each, wait_until};

/// Returns the time in microseconds since 1970, from the clock that the server reads too.
pub fn clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    since.as_micros().try_into().expect("a small number")
}

/// An answer, and how it was obtained: after a lost connection, the client asks again on a new one.
#[derive(Clone, Debug)]
pub struct Told<T = Answer> {
    pub answer: T,
    /// When the client sent the call first, and when it sent it last. Both are the same if no connection was lost.
    pub first_sent: i64,
    pub sent: i64,
    pub answered: i64,
}

impl<T> Told<T> {
    /// Returns whether the client sent the call more than once.
    pub fn again(&self) -> bool {
        self.sent > self.first_sent
    }
}

/// A client that repeats its calls until it has an answer.
pub struct Caller {
    config: Config,
    session: Option<Client>,
    keeps_snapshots: bool,
    /// The number of serialization failures (40001).
    pub conflicts: usize,
}

impl Caller {
    pub fn new(config: Config) -> Caller {
        Caller { config, session: None, keeps_snapshots: false, conflicts: 0 }
    }

    /// Returns a client that runs each call in a transaction of this isolation level, and repeats it after a
    /// serialization failure.
    pub fn at_level(mut config: Config, level: &str) -> Caller {
        config.options(&format!("-c default_transaction_isolation={}", level.replace(' ', "\\ ")));
        Caller { keeps_snapshots: level != "read committed", ..Caller::new(config) }
    }

    /// Repeats the call until there is an answer, also after a lost connection or a serialization failure. Panics
    /// on any other error.
    pub fn ask(&mut self, call: &str) -> Told {
        self.until_answered(call, ask)
    }

    /// Repeats a call that returns several answers, as [`ask`](Self::ask) does.
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
            // A call that failed with a conflict has done nothing, so its time starts again. After a lost
            // connection, the last time must be later than the first, whatever the clock's resolution.
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
    /// Kills one of these processes with SIGKILL. The server then ends all its other processes and recovers.
    /// Returns when it has.
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
