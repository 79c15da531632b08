//! The passes of an allocation: a cheap one first, deeper ones only if that does not decide.

use super::acquire::ResourceLocks;
use super::retry::{MAX_ATTEMPTS, retry_after_wait};
use super::stop::{Interrupt, Retry, Stop};
use super::waitlist::placement_of;
use super::{Allocation, Pass};
use crate::request::Placement;
use crate::server::clock;
use crate::store::locks::heavyweight::LockMode;
use crate::store::locks::{LockWaitPolicy, subtransaction};
use crate::store::{Session, resources, waitlist};

/// Makes passes until one has an answer. The cheap pass ends no overdue hold, and nearly always decides; deep
/// passes follow if ending overdue holds, or another transaction, could change the answer.
pub fn serve<T>(
    session: &Session,
    locks: &ResourceLocks,
    placements: &[Placement],
    policy: LockWaitPolicy,
    answer: impl for<'a> Fn(&mut Allocation<'_, 'a>, &'a [Placement<'a>]) -> Result<T, Interrupt>,
) -> Result<T, Stop> {
    let run = |pass| run_pass(session, locks, placements, policy, pass, &answer);
    for _ in 0..MAX_ATTEMPTS {
        match run(Pass::Cheap) {
            Err(Interrupt::Retry(Retry::Stale)) => {}
            Err(Interrupt::Retry(_)) => break,
            Err(Interrupt::Stop(stop)) => return Err(stop),
            Ok(answer) => return Ok(answer),
        }
    }
    retry_after_wait(session, policy, || run(Pass::Deep))
}

/// Makes one pass: serves the waitlists, then answers the requests with what is left.
pub fn run_pass<T>(
    session: &Session,
    locks: &ResourceLocks,
    placements: &[Placement],
    policy: LockWaitPolicy,
    pass: Pass,
    answer: impl for<'a> Fn(&mut Allocation<'_, 'a>, &'a [Placement<'a>]) -> Result<T, Interrupt>,
) -> Result<T, Interrupt> {
    let names: Vec<&str> = locks.keys().copied().collect();
    let resources = resources::read_all(session, &names);
    let waited_for: Vec<_> = resources
        .iter()
        .filter(|found| found.waiting > 0)
        .map(|found| (found.name.as_str(), found.kind, found.skip))
        .collect();
    let entries = match waited_for.is_empty() {
        true => Vec::new(),
        false => waitlist::lines(session, &waited_for, clock::now()),
    };
    let kind_of = |name: &str| waited_for.iter().find(|(of, _, _)| *of == name).map(|(_, kind, _)| *kind);
    let lines = entries
        .iter()
        .filter_map(|entry| Some(placement_of(entry, kind_of(&entry.resource)?)))
        .collect::<Result<Vec<_>, _>>()?;
    let allocation = Allocation::begin(session, locks, resources.clone(), placements, &lines, policy, pass)?;
    allocation.finish(|allocation| {
        allocation.serve_lines(&lines)?;
        answer(allocation, placements)
    })
}

/// Does something that writes and then serves a waitlist. If `lock_timeout` ends it, undoes all of it and returns
/// [`Stop::Busy`]: others could take what came free past the waitlist, and the caller would repeat what is done.
pub fn undo_if_busy<T>(write: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    match subtransaction::has_lock_timeout() {
        true => subtransaction::until_lock_timeout(|| subtransaction::undo_unless_ok(write))?,
        false => write(),
    }
}

/// Serves the waitlist of a resource, whose lock the caller has in exclusive mode, with what has come free.
pub fn serve_line(session: &Session, resource: &str) -> Result<(), Stop> {
    let locks = ResourceLocks::from([(resource, LockMode::Exclusive)]);
    // Each round reads a part of a long line, from its head.
    let serve_part = || {
        serve(session, &locks, &[], LockWaitPolicy::Wait, |allocation, _| Ok(allocation.goes_on(resource)))
    };
    while serve_part()? {}
    Ok(())
}
