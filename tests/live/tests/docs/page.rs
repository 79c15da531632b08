//! What is to be run of a page of Markdown.

use crate::statement::{is_open, named_error, split};

/// A statement of a page, and what it says comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Counted from 1, as an editor does.
    pub line: usize,
    /// The line that the block is opened on.
    pub block: usize,
    pub begins_block: bool,
    pub statement: String,
    pub expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Success,
    /// With this SQLSTATE.
    Error(String),
    /// These lines, as psql prints them.
    Answer(Vec<String>),
}

const PROMPT: &str = "=> ";

/// What is to be run, in order. `Err` with the line, and why it cannot be read.
pub fn steps(page: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut lines = page.lines().enumerate();
    let mut above = "";
    while let Some((n, line)) = lines.next() {
        let Some(fence) = Fence::opened_by(line) else {
            above = if line.trim().is_empty() { above } else { line };
            continue;
        };
        let mut inner = Vec::new();
        loop {
            match lines.next() {
                Some((_, line)) if fence.is_closed_by(line) => break,
                Some((_, line)) => inner.push(fence.inner(line)),
                None => return Err(format!("{}: a block that is never closed", n + 1)),
            }
        }
        let is_run = !is_exempt(above).map_err(|error| format!("{n}: {error}"))?;
        above = "";
        let block = n + 1;
        let mut found = match fence.language {
            "sql" if is_run => statements(&inner, block)?,
            "" | "text" if is_run => transcript(&inner, block)?,
            _ => Vec::new(),
        };
        if let Some(first) = found.first_mut() {
            first.begins_block = true;
        }
        steps.append(&mut found);
    }
    Ok(steps)
}

/// Whether the line above a block says that it is not to be run; the reason is not optional.
fn is_exempt(above: &str) -> Result<bool, &'static str> {
    let Some(rest) = above.trim().strip_prefix("<!-- not run") else { return Ok(false) };
    let reason = rest.strip_suffix("-->").and_then(|rest| rest.strip_prefix(':'));
    if reason.is_some_and(|reason| !reason.trim().is_empty()) {
        Ok(true)
    } else {
        Err("say why: <!-- not run: needs pg_cron -->")
    }
}

fn statements(lines: &[&str], block: usize) -> Result<Vec<Step>, String> {
    let text = lines.join("\n");
    let found = split(&text).map_err(|n| format!("{}: a statement that has no end", block + 1 + n))?;
    Ok(found
        .into_iter()
        .map(|statement| Step {
            line: block + 1 + statement.line,
            block,
            begins_block: false,
            expected: named_error(&statement.text).map_or(Expected::Success, Expected::Error),
            statement: statement.text,
        })
        .collect())
}

/// Nothing if the block is no transcript.
fn transcript(lines: &[&str], block: usize) -> Result<Vec<Step>, String> {
    match lines.iter().position(|line| line.starts_with(PROMPT)) {
        None => return Ok(Vec::new()),
        Some(0) => {}
        Some(n) => return Err(format!("{}: a transcript begins with `=> `", block + 1 + n)),
    }
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = lines.iter().enumerate().peekable();
    while let Some((n, line)) = lines.next() {
        let Some(first) = line.strip_prefix(PROMPT) else {
            if let Some(Step { expected: Expected::Answer(answer), .. }) = steps.last_mut() {
                answer.push(line.trim_end().to_owned());
            }
            continue;
        };
        let mut statement = first.to_owned();
        while is_open(&statement) {
            let Some((_, next)) = lines.next_if(|(_, next)| !next.starts_with(PROMPT)) else {
                return Err(format!("{}: a statement that has no end", block + 1 + n));
            };
            statement += "\n";
            statement += next.strip_prefix("   ").unwrap_or(next);
        }
        let expected = Expected::Answer(Vec::new());
        steps.push(Step { line: block + 1 + n, block, begins_block: false, statement, expected });
    }
    for step in &mut steps {
        if let Expected::Answer(answer) = &mut step.expected {
            while answer.last().is_some_and(String::is_empty) {
                answer.pop();
            }
        }
    }
    Ok(steps)
}

