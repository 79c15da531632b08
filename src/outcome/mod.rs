//! The answers of verbs: `booking.result`, and for leases `booking.lease_result`. What is answered belongs here,
//! and how it becomes a row; why a request is refused is decided in `rules` and `verbs`, and misuse is raised in
//! `error`.

mod lease;
mod refused;
mod row;

pub use lease::LeaseOutcome;
pub use refused::Refused;
use refused::limit_detail;
pub use row::ResourceRow;

use crate::rules::lifecycle::State;
use crate::rules::pool::Pool;
use crate::rules::timeline::{Period, Segment};
use crate::rules::{Refusal, basket};
use crate::server::clock::Timestamp;
use crate::store::holds::{ConfirmedHold, HoldGroup, NewHold, StoredHold};
use crate::store::resources::ResourceStatus;
use crate::store::waitlist::Entry;
use serde_json::{Value, json};
use uuid::Uuid;

/// One `booking.result`: whether the call did what it was asked, and how things stand now.
#[derive(Clone, Debug)]
pub struct Outcome {
    ok: bool,
    status: &'static str,
    hold_id: Option<Uuid>,
    resource: Option<String>,
    quantity: Option<i64>,
    seats: Option<Vec<String>>,
    during: Option<Period>,
    holder: Option<String>,
    expires_at: Option<Timestamp>,
    version: Option<i64>,
    available: Option<i64>,
    replayed: bool,
    detail: Option<Value>,
}

impl Refusal {
    /// Returns the status that users see.
    pub const fn status(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Expired => "expired",
            Self::AlreadyConfirmed => "already_confirmed",
            Self::NotConfirmed => "not_confirmed",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
            Self::VersionMismatch => "version_mismatch",
            Self::LimitExceeded => "limit_exceeded",
            Self::Closed => "closed",
        }
    }
}

impl Outcome {
    fn of(ok: bool, status: &'static str) -> Self {
        Self {
            ok,
            status,
            hold_id: None,
            resource: None,
            quantity: None,
            seats: None,
            during: None,
            holder: None,
            expires_at: None,
            version: None,
            available: None,
            replayed: false,
            detail: None,
        }
    }

    /// Returns whether the answer is `ok`: what the caller asked for is so now.
    pub const fn is_ok(&self) -> bool {
        self.ok
    }

    /// Returns the answer with the name of its resource.
    pub fn on(self, resource: &str) -> Self {
        Self { resource: Some(resource.to_owned()), ..self }
    }

    /// Answers that a hold was placed.
    pub fn placed(hold: &NewHold, available: Option<i64>) -> Self {
        Self {
            hold_id: Some(hold.id),
            resource: Some(hold.resource.to_owned()),
            quantity: Some(hold.quantity),
            seats: hold.seats.clone(),
            during: hold.booked.map(|(booked, _)| booked.during),
            holder: hold.holder.map(str::to_owned),
            expires_at: Some(hold.expires_at),
            version: Some(1),
            available,
            ..Self::of(true, State::Held.name())
        }
    }

    /// Answers that a hold was confirmed in time.
    pub fn confirmed(hold: ConfirmedHold) -> Self {
        Self {
            hold_id: Some(hold.id),
            resource: Some(hold.resource),
            quantity: Some(hold.quantity),
            seats: hold.seats,
            during: hold.during,
            holder: hold.holder,
            version: Some(hold.version),
            ..Self::of(true, State::Confirmed.name())
        }
    }

    /// Answers that a hold could not be exchanged for what the caller asked, and stays as it was. `seats` are
    /// those that it could not get, not its own.
    pub fn not_exchanged(group: &HoldGroup, refused: Refused, now: Timestamp) -> Self {
        let about = Self::about(group, false, refused.refusal.status(), now);
        Self { available: refused.available, seats: refused.seats, detail: refused.detail, ..about }
    }

    /// Answers that holds were changed, with their state now.
    pub fn changed(group: &HoldGroup, available: Option<i64>, now: Timestamp) -> Self {
        Self { available, ..Self::current(group, true, now) }
    }

    /// Answers a repeated call, which changes nothing.
    pub fn repeated(group: &HoldGroup, ok: bool, now: Timestamp) -> Self {
        Self { replayed: true, ..Self::current(group, ok, now) }
    }

