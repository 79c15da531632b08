//! How fast the extension is, against what teams write by hand: in one run, on one server, in turn.
//!
//!     bench [--seconds N] [--rounds N] [--history ROWS] [--only pools|seats|calendars|leases]

mod calendars;
mod leases;
mod scripts;
mod seats;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use booking_live::{Server, Worker};
use indicatif::{ProgressBar, ProgressStyle};
use scripts::{Contender, *};

struct Options {
    seconds: u32,
    rounds: usize,
    history: u64,
    only: Option<String>,
}

/// How long a contender's turn is.
#[derive(Clone, Copy)]
enum Length {
    Seconds(u32),
    /// So many calls of each client, whose part of a venue has so many seats.
    Calls {
        calls: u32,
        part: u32,
    },
}

struct Bench {
    server: Server,
    options: Options,
    progress: ProgressBar,
}

fn main() -> Result<()> {
    let options = read_arguments()?;
    let server = Server::builder()
        .worker(Worker::Off)
        .max_connections(200)
        .set("fsync", "on")
        .set("shared_buffers", "1GB")
        .set("max_wal_size", "16GB")
        .set("checkpoint_timeout", "1h")
        .set("autovacuum_naptime", "10s")
        .start()?;
    server.psql("create database history");
    server.psql_in("history", "create extension booking cascade");
    let turns = [HOT.len() * 4, MANY.len() * 2, CONFIRM.len() * 2, 2, 2].iter().sum::<usize>();
    let turns = match options.only.as_deref() {
        None => turns + seats::TURNS + calendars::TURNS + leases::TURNS,
        Some("seats") => seats::TURNS,
        Some("calendars") => calendars::TURNS,
        Some("leases") => leases::TURNS,
        Some(_) => turns,
    };
    let progress = ProgressBar::new((turns * options.rounds) as u64);
    progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}")?);
    let bench = Bench { server, options, progress };
    bench.run()
}

fn read_arguments() -> Result<Options> {
    let mut options = Options { seconds: 5, rounds: 3, history: 10_000_000, only: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{argument} wants a value"))?;
        match argument.as_str() {
            "--seconds" => options.seconds = value.parse()?,
            "--rounds" => options.rounds = value.parse()?,
            "--history" => options.history = value.parse()?,
            "--only" if ["pools", "seats", "calendars", "leases"].contains(&value.as_str()) => {
                options.only = Some(value)
            }
            _ => bail!("no such option: {argument}"),
        }
    }
    Ok(options)
}

impl Bench {
    fn run(&self) -> Result<()> {
        for database in ["postgres", "history"] {
            self.load(include_str!("rivals.sql"), database)?;
        }
        println!("| scenario | clients | contender | a second | booking is |");
        println!("| --- | ---: | --- | ---: | ---: |");
        let measures = |part| self.options.only.as_deref().is_none_or(|only| only == part);
        if measures("pools") {
            self.pools()?;
        }
        if measures("seats") {
            self.seats()?;
        }
        if measures("calendars") {
            self.calendars()?;
        }
        if measures("leases") {
            self.leases()?;
        }
        self.progress.finish_and_clear();
        Ok(())
    }

    fn pools(&self) -> Result<()> {
        for clients in [1, 8, 32, 96] {
            self.contest("one hot pool", clients, HOT)?;
        }
        for clients in [1, 8] {
            self.contest("1,000 pools", clients, MANY)?;
        }
        for clients in [1, 8] {
            self.contest("hold, then confirm", clients, CONFIRM)?;
        }
        self.expire()?;
        self.history()
    }

