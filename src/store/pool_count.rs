//! What the holds of a pool add up to.

use super::statement::{Argument, Session, statement};
use crate::shared_memory::escrow;
use uuid::Uuid;

statement!(COUNT (TEXTOID)
    "select coalesce(sum(quantity), 0)::bigint from booking.holds
     where resource = $1 and state in ('held', 'confirmed') and during is null");

/// What the holds of a pool add up to now, whatever the transaction's snapshot shows.
pub fn count(session: &Session, name: &str) -> i64 {
    let arguments = [Argument::Text(Some(name))];
    COUNT.with(|statement| statement.run_now(session, &arguments).first().map_or(0, |row| row.need(1)))
}

/// How much is taken of an escrow pool.
pub fn taken(session: &Session, name: &str, id: Uuid) -> i64 {
    escrow::taken(id).unwrap_or_else(|| count(session, name))
}
