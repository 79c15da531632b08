//! Whether an answer is the one that a page shows, whatever ids and times it has.

mod masked;

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use masked::{Piece, is_footer, pieces};

/// How far from the clock a time may lie that is taken for the clock's, in days.
const NEAR: i64 = 40;

/// Which of the server's ids each id of a page stands for.
#[derive(Debug, Default)]
pub struct Known {
    real: HashMap<String, String>,
    shown: HashMap<String, String>,
}

impl Known {
    /// The statement, with real ids in place of the page's.
    pub fn put_into(&self, statement: &str) -> String {
        pieces(statement)
            .into_iter()
            .map(|piece| match piece {
                Piece::Id(id) => self.real.get(id).map_or(id, String::as_str),
                Piece::Text(text) | Piece::Time(text) => text,
            })
            .collect()
    }

    fn learn(&mut self, shown: &str, real: &str) -> Result<(), String> {
        let known_real = self.real.entry(shown.to_owned()).or_insert_with(|| real.to_owned());
        let known_shown = self.shown.entry(real.to_owned()).or_insert_with(|| shown.to_owned());
        if known_real != real {
            return Err(format!("the page has shown {shown} before, and the server answers with another id"));
        }
        if known_shown != shown {
            return Err(format!("the page shows {shown}, and has called the same hold {known_shown} before"));
        }
        Ok(())
    }
}

/// What psql has printed, as a page shows it: without footers, blank lines at the end, and spaces at the ends
/// of lines.
pub fn printed(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !is_footer(line)).map(str::trim_end);
    let mut lines: Vec<_> = lines.collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

/// `Err` with what is not the same. Notes the ids of the answer if it is.
pub fn is_same(expected: &[String], got: &[&str], known: &mut Known) -> Result<(), String> {
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    // A time may be some digits longer, and then all of its column is wider.
    let loose = got.iter().any(|line| pieces(line).iter().any(is_of_the_clock));
    let pairs = match_up(&expected, got, loose).ok_or("the answer is not what the page shows")?;
    for (shown, real) in pairs {
        for (shown, real) in pieces(shown).into_iter().zip(pieces(real)) {
            if let (Piece::Id(shown), Piece::Id(real)) = (shown, real) {
                known.learn(shown, real)?;
            }
        }
    }
    Ok(())
}

/// Each line that was expected beside the one that it stands for. `None` if the answer is another one.
fn match_up<'l>(expected: &[&'l str], got: &[&'l str], loose: bool) -> Option<Vec<(&'l str, &'l str)>> {
    let Some((first, rest)) = expected.split_first() else { return got.is_empty().then(Vec::new) };
    if first.trim() == "…" {
        return (0..=got.len()).find_map(|passed| match_up(rest, &got[passed..], loose));
    }
    let (line, others) = got.split_first()?;
    if !is_same_line(first, line, loose) {
        return None;
    }
    let mut pairs = match_up(rest, others, loose)?;
    pairs.insert(0, (first, line));
    Some(pairs)
}

fn is_same_line(expected: &str, got: &str, loose: bool) -> bool {
    let (expected, got) = (pieces(expected), pieces(got));
    let is_same = |(expected, got): (&Piece<'_>, &Piece<'_>)| match (expected, got) {
        (Piece::Text(expected), Piece::Text(got)) => {
            expected == got || (loose && squeezed(expected) == squeezed(got))
        }
        (Piece::Id(_), Piece::Id(_)) => true,
        (Piece::Time(expected), Piece::Time(time)) => expected == time || is_of_the_clock(got),
        _ => false,
    };
    expected.len() == got.len() && expected.iter().zip(&got).all(is_same)
}

/// A text in which the widths of columns make no difference.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::new();
    for letter in text.trim_end().chars() {
        if !(matches!(letter, ' ' | '-') && squeezed.ends_with(letter)) {
            squeezed.push(letter);
        }
    }
    squeezed
}

fn is_of_the_clock(piece: &Piece<'_>) -> bool {
    let Piece::Time(time) = piece else { return false };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    (masked::day(time) - now.as_secs() as i64 / 86_400).abs() <= NEAR
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "01a20fa8-73a0-7502-bcfe-a8d4f513cd9f";
    const B: &str = "01a20fa8-73a7-75c1-b731-8c7065addf38";
    const C: &str = "01a21e9f-bac5-77bb-b1a3-6573b4accb58";

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn compare(expected: &str, got: &str, known: &mut Known) -> Result<(), String> {
        is_same(&lines(expected), &printed(got), known)
    }

    fn is_equal(expected: &str, got: &str) -> bool {
        compare(expected, got, &mut Known::default()).is_ok()
    }

    #[test]
    fn footers_and_blank_ends_do_not_count_but_no_rows_do() {
        assert!(is_equal(" a\n---\n 1", " a \n---\n 1\n(1 row)\n\n"));
        assert!(is_equal(" a\n---\n(0 rows)", " a\n---\n(0 rows)\n\n"));
        assert!(!is_equal(" a\n---", " a\n---\n(0 rows)\n"));
        assert!(!is_equal(" a\n---\n 1", " a\n---\n 2\n(1 row)\n"));
        assert!(is_equal("", ""));
        assert!(!is_equal("", "ERROR:  no"));
    }

    #[test]
    fn three_points_stand_for_any_lines() {
        assert!(is_equal("1\n…\n4", "1\n2\n3\n4"));
        assert!(is_equal("1\n  …\n4", "1\n4"));
        assert!(is_equal("…\n3\n…\n3", "3\n1\n3\n3"));
        assert!(!is_equal("1\n…\n4", "1\n2\n3"));
    }

    #[test]
    fn an_id_stands_for_the_one_that_was_returned() {
        let mut known = Known::default();
        assert_eq!(compare(&format!("held {A}"), &format!("held {B}"), &mut known), Ok(()));
        assert_eq!(known.put_into(&format!("select '{A}', '{C}'")), format!("select '{B}', '{C}'"));
        assert_eq!(compare(&format!("held {A}"), &format!("held {B}"), &mut known), Ok(()));
        assert!(compare(&format!("held {A}"), &format!("held {C}"), &mut known).is_err());
        assert!(compare(&format!("held {C}"), &format!("held {B}"), &mut known).is_err());
        assert!(!is_equal(&format!("held {A}"), "held"));
    }

    #[test]
    fn only_the_clocks_times_may_differ() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("later").as_secs() as i64 / 86_400;
        let today = masked::date(now);
        assert!(is_equal(" t | 2020-01-01 10:00:00+00", &format!(" t | {today} 11:12:13.5+00")));
        assert!(is_equal("[2020-01-01 10:00:00+00,)", &format!("[{today} 11:12:13.5+00,)")));
        assert!(!is_equal(" t | 2020-01-01 10:00:00+00", " t | 2020-01-01 10:00:01+00"));
        assert!(is_equal(" t | 2020-01-01 10:00:00+00", " t | 2020-01-01 10:00:00+00"));
    }

    #[test]
    fn widths_count_except_beside_the_clock() {
        let today = masked::date(
            SystemTime::now().duration_since(UNIX_EPOCH).expect("later").as_secs() as i64 / 86_400,
        );
        assert!(!is_equal(" a\n---\n 1", "  a\n----\n  1"));
        let shown = "       at\n----------------\n 2020-01-01 10:00:00+00";
        assert!(is_equal(shown, &format!("          at\n------------------\n {today} 10:00:00.123+00")));
        assert!(!is_equal(shown, &format!("          bt\n------------------\n {today} 10:00:00.123+00")));
    }
}
