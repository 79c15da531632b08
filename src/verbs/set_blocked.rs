//! Creating a resource with seats, and blocking some of them.

use crate::error::Error;
use crate::outcome::{Outcome, Refused};
use crate::rules::pool::Contention;
use crate::server::clock;
use crate::store::Session;
use crate::store::definitions::{NewResource, self};
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::resources::Kind;
use crate::store::seats::{NewSeat, StoredSeat, self};
use super::allocation::acquire::acquire_exclusive;
use super::allocation::reclaim::{all_or_wait, read};
use super::allocation::stop::{Stop, settle};
use pgrx::pg_sys;

/// A resource with seats as it is created.
pub struct NewSeats<'a> {
    pub name: &'a str,
    pub seats: Vec<NewSeat<'a>>,
    /// In the order of the seats' ranks.
    pub sections: Vec<&'a str>,
    pub max_per_holder: Option<i64>,
    pub skip: bool,
    pub metadata: Option<pg_sys::Datum>,
}

/// Creates a resource with seats and returns its row of `booking.resources`.
pub fn create_seats(plan: &NewSeats) -> Result<pg_sys::Datum, Error> {
    let session = Session::to_write(c"booking.create_seats()");
    let resource = NewResource {
        name: plan.name,
        kind: Kind::Seats,
        capacity: plan.seats.len() as i64,
        overbooking: 0,
        contention: Contention::Locked,
        max_per_holder: plan.max_per_holder,
        sections: Some(&plan.sections),
        calendar: None,
        skip: plan.skip,
        metadata: plan.metadata,
    };
    let exists = || {
        Error::resource_exists(plan.name).hint(
            "Its plan cannot be changed, but for set_blocked(); booking.drop_resource(resource) drops it.",
        )
    };
    let row = definitions::create(&session, &resource).ok_or_else(exists)?;
    seats::create(&session, plan.name, &plan.seats);
    Ok(row)
}

/// Takes seats off the market, or puts them back: all of these, or none where one is held.
pub fn set_blocked(resource: &str, labels: &[&str], blocked: bool) -> Result<Outcome, Error> {
    let session = Session::to_write(c"booking.set_blocked()");
    let attempt = || block(&session, resource, labels, blocked);
    settle(
        acquire_exclusive(&session, resource, LockWaitPolicy::Wait)
            .map_err(Stop::from)
            .and_then(|_| super::policy::retry_after_wait(&session, LockWaitPolicy::Wait, attempt)),
    )
}

fn block(session: &Session, resource: &str, labels: &[&str], blocked: bool) -> Result<Outcome, Stop> {
    let stored = read(session, resource)?;
    if stored.kind != Kind::Seats {
        return Err(Error::has_no_seats(resource).into());
    }
    seats::lock_ahead(session, resource, labels, LockWaitPolicy::Wait)?;
    let now = clock::now();
    let found = seats::read(session, resource, labels, now);
    if let Some(unknown) = labels.iter().find(|label| !found.iter().any(|seat| seat.label == **label)) {
        return Err(Error::no_seat(resource, unknown).into());
    }
    if blocked {
        let live = |seat: &&StoredSeat| seat.owner.is_some() && !seat.overdue;
        let mut taken: Vec<&str> = found.iter().filter(live).map(|seat| seat.label.as_str()).collect();
        if !taken.is_empty() {
            taken.sort_unstable();
            return Ok(Outcome::refused(Refused::seats(labels.len(), &taken, &[], stored.pool.version)));
        }
        let overdue: Vec<_> = found.iter().filter_map(|seat| seat.owner).collect();
        all_or_wait(&overdue, &seats::end_these(session, resource, &overdue, now))?;
    }
    let seats = labels.iter().map(|&label| label.to_owned()).collect();
    let changed = subtransaction::until_lock_timeout(|| seats::set_blocked(session, resource, labels, blocked))?;
    if changed == 0 {
        return Ok(Outcome::resource_changed(stored.status(), true).seats(seats));
    }
    let status = definitions::add_capacity(session, resource, if blocked { -changed } else { changed });
    super::resource::changed(session, resource, status).map(|outcome| outcome.seats(seats))
}
