//! What part of its resource a request is given, and the hold that is placed with it.

use crate::request::Placement;
use crate::server::clock::Timestamp;
use crate::store::holds::{BookedPeriod, NewHold};
use uuid::Uuid;

/// What of its resource a request gets: nothing to be told apart, where that is a pool.
#[derive(Default)]
pub struct Allotment {
    pub seats: Option<Vec<String>>,
    /// When, and whether no other may overlap.
    pub booked: Option<(BookedPeriod, bool)>,
    /// How much is left then, where that is known.
    pub left: Option<i64>,
}

/// The hold that is placed for it, in no basket.
pub fn new_hold<'a>(
    placement: &Placement<'a>,
    id: Uuid,
    allotment: Allotment,
    placed_at: Timestamp,
) -> NewHold<'a> {
    NewHold {
        id,
        resource: placement.resource,
        basket: None,
        item: 1,
        quantity: placement.want.quantity(),
        seats: allotment.seats,
        booked: allotment.booked,
        placed_at,
        expires_at: placed_at.after(placement.ttl),
        key: placement.key,
        fingerprint: placement.fingerprint,
        holder: placement.holder,
        metadata: placement.metadata,
    }
}
