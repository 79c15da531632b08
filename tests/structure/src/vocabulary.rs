//! Words that a stranger to this house does not understand, and that have a plainer one.

use crate::{Finding, Source};

/// A word, or several in a row, that may not be used at or below these places.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    pub words: &'static str,
    /// What to write instead.
    pub instead: &'static str,
    pub places: &'static [&'static str],
}

/// One finding for each use: in code, comments, SQL and prose alike, as whole words, in any case, also where
/// several words are parted by the end of a line.
pub fn check(sources: &[Source], terms: &[Term]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let found = words(&source.text);
        for term in terms.iter().filter(|term| term.places.iter().any(|place| source.path.starts_with(place)))
        {
            let wanted: Vec<_> = term.words.split(' ').collect();
            for window in found.windows(wanted.len()) {
                let is_same = window.iter().zip(&wanted).all(|(word, wanted)| word.text == *wanted);
                let is_joined = window.iter().skip(1).all(|word| word.follows);
                if is_same && is_joined {
                    let message = format!("`{}`: write {}", term.words, term.instead);
                    findings.push(Finding::new(&source.path, window[0].line, message));
                }
            }
        }
    }
    findings
}

struct Word {
    text: String,
    line: usize,
    /// Whether only space, the end of a line, or the sign that a comment begins with is between it and the
    /// one before.
    follows: bool,
}

/// The words of a text, in small letters. A name with `_` in it is one word.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut follows = false;
    for (n, line) in text.lines().enumerate() {
        let inner = line.trim_start();
        let inner = inner.trim_start_matches(['/', '!', '-', '*', '>', '#', '|']);
        let mut word = String::new();
        for letter in inner.chars().chain([' ']) {
            if letter.is_alphanumeric() || letter == '_' {
                word.extend(letter.to_lowercase());
                continue;
            }
            if !word.is_empty() {
                words.push(Word { text: std::mem::take(&mut word), line: n + 1, follows });
                follows = true;
            }
            if !letter.is_whitespace() {
                follows = false;
            }
        }
    }
    words
}