    /// Answers with the state of holds.
    pub fn current(group: &HoldGroup, ok: bool, now: Timestamp) -> Self {
        let status = basket::state_at(&group.lifecycles(), now.micros()).name();
        let about = Self::about(group, ok, status, now);
        match (group.basket, group.holds.first()) {
            (Some(_), _) => Self { detail: Some(json!({"items": items(group, now)})), ..about },
            (None, Some(stored)) => Self { seats: stored.seats.clone(), ..about },
            (None, None) => about,
        }
    }

    /// Answers `find`: `ok` is true only while the holds are live.
    pub fn found(group: &HoldGroup, now: Timestamp) -> Self {
        let is_live = basket::state_at(&group.lifecycles(), now.micros()).takes_room();
        Self::current(group, is_live, now)
    }

    /// Answers that the request was refused because of the hold at index `place`.
    pub fn refused_hold(group: &HoldGroup, place: usize, refusal: Refusal, now: Timestamp) -> Self {
        let refused = Self::about(group, false, refusal.status(), now);
        let Some(stored) = group.holds.get(place) else { return refused };
        let state = stored.hold.state_at(now.micros()).name();
        let mut detail = match refusal {
            Refusal::AlreadyConfirmed => Some(json!({"state": state, "reference": stored.hold.reference})),
            Refusal::NotConfirmed | Refusal::VersionMismatch | Refusal::LimitExceeded => {
                Some(json!({"state": state}))
            }
            _ => None,
        };
        if group.basket.is_some() {
            // In the items of a basket, the state is in the field `status` already.
            let more = detail.map(|mut detail| {
                detail.as_object_mut().and_then(|fields| fields.remove("state"));
                detail
            });
            detail = Some(json!({"items": [with(item(stored, now), more)]}));
        }
        Self { detail, ..refused }
    }

    /// Answers that a request for places was refused.
    pub fn refused(refused: Refused) -> Self {
        Self {
            version: refused.version,
            available: refused.available,
            seats: refused.seats,
            detail: refused.detail,
            ..Self::of(false, refused.refusal.status())
        }
    }

    /// Answers that more of a pool is taken than the requested capacity; `available` is how much it could be
    /// lowered by.
    pub fn below_taken(capacity: i64, pool: &Pool) -> Self {
        Self {
            available: Some(pool.free()),
            version: Some(pool.version),
            detail: Some(json!({"requested": capacity, "taken": pool.taken})),
            ..Self::of(false, Refusal::Unavailable.status())
        }
    }

    /// Answers that more of a calendar is taken at some moment than the requested capacity; `available` is how
    /// much it could be lowered by there.
    pub fn below_use(tightest: &Segment, in_force: i64, version: i64) -> Self {
        let taken = tightest.confirmed.saturating_add(tightest.held);
        let at = Timestamp::from_micros(tightest.period.from).iso();
        Self {
            available: Some(in_force.saturating_sub(taken).max(0)),
            version: Some(version),
            detail: Some(json!({"requested": tightest.capacity, "taken": taken, "at": at})),
            ..Self::of(false, Refusal::Unavailable.status())
        }
    }

    /// Answers that the request was refused because of the resource.
    pub fn refused_resource(refusal: Refusal, version: i64) -> Self {
        Self { version: Some(version), ..Self::of(false, refusal.status()) }
    }

    /// Answers that a late confirmation would bring the holder above the limit for each holder.
    pub fn late_limit_exceeded(
        group: &HoldGroup,
        quantity: i64,
        owned: i64,
        limit: Option<i64>,
        now: Timestamp,
    ) -> Self {
        let refused = Self::about(group, false, Refusal::LimitExceeded.status(), now);
        Self { detail: Some(limit_detail(quantity, owned, limit)), ..refused }
    }

    /// Answers that a basket was refused. `items` are those that could not be given, each with what was missing;
    /// the status is that of the first.
    pub fn basket_refused(items: Vec<(i32, &str, Refused)>) -> Self {
        let status = items.first().map_or(Refusal::Unavailable, |(_, _, refused)| refused.refusal).status();
        let item = |(item, resource, refused): (i32, &str, Refused)| {
            let entry = json!({"item": item, "resource": resource, "status": refused.refusal.status()});
            with(entry, refused.detail)
        };
        let items: Vec<_> = items.into_iter().map(item).collect();
        Self { detail: Some(json!({"items": items})), ..Self::of(false, status) }
    }

