//! Tables that are altered while clients write them. The library writes plain rows without a statement, so each change
//! must reach it before the next row: a trigger runs for every row, a constraint refuses every row, and each index has
//! an entry for every row.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use booking_live::{Server, ask, join, wait_until};
use postgres::Client;
use postgres::error::SqlState;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const CLIENTS: usize = 6;
const POOLS: [&str; 3] = ["stalls", "circle", "gallery"];

/// What the clients and the session that alters the tables tell each other.
#[derive(Default)]
struct Shared {
    /// How many calls each client has made.
    calls: [AtomicUsize; CLIENTS],
    /// How many calls a constraint has refused.
    refused: AtomicUsize,
    over: AtomicBool,
}

impl Shared {
    /// Waits until every client has begun and ended some calls more.
    fn wait_for_calls(&self) {
        let count = || self.calls.each_ref().map(|calls| calls.load(Ordering::SeqCst));
        let before = count();
        wait_until("more calls", count, |now| {
            now.iter().zip(before).all(|(now, before)| *now >= before + 12)
        });
    }
}

/// A hold as its only client knows it: how much it takes, and its state.
type Known = HashMap<String, (i64, &'static str)>;

fn client(mut session: Client, number: usize, shared: &Shared) -> Known {
    let mut random = StdRng::seed_from_u64(number as u64);
    let mut known = Known::new();
    while !shared.over.load(Ordering::SeqCst) {
        let live = known.iter().filter(|(_, (_, state))| ["held", "confirmed"].contains(state));
        let live: Vec<_> = live.map(|(id, (_, state))| (id.clone(), *state)).collect();
        let old = live.choose(&mut random).filter(|_| random.random_ratio(1, 2) || live.len() > 40);
        let (id, quantity, sql, then) = match old {
            None => {
                let quantity = random.random_range(1..=3);
                let holder = ["ann", "zoe"].choose(&mut random).expect("two");
                let pool = POOLS.choose(&mut random).expect("three");
                let key = random.random_ratio(1, 2).then(|| format!("'{}'", random.random::<u64>()));
                let key = key.as_deref().unwrap_or("null");
                let sql = format!("hold('{pool}', {quantity}, '1 hour', key => {key}, holder => '{holder}')");
                (None, quantity, sql, "held")
            }
            Some((id, state)) => {
                let (verb, then) = match (*state, random.random_range(0..4)) {
                    ("held", 0) => ("extend", "held"),
                    ("held", 1) => ("release", "released"),
                    ("held", _) => ("confirm", "confirmed"),
                    _ => ("cancel", "cancelled"),
                };
                (Some(id.clone()), known[id].0, format!("{verb}('{id}')"), then)
            }
        };
        match ask(&mut session, &sql) {
            Ok(answer) => {
                assert!(answer.ok, "{sql}: {answer:?}");
                let id = id.unwrap_or_else(|| answer.id().to_owned());
                known.insert(id, (quantity, then));
            }
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION), "{sql}: {error:?}");
                shared.refused.fetch_add(1, Ordering::SeqCst);
            }
        }
        shared.calls[number].fetch_add(1, Ordering::SeqCst);
    }
    known
}

/// Alters the tables, and looks at what the clients have written meanwhile.
struct Altering<'s> {
    server: &'s Server,
    shared: &'s Shared,
}

impl Altering<'_> {
    fn count(&self, sql: &str) -> i64 {
        self.server.psql(sql).parse().unwrap_or_else(|_| panic!("{sql} is no number"))
    }

    /// Makes a change, waits for calls, and undoes the change, which must have reached every row in between: what
    /// `rows` counts has grown by as much as the log, in which the change writes a row for each.
    fn logged(&self, change: &str, undo: &str, table: &str, rows: &str) {
        let numbers = |sql: &str| {
            let said = self.server.psql(&format!(
                "begin; lock table {table} in share row exclusive mode;
                 select ({rows}) || ' ' || (select count(*) from public.log); {sql}; commit"
            ));
            let line = said.lines().find(|line| line.contains(' ')).expect("two numbers");
            let [rows, log] =
                [0, 1].map(|n| line.split(' ').nth(n).and_then(|n| n.parse::<i64>().ok()).expect(line));
            (rows, log)
        };
        let (rows_before, log_before) = numbers(change);
        self.shared.wait_for_calls();
        let (rows, log) = numbers(undo);
        assert_eq!(log - log_before, rows - rows_before, "{change}");
        assert!(rows > rows_before, "nothing happened: {change}");
        self.shared.wait_for_calls();
        assert_eq!(self.count("select count(*) from public.log"), log, "{undo}");
    }

    /// Adds a constraint, which must refuse every row that is against it.
    fn refused(&self, add: &str, against: &str, drop: &str) {
        let rows = format!("select count(*) from booking.holds where {against}");
        self.server.psql(add);
        let (before, refused) = (self.count(&rows), self.shared.refused.load(Ordering::SeqCst));
        wait_until(
            "calls that the constraint refuses",
            || self.shared.refused.load(Ordering::SeqCst),
            |now| *now > refused + 5,
        );
        assert_eq!(self.count(&rows), before, "{add}");
        self.server.psql(drop);
        self.shared.wait_for_calls();
        wait_until("rows that were refused before", || self.count(&rows), |now| *now > before);
    }

    fn rebuilt(&self, sql: &str) {
        self.server.psql(sql);
        self.shared.wait_for_calls();
        self.server.assert_sound("postgres");
    }
}

