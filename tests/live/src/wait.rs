//! Waits for what another process does, without guessing how long it takes.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Long enough for the slowest machine, and short enough to fail within a CI run.
pub const BOUND: Duration = Duration::from_secs(60);

/// Observes until `good` accepts what it sees, and returns that. Panics after a minute, with what it saw last.
#[track_caller]
pub fn wait_until<T: Debug>(what: &str, mut observe: impl FnMut() -> T, good: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + BOUND;
    loop {
        let seen = observe();
        if good(&seen) {
            return seen;
        }
        if Instant::now() > deadline {
            panic!("waited {} s for {what}; last seen: {seen:?}", BOUND.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
