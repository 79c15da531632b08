//! The documentation is run: every SQL block of README.md and of each page below docs/, in order, by psql,
//! each page in a fresh database with the extension. What a page prints has to be what the server answers.
//!
//! # What a page may hold
//!
//! **A block marked `sql`** is executed, statement by statement. No statement may fail, and what it prints is
//! not compared. A statement that shall fail says so in a comment within it, on the lines directly above it,
//! or behind its semicolon:
//!
//! ```sql
//! select * from booking.hold('gig', 0);   -- error: 22023
//! ```
//!
//! **A transcript** is a block without a language (or marked `text`) whose first line begins with `=> `. Each
//! `=> ` begins a statement; its further lines are indented by three spaces. What follows, up to the next `=>
//! `, is the answer, as psql prints it, errors and notices included:
//!
//! ```text
//! => select ok, status, hold_id from booking.hold('gig');
//!  ok | status |               hold_id
//! ----+--------+--------------------------------------
//!  t  | held   | 01a20fa8-73a0-7502-bcfe-a8d4f513cd9f
//!
//! => \t \a
//! => select booking.seat_map('A320');
//!   1  o o .   o o o
//!   …
//! ```
//!
//! - Footers such as `(1 row)` are left out; `(0 rows)` stays. Blank lines at the end, and spaces at the end of a line, do
//!   not count.
//! - `…` alone on a line stands for any number of lines.
//! - Meta-commands work. Every block begins with psql's own format, whatever `\t` or `\a` an earlier one has said.
//! - **Ids**: a UUID in an answer stands for the one that the server returned there. The same UUID must be the same hold
//!   in all of the page, another UUID another one, and in a statement it is replaced by the real one.
//! - **Times** that lie within forty days of the clock are the clock's: there the page may show any time. All others have
//!   to be the same.
//!
//! **A block in any other language** is not run, and neither is one below a comment that says why:
//!
//! ```text
//! <!-- not run: needs pg_cron -->
//! ```
//!
//! A page's blocks share one session, with its variables, transactions and settings.

mod answer;
mod page;
mod session;
mod statement;

use std::fs;
use std::path::{Path, PathBuf};

use answer::{Known, is_same, printed};
use booking_live::{Server, Worker};
use page::{Expected, Step};
use session::Session;

/// README.md and every page below docs/, in the order of their names: the name, and the text.
fn pages() -> Vec<(String, String)> {
    // Another place to read from, while pages are written.
    let root = std::env::var_os("BOOKING_DOCS_ROOT");
    let root = root.map_or(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), PathBuf::from);
    let mut names = Vec::new();
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("a folder of pages") {
            let name = format!("{folder}/{}", entry.expect("an entry").file_name().to_string_lossy());
            if root.join(&name).is_dir() {
                folders.push(name);
            } else if name.ends_with(".md") {
                names.push(name);
            }
        }
    }
    names.sort();
    names.insert(0, "README.md".to_owned());
    let text = |name: &String| fs::read_to_string(root.join(name)).expect("a page");
    names.iter().map(|name| (name.clone(), text(name))).collect()
}

/// What pages tell of the worker and of escrow pools needs the library to be preloaded.
fn server() -> Server {
    let worker = match Worker::from_env() {
        Worker::Absent => Worker::Off,
        worker => worker,
    };
    Server::builder().worker(worker).set("wal_level", "logical").start().expect("a server")
}

