//! The transitions, one verb a function: which locks, in which order, what is read under them, whom
//! to ask, what to write. `rules` decides and `store` does; here is the choreography between.

mod confirm;
mod extend;
mod give_back;
mod hold;
mod resource;
mod room;
mod upkeep;
mod view;

pub use confirm::{Confirmation, confirm};
pub use extend::extend;
pub use give_back::{cancel, release};
pub use hold::{Placement, hold};
pub use resource::{create_pool, drop_resource, set_capacity, set_open};
pub use upkeep::{expire, expire_on, next_expiry, overdue_resources, purge};
pub use view::{availability, find};

use crate::error::Error;
use crate::outcome::Outcome;
use crate::store::{Busy, Patience, Session, queue, resources};

/// Which hold a verb is about.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub hold_id: uuid::Uuid,
    /// Where given, the hold must be on this resource.
    pub resource: Option<&'a str>,
    pub expected_version: Option<i64>,
}

/// What ends a verb early: a lock that was not to be had is an answer, misuse is an error.
enum Stop {
    Busy,
    Error(Error),
}

impl From<Busy> for Stop {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn settle(result: Result<Outcome, Stop>) -> Result<Outcome, Error> {
    result.or_else(|stop| match stop {
        Stop::Busy => Ok(Outcome::busy()),
        Stop::Error(error) => Err(error),
    })
}

/// Takes a resource's locks, for a verb that is going to change it.
fn take_turn(session: &Session, resource: &str, patience: Patience) -> Result<(), Busy> {
    queue::line_up(resource, patience)?;
    resources::lock_ahead(session, resource, patience)
}
