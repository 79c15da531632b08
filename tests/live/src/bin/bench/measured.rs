//! The result of one run of a contender.

#[derive(Clone, Copy)]
pub struct Measured {
    pub rate: f64,
    /// The median and the 99th percentile of the latency, in milliseconds.
    pub half: f64,
    pub most: f64,
}

impl Measured {
    /// Returns the percentiles of sorted latencies, which are in microseconds.
    pub fn of(rate: f64, latencies: &[u64]) -> Measured {
        let millis = |part: usize| {
            let place = (latencies.len() * part / 100).min(latencies.len().saturating_sub(1));
            latencies.get(place).map_or(0.0, |micros| *micros as f64 / 1000.0)
        };
        Measured { rate, half: millis(50), most: millis(99) }
    }

    pub fn median(turns: &[Measured]) -> Measured {
        let of = |part: fn(&Measured) -> f64| median(&turns.iter().map(part).collect::<Vec<_>>());
        Measured { rate: of(|turn| turn.rate), half: of(|turn| turn.half), most: of(|turn| turn.most) }
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
