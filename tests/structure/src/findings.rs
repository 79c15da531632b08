//! What a check returns.

use std::fmt;

/// One place that breaks a rule, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub message: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// All findings in the order of their places, one a line.
pub fn report(findings: &[Finding]) -> String {
    let mut sorted = findings.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted.iter().map(|finding| format!("{finding}\n")).collect()
}
