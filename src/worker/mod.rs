//! The background worker: a launcher, and a one-shot sweeper for each database in which something is due. What a
//! sweep does belongs in `verbs`, and what the processes share in `shared_memory`.
//!
//! No answer depends on the worker. A hold ends when its time to live ends, swept or not. A sweep only updates
//! rows that still say "held"; a verb that needs their room reclaims it without the worker.

mod launcher;
mod signals;
mod status;
mod sweeper;

pub use status::status;

use crate::server::backend;
use crate::shared_memory::registry;

/// Reserves the shared memory and registers the launcher, if the library is preloaded.
pub fn register() {
    if backend::is_preloaded() {
        registry::reserve();
        launcher::register();
    }
}
