//! What is taken of a resource is added up for a look, and kept for those who look next.

use super::locks::LockWaitPolicy;
use super::locks::heavyweight::{self, LockMode};

/// If nobody is changing a resource at this moment, adds up what is taken of it, stores the sum for those who look next,
/// and returns it. While others take and give back, the sum would miss what they have not committed. Nobody should wait for
/// a look, and a look should wait for nobody.
pub fn keep(
    resource: &str,
    can_store: bool,
    add_up: impl FnOnce() -> i64,
    store: impl FnOnce(i64),
) -> Option<i64> {
    let lock = || heavyweight::lock_resource(resource, LockMode::Exclusive, LockWaitPolicy::NoWait);
    let lock = can_store.then(lock).and_then(Result::ok)?;
    let taken = add_up();
    store(taken);
    lock.release();
    Some(taken)
}
