//! How much of a pool is taken, if its row does not say so: what its holds add up to.

use super::add_up;
use super::statement::{Argument, Session, statement};
use crate::shared_memory::escrow;
use uuid::Uuid;

statement!(COUNT (TEXTOID)
    "select coalesce(sum(quantity), 0)::bigint from booking.holds
     where resource = $1 and state in ('held', 'confirmed') and during is null");

/// Adds up the holds of a pool as they are now, also in REPEATABLE READ and above.
pub fn count(session: &Session, name: &str) -> i64 {
    let arguments = [Argument::Text(Some(name))];
    COUNT.with(|statement| statement.run_now(session, &arguments).first().map_or(0, |row| row.need(1)))
}

/// Returns how much of an escrow pool is taken: what its count says or, if there is none in memory, what its holds
/// add up to. `may_store` says whether the sum may become the count.
pub fn taken(session: &Session, name: &str, id: Uuid, may_store: bool) -> i64 {
    counted(session, name, id, may_store).unwrap_or_else(|| count(session, name))
}

/// Returns the same, or `None` if there is no count in memory, and the caller cannot count at this moment.
pub fn counted(session: &Session, name: &str, id: Uuid, may_store: bool) -> Option<i64> {
    let store = |taken| escrow::store(id, taken);
    let can_store = || may_store && escrow::can_store(id);
    escrow::taken(id).or_else(|| add_up::keep(name, can_store(), || count(session, name), store))
}

/// Returns how much of a pool's version is not in its row, because what changed is counted in memory. Only the count of a
/// pool that moves is part of its version.
pub fn changes(id: Uuid, is_auto: bool) -> i64 {
    if is_auto { escrow::seen(id).map_or(0, |seen| seen.changes) } else { 0 }
}
