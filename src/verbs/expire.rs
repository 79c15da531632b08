//! Ending overdue holds: all that are due, or those of one resource. What is old is deleted in `purge`.

use super::allocation::acquire::acquire_pool;
use super::allocation::attempt::{serve_line, undo_if_busy};
use super::allocation::stop::Stop;
use crate::error::Error;
use crate::limits::MAX_RESOURCES;
use crate::server::clock::{self, Timestamp};
use crate::shared_memory::escrow;
use crate::store::locks::heavyweight::{self, LockMode};
use crate::store::locks::{Busy, LockWaitPolicy};
use crate::store::resources::{self, Kind, StoredResource};
use crate::store::upkeep::{self, DueResource};
use crate::store::{Session, calendar, overdue, overdue_seats, pools};

/// Who sweeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// The worker, whose transaction ends with the sweep. It skips what is locked and waits for no row, so
    /// the lock on seats and calendars in share mode is enough, and the buyers go on meanwhile.
    ByWorker,
    /// A caller, whose transaction may go on to wait for a seat. By then it would have others' overdue seats
    /// locked. So it takes the resource's lock in exclusive mode, before others take seats there, or passes
    /// over the resource.
    ByCaller,
}

impl Sweep {
    fn mode(self, due: &DueResource) -> LockMode {
        match (self, due.kind) {
            (Self::ByWorker, Kind::Seats | Kind::Calendar) if !due.is_waited_for => LockMode::Share,
            _ => LockMode::Exclusive,
        }
    }
}

/// Ends up to `max_holds` overdue holds anywhere, passing over resources and holds that another
/// transaction has locked. Returns how many.
///
/// It takes each resource's lock as every verb does, and passes over the resource if another transaction has
/// the lock. Without the lock, a transaction that goes on to place a hold could wait for a lock whose owner
/// waits for its row.
pub fn expire(max_holds: i64, sweep: Sweep) -> Result<i64, Error> {
    let session = Session::to_write(c"booking.expire()");
    let now = clock::now();
    let due: Vec<_> = upkeep::due_resources(&session, now, max_holds, &[])
        .into_iter()
        .filter(|due| acquire(&session, due, sweep, LockWaitPolicy::NoWait).is_ok())
        .take(MAX_RESOURCES)
        .collect();
    // Behind the locks nobody joins a waitlist any more, so what is swept below is owed to nobody.
    let all: Vec<&str> = due.iter().map(|due| due.name.as_str()).collect();
    if all.is_empty() {
        return Ok(0);
    }
    let now = clock::now_to_write();
    let waited_for = resources::waited_for(&session, &all);
    let is_free = |due: &&DueResource| !waited_for.contains(&due.name);
    let names = |kind| {
        let of_kind = due.iter().filter(is_free).filter(|due| due.kind == kind);
        of_kind.map(|due| due.name.as_str()).collect()
    };
    let (pools, seated, calendars): (Vec<&str>, Vec<&str>, Vec<&str>) =
        (names(Kind::Pool), names(Kind::Seats), names(Kind::Calendar));
    let mut ended = sweep_pools(&session, &pools, now, max_holds)?;
    if !seated.is_empty() && ended < max_holds {
        ended += overdue_seats::end_due(&session, &seated, now, max_holds - ended).len() as i64;
    }
    if !calendars.is_empty() && ended < max_holds {
        ended += calendar::end_due(&session, &calendars, now, max_holds - ended);
    }
    // A resource that nobody waited for at the first look, and somebody does now, may be locked in share mode
    // only: the next sweep serves it.
    for due in due.iter().filter(|due| due.is_waited_for && waited_for.contains(&due.name)) {
        if ended < max_holds && resources::lock_ahead(&session, &due.name, LockWaitPolicy::NoWait).is_ok() {
            ended += match sweep_and_serve(&session, &due.name, max_holds - ended) {
                Err(Stop::Error(error)) => return Err(error),
                served => served.unwrap_or(0),
            };
        }
    }
    Ok(ended)
}

/// Takes the lock on a resource to sweep it.
fn acquire(
    session: &Session,
    due: &DueResource,
    sweep: Sweep,
    policy: LockWaitPolicy,
) -> Result<LockMode, Busy> {
    // A pool in its row needs no more than its lock here: the sweep locks the rows of all pools with one statement.
    let is_in_memory = || escrow::is_possible() && pools::escrow(session, &due.name).is_some();
    if due.kind == Kind::Pool && !due.is_waited_for && is_in_memory() {
        return Ok(acquire_pool(session, &due.name, policy)?.1);
    }
    let mode = sweep.mode(due);
    heavyweight::lock_resource(&due.name, mode, policy)?;
    if mode == LockMode::Exclusive {
        pools::enter_exclusive(session, &due.name);
    }
    Ok(mode)
}