    /// Answers that the key was used before, for another request.
    pub fn key_reused(group: &HoldGroup, now: Timestamp) -> Self {
        Self::about(group, false, "key_reused", now)
    }

    pub fn busy() -> Self {
        Self::of(false, "busy")
    }

    pub fn not_found(id: Uuid) -> Self {
        Self { hold_id: Some(id), ..Self::of(false, "not_found") }
    }

    /// Answers that an entry waits, at this position of the line.
    pub fn waiting(entry: &Entry, position: i64, ok: bool) -> Self {
        Self { detail: Some(json!({"position": position})), ..Self::of_entry(entry, ok, "waiting") }
    }

    /// Answers that an entry left the line.
    pub fn left(entry: &Entry, ok: bool) -> Self {
        Self::of_entry(entry, ok, "left")
    }

    /// Returns the answer for a repeated call.
    pub fn again(self) -> Self {
        Self { replayed: true, ..self }
    }

    /// Answers that the key was used before, to wait for something else.
    pub fn entry_key_reused(entry: &Entry) -> Self {
        Self { seats: None, ..Self::of_entry(entry, false, "key_reused") }
    }

    fn of_entry(entry: &Entry, ok: bool, status: &'static str) -> Self {
        Self {
            hold_id: Some(entry.id),
            resource: Some(entry.resource.clone()),
            quantity: Some(entry.quantity),
            seats: entry.seats.clone(),
            during: entry.during,
            holder: entry.holder.clone(),
            ..Self::of(ok, status)
        }
    }

    /// Answers that a resource was changed, or (`replayed`) needed no change.
    pub fn resource_changed(status: ResourceStatus, replayed: bool) -> Self {
        Self {
            version: Some(status.version),
            available: status.available,
            replayed,
            ..Self::of(true, "changed")
        }
    }

    pub fn resource_dropped(version: i64) -> Self {
        Self { version: Some(version), ..Self::of(true, "dropped") }
    }

    /// Returns whether this call changed anything.
    pub fn is_news(&self) -> bool {
        self.ok && !self.replayed
    }

    /// Returns the answer with these seats.
    pub fn seats(self, seats: Vec<String>) -> Self {
        Self { seats: Some(seats), ..self }
    }

    /// Fills in what an answer shows of holds: for a basket, only what all its items have in common. Seats are
    /// left out, since a refusal shows those that could not be given.
    fn about(group: &HoldGroup, ok: bool, status: &'static str, now: Timestamp) -> Self {
        let holds = group.lifecycles();
        let only = group.holds.first().filter(|_| group.basket.is_none());
        Self {
            hold_id: group.basket.or_else(|| only.map(|stored| stored.id)),
            resource: only.map(|stored| stored.resource.clone()),
            quantity: only.map(|stored| stored.hold.quantity),
            during: only.and_then(|stored| stored.booked).map(|booked| booked.during),
            holder: group.common_holder().map(str::to_owned),
            expires_at: basket::expires_at(&holds, now.micros()).map(Timestamp::from_micros),
            version: Some(basket::version(&holds)),
            ..Self::of(ok, status)
        }
    }
}

/// Returns the items of a basket, in the order of the request.
fn items(group: &HoldGroup, now: Timestamp) -> Vec<Value> {
    let mut holds: Vec<_> = group.holds.iter().collect();
    holds.sort_by_key(|stored| stored.item);
    holds.into_iter().map(|stored| item(stored, now)).collect()
}

fn item(stored: &StoredHold, now: Timestamp) -> Value {
    let mut item = json!({
        "item": stored.item, "resource": stored.resource, "hold_id": stored.id.to_string(),
        "quantity": stored.hold.quantity, "status": stored.hold.state_at(now.micros()).name(),
    });
    if let Some(seats) = &stored.seats {
        item["seats"] = json!(seats);
    }
    if let Some(booked) = stored.booked {
        item["during"] = during(booked.during);
    }
    item
}

/// Returns the period as an array of two times, the form that an item of a request has.
fn during(period: Period) -> Value {
    let time = |micros| Timestamp::from_micros(micros).iso();
    json!([time(period.from), time(period.to)])
}

/// Returns the JSON object with more fields.
fn with(mut entry: Value, more: Option<Value>) -> Value {
    if let (Value::Object(entry), Some(Value::Object(more))) = (&mut entry, more) {
        entry.extend(more);
    }
    entry
}