    /// Sets up the rivals.
    fn load(&self, sql: &str, database: &str) -> Result<()> {
        let script = self.server.home().join("rivals.sql");
        std::fs::write(&script, sql)?;
        let status = self
            .server
            .command("psql")
            .args(["-Xq", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"])
            .arg(&script)
            .status()?;
        if !status.success() {
            bail!("the rivals could not be set up");
        }
        Ok(())
    }

    fn contest(&self, scenario: &str, clients: u32, contenders: &[Contender]) -> Result<()> {
        let length = Length::Seconds(self.options.seconds);
        self.in_turn(scenario, clients, contenders, length, 1.0, &[])
    }

    /// In turn, so that a machine that slows down slows all of them; with everything put back before each.
    /// A call counts for so many (`each`).
    fn in_turn(
        &self,
        scenario: &str,
        clients: u32,
        contenders: &[Contender],
        length: Length,
        each: f64,
        put_back: &[&str],
    ) -> Result<()> {
        let mut rates = vec![Vec::new(); contenders.len()];
        for _ in 0..self.options.rounds {
            for (contender, rates) in contenders.iter().zip(&mut rates) {
                let mut client = self.server.connect("postgres");
                for statement in put_back {
                    client.batch_execute(statement)?;
                }
                rates.push(each * self.pgbench(scenario, clients, contender, "postgres", length)?);
            }
        }
        let medians = rates.iter().map(|rates| median(rates)).collect::<Vec<_>>();
        for (contender, rate) in contenders.iter().zip(&medians) {
            self.row(scenario, &clients.to_string(), contender.name, *rate, medians[0] / rate);
        }
        Ok(())
    }

    fn pgbench(
        &self,
        scenario: &str,
        clients: u32,
        contender: &Contender,
        database: &str,
        length: Length,
    ) -> Result<f64> {
        self.progress.set_message(format!("{scenario}, {clients} clients: {}", contender.name));
        let script = self.server.home().join("script.sql");
        std::fs::write(&script, contender.script)?;
        let length = match length {
            Length::Seconds(seconds) => vec![format!("-T{seconds}")],
            Length::Calls { calls, part } => {
                vec![format!("-t{calls}"), format!("-Dpart={part}"), "-Dcall=0".to_owned()]
            }
        };
        let threads = clients.min(2).to_string();
        let output = self
            .server
            .command("pgbench")
            .args(["-n", "-M", "prepared", "-j", &threads, "-c", &clients.to_string()])
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
        text.lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
            .with_context(|| format!("pgbench said: {text}"))
    }

    fn expire(&self) -> Result<()> {
        let mut seconds = [Vec::new(), Vec::new()];
        for _ in 0..self.options.rounds {
            for (n, sql) in [EXPIRE, PLAIN_UPDATE].into_iter().enumerate() {
                self.progress.set_message("100,000 stale holds");
                let mut client = self.server.connect("postgres");
                for statement in LOAD_STALE.split(';').filter(|statement| !statement.trim().is_empty()) {
                    client.batch_execute(statement)?;
                }
                let begun = Instant::now();
                client.batch_execute(sql)?;
                seconds[n].push(begun.elapsed().as_secs_f64());
                self.progress.inc(1);
            }
        }
        let medians = seconds.each_ref().map(|seconds| median(seconds));
        for (name, seconds) in ["booking.expire()", "one plain UPDATE"].into_iter().zip(medians) {
            self.row("100,000 stale holds", "1", name, 100_000.0 / seconds, seconds / medians[0]);
        }
        Ok(())
    }

    fn history(&self) -> Result<()> {
        let rows = self.options.history;
        self.progress.set_message(format!("loading {rows} ended holds (some minutes)"));
        let mut client = self.server.connect("history");
        let load = LOAD_HISTORY.replace("ROWS", &rows.to_string());
        for statement in load.split(';').filter(|statement| !statement.trim().is_empty()) {
            client.batch_execute(statement)?;
        }
        self.server.psql("truncate booking.holds; update booking.resources set taken = 0");
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..self.options.rounds {
            for (n, database) in ["history", "postgres"].into_iter().enumerate() {
                let length = Length::Seconds(self.options.seconds);
                rates[n].push(self.pgbench("history", 1, &HISTORY, database, length)?);
            }
        }
        let medians = rates.each_ref().map(|rates| median(rates));
        let scenario = format!("hold among {rows} ended ones");
        for (name, rate) in ["full table", "empty table"].into_iter().zip(medians) {
            self.row(&scenario, "1", name, rate, medians[0] / rate);
        }
        Ok(())
    }

    fn row(&self, scenario: &str, clients: &str, contender: &str, rate: f64, ratio: f64) {
        self.progress.suspend(|| {
            println!("| {scenario} | {clients} | {contender} | {rate:.0} | {ratio:.2} × |");
        });
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
