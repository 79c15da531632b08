//! Checks of the source text: who imports whom, where SQL and unsafe code stand, how long things are, which
//! words are used.
//!
//! A check reads files and returns findings; it starts no server and compiles nothing. What the house wants
//! is in [`house`], in tables, one sentence for each row. To change a rule, change its table there and say
//! why.
//!
//! A check never edits a file, and never looks at `tests/`.

pub mod circles;
mod findings;
pub mod hashers;
pub mod house;
pub mod layers;
mod model;
pub mod purity;
pub mod rooms;
pub mod sizes;
mod source;
pub mod statements;
mod tokens;
pub mod unsafe_code;
pub mod vocabulary;

pub use findings::{Finding, report};
pub use model::Tree;
pub use source::{Source, read, repository};
