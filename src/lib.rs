//! `booking`: holds, confirmations and expiry inside PostgreSQL, so that nothing is booked twice.
//!
//! A call travels one way: `api` reads its arguments, `verbs` takes the locks in their order, `rules` decides,
//! `store` reads and writes, and an `outcome` goes back.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit
)]

// A lock is released, and a subtransaction rolled back, while an error of Rust's or PostgreSQL's unwinds.
#[cfg(not(panic = "unwind"))]
compile_error!("booking needs panics that unwind: build it with panic = \"unwind\"");

mod api;
#[cfg(feature = "pg_test")]
#[allow(unsafe_code, clippy::panic)]
mod backend_tests;
mod error;
mod limits;
mod outcome;
mod request;
mod rules;
mod server;
mod shared_memory;
mod store;
mod verbs;
mod worker;

pgrx::pg_module_magic!(name, version);

/// Tells pgrx about the schema that it puts functions into. `sql/schema.sql` creates it.
#[pgrx::pg_schema]
mod booking {}

pgrx::extension_sql_file!("../sql/schema.sql", name = "schema", bootstrap);
pgrx::extension_sql_file!("../sql/seats.sql", name = "seats", requires = ["schema"]);
pgrx::extension_sql_file!("../sql/waitlist.sql", name = "waitlist", requires = ["schema"]);
pgrx::extension_sql_file!("../sql/changes.sql", name = "changes", requires = ["schema"]);
pgrx::extension_sql_file!(
    "../sql/checks.sql",
    name = "checks",
    requires = ["schema", api::views::escrow_count]
);
pgrx::extension_sql_file!("../sql/require.sql", name = "require", requires = ["schema"]);
pgrx::extension_sql_file!(
    "../sql/views.sql",
    name = "views",
    requires = ["schema", api::views::worker_state, api::views::escrow_count]
);
pgrx::extension_sql_file!("../sql/grants.sql", name = "grants", requires = ["schema"]);
pgrx::extension_sql_file!("../sql/finish.sql", name = "finish", finalize);

/// Registers every module. The server calls this once in each process that loads the library: in the postmaster,
/// if the library is preloaded.
#[pgrx::pg_guard]
#[allow(unsafe_code, non_snake_case)]
pub extern "C-unwind" fn _PG_init() {
    server::backend::register();
    server::transaction::register();
    server::settings::register();
    server::condition_variables::register();
    server::commit_durability::register();
    shared_memory::generations::register();
    shared_memory::escrow::register();
    shared_memory::seat_count::register();
    shared_memory::seat_hint::register();
    shared_memory::versioned::register();
    worker::register();
}
