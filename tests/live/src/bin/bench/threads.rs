//! Contenders that are more than SQL: each client is a thread with connections of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Measured;

/// Lets a number of clients buy for a number of seconds.
pub fn drive<C: Send>(
    clients: u32,
    seconds: u32,
    connect: impl Fn(u32) -> Result<C>,
    turn: impl Fn(&mut C) -> Result<()> + Sync,
) -> Result<Measured> {
    let over = AtomicBool::new(false);
    let connected = (0..clients).map(connect).collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    let mut latencies = std::thread::scope(|scope| {
        let (over, turn) = (&over, &turn);
        let threads: Vec<_> = connected
            .into_iter()
            .map(|mut client| {
                scope.spawn(move || {
                    let mut latencies = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        turn(&mut client)?;
                        latencies.push(begun.elapsed());
                    }
                    anyhow::Ok(latencies)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(seconds.into()));
        over.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().expect("a client")?);
        }
        anyhow::Ok(all)
    })?;
    let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let micros = latencies.iter().map(|latency| latency.as_micros() as u64).collect::<Vec<_>>();
    Ok(Measured::of(rate, &micros))
}
