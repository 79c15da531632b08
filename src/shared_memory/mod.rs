//! What lives beside the tables, in memory that the server's processes share: the counts of escrow pools and of
//! seats, the generations of definitions, the hint where free seats begin, the registry of databases. All of it may be lost
//! at any moment and is then read from the tables again.
//!
//! What must survive a crash belongs in `store`. What only wraps PostgreSQL, such as condition variables, belongs
//! in `server`.

mod counters;
pub mod escrow;
pub mod generations;
pub mod registry;
pub mod seat_count;
pub mod seat_hint;
pub mod versioned;
