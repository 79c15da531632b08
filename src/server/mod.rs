//! What PostgreSQL gives an extension, wrapped once: the process and its transactions, the clock, the settings,
//! time zones, condition variables, the commit. No rule of booking, no statement and no knowledge of what a
//! table's rows mean belongs here.

pub mod backend;
pub mod caught_error;
pub mod clock;
pub mod commit_durability;
pub mod condition_variables;
pub mod hash;
pub mod installed;
pub mod search_path;
pub mod settings;
pub mod transaction;
pub mod versions;
pub mod wal_timeline;
pub mod zones;
