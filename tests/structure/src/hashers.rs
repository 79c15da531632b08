//! A hash that two builds must agree on is not Rust's default one, whose algorithm may change with the compiler.

use crate::tokens::{self, Word};
use crate::{Finding, Tree};

/// A file that may use `DefaultHasher`, and why its hashes never leave the build.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    pub path: &'static str,
    pub why: &'static str,
}

/// One finding for each use outside of the exceptions, and for each exception that is not needed any more.
pub fn check(tree: &Tree, exceptions: &[Exception]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = Vec::new();
    for source in &tree.sources {
        let Ok(stream) = source.text.parse() else { continue };
        for word in tokens::words(stream) {
            let Word::Name(name, line) = word else { continue };
            if name != "DefaultHasher" {
                continue;
            }
            match exceptions.iter().find(|exception| exception.path == source.path) {
                Some(exception) => used.push(exception.path),
                None => findings.push(Finding::new(
                    &source.path,
                    line,
                    "`DefaultHasher`: two builds may disagree on its hashes",
                )),
            }
        }
    }
    let unused = exceptions.iter().filter(|exception| !used.contains(&exception.path));
    findings
        .extend(unused.map(|exception| Finding::new(exception.path, 1, "an exception that is not needed")));
    findings
}
