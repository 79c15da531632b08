//! Why a request was refused, and the detail that the answer gives about it.

use crate::rules::Refusal;
use crate::rules::hours::Week;
use crate::server::clock::Timestamp;
use crate::store::resources::Calendar;
use serde_json::{Value, json};

/// A refusal, with what was missing.
#[derive(Clone, Debug)]
pub struct Refused {
    pub refusal: Refusal,
    /// The version of the resource.
    pub version: Option<i64>,
    pub available: Option<i64>,
    /// The seats that could not be given.
    pub seats: Option<Vec<String>>,
    pub detail: Option<Value>,
}

impl Refused {
    /// A refusal without a detail.
    pub fn mere(refusal: Refusal, version: i64) -> Self {
        Self { refusal, version: Some(version), available: None, seats: None, detail: None }
    }

    /// The calendar has fewer places free than requested, at least at the moment `at` of the period.
    pub fn over_time(requested: i64, free: i64, at: Timestamp, version: i64) -> Self {
        let available = free.max(0);
        let detail = json!({"requested": requested, "available": available, "at": at.iso()});
        let refused = Self::mere(Refusal::Unavailable, version);
        Self { available: Some(available), detail: Some(detail), ..refused }
    }

    /// The calendar is closed during a part of the period.
    pub fn outside_hours(calendar: &Calendar, version: i64) -> Self {
        let hours = calendar.week.as_ref().map(Week::lines);
        let detail = json!({"hours": hours, "time_zone": calendar.zone.name()});
        Self { detail: Some(detail), ..Self::mere(Refusal::Closed, version) }
    }

    /// With the request, the holder would have more than the resource's limit for each holder.
    pub fn over_limit(requested: i64, owned: i64, limit: Option<i64>, version: i64) -> Self {
        let detail = limit_detail(requested, owned, limit);
        Self { detail: Some(detail), ..Self::mere(Refusal::LimitExceeded, version) }
    }

    /// Some of the requested seats are taken or blocked.
    pub fn seats(requested: usize, taken: &[&str], blocked: &[&str], version: i64) -> Self {
        let mut missing: Vec<String> = [taken, blocked].concat().into_iter().map(str::to_owned).collect();
        missing.sort_unstable();
        let available = requested - missing.len();
        let mut detail = json!({"requested": requested, "available": available});
        for (name, labels) in [("taken", taken), ("blocked", blocked)] {
            if !labels.is_empty() {
                detail[name] = json!(labels);
            }
        }
        Self {
            refusal: Refusal::Unavailable,
            version: Some(version),
            available: Some(available as i64),
            seats: Some(missing),
            detail: Some(detail),
        }
    }
}

/// The detail of every refusal by `max_per_holder`: how much was asked for, how much the holder has live, and
/// the limit.
pub fn limit_detail(requested: i64, owned: i64, limit: Option<i64>) -> Value {
    json!({"requested": requested, "owned": owned, "max_per_holder": limit})
}
