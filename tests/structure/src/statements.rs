//! Every SQL statement stands in `store`, and `api` and `worker` reach the tables through `verbs`.

use crate::model::Reference;
use crate::tokens::{self, Word};
use crate::{Finding, Tree};

const ROOM: &str = "src/store/";

/// One finding for each statement, and each name of the server programming interface, outside of `store`.
pub fn check_sql(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| !source.path.starts_with(ROOM)) {
        let Ok(stream) = source.text.parse() else { continue };
        let words = tokens::words(stream);
        for (n, word) in words.iter().enumerate() {
            match word {
                Word::Name(name, line) if name.starts_with("SPI_") || name.starts_with("Spi") => {
                    let message = format!("`{name}` runs SQL outside of store");
                    findings.push(Finding::new(&source.path, *line, message));
                }
                Word::Name(name, line)
                    if name == "statement" && matches!(words.get(n + 1), Some(Word::Sign('!', _))) =>
                {
                    findings.push(Finding::new(&source.path, *line, "a statement outside of store"));
                }
                Word::Literal(text, line) if is_sql(text) => {
                    findings.push(Finding::new(&source.path, *line, format!("SQL outside of store: {text}")));
                }
                _ => {}
            }
        }
    }
    findings
}

/// Whether a literal begins as a statement does, and does not end as a sentence does: a hint may begin with a
/// statement.
fn is_sql(literal: &str) -> bool {
    let Some((_, inner)) = literal.split_once('"') else { return false };
    if inner.trim_end_matches(['"', '#']).ends_with('.') {
        return false;
    }
    let lower = inner.to_lowercase();
    let mut words = lower.split_whitespace();
    let first = [words.next(), words.next(), words.next()].map(Option::unwrap_or_default);
    matches!(
        first,
        ["select", _, _]
            | ["insert", "into", _]
            | ["delete", "from", _]
            | ["update", _, "set"]
            | ["with", _, "as"]
    )
}

/// One finding for each name of `store` in these rooms, but for the types that are allowed by name, and for
/// each of those that none of them uses any more.
pub fn check_reach(tree: &Tree, rooms: &[&str], allowed: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = Vec::new();
    for reference in tree.references() {
        let from = tree.path(reference.file);
        // A name that was imported is judged where it was imported.
        let is_import = reference.path.first().is_some_and(|first| first == "crate" || first == "super");
        if !is_import || !rooms.iter().any(|room| from.starts_with(room)) || !is_of_store(tree, reference) {
            continue;
        }
        let path = reference.path.join("::");
        let is_this = |name: &&&str| path == ***name || path.starts_with(&format!("{name}::"));
        match allowed.iter().find(is_this) {
            Some(name) => used.push(*name),
            None => {
                let message = format!("`{path}` reaches into store past verbs");
                findings.push(Finding::new(from, reference.line, message));
            }
        }
    }
    let unused = allowed.iter().filter(|name| !used.contains(name));
    findings.extend(unused.map(|name| Finding::new(name, 1, "allowed, and not needed")));
    findings
}

fn is_of_store(tree: &Tree, reference: &Reference) -> bool {
    match tree.file_of(reference) {
        Some(file) => tree.path(file).starts_with(ROOM),
        None => reference.path.starts_with(&["crate".to_owned(), "store".to_owned()]),
    }
}
