//! Locked pools: one that everybody wants, a thousand of them, expiry of stale holds, and a long history.

use std::time::Instant;

use anyhow::Result;

use crate::pgbench::{Contest, Length};
use crate::scripts::{Contender, FOR_UPDATE, hold_for_update};
use crate::{Bench, median};

/// The first contender is the extension, the others are its rivals.
const HOT: &[Contender] = &[
    Contender { name: "booking", script: "select * from booking.hold('hot', 1, '10 minutes');" },
    Contender { name: "plpgsql", script: "select * from rival.hold('hot', 1, '10 minutes');" },
    Contender { name: "plpgsql, bare", script: "select rival.bare_hold('hot', 1, '10 minutes');" },
    FOR_UPDATE,
];

const MANY: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set n random(1, 1000)
            select * from booking.hold('pool' || :n, 1, '10 minutes');",
    },
    Contender {
        name: "plpgsql",
        script: "\\set n random(1, 1000)
            select * from rival.hold('pool' || :n, 1, '10 minutes');",
    },
    Contender {
        name: "plpgsql, bare",
        script: "\\set n random(1, 1000)
            select rival.bare_hold('pool' || :n, 1, '10 minutes');",
    },
    Contender {
        name: "optimistic, retried",
        script: "\\set n random(1, 1000)
            select * from rival.hold_optimistically('pool' || :n, 1, '10 minutes');",
    },
    Contender {
        name: "for update",
        script: concat!("\\set n random(1, 1000)\n", hold_for_update!("'pool' || :n", "id, expires_at;")),
    },
];

/// A library of PyPI that does the same work in PL/pgSQL.
const NEVEROVERSELL_HOT: Contender = Contender {
    name: "neveroversell",
    script: "select * from nos_hold('hot', 1, 'ann', null, '10 minutes');",
};
const NEVEROVERSELL_MANY: Contender = Contender {
    name: "neveroversell",
    script: "\\set n random(1, 1000)
            select * from nos_hold('pool' || :n, 1, 'ann', null, '10 minutes');",
};

const CLIENTS: [u32; 4] = [1, 8, 32, 96];

/// The same hold in two databases: one is empty, the other full of history.
const HISTORY: Contender =
    Contender { name: "booking", script: "select * from booking.hold('hot', 1, '10 minutes');" };

const LOAD_HISTORY: &str = "
    insert into booking.holds (id, resource, quantity, state, placed_at, expires_at, ended_at, key, fingerprint)
    select gen_random_uuid(), 'hot', 1, 'released', at, at + interval '10 minutes', at,
           'key ' || n, gen_random_uuid()
    from (select n, clock_timestamp() - interval '20 days' + n * interval '1 ms' as at
          from generate_series(1, ROWS) n) as times;
    vacuum analyze booking.holds;
    checkpoint;";

/// 100,000 stale holds on 1,000 pools, in a table without the dead rows of the round before.
const LOAD_STALE: &str = "
    truncate booking.holds;
    update booking.resources set taken = 0;
    insert into booking.holds (id, resource, quantity, state, placed_at, expires_at)
    select gen_random_uuid(), 'pool' || (1 + n % 1000), 1, 'held', clock_timestamp() - interval '1 hour',
           clock_timestamp() - interval '1 minute' - n * interval '1 ms'
    from generate_series(1, 100000) n;
    update booking.resources set taken = 100 where name like 'pool%';
    vacuum analyze booking.holds;
    vacuum analyze booking.resources;
    checkpoint;";

const EXPIRE: &str = "select booking.expire(100000)";

const PLAIN_UPDATE: &str = "
    update booking.holds set state = 'expired', ended_at = clock_timestamp()
    where state = 'held' and expires_at <= clock_timestamp()";

pub const TURNS: usize = CLIENTS.len() * (HOT.len() + MANY.len() + 2) + 2 + 2;

impl Bench {
    pub fn pools(&self) -> Result<()> {
        self.server.psql("create database history");
        self.server.psql_in("history", "create extension booking cascade");
        self.load(include_str!("rivals.sql"), "history")?;
        let length = Length::Seconds(self.options.seconds);
        let scenarios = [("one hot pool", HOT, NEVEROVERSELL_HOT), ("1,000 pools", MANY, NEVEROVERSELL_MANY)];
        for (scenario, contenders, its) in scenarios {
            let contenders = self.with_neveroversell(contenders, its);
            for clients in CLIENTS {
                self.measure(&Contest::new(scenario, clients, length), &contenders)?;
            }
        }
        self.stale()?;
        self.history()
    }

    fn stale(&self) -> Result<()> {
        let mut seconds = [Vec::new(), Vec::new()];
        for _ in 0..self.options.rounds {
            for (n, sql) in [EXPIRE, PLAIN_UPDATE].into_iter().enumerate() {
                self.progress.set_message("100,000 stale holds");
                let mut client = self.server.connect("postgres");
                for statement in LOAD_STALE.split(';').filter(|statement| !statement.trim().is_empty()) {
                    client.batch_execute(statement)?;
                }
                let begun = Instant::now();
                client.batch_execute(sql)?;
                seconds[n].push(begun.elapsed().as_secs_f64());
                self.progress.inc(1);
            }
        }
        let medians = seconds.each_ref().map(|seconds| median(seconds));
        for (name, seconds) in ["booking.expire()", "one plain UPDATE"].into_iter().zip(medians) {
            self.row("100,000 stale holds", name, 100_000.0 / seconds, seconds / medians[0]);
        }
        Ok(())
    }

    fn history(&self) -> Result<()> {
        let rows = self.options.history;
        self.progress.set_message(format!("loading {rows} ended holds (some minutes)"));
        let mut client = self.server.connect("history");
        let load = LOAD_HISTORY.replace("ROWS", &rows.to_string());
        for statement in load.split(';').filter(|statement| !statement.trim().is_empty()) {
            client.batch_execute(statement)?;
        }
        self.server.psql("truncate booking.holds; update booking.resources set taken = 0");
        let contest = Contest::new("history", 1, Length::Seconds(self.options.seconds));
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..self.options.rounds {
            for (n, database) in ["history", "postgres"].into_iter().enumerate() {
                rates[n].push(self.pgbench(&contest, &HISTORY, database)?.rate);
            }
        }
        let medians = rates.each_ref().map(|rates| median(rates));
        let scenario = format!("hold among {rows} ended ones");
        for (name, rate) in ["full table", "empty table"].into_iter().zip(medians) {
            self.row(&scenario, name, rate, medians[0] / rate);
        }
        Ok(())
    }
}
