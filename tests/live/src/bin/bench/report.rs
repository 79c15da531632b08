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

/// What a plot shows of a scenario.
struct Curves<'a> {
    figures: &'a [&'a Figure],
    clients: Vec<u32>,
    /// The contenders, in the order in which they were measured, each with its colour.
    contenders: Vec<(&'a str, RGBColor)>,
}

impl<'a> Curves<'a> {
    fn new(figures: &'a [&'a Figure], clients: &BTreeSet<u32>) -> Curves<'a> {
        let mut names: Vec<&str> = Vec::new();
        for figure in figures {
            if !names.contains(&figure.contender.as_str()) {
                names.push(&figure.contender);
            }
        }
        let contenders = names.into_iter().zip(COLOURS.into_iter().cycle()).collect();
        Curves { figures, clients: clients.iter().copied().collect(), contenders }
    }

    /// The numbers of clients stand side by side, at equal distances: a logarithmic axis has labels everywhere but
    /// where something was measured.
    fn x(&self, clients: u32) -> f64 {
        self.clients.iter().position(|number| *number == clients).unwrap_or(0) as f64
    }

    fn x_range(&self) -> std::ops::Range<f64> {
        0.0..(self.clients.len() - 1) as f64
    }

    fn x_label(&self, x: f64) -> String {
        self.clients.get(x.round() as usize).map(u32::to_string).unwrap_or_default()
    }

    fn points(&self, contender: &str, y: impl Fn(&Figure) -> Option<f64>) -> Vec<(f64, f64)> {
        let of_it = self.figures.iter().filter(|figure| figure.contender == contender);
        of_it.filter_map(|figure| Some((self.x(figure.clients), y(figure)?))).collect()
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Plots throughput on the left and latency in the middle: the median as a line, the 99th percentile as a thin one. The
/// legend stands beside them, where it hides no curve.
fn plot(path: &Path, scenario: &str, figures: &[&Figure], clients: &BTreeSet<u32>) -> Result<()> {
    let curves = Curves::new(figures, clients);
    let area = SVGBackend::new(path, (1300, 460)).into_drawing_area();
    area.fill(&WHITE)?;
    let (charts, legend) = area.titled(scenario, ("sans-serif", 22))?.split_horizontally(1080);
    let (left, right) = charts.split_horizontally(540);
    plot_rates(&left, &curves)?;
    plot_latencies(&right, &curves)?;
    for (n, (name, colour)) in curves.contenders.iter().enumerate() {
        let y = 30 + 24 * n as i32;
        legend.draw(&PathElement::new([(5, y), (30, y)], colour.stroke_width(3)))?;
        legend.draw(&Text::new(*name, (38, y - 7), ("sans-serif", 14)))?;
    }
    area.present()?;
    Ok(())
}

fn plot_rates(area: &Area, curves: &Curves) -> Result<()> {
    let top = curves.figures.iter().map(|figure| figure.rate).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(35)
        .y_label_area_size(60)
        .build_cartesian_2d(curves.x_range(), 0.0..top)?;
    chart
        .configure_mesh()
        .x_labels(curves.clients.len())
        .x_label_formatter(&|x| curves.x_label(*x))
        .x_desc("clients")
        .y_desc("a second")
        .y_label_formatter(&|rate| format!("{rate:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (name, colour) in &curves.contenders {
        let points = curves.points(name, |figure| Some(figure.rate));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
    }
    Ok(())
}

fn plot_latencies(area: &Area, curves: &Curves) -> Result<()> {
    let latencies = || curves.figures.iter().filter_map(|figure| figure.latency);
    let low = latencies().map(|(half, _)| half).fold(f64::MAX, f64::min).clamp(0.01, 10.0) / 1.2;
    let high = latencies().map(|(_, most)| most).fold(low * 10.0, f64::max) * 1.2;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(35)
        .y_label_area_size(60)
        .build_cartesian_2d(curves.x_range(), (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(curves.clients.len())
        .x_label_formatter(&|x| curves.x_label(*x))
        .x_desc("clients")
        .y_labels(12)
        .y_label_formatter(&|time| if *time < 1.0 { format!("{time:.2}") } else { format!("{time:.0}") })
        .y_desc("milliseconds: half, and 99 of 100 (thin)")
        .light_line_style(WHITE)
        .draw()?;
    for (name, colour) in &curves.contenders {
        let half = curves.points(name, |figure| Some(figure.latency?.0));
        chart.draw_series(LineSeries::new(half, colour.stroke_width(2)))?;
        let most = curves.points(name, |figure| Some(figure.latency?.1));
        chart.draw_series(LineSeries::new(most, colour.stroke_width(1)))?;
    }
    Ok(())
}
