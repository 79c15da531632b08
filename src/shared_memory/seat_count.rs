//! How many seats of a hall have an owner, for those who look.
//!
//! The seats themselves say who has them, and no verb decides by this count. But to add them up takes milliseconds in
//! a large hall, and shops look a hundred times for each hold. So a look that had to add them up keeps the sum here,
//! and each transaction that takes or frees seats adds to it. It is the same count as an escrow pool's, under the same
//! locks: who changes seats has the resource lock in share mode, and who adds them up has it in exclusive mode.
//!
//! A verb never waits or fails for the sake of this count. What cannot be noted retires the count, and the next look
//! adds up again.

use super::escrow;
use crate::rules::Micros;
use crate::rules::escrow::{Key, Taken};
use crate::server::backend::{self, is_preloaded};
use crate::server::clock;
use crate::server::transaction::{self, TransactionEvent};
use std::cell::RefCell;
use uuid::Uuid;

/// For how long a sum is kept, in microseconds, if somebody looks when nobody changes the seats.
const LIFETIME: Micros = 60_000_000;

std::thread_local! {
    /// The halls whose seats this transaction has changed while nobody counted them.
    static CHANGED: RefCell<Vec<Key>> = const { RefCell::new(Vec::new()) };
}

/// Notes that this transaction gives `quantity` seats an owner, or frees as many if it is negative. The caller has the
/// resource lock.
pub fn change(resource: &str, quantity: i64) {
    if quantity == 0 || !is_preloaded() {
        return;
    }
    let key = key(resource);
    let by = escrow::by(escrow::transaction(), 1);
    let changed = escrow::change_by(by, |own, ledger, by| match quantity {
        ..0 => own.give(ledger, &key, by, -quantity),
        _ => own.take(ledger, &key, by, quantity, i64::MAX),
    });
    match changed {
        Taken::Yes { .. } => {}
        Taken::Outside => CHANGED.with_borrow_mut(|changed| changed.push(key)),
        Taken::NoRoom | Taken::Short { .. } => forget(resource),
    }
}

/// How many seats have an owner, as this transaction sees it.
#[derive(Clone, Copy)]
pub struct Counted {
    pub taken: i64,
    /// Whether they should be added up again if that keeps nobody waiting. A change by other means than the extension's
    /// functions is noticed like this.
    pub is_old: bool,
}

/// Returns `None` if nobody has counted the seats.
pub fn counted(resource: &str) -> Option<Counted> {
    if !is_preloaded() {
        return None;
    }
    let seen = escrow::seen_under(&key(resource))?;
    // A sum would contain what this transaction itself has changed, and may yet be rolled back.
    let is_old = !seen.has_own && seen.counted_at.after(LIFETIME) < clock::now();
    Some(Counted { taken: seen.taken, is_old })
}

/// Returns whether this transaction may add up the seats and store the sum: its own changes, which may be rolled back,
/// must not be in it.
pub fn can_store(resource: &str) -> bool {
    escrow::can_count() && CHANGED.with_borrow(|changed| !changed.contains(&key(resource)))
}

/// Stores how many seats have an owner. The caller has added them up, with the resource lock in exclusive mode.
pub fn store(resource: &str, taken: i64) {
    escrow::store_under(&key(resource), taken);
}

/// Makes the next look add up the seats again.
pub fn forget(resource: &str) {
    if is_preloaded() {
        let key = key(resource);
        escrow::with_ledger(|ledger| {
            if let Some(account) = ledger.find(&key) {
                ledger.retire(account);
            }
        });
        CHANGED.with_borrow_mut(|changed| changed.push(key));
    }
}

/// Registers the listener for the ends of transactions.
pub fn register() {
    transaction::listen(on_event);
}

fn on_event(event: TransactionEvent) {
    if let TransactionEvent::Ended { .. } = event {
        CHANGED.with_borrow_mut(Vec::clear);
    }
}

/// The key of a hall's count. The ledger looks at its second half first, so that must differ from hall to hall.
fn key(resource: &str) -> Key {
    Key {
        database: backend::this_database().to_u32(),
        file: backend::table(c"seats").file,
        id: *Uuid::new_v5(&Uuid::NAMESPACE_OID, resource.as_bytes()).as_bytes(),
    }
}
