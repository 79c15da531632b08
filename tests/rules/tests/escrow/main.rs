//! The counts of escrow pools: every interleaving of a few transactions, and long random lives of many.

mod model;
mod random;
mod shared;
