//! How fast the extension is, against what teams write by hand: in one run, on one server, in turn.
//!
//!     bench [--seconds N] [--rounds N] [--history ROWS]

mod scripts;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use booking_live::{Server, Worker};
use indicatif::{ProgressBar, ProgressStyle};
use scripts::{Contender, *};

struct Options {
    seconds: u32,
    rounds: usize,
    history: u64,
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
    for database in ["postgres", "history"] {
        if database != "postgres" {
            server.psql_in(database, "create extension booking");
        }
        let rivals = server.home().join("rivals.sql");
        std::fs::write(&rivals, include_str!("rivals.sql"))?;
        let status = server
            .command("psql")
            .args(["-Xq", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"])
            .arg(&rivals)
            .status()?;
        if !status.success() {
            bail!("the rivals could not be set up");
        }
    }
    let turns =
        [HOT.len() * 4, MANY.len() * 2, CONFIRM.len() * 2, 2, 2].iter().sum::<usize>() * options.rounds;
    let progress = ProgressBar::new(turns as u64);
    progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}")?);
    let bench = Bench { server, options, progress };
    bench.run()
}

fn read_arguments() -> Result<Options> {
    let mut options = Options { seconds: 5, rounds: 3, history: 10_000_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{argument} wants a value"))?;
        match argument.as_str() {
            "--seconds" => options.seconds = value.parse()?,
            "--rounds" => options.rounds = value.parse()?,
            "--history" => options.history = value.parse()?,
            _ => bail!("no such option: {argument}"),
        }
    }
    Ok(options)
}

impl Bench {
    fn run(&self) -> Result<()> {
        println!("| scenario | clients | contender | a second | booking is |");
        println!("| --- | ---: | --- | ---: | ---: |");
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
        self.history()?;
        self.progress.finish_and_clear();
        Ok(())
    }

    /// In turn, so that a machine that slows down slows all of them.
    fn contest(&self, scenario: &str, clients: u32, contenders: &[Contender]) -> Result<()> {
        let mut rates = vec![Vec::new(); contenders.len()];
        for _ in 0..self.options.rounds {
            for (contender, rates) in contenders.iter().zip(&mut rates) {
                rates.push(self.pgbench(scenario, clients, contender, "postgres")?);
            }
        }
        let medians = rates.iter().map(|rates| median(rates)).collect::<Vec<_>>();
        for (contender, rate) in contenders.iter().zip(&medians) {
            self.row(scenario, &clients.to_string(), contender.name, *rate, medians[0] / rate);
        }
        Ok(())
    }

    fn pgbench(&self, scenario: &str, clients: u32, contender: &Contender, database: &str) -> Result<f64> {
        self.progress.set_message(format!("{scenario}, {clients} clients: {}", contender.name));
        let script = self.server.home().join("script.sql");
        std::fs::write(&script, contender.script)?;
        let output = self
            .server
            .command("pgbench")
            .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string()])
            .args(["-T", &self.options.seconds.to_string(), "-f"])
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
                rates[n].push(self.pgbench("history", 1, &HISTORY, database)?);
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
