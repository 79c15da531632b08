//! The results: as a table, as JSON for a program, and as plots.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;
use serde_json::{Value, json};

/// The result of one contender in one scenario.
#[derive(Clone, Debug)]
pub struct Figure {
    pub scenario: String,
    pub clients: u32,
    pub contender: String,
    /// The rate per second.
    pub rate: f64,
    /// How many times as fast the first contender of the scenario is.
    pub ratio: f64,
    /// The median and the 99th percentile of the latency in milliseconds, if it was measured.
    pub latency: Option<(f64, f64)>,
}

#[derive(Default)]
pub struct Report(RefCell<Vec<Figure>>);

const COLOURS: [RGBColor; 12] = [
    RGBColor(200, 30, 30),
    RGBColor(30, 30, 30),
    RGBColor(40, 90, 200),
    RGBColor(30, 140, 60),
    RGBColor(200, 120, 0),
    RGBColor(130, 60, 180),
    RGBColor(0, 150, 170),
    RGBColor(150, 100, 60),
    RGBColor(120, 120, 120),
    RGBColor(220, 90, 160),
    RGBColor(120, 150, 20),
    RGBColor(90, 190, 230),
];

impl Report {
    pub fn add(&self, figure: Figure) {
        self.0.borrow_mut().push(figure);
    }

    pub fn print_head() {
        println!("| scenario | clients | contender | a second | booking is | half within | 99 % within |");
        println!("| --- | ---: | --- | ---: | ---: | ---: | ---: |");
    }

    pub fn print(figure: &Figure) {
        let Figure { scenario, clients, contender, rate, ratio, latency } = figure;
        let millis = |time: f64| format!("{time:.2} ms");
        let (half, most) = latency.map_or_else(Default::default, |(half, most)| (millis(half), millis(most)));
        println!("| {scenario} | {clients} | {contender} | {rate:.0} | {ratio:.2} × | {half} | {most} |");
    }

    /// Writes `results.json`, and a plot for each scenario that was measured with several numbers of clients.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let figures = self.0.borrow();
        let rows: Vec<Value> = figures
            .iter()
            .map(|figure| {
                json!({
                    "scenario": figure.scenario, "clients": figure.clients, "contender": figure.contender,
                    "per_second": figure.rate, "booking_is": figure.ratio,
                    "p50_ms": figure.latency.map(|(half, _)| half), "p99_ms": figure.latency.map(|(_, most)| most),
                })
            })
            .collect();
        std::fs::write(folder.join("results.json"), serde_json::to_string_pretty(&rows)?)?;
        let scenarios: BTreeSet<&str> = figures.iter().map(|figure| figure.scenario.as_str()).collect();
        for scenario in scenarios {
            let of_it: Vec<&Figure> = figures.iter().filter(|figure| figure.scenario == scenario).collect();
            let clients: BTreeSet<u32> = of_it.iter().map(|figure| figure.clients).collect();
            if clients.len() > 1 {
                let words = scenario.split(|letter: char| !letter.is_ascii_alphanumeric());
                let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
                plot(&folder.join(format!("{name}.svg")), scenario, &of_it, &clients)?;
            }
        }
        Ok(())
    }
}

/// Plots throughput on the left and latency on the right: the median as a line, the 99th percentile as a thin one.
fn plot(path: &Path, scenario: &str, figures: &[&Figure], clients: &BTreeSet<u32>) -> Result<()> {
    let area = SVGBackend::new(path, (1100, 460)).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.titled(scenario, ("sans-serif", 22))?.split_horizontally(550);
    let least = clients.first().copied().unwrap_or(1);
    let most = clients.last().copied().unwrap_or(1).max(least + 1);
    let mut names: Vec<&str> = Vec::new();
    for figure in figures {
        if !names.contains(&figure.contender.as_str()) {
            names.push(&figure.contender);
        }
    }
    let top = figures.iter().map(|figure| figure.rate).fold(1.0, f64::max) * 1.1;
    let mut rates = ChartBuilder::on(&left)
        .margin(10)
        .x_label_area_size(35)
        .y_label_area_size(60)
        .build_cartesian_2d((least..most).log_scale(), 0.0..top)?;
    rates
        .configure_mesh()
        .x_desc("clients")
        .y_desc("a second")
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    let latencies = || figures.iter().filter_map(|figure| figure.latency);
    let low = latencies().map(|(half, _)| half).fold(f64::MAX, f64::min).clamp(0.01, 10.0);
    let high = latencies().map(|(_, most)| most).fold(low * 10.0, f64::max) * 1.2;
    let mut times = ChartBuilder::on(&right)
        .margin(10)
        .x_label_area_size(35)
        .y_label_area_size(60)
        .build_cartesian_2d((least..most).log_scale(), (low..high).log_scale())?;
    times
        .configure_mesh()
        .x_desc("clients")
        .y_desc("milliseconds: half, and 99 of 100 (thin)")
        .light_line_style(WHITE)
        .draw()?;
    for (name, colour) in names.iter().zip(COLOURS.iter().cycle()) {
        let of_it = || figures.iter().filter(|figure| figure.contender == *name);
        let line =
            LineSeries::new(of_it().map(|figure| (figure.clients, figure.rate)), colour.stroke_width(2));
        let legend = *colour;
        rates
            .draw_series(line)?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], legend.stroke_width(2)));
        let timed = || of_it().filter_map(|figure| Some((figure.clients, figure.latency?)));
        let half = timed().map(|(clients, (half, _))| (clients, half));
        times.draw_series(LineSeries::new(half, colour.stroke_width(2)))?;
        let most = timed().map(|(clients, (_, most))| (clients, most));
        times.draw_series(LineSeries::new(most, colour.stroke_width(1)))?;
    }
    let background = WHITE.mix(0.85);
    rates
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(background)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}
