//! The allotment of a request, which is the part of the resource that it gets, and the hold placed with it.

use crate::request::Placement;
use crate::server::clock::Timestamp;
use crate::store::holds::{BookedPeriod, NewHold};
use uuid::Uuid;

/// What a request gets of its resource. For a pool it is empty, because the places of a pool have no names.
#[derive(Default)]
pub struct Allotment {
    pub seats: Option<Vec<String>>,
    /// The period on a calendar, and whether the exclusion constraint compares the hold with others.
    pub booked: Option<(BookedPeriod, bool)>,
    /// How much is left of the resource; `None` if nobody counted it.
    pub left: Option<i64>,
}

/// Returns the hold that a request places, in no basket.
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
