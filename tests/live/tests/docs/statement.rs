//! Where SQL statements end, as psql sees it.

/// A statement, or a meta-command, of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// With the comments above it, and the one behind its semicolon.
    pub text: String,
    /// The line of the text that its first word stands on, counted from 0.
    pub line: usize,
}

/// The statements of a text. `Err` with the line where one begins that has no end.
pub fn split(text: &str) -> Result<Vec<Statement>, usize> {
    let mut statements = Vec::new();
    let mut rest = Scan { text, at: 0 };
    let mut begin = 0;
    while let Some(end) = rest.end_of_next() {
        let statement = &text[begin..end];
        statements.push(Statement { text: statement.trim().to_owned(), line: first_word(text, begin, end) });
        begin = end;
    }
    if has_words(&text[begin..]) { Err(first_word(text, begin, text.len())) } else { Ok(statements) }
}

/// Whether psql would go on reading after this text.
pub fn is_open(text: &str) -> bool {
    split(text).is_err()
}

/// The SQLSTATE that a comment in a statement names: `-- error: 22023`.
pub fn named_error(statement: &str) -> Option<String> {
    let (_, after) = statement.split_once("-- error: ")?;
    let code: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
    (code.len() == 5).then_some(code)
}

fn first_word(text: &str, begin: usize, end: usize) -> usize {
    let mut scan = Scan { text: &text[..end], at: begin };
    scan.skip_space_and_comments();
    text[..scan.at].matches('\n').count()
}

fn has_words(text: &str) -> bool {
    let mut scan = Scan { text, at: 0 };
    scan.skip_space_and_comments();
    scan.at < text.len()
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Goes on until after these characters, or to the end.
    fn skip_past(&mut self, what: &str) {
        self.at = self.rest().find(what).map_or(self.text.len(), |n| self.at + n + what.len());
    }

    fn skip_space_and_comments(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if !self.skip_comment() {
                return;
            }
        }
    }

    /// Whether there was one.
    fn skip_comment(&mut self) -> bool {
        if self.rest().starts_with("--") {
            self.skip_past("\n");
        } else if self.rest().starts_with("/*") {
            // They nest.
            let mut depth = 0;
            while !self.rest().is_empty() {
                if self.rest().starts_with("/*") {
                    (depth, self.at) = (depth + 1, self.at + 2);
                } else if self.rest().starts_with("*/") {
                    (depth, self.at) = (depth - 1, self.at + 2);
                    if depth == 0 {
                        break;
                    }
                } else {
                    self.step();
                }
            }
        } else {
            return false;
        }
        true
    }

    fn step(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    /// Goes past the next statement, and a comment behind it on its line. `None` if none ends here any more.
    fn end_of_next(&mut self) -> Option<usize> {
        self.skip_space_and_comments();
        let begin = self.at;
        while let Some(next) = self.rest().chars().next() {
            match next {
                ';' => {
                    self.at += 1;
                    return Some(self.past_comment_behind());
                }
                // A meta-command ends with its line, and sends what stands before it.
                '\\' => {
                    let is_alone = !has_words(&self.text[begin..self.at]);
                    let sends = is_alone || self.rest().starts_with("\\g");
                    self.skip_past("\n");
                    if sends {
                        return Some(self.at);
                    }
                }
                '\'' if self.is_after_escape_prefix() => self.skip_escaped_string(),
                '\'' | '"' => {
                    self.at += 1;
                    self.skip_past(&next.to_string());
                }
                '$' => match self.dollar_tag() {
                    Some(tag) => {
                        self.at += tag.len();
                        self.skip_past(tag);
                    }
                    None => self.at += 1,
                },
                _ if self.skip_comment() => {}
                _ => self.step(),
            }
        }
        None
    }

    fn past_comment_behind(&mut self) -> usize {
        let line_end = self.rest().find('\n').map_or(self.text.len(), |n| self.at + n);
        if self.text[self.at..line_end].trim_start().starts_with("--") {
            self.at = line_end;
        }
        self.at
    }

    fn before(&self) -> impl Iterator<Item = char> {
        self.text[..self.at].chars().rev()
    }

    /// Whether the quotation mark here begins `E'…'`.
    fn is_after_escape_prefix(&self) -> bool {
        let mut before = self.before();
        matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_of_name)
    }

    fn skip_escaped_string(&mut self) {
        self.at += 1;
        while let Some(next) = self.rest().chars().next() {
            self.step();
            match next {
                '\\' => self.step(),
                '\'' => return,
                _ => {}
            }
        }
    }

    /// `$$`, or `$name$`, if that is what begins here.
    fn dollar_tag(&self) -> Option<&'t str> {
        if self.before().next().is_some_and(is_of_name) {
            return None;
        }
        let name = self.rest()[1..].find('$')?;
        let tag = &self.rest()[..name + 2];
        let inner = &tag[1..=name];
        let is_name =
            inner.chars().all(is_of_name) && !inner.starts_with(|first: char| first.is_ascii_digit());
        is_name.then_some(tag)
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        split(text).expect("whole statements").into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn quotation_marks_comments_and_dollars_hide_semicolons() {
        for one in [
            "select ';';",
            "select 'it''s;';",
            r"select E'\';';",
            "select \"a;b\";",
            "select 1 -- ; not here\n;",
            "select /* ; /* ; */ ; */ 1;",
            "do $$ begin perform 1; end $$;",
            "do $body$ select $$;$$; $body$;",
            "select a$b$c;",
            "select :'id';",
        ] {
            assert_eq!(texts(one), [one], "{one}");
        }
    }

    #[test]
    fn meta_commands_end_with_their_line() {
        assert_eq!(texts("\\t \\a\nselect 1;"), ["\\t \\a", "select 1;"]);
        assert_eq!(texts("select 1 as a \\gset\nselect :a;"), ["select 1 as a \\gset", "select :a;"]);
    }

    #[test]
    fn comments_belong_to_the_statement_below_or_on_the_line() {
        let text = "-- first\nselect 1;  -- error: 22023\n\n-- error: 42704\nselect 2;\n-- the end\n";
        let statements = split(text).expect("whole statements");
        let errors: Vec<_> = statements.iter().map(|statement| named_error(&statement.text)).collect();
        assert_eq!(errors, [Some("22023".to_owned()), Some("42704".to_owned())]);
        assert_eq!(statements.iter().map(|statement| statement.line).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(named_error("select 1; -- error: never"), Some("never".to_owned()));
        assert_eq!(named_error("select 1; -- error: no"), None);
    }

    #[test]
    fn what_has_no_end_is_open() {
        for open in ["select 1", "select 'a;", "do $$ begin; ", "select /* ; "] {
            assert!(is_open(open), "{open}");
        }
        assert!(!is_open("-- only a comment"));
        assert_eq!(split("select 1;\n\nselect 2"), Err(2));
    }
}
