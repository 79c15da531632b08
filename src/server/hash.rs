//! PostgreSQL's own hash of bytes.
//!
//! Rust's `DefaultHasher` may change with the compiler. Two builds of the library can be loaded in one server:
//! somebody installs it again while old sessions go on. Both builds must agree on which lock a name stands for.
#![allow(unsafe_code)]

use super::backend;

// SAFETY: the server exports this function with these types since version 13.
unsafe extern "C-unwind" {
    /// The function that `hashtextextended` calls for a text of a deterministic collation. It is not among pgrx's
    /// bindings.
    fn hash_bytes_extended(bytes: *const u8, length: i32, seed: u64) -> u64;
}

/// Hashes several parts, each with the hash of the parts before it as its seed. For one text, returns what
/// `hashtextextended(text collate "C", 0)` returns.
pub fn hash(parts: &[&[u8]]) -> u64 {
    parts.iter().fold(0, |seed, part| {
        // SAFETY: reads as many bytes as the slice has; names and keys are far shorter than 2 GiB.
        unsafe { hash_bytes_extended(part.as_ptr(), part.len() as i32, seed) }
    })
}

/// Returns which of `count` entries in shared memory a name in this database uses.
pub fn bucket(name: &str, count: usize) -> usize {
    let database = u64::from(backend::this_database().to_u32());
    ((hash(&[name.as_bytes()]) ^ database) % count as u64) as usize
}
