//! Throw-away PostgreSQL servers with the extension in them. The tests of concurrency, crashes and clients use
//! them, and so do the demo, the benchmark and `make psql`.

mod answer;
pub mod everything;
mod persistent;
pub mod server;
mod tree;
mod wait;

pub use answer::{Answer, ask, ask_each};
pub use persistent::{Caller, Told, clock};
pub use server::{Builder, Server, Shutdown, Worker, backend_pid, in_background, join, pipe};
pub use tree::Tree;
pub use wait::{BOUND, wait_until};