#[test]
fn every_page_says_what_the_server_says() {
    let server = server();
    let (mut steps, mut wrong) = (0, Vec::new());
    for (n, (name, text)) in pages().iter().enumerate() {
        match page::steps(text) {
            Err(error) => wrong.push(format!("{name}:{error}")),
            Ok(all) if all.is_empty() => {}
            Ok(all) => {
                steps += all.len();
                wrong.extend(
                    run(&server, &format!("page_{n}"), &all).into_iter().map(|w| format!("{name}:{w}")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {steps} statements:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(steps > 20, "only {steps} statements were found");
}

/// A page that is right in all but three places.
const PAGE: &str = "
```sql
create role page_reader;
select name from booking.create_pool('gig', 3);
select name from booking.create_pool('gig', 3);   -- error: 42710
select name from booking.create_pool('gig', 3);
```

```
=> select ok, hold_id, expires_at from booking.hold('gig', 2, '5 min');
 ok |               hold_id                |       expires_at
----+--------------------------------------+------------------------
 t  | 01a20fa8-73a0-7502-bcfe-a8d4f513cd9f | 2026-11-25 10:03:21+00

=> select status, hold_id
   from booking.confirm('01a20fa8-73a0-7502-bcfe-a8d4f513cd9f');
  status   |               hold_id
-----------+--------------------------------------
 confirmed | 01a20fa8-73a0-7502-bcfe-a8d4f513cd9f

=> select hold_id from booking.hold('gig');
               hold_id
--------------------------------------
 01a20fa8-73a0-7502-bcfe-a8d4f513cd9f
```

- In a list:

  ```
  => \\t \\a
  => select n from generate_series(1, 9) as n;
  1
  …
  9
  => select ok, version from booking.hold('gig', 5) where ok;
  => select 1 / 0;
  ERROR:  division by zero
  ```

```
=> select 1 as one \\gset
=> select :one as one;
 one
-----
   2
```
";

#[test]
fn what_a_page_gets_wrong_is_found() {
    let server = server();
    let steps = page::steps(PAGE).expect("a page");
    for database in ["first", "second"] {
        let wrong = run(&server, database, &steps);
        let lines: Vec<_> = wrong.iter().map(|wrong| wrong.split(':').next().unwrap_or_default()).collect();
        assert_eq!(lines, ["6", "21", "42"], "{}", wrong.join("\n"));
    }
}

/// Runs a page in a database of its own, and leaves the server as it was. Returns what went otherwise than it
/// says.
fn run(server: &Server, database: &str, steps: &[Step]) -> Vec<String> {
    let roles =
        "select coalesce(string_agg(quote_ident(rolname), ','), '') from pg_roles where rolname !~ '^pg_'";
    let before = server.psql(roles);
    server.psql(&format!("create database {database}"));
    server.psql_in(database, "create extension booking cascade");
    let mut session = Session::open(server, database);
    let mut known = Known::default();
    let wrong = steps.iter().filter_map(|step| judge(&mut session, &mut known, step)).collect();
    drop(session);
    server.psql_in(
        database,
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()",
    );
    server.psql(&format!("drop database {database} with (force)"));
    let after = server.psql(roles);
    for role in after.split(',').filter(|role| !before.split(',').any(|old| old == *role)) {
        server.psql(&format!("drop role {role}"));
    }
    wrong
}

/// Runs one statement. Returns its line and what is wrong with it, or `None`.
fn judge(session: &mut Session, known: &mut Known, step: &Step) -> Option<String> {
    if step.begins_block {
        session.reset_format();
    }
    let ran = session.run(&known.put_into(&step.statement));
    let got = printed(&ran.text);
    let complain = |what: &str, expected: &str| {
        let Step { line, block, statement, .. } = step;
        let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let (statement, expected, got) = (indented(statement), indented(expected), indented(&got.join("\n")));
        Some(format!(
            "{line}: {what} (the block begins on line {block})\n  statement\n{statement}  expected\n{expected}  got\n{got}"
        ))
    };
    match &step.expected {
        Expected::Success if ran.sqlstate == "00000" => None,
        Expected::Success => complain("it failed", "no error"),
        Expected::Error(sqlstate) if ran.sqlstate == *sqlstate => None,
        Expected::Error(sqlstate) => complain("not the error that it names", &format!("error {sqlstate}")),
        Expected::Answer(expected) => match is_same(expected, &got, known) {
            Ok(()) => None,
            Err(what) => complain(&what, &expected.join("\n")),
        },
    }
}
