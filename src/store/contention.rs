//! Pools whose count moves (`contention => 'auto'`). It is in the pool's row while few want the pool, and in shared memory,
//! as that of an escrow pool, while many wait for the row.
//!
//! The transaction that moves it has the resource lock in exclusive mode, so that no other takes from the pool meanwhile,
//! and writes the row. If that is rolled back, the row says what it said before, and its count is where it was: each
//! move to shared memory makes a count with a new id, and a count that no row names is never asked again.
//!
//! **The version.** Each hold raises it, wherever the pool is counted. In shared memory it is the row's version and how
//! often the count has changed since. The move back writes the sum. If the count is lost (a crash, a restored dump, too
//! little memory, a prepared transaction), nobody knows the sum. Then the version becomes higher than any that a caller
//! can have seen.

use super::definitions;
use super::locks::snapshot;
use super::pool_count;
use super::pools::{self, CachedPool};
use super::resources::{self, Kind};
use super::statement::Session;
use crate::rules::Micros;
use crate::rules::pool::{Contention, version_after_loss};
use crate::server::clock;
use crate::shared_memory::escrow::{self, Entered};
use crate::shared_memory::versioned;
use uuid::Uuid;

/// How many other transactions must wait for a pool before its count moves to shared memory.
pub const MIN_WAITERS: usize = 3;
/// How much must be left of the pool for that, and how little makes the count move back.
///
/// In shared memory, two transactions that each have one of the last two places and each want another would wait for each
/// other. In its row the pool belongs to one of them, until it has all it wants. And the last places go to those who came
/// first.
const MANY: i64 = 64;
const FEW: i64 = 32;
/// How long the count must have stayed the same before it moves back, in microseconds.
const QUIET: Micros = 10_000_000;

/// Moves the count of a pool to shared memory and enters it. The caller has the resource lock in exclusive mode, and keeps
/// it until its transaction ends. Returns false if the count stays in the row.
///
/// A pool with a waitlist, or that is closed, gains nothing. One whose version a caller has expected lately stays in its
/// row, because each such call would move the count back.
pub fn move_to_memory(session: &Session, name: &str) -> bool {
    if !escrow::is_possible() || snapshot::is_repeatable_read() || versioned::is_recent(name) {
        return false;
    }
    let Some(found) = resources::read_now(session, name) else { return false };
    let can_move = found.kind == Kind::Pool
        && found.contention == Contention::Auto
        && found.escrow.is_none()
        && found.pool.open
        && found.waiting == 0
        && found.pool.free() >= MANY;
    let id = Uuid::now_v7();
    can_move
        && escrow::count(id, found.pool.taken) == Entered::Yes
        && definitions::count_in_memory(session, name, id, found.pool.taken).is_some()
}

/// Moves the count of a pool back to its row. The caller has the resource lock in exclusive mode, and keeps it until its
/// transaction ends. Returns false if the count is not in shared memory.
pub fn move_to_row(session: &Session, name: &str) -> bool {
    let Some(CachedPool { escrow: Some(id), is_auto: true, .. }) = pools::cached(session, name) else {
        return false;
    };
    let Some(found) = resources::read_now(session, name) else { return false };
    let taken = pool_count::taken(session, name, id, false);
    let version = match escrow::seen(id) {
        Some(seen) => found.pool.version + seen.changes,
        None => version_after_loss(found.pool.version, clock::now().micros()),
    };
    definitions::count_in_row(session, name, id, taken, version).is_some()
}

/// Returns whether the count of a pool should move back to its row: nobody has taken from it for a while, or little is
/// left. A transaction that has some of the pool stays with those that have, too, since they would wait for each other.
pub fn should_be_in_row(pool: &CachedPool) -> bool {
    let Some(id) = pool.escrow.filter(|_| pool.is_auto && !snapshot::is_repeatable_read()) else {
        return false;
    };
    escrow::seen(id).is_some_and(|seen| {
        !seen.has_own && (pool.most - seen.taken < FEW || seen.changed_at.after(QUIET) < clock::now())
    })
}
