//! How fast the extension is, against what teams write by hand: in one run, on one server, in turn.
//!
//!     bench [--seconds N] [--rounds N] [--history ROWS] [--only pools|escrow|seats|calendars|leases]
//!
//! Prints a table, and writes `target/bench/results.json` and a plot of each scenario beside it.

mod calendars;
mod escrow;
mod leases;
mod mistakes;
mod redis_server;
mod report;
mod scripts;
mod seats;
mod shop;
mod threads;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use booking_live::{Server, Worker};
use indicatif::{ProgressBar, ProgressStyle};
use report::{Figure, Report};
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
    report: Report,
}

/// What a turn came to.
#[derive(Clone, Copy)]
struct Measured {
    rate: f64,
    /// In milliseconds: half of the calls took no longer, and 99 of 100.
    half: f64,
    most: f64,
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
        None => turns + escrow::TURNS + seats::TURNS + calendars::TURNS + leases::TURNS,
        Some("escrow") => escrow::TURNS,
        Some("seats") => seats::TURNS,
        Some("calendars") => calendars::TURNS,
        Some("leases") => leases::TURNS,
        Some(_) => turns,
    };
    let progress = ProgressBar::new((turns * options.rounds) as u64);
    progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}")?);
    let bench = Bench { server, options, progress, report: Report::default() };
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
            "--only" if ["pools", "escrow", "seats", "calendars", "leases"].contains(&value.as_str()) => {
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
        Report::print_head();
        let measures = |part| self.options.only.as_deref().is_none_or(|only| only == part);
        if measures("pools") {
            self.pools()?;
        }
        if measures("escrow") {
            self.escrow()?;
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
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let folder = std::path::Path::new(&target).join("bench");
        self.report.write(&folder)?;
        eprintln!("plots and results.json are in {}", folder.display());
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
        self.in_turn(scenario, clients, contenders, length, 1.0, &[]).map(|_| ())
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
    ) -> Result<f64> {
        let mut turns = vec![Vec::new(); contenders.len()];
        for _ in 0..self.options.rounds {
            for (contender, turns) in contenders.iter().zip(&mut turns) {
                let mut client = self.server.connect("postgres");
                for statement in put_back {
                    client.batch_execute(statement)?;
                }
                turns.push(self.pgbench(scenario, clients, contender, "postgres", length)?);
            }
        }
        let medians: Vec<Measured> = turns.iter().map(|turns| Measured::median(turns)).collect();
        for (contender, turn) in contenders.iter().zip(&medians) {
            self.tell(Figure {
                scenario: scenario.to_owned(),
                clients,
                contender: contender.name.to_owned(),
                rate: each * turn.rate,
                ratio: medians[0].rate / turn.rate,
                latency: Some((turn.half, turn.most)),
            });
        }
        Ok(medians[0].rate)
    }

    fn pgbench(
        &self,
        scenario: &str,
        clients: u32,
        contender: &Contender,
        database: &str,
        length: Length,
    ) -> Result<Measured> {
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

    /// What pgbench has logged of each transaction, in microseconds; the logs are deleted.
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
                rates[n].push(self.pgbench("history", 1, &HISTORY, database, length)?.rate);
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
        self.tell(Figure {
            scenario: scenario.to_owned(),
            clients: clients.parse().unwrap_or(1),
            contender: contender.to_owned(),
            rate,
            ratio,
            latency: None,
        });
    }

    fn tell(&self, figure: Figure) {
        self.progress.suspend(|| Report::print(&figure));
        self.report.add(figure);
    }
}

impl Measured {
    /// Of latencies in microseconds, the shortest first.
    fn of(rate: f64, latencies: &[u64]) -> Measured {
        let millis = |part: usize| {
            let place = (latencies.len() * part / 100).min(latencies.len().saturating_sub(1));
            latencies.get(place).map_or(0.0, |micros| *micros as f64 / 1000.0)
        };
        Measured { rate, half: millis(50), most: millis(99) }
    }

    fn median(turns: &[Measured]) -> Measured {
        let of = |part: fn(&Measured) -> f64| median(&turns.iter().map(part).collect::<Vec<_>>());
        Measured { rate: of(|turn| turn.rate), half: of(|turn| turn.half), most: of(|turn| turn.most) }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
