//! Waiting for what another process does, without guessing how long it takes.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Long enough for the slowest machine, short enough to fail inside a CI run.
pub const BOUND: Duration = Duration::from_secs(60);

/// Observes again and again until what it sees is `good`, and hands that back. After a minute it
/// panics with what it saw last.
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
