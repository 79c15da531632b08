//! Garbage collection in the background: a launcher, and a one-shot sweeper for each database that
//! has something due.
//!
//! Nothing depends on it. A hold ends at its time, swept or not; what is swept is only the row
//! that still says "held", and with it the room that a resource short of it would free itself.

mod launcher;
mod signals;
mod status;
mod sweeper;

pub use status::status;

use crate::server::backend;
use crate::shared_memory::registry;

/// Reserves the shared memory and registers the launcher, where the library is preloaded.
pub fn register() {
    if backend::is_preloaded() {
        registry::reserve();
        launcher::register();
    }
}
