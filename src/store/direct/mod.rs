//! Rows that are read and written without a statement.
//!
//! A statement of one row that is found by its key costs PostgreSQL ten times what the row costs: it starts an
//! executor, looks up the table's checks again and parses them, and opens every index. Here the storage manager and
//! the indexes are called as the executor calls them, with a description of the table that each process keeps (see
//! `shape`).
//!
//! Only the plain case is done here. Wherever a table is not as the extension created it, or a row turns out to be
//! locked, changed meanwhile, or refused by a constraint, nothing is written, and the caller gets `None`. It then
//! runs the statement that stands beside the call. So the statement decides whatever is not plain, and says what the
//! plain case must do. What belongs here is how a row is written; what is written is decided by the callers.

mod expressions;
mod indexes;
pub mod rows;
mod search;
mod shape;
mod table;
mod triggers;
mod write;

pub use rows::{Row, Set};
pub use search::Key;
pub use table::Table;
pub(super) use table::table;
pub use write::RowLock;

/// What the tests of a backend look at.
#[cfg(feature = "pg_test")]
pub use {shape::Decline, table::Purpose, write::WRITTEN};