/// Ends overdue holds of pools that nobody waits for, all of a kind with one statement.
fn sweep_pools(session: &Session, pools: &[&str], now: Timestamp, max_holds: i64) -> Result<i64, Error> {
    let (escrow, locked): (Vec<&str>, Vec<&str>) =
        pools.iter().partition(|name| pools::escrow(session, name).is_some());
    let mut ended = 0;
    if !locked.is_empty() {
        let free = upkeep::lock_free(session, &locked);
        let free: Vec<&str> = free.iter().map(String::as_str).collect();
        ended += upkeep::end_due_of(session, &free, now, max_holds);
    }
    if !escrow.is_empty() && ended < max_holds {
        for freed in upkeep::end_due_in_escrow(session, &escrow, now, max_holds - ended) {
            pools::give_back(session, &freed.resource, freed.quantity)?;
            ended += freed.holds;
        }
    }
    Ok(ended)
}

fn sweep_and_serve(session: &Session, resource: &str, max_holds: i64) -> Result<i64, Stop> {
    end_due(session, &resources::read_existing(session, resource)?, max_holds)
}

/// Ends up to `max_holds` overdue holds of one resource, waiting for its lock. Returns how many; 0 if
/// `lock_timeout` ran out; `None` if there is no such resource.
pub fn expire_on(resource: &str, max_holds: i64, sweep: Sweep) -> Result<Option<i64>, Error> {
    let session = Session::to_write(c"booking.expire()");
    match expire_locked(&session, resource, max_holds, sweep) {
        Ok(ended) => Ok(ended),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Busy | Stop::Refused(_)) => Ok(Some(0)),
    }
}

fn expire_locked(
    session: &Session,
    resource: &str,
    max_holds: i64,
    sweep: Sweep,
) -> Result<Option<i64>, Stop> {
    let Some(seen) = resources::read(session, resource) else { return Ok(None) };
    let due = DueResource { name: seen.name.clone(), kind: seen.kind, is_waited_for: seen.waiting > 0 };
    let mode = acquire(session, &due, sweep, LockWaitPolicy::Wait)?;
    if seen.kind == Kind::Pool && mode == LockMode::Exclusive {
        resources::lock_ahead(session, resource, LockWaitPolicy::Wait)?;
    }
    let Some(found) = resources::read(session, resource) else { return Ok(None) };
    // It may have been dropped meanwhile and created again as another kind; or somebody has joined its waitlist.
    if found.kind != seen.kind || (found.waiting > 0 && mode == LockMode::Share) {
        return Ok(Some(0));
    }
    end_due(session, &found, max_holds).map(Some)
}

/// Ends overdue holds of a resource that the caller has locked, and serves those who wait for it. Returns how
/// many holds it ended.
pub fn end_due(session: &Session, resource: &StoredResource, max_holds: i64) -> Result<i64, Stop> {
    match resource.waiting > 0 {
        true => undo_if_busy(|| {
            let ended = end_due_unserved(session, resource, max_holds)?;
            serve_line(session, &resource.name)?;
            Ok(ended)
        }),
        false => end_due_unserved(session, resource, max_holds),
    }
}

fn end_due_unserved(session: &Session, resource: &StoredResource, max_holds: i64) -> Result<i64, Stop> {
    let (name, now) = (resource.name.as_str(), clock::now());
    Ok(match resource.kind {
        Kind::Seats => overdue_seats::end_due(session, &[name], now, max_holds).len() as i64,
        Kind::Calendar => calendar::end_due(session, &[name], now, max_holds),
        Kind::Pool => {
            let ended = overdue::end_due(session, name, now, max_holds);
            if ended.holds > 0 {
                pools::give_back(session, name, ended.quantity)?;
            }
            ended.holds
        }
    })
}

/// Returns the resources of the holds that are overdue the longest, without those of `except`.
pub fn overdue_resources(max_holds: i64, except: &[&str]) -> Vec<String> {
    let due = upkeep::due_resources(&Session::open(), clock::now(), max_holds, except);
    due.into_iter().map(|due| due.name).collect()
}

/// When the next hold runs out.
pub fn next_expiry() -> Option<Timestamp> {
    upkeep::next_expiry(&Session::open())
}
