//! What is taken of a resource is added up for a look, and kept for those who look next.

use super::locks::LockWaitPolicy;
use super::locks::heavyweight::{self, LockMode};

/// Adds up what is taken of a resource for a look, unless it is known well enough. If nobody is changing it at this moment, stores the sum for those who
/// look next: while others take and give back, the sum would miss what they have not committed. Nobody should wait for a
/// look, and a look should wait for nobody.
pub fn alone(
    resource: &str,
    known: Option<i64>,
    can_store: bool,
    add_up: impl FnOnce() -> i64,
    store: impl FnOnce(i64),
) -> i64 {
    let lock = || heavyweight::lock_resource(resource, LockMode::Exclusive, LockWaitPolicy::NoWait);
    let lock = can_store.then(lock).and_then(Result::ok);
    if let (Some(known), None) = (known, &lock) {
        return known;
    }
    let taken = add_up();
    if let Some(lock) = lock {
        store(taken);
        lock.release();
    }
    taken
}
