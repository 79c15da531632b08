//! No circles: two files that import each other cannot be understood, or moved, one without the other.

use crate::model::Import;
use crate::{Finding, Tree};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One finding for each group of files that all lead to each other, with every import inside of the group.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let imports = tree.imports();
    let mut outgoing: BTreeMap<usize, Vec<Import>> = BTreeMap::new();
    for import in &imports {
        outgoing.entry(import.from).or_default().push(*import);
    }
    let reachable: Vec<_> = (0..tree.sources.len()).map(|file| reach(&outgoing, file)).collect();
    let mut done = BTreeSet::new();
    let mut findings = Vec::new();
    for file in 0..tree.sources.len() {
        if !reachable[file].contains(&file) || done.contains(&file) {
            continue;
        }
        let group: BTreeSet<_> =
            reachable[file].iter().copied().filter(|other| reachable[*other].contains(&file)).collect();
        let inside =
            imports.iter().filter(|import| group.contains(&import.from) && group.contains(&import.to));
        let lines: Vec<_> = inside.map(|import| describe(tree, *import)).collect();
        let message = format!("{} files import each other in a circle:\n{}", group.len(), lines.join("\n"));
        findings.push(Finding::new(tree.path(file), 1, message));
        done.extend(group);
    }
    findings
}

fn describe(tree: &Tree, import: Import) -> String {
    format!("    {}:{} imports {}", tree.path(import.from), import.line, tree.path(import.to))
}

/// The files that one leads to; itself only if it is on a circle.
fn reach(outgoing: &BTreeMap<usize, Vec<Import>>, start: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for import in outgoing.get(&file).into_iter().flatten() {
            if reached.insert(import.to) {
                open.push_back(import.to);
            }
        }
    }
    reached
}