/// The line that opens a block: three backquotes or more, perhaps indented, and a language.
struct Fence<'l> {
    indent: usize,
    quotes: usize,
    language: &'l str,
}

impl<'l> Fence<'l> {
    fn opened_by(line: &'l str) -> Option<Self> {
        let inner = line.trim_start();
        let quotes = inner.len() - inner.trim_start_matches('`').len();
        let language = inner[quotes..].trim();
        let is_fence = quotes >= 3 && !language.contains('`');
        is_fence.then(|| Self {
            indent: line.len() - inner.len(),
            quotes,
            language: language.split(' ').next().unwrap_or_default(),
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.quotes && line.chars().all(|letter| letter == '`')
    }

    /// A line of the block, without the indentation of the block itself.
    fn inner<'i>(&self, line: &'i str) -> &'i str {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        &line[spaces.min(self.indent)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(lines: &[&str]) -> Expected {
        Expected::Answer(lines.iter().map(|line| (*line).to_owned()).collect())
    }

    #[test]
    fn statements_of_sql_blocks_succeed_or_name_their_error() {
        let page =
            "Text.\n\n```sql\nselect 1;\n\nselect\n  2;   -- error: 22023\n```\n\n```sh\nselect 3;\n```\n";
        let steps = steps(page).expect("a page");
        let seen: Vec<_> = steps
            .iter()
            .map(|step| (step.line, step.block, step.begins_block, step.statement.as_str(), &step.expected))
            .collect();
        let error = Expected::Error("22023".to_owned());
        assert_eq!(
            seen,
            [
                (4, 3, true, "select 1;", &Expected::Success),
                (6, 3, false, "select\n  2;   -- error: 22023", &error)
            ]
        );
    }

    #[test]
    fn a_transcript_is_statements_and_their_answers() {
        let page = "- In a list:\n\n  ```\n  => select 1 as a,\n     2 as b;\n   a | b\n  ---+---\n   1 | 2  \n\n  => \\t \\a\n  => -- a comment\n  => select 3;\n  3\n  ```\n";
        let steps = steps(page).expect("a page");
        let seen: Vec<_> =
            steps.iter().map(|step| (step.line, step.statement.as_str(), &step.expected)).collect();
        assert_eq!(
            seen,
            [
                (4, "select 1 as a,\n2 as b;", &answer(&[" a | b", "---+---", " 1 | 2"])),
                (10, "\\t \\a", &answer(&[])),
                (11, "-- a comment", &answer(&[])),
                (12, "select 3;", &answer(&["3"])),
            ]
        );
    }

    #[test]
    fn other_blocks_are_not_run() {
        for page in [
            "```text\nselect 1;\n```\n",
            "```\nno prompt\n```\n",
            "```json\n=> select 1;\n```\n",
            "<!-- not run: needs pg_cron -->\n```sql\nselect 1;\n```\n",
            "<!-- not run: needs pg_cron -->\n\n```\n=> select 1;\n```\n",
            "````\n```sql\nselect 1;\n```\n````\n",
        ] {
            assert_eq!(steps(page), Ok(Vec::new()), "{page}");
        }
        assert_eq!(steps("```text\n=> select 1;\n```\n").expect("a page").len(), 1);
        let two = "<!-- not run: why -->\n```sql\nselect 1;\n```\n\n```sql\nselect 2;\n```\n";
        assert_eq!(steps(two).expect("a page").len(), 1);
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (page, error) in [
            ("```sql\nselect 1;", "1: a block that is never closed"),
            ("```sql\nselect 1;\nselect 2\n```\n", "3: a statement that has no end"),
            ("```\nanswer\n=> select 1;\n```\n", "3: a transcript begins with `=> `"),
            ("```\n=> select 1\n=> select 2;\n```\n", "2: a statement that has no end"),
            ("<!-- not run -->\n```sql\nselect 1;\n```\n", "1: say why: <!-- not run: needs pg_cron -->"),
        ] {
            assert_eq!(steps(page), Err(error.to_owned()), "{page}");
        }
    }
}
