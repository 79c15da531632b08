//! Attempts at a desk, each as deep as it takes.

use super::Desk;
use crate::clock;
use crate::store::{Patience, Session, resources, waitlist};
use crate::verbs::patience::{MOST_LOOKS, patiently};
use crate::verbs::turns::Turns;
use crate::verbs::{Placement, Stop};

/// How far a desk goes to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// It ends no overdue hold, and so writes nothing before the end.
    Shallow,
    /// It does, in an attempt that can be undone.
    Deep,
    /// The same, and what would have to be waited for is answered with "busy".
    DeepOrBusy,
}

/// Serves at a desk until there is an answer: first without ending anything, which is nearly always
/// enough; then as deep as it takes.
pub fn serve<T>(
    session: &Session,
    turns: &Turns,
    placements: &[Placement],
    patience: Patience,
    answer: impl for<'a> Fn(&mut Desk<'_, 'a>, &'a [Placement<'a>]) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let at = |depth| serve_at(session, turns, placements, patience, depth, &answer);
    for _ in 0..MOST_LOOKS {
        match at(Depth::Shallow) {
            Err(Stop::Stale) => {}
            Err(Stop::TooShallow) => break,
            result => return result,
        }
    }
    patiently(session, patience, || at(Depth::Deep))
}

/// Makes one attempt: those who wait come first, and what is left then is for the requests.
pub fn serve_at<T>(
    session: &Session,
    turns: &Turns,
    placements: &[Placement],
    patience: Patience,
    depth: Depth,
    answer: impl for<'a> Fn(&mut Desk<'_, 'a>, &'a [Placement<'a>]) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let names: Vec<&str> = turns.keys().copied().collect();
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
    let desk = Desk::open(session, turns, resources.clone(), placements, &lines, patience, depth)?;
    desk.close_after(|desk| {
        desk.serve_lines(&lines)?;
        answer(desk, placements)
    })
}
