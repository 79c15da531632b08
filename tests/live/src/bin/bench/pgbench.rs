//! Contenders that are SQL: pgbench runs their clients, one contender after the other.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::report::Figure;
use crate::scripts::Contender;
use crate::{Bench, Measured};

/// The length of a contender's run.
#[derive(Clone, Copy)]
pub enum Length {
    Seconds(u32),
    /// A number of calls of each client. Each client has its own part of a venue, with `part` seats.
    Calls {
        calls: u32,
        part: u32,
    },
}

/// A scenario with a number of clients. The contenders run in turn, so that a slower machine slows all of them.
pub struct Contest<'a> {
    pub scenario: &'a str,
    pub clients: u32,
    pub length: Length,
    /// How many units of work one call counts for.
    pub each: f64,
    /// Statements that run before each run.
    pub put_back: &'a [&'a str],
    /// For each contender, a statement that another session calls ten times a second meanwhile.
    pub beside: &'a [&'a str],
}

impl<'a> Contest<'a> {
    pub const fn new(scenario: &'a str, clients: u32, length: Length) -> Self {
        Self { scenario, clients, length, each: 1.0, put_back: &[], beside: &[] }
    }
}

const BESIDE_EVERY: Duration = Duration::from_millis(100);

impl Bench {
    /// Measures all contenders. Returns the rate of the first, per second.
    pub fn measure(&self, contest: &Contest, contenders: &[Contender]) -> Result<f64> {
        let mut turns = vec![Vec::new(); contenders.len()];
        for _ in 0..self.options.rounds {
            for (n, contender) in contenders.iter().enumerate() {
                let mut client = self.server.connect("postgres");
                for statement in contest.put_back {
                    client.batch_execute(statement)?;
                }
                let turn = || self.pgbench(contest, contender, "postgres");
                turns[n].push(match contest.beside.get(n) {
                    Some(sql) => self.beside(sql, turn)?,
                    None => turn()?,
                });
            }
        }
        let medians: Vec<Measured> = turns.iter().map(|turns| Measured::median(turns)).collect();
        for (contender, turn) in contenders.iter().zip(&medians) {
            self.report_run(contest, contender.name, turn, medians[0].rate);
        }
        Ok(medians[0].rate)
    }

    /// Reports the result of a contender's run, as a ratio to the rate of the first contender.
    pub fn report_run(&self, contest: &Contest, contender: &str, turn: &Measured, first: f64) {
        self.tell(Figure {
            scenario: contest.scenario.to_owned(),
            clients: contest.clients,
            contender: contender.to_owned(),
            rate: contest.each * turn.rate,
            ratio: first / turn.rate,
            latency: Some((turn.half, turn.most)),
        });
    }

    /// Runs `work` while another session calls a statement again and again.
    fn beside<T>(&self, sql: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (over, wait) = mpsc::channel::<()>();
        let mut client = self.server.connect("postgres");
        std::thread::scope(|scope| {
            let calls = scope.spawn(move || -> Result<()> {
                while wait.recv_timeout(BESIDE_EVERY) == Err(RecvTimeoutError::Timeout) {
                    client.batch_execute(sql)?;
                }
                Ok(())
            });
            let done = work();
            drop(over);
            calls.join().expect("who calls beside")?;
            done
        })
    }

    pub fn pgbench(&self, contest: &Contest, contender: &Contender, database: &str) -> Result<Measured> {
        let Contest { scenario, clients, .. } = contest;
        self.progress.set_message(format!("{scenario}, {clients} clients: {}", contender.name));
        let script = self.server.home().join("script.sql");
        std::fs::write(&script, contender.script)?;
        let length = match contest.length {
            Length::Seconds(seconds) => vec![format!("-T{seconds}")],
            Length::Calls { calls, part } => {
                vec![format!("-t{calls}"), format!("-Dpart={part}"), "-Dcall=0".to_owned()]
            }
        };
        let threads = clients.min(&2).to_string();
        let output = self
            .server
            .command("pgbench")
            .env("PGOPTIONS", format!("-c synchronous_commit={}", self.commits.get()))
            .args(["-n", "-M", "prepared", "-j", &threads, "-c", &clients.to_string()])
            .args(["--log", "--log-prefix"])
            .arg(self.server.home().join("latencies"))
            .args(length)
            .arg("-f")
            .arg(&script)
            .arg(database)
            .output()?;
        self.progress.inc(1);
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("{}: {}", contender.name, String::from_utf8_lossy(&output.stderr));
        }
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
            .with_context(|| format!("pgbench said: {text}"))?;
        let mut latencies = self.latencies()?;
        latencies.sort_unstable();
        Ok(Measured::of(rate, &latencies))
    }

    /// Reads the latency of each transaction from pgbench's logs, in microseconds, and deletes the logs.
    fn latencies(&self) -> Result<Vec<u64>> {
        let mut latencies = Vec::new();
        for file in std::fs::read_dir(self.server.home())? {
            let path = file?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("latencies.")) {
                let text = std::fs::read_to_string(&path)?;
                latencies.extend(text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok()));
                std::fs::remove_file(&path)?;
            }
        }
        Ok(latencies)
    }
}
