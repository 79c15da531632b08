//! What a turn came to.

#[derive(Clone, Copy)]
pub struct Measured {
    pub rate: f64,
    /// In milliseconds: half of the calls took no longer, and 99 of 100.
    pub half: f64,
    pub most: f64,
}

impl Measured {
    /// Of latencies in microseconds, the shortest first.
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
