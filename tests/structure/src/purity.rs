//! `rules` decides without PostgreSQL: that is why it can be tested by the million without a server.

use crate::{Finding, Tree};

const ROOM: &str = "src/rules/";

/// One finding for each path in `rules` that names PostgreSQL, or a file outside of `rules`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for reference in tree.references() {
        let path = tree.path(reference.file);
        if !path.starts_with(ROOM) {
            continue;
        }
        let written = reference.path.join("::");
        let parts: Vec<_> = reference.path.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["pgrx" | "pg_sys", ..] => {
                findings.push(Finding::new(path, reference.line, format!("`{written}` names PostgreSQL")));
            }
            ["crate", next, ..] if *next != "rules" => {
                findings.push(Finding::new(path, reference.line, format!("`{written}` is outside of rules")));
            }
            _ => {
                let outside = tree.file_of(reference).filter(|file| !tree.path(*file).starts_with(ROOM));
                if let Some(file) = outside {
                    let message = format!("`{written}` is outside of rules, in {}", tree.path(file));
                    findings.push(Finding::new(path, reference.line, message));
                }
            }
        }
    }
    findings
}
