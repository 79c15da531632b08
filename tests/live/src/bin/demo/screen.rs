//! What the demo shows: bars and colours on a terminal, plain lines anywhere else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::crowd::{BUYERS, CONNECTIONS, Shop, TICKETS};
use crate::hotel::{self, Season};
use crate::venues::{self, Sale};
use crate::verdict::Verdict;

pub struct Progress(ProgressBar);

impl Progress {
    pub fn start(buyers: usize) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(buyers as u64), ProgressDrawTarget::stdout());
        let style = "  {bar:46.green/white.dim} {pos:>4}/{len} buyers  {elapsed:>3}";
        bar.set_style(ProgressStyle::with_template(style).expect("a valid template").progress_chars("━━─"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress(bar)
    }

    pub fn served(&self) {
        self.0.inc(1);
    }

    pub fn finish(&self) {
        self.0.finish();
        let shown = if self.0.is_hidden() { format!("  {BUYERS} buyers served\n") } else { "\n".to_owned() };
        println!("{shown}");
    }
}

fn paint(code: &str, text: &str) -> String {
    let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

pub fn opening() {
    println!("{TICKETS} tickets, {BUYERS} buyers, {CONNECTIONS} connections, one throw-away PostgreSQL.");
    println!("Some payments fail, some are reported twice, some come too late, some never.");
    println!("Usually half a minute.\n");
}

pub fn curtain<S: Shop>() {
    println!("{}", paint("1", S::TITLE));
    for line in S::WAYS {
        println!("  {}", paint("2", line));
    }
}

pub fn seats_curtain() {
    println!("\n{}", paint("1", "Act three: an aeroplane and a theatre, 200 buyers, the best seats"));
    for line in venues::WAYS {
        println!("  {}", paint("2", line));
    }
    println!();
}

pub fn calendar_curtain() {
    println!("\n{}", paint("1", "Act four: a hotel, a month, 100 guests who change their minds"));
    for line in hotel::WAYS {
        println!("  {}", paint("2", line));
    }
    println!();
}

pub fn table(usual: &Verdict, booked: &Verdict) {
    let line = "─".repeat(70);
    println!("{}", paint("1", &format!("{:<34}{:>18}{:>18}", "", "the usual way", "with booking")));
    println!("{line}");
    println!("{:<34}{:>18}{:>18}", format!("sold, of {TICKETS} tickets"), usual.sold, booked.sold);
    let fault = |what: &str, a: i64, b: i64| {
        println!("{what:<34}{}{}", figure(a), figure(b));
    };
    fault("oversold", usual.oversold, booked.oversold);
    fault("charged twice", usual.double_charged, booked.double_charged);
    fault("stuck: held or paid for nothing", usual.stuck, booked.stuck);
    let seconds = |verdict: &Verdict| format!("{:.1} s", verdict.seconds);
    println!("{:<34}{:>18}{:>18}", "the sale took", seconds(usual), seconds(booked));
    println!("{line}");
}

fn figure(count: i64) -> String {
    paint(if count == 0 { "32" } else { "1;31" }, &format!("{count:>18}"))
}

pub fn conclusion(usual: &Verdict, booked: &Verdict) -> bool {
    if booked.broken > 0 {
        println!("booking.check() or the orders disagree with the holds in {} places", booked.broken);
    }
    if !booked.is_clean() {
        println!("{}", paint("1;31", "booking let something through, which it must never do."));
    } else if usual.is_clean() {
        println!("This time even the usual way was lucky. Run it again.");
    } else {
        println!("Counted from the rows both shops left behind, not from what they believe.");
    }
    booked.is_clean()
}

/// The maps of the venues, side by side. They are redrawn in place on a terminal, and printed a few times anywhere
/// else.
pub struct Stage {
    drawn: usize,
    shown: usize,
}

impl Stage {
    pub fn open() -> Stage {
        Stage { drawn: 0, shown: 1 }
    }

    pub fn draw(&mut self, maps: &[(String, String)], elapsed: Duration) {
        if std::io::stdout().is_terminal() {
            self.redraw(maps);
        } else if elapsed.as_secs() as usize >= self.shown {
            // They are printed after one second, after two, and after four.
            self.shown *= 2;
            println!("  after {:.1} s", elapsed.as_secs_f64());
            self.redraw(maps);
        }
    }

    pub fn close(&mut self, maps: &[(String, String)], end: &str) {
        if !std::io::stdout().is_terminal() {
            println!("  {end}");
        }
        self.redraw(maps);
        println!();
    }

    fn redraw(&mut self, maps: &[(String, String)]) {
        if std::io::stdout().is_terminal() && self.drawn > 0 {
            print!("\x1b[{}A", self.drawn);
        }
        let lines = side_by_side(maps);
        for line in &lines {
            let clear = if std::io::stdout().is_terminal() { "\x1b[K" } else { "" };
            println!("  {}{clear}", colour_seats(line));
        }
        self.drawn = lines.len();
    }
}

/// Joins the maps side by side, with the legend, which is the last line of each, once.
fn side_by_side(maps: &[(String, String)]) -> Vec<String> {
    let columns: Vec<Vec<String>> = maps
        .iter()
        .map(|(name, map)| {
            let mut lines: Vec<String> = map.lines().map(str::to_owned).collect();
            lines.pop();
            lines.insert(0, format!("  {name}"));
            lines
        })
        .collect();
    let legend = maps.first().and_then(|(_, map)| map.lines().last()).unwrap_or_default().to_owned();
    let height = columns.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column: &[String]| column.iter().map(|line| line.chars().count()).max().unwrap_or_default() + 4;
    let row = |n: usize| {
        let cell =
            |column: &Vec<String>| format!("{:<1$}", column.get(n).map_or("", String::as_str), width(column));
        columns.iter().map(cell).collect::<String>().trim_end().to_owned()
    };
    (0..height).map(row).chain([legend]).collect()
}

fn colour_seats(line: &str) -> String {
    let colour = |sign: &str| match sign {
        "o" => paint("33", sign),
        "#" => paint("32", sign),
        _ => sign.to_owned(),
    };
    line.split(' ').map(colour).collect::<Vec<_>>().join(" ")
}

pub fn seats_sold(sale: &Sale, clean: bool) {
    println!(
        "{} seats, sold in {:.1} s to {} parties, {} of them side by side.",
        sale.seats, sale.seconds, sale.parties, sale.side_by_side
    );
    let verdict =
        format!("{} sold, {} unsold, {} broken rules.", sale.sold, sale.seats - sale.sold, sale.broken);
    println!("{}", paint(if clean { "32" } else { "1;31" }, &verdict));
}

pub fn nights_booked(season: &Season, rooms: i64, clean: bool) {
    println!("{} nights booked in {:.1} s.", season.nights, season.seconds);
    let verdict = format!(
        "{} rooms, {} taken in the fullest night, {} nights overbooked, {} broken rules.",
        rooms, season.most, season.over, season.broken
    );
    println!("{}", paint(if clean { "32" } else { "1;31" }, &verdict));
}
