//! Looking without changing anything. Works on a standby.

use super::Target;
use crate::clock;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::upkeep::{self, Usage};
use crate::store::{Session, holds};

/// Where a hold stands now, or a basket.
pub fn find(target: Target) -> Outcome {
    holds::look(&Session::open(), target.hold_id, target.resource)
        .map_or_else(|| Outcome::not_found(target.hold_id), |lot| Outcome::standing(&lot, true, clock::now()))
}

/// How a resource is used now.
pub fn availability(resource: &str) -> Result<Usage, Error> {
    upkeep::usage(&Session::open(), resource, clock::now()).ok_or_else(|| Error::no_resource(resource))
}