#[test]
fn a_change_of_a_table_reaches_the_next_row() {
    let server = Server::builder().max_connections(40).start().expect("a server");
    for pool in POOLS {
        server.psql(&format!("select booking.create_pool('{pool}', 1000000, contention => 'locked')"));
    }
    server.psql(
        "create table public.log (at timestamptz default clock_timestamp());
         create function public.log() returns trigger language plpgsql as
         $$begin insert into public.log default values; return new; end$$",
    );
    let shared = Arc::new(Shared::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (session, shared) = (server.connect("postgres"), shared.clone());
            std::thread::spawn(move || client(session, number, &shared))
        })
        .collect();
    let altering = Altering { server: &server, shared: &shared };
    shared.wait_for_calls();

    let (holds, resources) = ("booking.holds", "booking.resources");
    let placed = "select count(*) from booking.holds";
    let versions = "select sum(version) from booking.holds";
    altering.logged(
        "create trigger log after insert on booking.holds for each row execute function public.log()",
        "drop trigger log on booking.holds",
        holds,
        placed,
    );
    altering.logged(
        "create trigger log before update on booking.holds for each row execute function public.log()",
        "drop trigger log on booking.holds",
        holds,
        // Each update of a hold raises its version, which begins at 1.
        "select sum(version - 1) from booking.holds",
    );
    altering.logged(
        "create trigger log after insert or update on booking.holds for each row execute function public.log()",
        "drop trigger log on booking.holds",
        holds,
        versions,
    );
    altering.logged(
        "create trigger log after update on booking.resources for each row execute function public.log()",
        "drop trigger log on booking.resources",
        resources,
        "select sum(version) from booking.resources",
    );
    altering.logged(
        "create rule log as on insert to booking.holds do also insert into public.log default values",
        "drop rule log on booking.holds",
        holds,
        placed,
    );
    altering.refused(
        "alter table booking.holds add constraint no_zoe check (holder <> 'zoe') not valid",
        "holder = 'zoe'",
        "alter table booking.holds drop constraint no_zoe",
    );
    altering.refused(
        "alter domain booking.quantity add constraint few check (value < 3) not valid",
        "quantity = 3",
        "alter domain booking.quantity drop constraint few",
    );
    altering.rebuilt("create index concurrently by_holder on booking.holds (holder, placed_at)");
    altering.rebuilt("reindex index booking.by_holder");
    altering.rebuilt("reindex table concurrently booking.holds");
    altering.rebuilt("drop index concurrently booking.by_holder");
    altering.rebuilt("vacuum full booking.holds");
    altering.rebuilt("vacuum full booking.resources");
    altering.rebuilt("create unique index concurrently alone on booking.resources (name, kind)");
    altering.rebuilt("alter table booking.holds enable row level security");
    altering.rebuilt("alter table booking.holds disable row level security");
    altering.rebuilt("create index by_reference on booking.holds using hash (id)");
    altering.rebuilt("alter table booking.holds add column note text not null default 'as told'");
    altering.rebuilt("alter table booking.holds alter column reference set default 'unknown'");
    shared.over.store(true, Ordering::SeqCst);

    let known: Known = clients.into_iter().flat_map(join).collect();
    let mut session = server.connect("postgres");
    let sql = "select id::text, quantity::bigint, state::text, note from booking.holds";
    let rows = session.query(sql, &[]).expect("the holds");
    assert_eq!(rows.len(), known.len());
    for row in rows {
        let (id, quantity, state, note): (String, i64, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        assert_eq!((quantity, state.as_str()), known[&id], "{id}");
        assert_eq!(note, "as told", "{id}");
    }
    server.assert_sound("postgres");
}

#[test]
fn the_extension_may_be_created_again_during_a_load() {
    let server = Server::builder().max_connections(40).start().expect("a server");
    let create = "select booking.create_pool('gig', 1000000)";
    server.psql(create);
    let shared = Arc::new(Shared::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (mut session, shared) = (server.connect("postgres"), shared.clone());
            std::thread::spawn(move || {
                while !shared.over.load(Ordering::SeqCst) {
                    if let Err(error) = ask(&mut session, "hold('gig')") {
                        let code = error.code().expect("the connection is there").code().to_owned();
                        // The schema, a table, the function or the pool is not there, or is being dropped.
                        assert!(
                            ["3F000", "42P01", "42883", "42704", "55000"].contains(&code.as_str()),
                            "{error:?}"
                        );
                    }
                    shared.calls[number].fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..5 {
        shared.wait_for_calls();
        server.psql("drop extension booking");
        shared.wait_for_calls();
        server.psql("create extension booking");
        server.psql(create);
        let placed = || server.psql("select count(*) from booking.holds").parse::<i64>().expect("a number");
        wait_until("holds of the new extension", placed, |placed| *placed > 20);
    }
    shared.over.store(true, Ordering::SeqCst);
    clients.into_iter().for_each(|client| join(client));
    server.assert_sound("postgres");
}
