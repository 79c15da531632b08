//! One psql, which is given statements and read after each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use booking_live::{BOUND, Server};

pub struct Session {
    psql: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
}

/// What a statement has printed, errors and notices in their places, and its SQLSTATE.
#[derive(Debug)]
pub struct Ran {
    pub text: String,
    pub sqlstate: String,
}

/// Printed after each statement. No page has a reason to print it.
const END: &str = "=== the end of a statement";

impl Session {
    pub fn open(server: &Server, database: &str) -> Session {
        // Both streams in one pipe: psql flushes after each result, so they keep their order.
        let mut shell = server.command("sh");
        shell
            .args(["-c", r#"exec psql -X -q -P pager=off -d "$0" 2>&1"#, database])
            .env("PGOPTIONS", "-c statement_timeout=30s")
            .env("PGTZ", "UTC")
            .env("PGCLIENTENCODING", "UTF8")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut psql = shell.spawn().expect("psql");
        let lines = BufReader::new(psql.stdout.take().expect("its output")).split(b'\n');
        let (sender, output) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        let input = psql.stdin.take();
        Session { psql, input, output }
    }

    /// Back to psql's own format.
    pub fn reset_format(&mut self) {
        self.run("\\pset format aligned\n\\pset tuples_only off\n\\pset expanded off\n\\pset null ''");
    }

    /// Runs a whole statement, or a meta-command.
    #[track_caller]
    pub fn run(&mut self, statement: &str) -> Ran {
        let input = self.input.as_mut().expect("psql is open");
        let sent = writeln!(input, "\\set SQLSTATE 00000\n{statement}\n\\echo '{END}' :SQLSTATE");
        sent.and_then(|()| input.flush()).unwrap_or_else(|error| panic!("psql is gone: {error}"));
        let mut text = String::new();
        loop {
            let line = self.next_line(statement, &text);
            if let Some(sqlstate) = line.strip_prefix(END) {
                return Ran { text, sqlstate: sqlstate.trim().to_owned() };
            }
            text += &line;
            text.push('\n');
        }
    }

    #[track_caller]
    fn next_line(&self, statement: &str, before: &str) -> String {
        let bound: Duration = BOUND;
        self.output
            .recv_timeout(bound)
            .unwrap_or_else(|error| panic!("psql does not answer ({error}) to\n{statement}\n{before}"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}
