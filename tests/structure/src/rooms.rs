//! The head of a folder says what belongs there, and what does not.

use crate::{Finding, Source, Tree};

/// One finding for each folder whose `mod.rs` begins with fewer than two sentences, or that has none.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| source.path.ends_with("/mod.rs")) {
        let count = sentences(&documentation(source));
        if count < 2 {
            let message = format!(
                "{count} sentence{} of documentation: say what belongs here and what does not",
                if count == 1 { "" } else { "s" }
            );
            findings.push(Finding::new(&source.path, 1, message));
        }
    }
    findings
}

/// The text of the `//!` lines at the beginning.
fn documentation(source: &Source) -> String {
    let lines = source.text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| format!("{} ", line.trim())).collect()
}

/// How many words end a sentence; a bracket or a quotation mark may stand behind the full stop.
fn sentences(text: &str) -> usize {
    let ends = |word: &&str| word.trim_end_matches([')', '"', '`', '*']).ends_with(['.', '!', '?']);
    text.split_whitespace().filter(ends).count()
}
