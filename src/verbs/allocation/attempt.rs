//! Attempts at a desk, each as deep as it takes.

use super::acquire::ResourceLocks;
use super::retry::{MAX_ATTEMPTS, retry_after_wait};
use super::stop::{Retry, Stop};
use super::waitlist::placement_of;
use super::{Allocation, Interrupt, LockMode, Pass};
use crate::request::Placement;
use crate::server::clock;
use crate::store::locks::LockWaitPolicy;
use crate::store::{Session, resources, waitlist};

/// Serves at a desk until there is an answer: first without ending anything, which is nearly always
/// enough; then as deep as it takes.
pub fn serve<T>(
    session: &Session,
    locks: &ResourceLocks,
    placements: &[Placement],
    policy: LockWaitPolicy,
    answer: impl for<'a> Fn(&mut Allocation<'_, 'a>, &'a [Placement<'a>]) -> Result<T, Interrupt>,
) -> Result<T, Stop> {
    let at = |pass| serve_at(session, locks, placements, policy, pass, &answer);
    for _ in 0..MAX_ATTEMPTS {
        match at(Pass::Cheap) {
            Err(Interrupt::Retry(Retry::Stale)) => {}
            Err(Interrupt::Retry(_)) => break,
            Err(Interrupt::Stop(stop)) => return Err(stop),
            Ok(answer) => return Ok(answer),
        }
    }
    retry_after_wait(session, policy, || at(Pass::Deep))
}

/// Makes one attempt: those who wait come first, and what is left then is for the requests.
pub fn serve_at<T>(
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

/// Gives those who wait for a resource, which the caller has alone, what has come free.
pub fn serve_line(session: &Session, resource: &str) -> Result<(), Stop> {
    let locks = ResourceLocks::from([(resource, LockMode::Exclusive)]);
    // A long line is read from its head, part by part.
    while serve(session, &locks, &[], LockWaitPolicy::Wait, |allocation, _| Ok(allocation.goes_on(resource)))?
    {
    }
    Ok(())
}
