//! The answer of every verb: `booking.result`.

mod lease;
mod refused;
mod row;

pub use lease::LeaseOutcome;
pub use refused::Refused;
pub use row::ResourceRow;

use crate::request::When;
use crate::rules::lifecycle::State;
use crate::rules::pool::Pool;
use crate::rules::timeline::{Period, Segment};
use crate::rules::{Refusal, basket};
use crate::server::clock::Timestamp;
use crate::store::holds::{BookedPeriod, ConfirmedHold, HoldGroup, NewHold, StoredHold};
use crate::store::resources::ResourceStatus;
use crate::store::waitlist::Entry;
use serde_json::{Value, json};
use uuid::Uuid;

/// One `booking.result`: whether it was done, and where things stand now.
#[derive(Clone, Debug)]
pub struct Outcome {
    ok: bool,
    status: &'static str,
    hold_id: Option<Uuid>,
    expires_at: Option<Timestamp>,
    version: Option<i64>,
    available: Option<i64>,
    seats: Option<Vec<String>>,
    replayed: bool,
    detail: Option<Value>,
}

impl Refusal {
    /// The word for it in SQL.
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
            expires_at: None,
            version: None,
            available: None,
            seats: None,
            replayed: false,
            detail: None,
        }
    }

    /// Whether what was asked for is so.
    pub const fn is_ok(&self) -> bool {
        self.ok
    }

    /// A hold was placed.
    pub fn placed(hold: &NewHold, available: Option<i64>) -> Self {
        Self {
            hold_id: Some(hold.id),
            expires_at: Some(hold.expires_at),
            version: Some(1),
            available,
            seats: hold.seats.clone(),
            ..Self::of(true, State::Held.name())
        }
    }

    /// A hold was confirmed in time.
    pub fn confirmed(hold: ConfirmedHold) -> Self {
        Self {
            hold_id: Some(hold.id),
            expires_at: Some(hold.expires_at),
            version: Some(hold.version),
            seats: hold.seats,
            detail: hold.during.map(|period| json!({"during": during(period)})),
            ..Self::of(true, State::Confirmed.name())
        }
    }

    /// The same, and from when to when those nights are: news to who asked for dates.
    pub fn of_nights(self, when: When, booked: BookedPeriod) -> Self {
        match when {
            When::During(_) => self,
            When::Nights { .. } => Self { detail: Some(json!({"during": during(booked.during)})), ..self },
        }
    }

    /// A refusal by the resource, said of a hold that stays as it was.
    pub fn about_hold(self, group: &HoldGroup, now: Timestamp) -> Self {
        let about = Self::about(group, self.ok, self.status, now);
        Self { available: self.available, detail: self.detail, ..about }
    }

    /// Holds were changed, and now stand so.
    pub fn changed(group: &HoldGroup, available: Option<i64>, now: Timestamp) -> Self {
        Self { available, ..Self::current(group, true, now) }
    }

    /// A repeated call: the holds had come to stand there before.
    pub fn repeated(group: &HoldGroup, ok: bool, now: Timestamp) -> Self {
        Self { replayed: true, ..Self::current(group, ok, now) }
    }

    /// Where holds stand.
    pub fn current(group: &HoldGroup, ok: bool, now: Timestamp) -> Self {
        let status = basket::state_at(&group.lifecycles(), now.micros()).name();
        let booked = group.holds.first().and_then(|one| one.booked);
        let detail = match (group.basket, booked) {
            (Some(_), _) => Some(json!({"items": items(group, now)})),
            (None, Some(booked)) => Some(json!({"during": during(booked.during)})),
            (None, None) => None,
        };
        Self { detail, ..Self::about(group, ok, status, now) }
    }

    /// Holds that the request was refused for, on account of the one at `place`.
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
            // Its state is its status there.
            let more = detail.map(|mut detail| {
                detail.as_object_mut().and_then(|fields| fields.remove("state"));
                detail
            });
            detail = Some(json!({"items": [with(item(stored, now), more)]}));
        }
        Self { detail, ..refused }
    }

    /// A request that the resource had no room for, or was not let in.
    pub fn refused(refused: Refused) -> Self {
        Self {
            version: refused.version,
            available: refused.available,
            seats: refused.seats,
            detail: refused.detail,
            ..Self::of(false, refused.refusal.status())
        }
    }

    /// What is taken does not fit in the capacity asked for; `available` could be given up.
    pub fn below_taken(capacity: i64, pool: &Pool) -> Self {
        Self {
            available: Some(pool.free()),
            version: Some(pool.version),
            detail: Some(json!({"requested": capacity, "taken": pool.taken})),
            ..Self::of(false, Refusal::Unavailable.status())
        }
    }

    /// More of a calendar is taken at some moment than would fit; `available` could be given up there.
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

    /// A resource that the request was refused for.
    pub fn refused_resource(refusal: Refusal, version: i64) -> Self {
        Self { version: Some(version), ..Self::of(false, refusal.status()) }
    }

    /// The holder of an expired hold has too much else by now.
    pub fn late_limit_exceeded(
        group: &HoldGroup,
        quantity: i64,
        owned: i64,
        limit: Option<i64>,
        now: Timestamp,
    ) -> Self {
        let refused = Self::about(group, false, Refusal::LimitExceeded.status(), now);
        let detail = json!({"requested": quantity, "owned": owned, "max_per_holder": limit});
        Self { detail: Some(detail), ..refused }
    }

    /// A basket of which some items were not to be had: each with what was short. The first says why.
    pub fn basket_refused(items: Vec<(i32, &str, Refused)>) -> Self {
        let status = items.first().map_or(Refusal::Unavailable, |(_, _, refused)| refused.refusal).status();
        let item = |(item, resource, refused): (i32, &str, Refused)| {
            let entry = json!({"item": item, "resource": resource, "status": refused.refusal.status()});
            with(entry, refused.detail)
        };
        let items: Vec<_> = items.into_iter().map(item).collect();
        Self { detail: Some(json!({"items": items})), ..Self::of(false, status) }
    }

    /// The key was used before, for something else.
    pub fn key_reused(group: &HoldGroup, now: Timestamp) -> Self {
        Self::about(group, false, "key_reused", now)
    }

    pub fn busy() -> Self {
        Self::of(false, "busy")
    }

    pub fn not_found(id: Uuid) -> Self {
        Self { hold_id: Some(id), ..Self::of(false, "not_found") }
    }

    /// Somebody waits, as this one in the line.
    pub fn waiting(entry: &Entry, position: i64, ok: bool) -> Self {
        let mut detail = json!({"position": position});
        if let Some(period) = entry.during {
            detail["during"] = during(period);
        }
        Self {
            hold_id: Some(entry.id),
            seats: entry.seats.clone(),
            detail: Some(detail),
            ..Self::of(ok, "waiting")
        }
    }

    /// Somebody waits no more.
    pub fn left(id: Uuid, ok: bool) -> Self {
        Self { hold_id: Some(id), ..Self::of(ok, "left") }
    }

    /// The same, of a call that was repeated.
    pub fn again(self) -> Self {
        Self { replayed: true, ..self }
    }

    /// The key was used before, to wait for something else.
    pub fn entry_key_reused(id: Uuid) -> Self {
        Self { hold_id: Some(id), ..Self::of(false, "key_reused") }
    }

    /// A resource's definition was changed, or (`replayed`) was so before.
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

    /// Whether this call has changed anything.
    pub fn is_news(&self) -> bool {
        self.ok && !self.replayed
    }

    /// The same about some seats of it.
    pub fn seats(self, seats: Vec<String>) -> Self {
        Self { seats: Some(seats), ..self }
    }

    fn about(group: &HoldGroup, ok: bool, status: &'static str, now: Timestamp) -> Self {
        let holds = group.lifecycles();
        Self {
            hold_id: group.basket.or_else(|| group.holds.first().map(|stored| stored.id)),
            expires_at: basket::expires_at(&holds, now.micros()).map(Timestamp::from_micros),
            version: Some(basket::version(&holds)),
            seats: if group.basket.is_none() {
                group.holds.first().and_then(|one| one.seats.clone())
            } else {
                None
            },
            ..Self::of(ok, status)
        }
    }
}

/// The items of a basket, in their order.
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

/// A period from its first moment up to its end, as an item of a basket may be written.
fn during(period: Period) -> Value {
    let time = |micros| Timestamp::from_micros(micros).iso();
    json!([time(period.from), time(period.to)])
}

/// An entry with more fields.
fn with(mut entry: Value, more: Option<Value>) -> Value {
    if let (Value::Object(entry), Some(Value::Object(more))) = (&mut entry, more) {
        entry.extend(more);
    }
    entry
}
