//! Measures how fast the extension is, against what teams write by hand: in one run, on one server, in turn.
//!
//!     bench [--seconds N] [--rounds N] [--history ROWS] [--only PART]
//!
//! Prints a table, and writes `target/bench/results.json` and a plot of each scenario beside it.

mod baskets;
mod calendars;
mod escrow;
mod leases;
mod lives;
mod looks;
mod measured;
mod mistakes;
mod pgbench;
mod pools;
mod redis_server;
mod report;
mod scripts;
mod seats;
mod services;
mod shop;
mod threads;
mod zookeeper;

use std::cell::Cell;

use anyhow::{Context, Result, bail};
use booking_live::{Server, Worker};
use indicatif::{ProgressBar, ProgressStyle};
use measured::{Measured, median};
use report::{Figure, Report};
use scripts::Contender;

struct Options {
    seconds: u32,
    rounds: usize,
    history: u64,
    only: Option<&'static Part>,
}

/// The parts that can be measured alone.
struct Part {
    name: &'static str,
    /// The number of runs of all contenders in the part, for the progress bar.
    turns: usize,
    measure: fn(&Bench) -> Result<()>,
}

static PARTS: [Part; 8] = [
    Part { name: "pools", turns: pools::TURNS, measure: Bench::pools },
    Part { name: "escrow", turns: escrow::TURNS, measure: Bench::escrow },
    Part { name: "looks", turns: looks::TURNS, measure: Bench::looks },
    Part { name: "lives", turns: lives::TURNS, measure: Bench::lives },
    Part { name: "baskets", turns: baskets::TURNS, measure: Bench::baskets },
    Part { name: "seats", turns: seats::TURNS, measure: Bench::seats },
    Part { name: "calendars", turns: calendars::TURNS, measure: Bench::calendars },
    Part { name: "leases", turns: leases::TURNS, measure: Bench::leases },
];

struct Bench {
    server: Server,
    options: Options,
    progress: ProgressBar,
    report: Report,
    /// The `synchronous_commit` of the sessions that are measured.
    commits: Cell<&'static str>,
    has_neveroversell: bool,
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
    let parts: Vec<&Part> = options.only.map_or_else(|| PARTS.iter().collect(), |only| vec![only]);
    let turns: usize = parts.iter().map(|part| part.turns).sum();
    let progress = ProgressBar::new((turns * options.rounds) as u64);
    progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}")?);
    let mut bench = Bench {
        server,
        options,
        progress,
        report: Report::default(),
        commits: Cell::new("on"),
        has_neveroversell: false,
    };
    bench.load(include_str!("rivals.sql"), "postgres")?;
    bench.load_neveroversell()?;
    bench.run(&parts)
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
            "--only" => {
                let names = PARTS.each_ref().map(|part| part.name).join(", ");
                let part = PARTS.iter().find(|part| part.name == value);
                options.only = Some(part.with_context(|| format!("--only is one of {names}"))?);
            }
            _ => bail!("no such option: {argument}"),
        }
    }
    Ok(options)
}

impl Bench {
    fn run(&self, parts: &[&Part]) -> Result<()> {
        Report::print_head();
        for part in parts {
            (part.measure)(self)?;
        }
        self.progress.finish_and_clear();
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let folder = std::path::Path::new(&target).join("bench");
        self.report.write(&folder)?;
        eprintln!("plots and results.json are in {}", folder.display());
        Ok(())
    }

    /// Creates the tables and functions of the rivals.
    fn load(&self, sql: &str, database: &str) -> Result<()> {
        self.server.try_load(database, sql).context("the rivals could not be set up")
    }

    /// Creates what neveroversell needs, if `scripts/fetch-rivals` has brought it.
    fn load_neveroversell(&mut self) -> Result<()> {
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rivals/neveroversell.sql");
        let Ok(sql) = std::fs::read_to_string(&file) else {
            eprintln!("neveroversell is left out: {} does not exist", file.display());
            return Ok(());
        };
        self.load(&sql, "postgres")?;
        self.server.psql("select count(nos_upsert_resource(name, 1000000000)) from rival.resources");
        self.has_neveroversell = true;
        Ok(())
    }

    /// Returns the contenders, and neveroversell as the last one if it is there.
    fn with_neveroversell(&self, contenders: &[Contender], its: Contender) -> Vec<Contender> {
        let mut all = contenders.to_vec();
        all.extend(self.has_neveroversell.then_some(its));
        all
    }

    /// Opens a session with the `synchronous_commit` that is measured.
    fn session(&self) -> Result<postgres::Client> {
        let mut config = self.server.config("postgres");
        config.options(&format!("-c synchronous_commit={}", self.commits.get()));
        Ok(config.connect(postgres::NoTls)?)
    }

    fn row(&self, scenario: &str, contender: &str, rate: f64, ratio: f64) {
        let (scenario, contender) = (scenario.to_owned(), contender.to_owned());
        self.tell(Figure { scenario, clients: 1, contender, rate, ratio, latency: None });
    }

    fn tell(&self, figure: Figure) {
        self.progress.suspend(|| Report::print(&figure));
        self.report.add(figure);
    }
}
