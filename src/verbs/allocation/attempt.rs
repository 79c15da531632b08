//! Attempts at a desk, each as deep as it takes.

use crate::request::Placement;
use crate::server::clock;
use crate::store::{Session, resources, waitlist};
use crate::store::locks::LockWaitPolicy;
use super::Allocation;
use super::acquire::ResourceLocks;
use super::retry::{MAX_ATTEMPTS, retry_after_wait};
use super::stop::Stop;

/// How far a desk goes to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It ends no overdue hold, and so writes nothing before the end.
    Cheap,
    /// It does, in an attempt that can be undone.
    Deep,
    /// The same, and what would have to be waited for is answered with "busy".
    DeepOrBusy,
}

/// Serves at a desk until there is an answer: first without ending anything, which is nearly always
/// enough; then as deep as it takes.
pub fn serve<T>(
    session: &Session,
    locks: &ResourceLocks,
    placements: &[Placement],
    policy: LockWaitPolicy,
    answer: impl for<'a> Fn(&mut Allocation<'_, 'a>, &'a [Placement<'a>]) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let at = |pass| serve_at(session, locks, placements, policy, pass, &answer);
    for _ in 0..MAX_ATTEMPTS {
        match at(Pass::Cheap) {
            Err(Stop::Stale) => {}
            Err(Stop::NeedsExpiry) => break,
            result => return result,
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
    answer: impl for<'a> Fn(&mut Allocation<'_, 'a>, &'a [Placement<'a>]) -> Result<T, Stop>,
) -> Result<T, Stop> {
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
        .filter_map(|entry| Some(Placement::of_entry(entry, kind_of(&entry.resource)?)))
        .collect::<Result<Vec<_>, _>>()?;
    let allocation = Allocation::begin(session, locks, resources.clone(), placements, &lines, policy, pass)?;
    allocation.finish(|allocation| {
        allocation.serve_lines(&lines)?;
        answer(allocation, placements)
    })
}
