//! One pool that everybody wants: an escrow pool against a bare INSERT, and against every way in which buyers take
//! turns.

use std::time::Instant;

use anyhow::Result;

use crate::pgbench::{Contest, Length};
use crate::scripts::{Contender, FOR_UPDATE};
use crate::services::Services;
use crate::shop::{Buyer, Needs, WAYS};
use crate::{Bench, Measured, median, threads};

/// The scenario with each `synchronous_commit`. Redis is as durable as PostgreSQL in each.
const ONE: [(&str, &str, &str); 2] = [
    ("everybody wants one pool", "on", "always"),
    ("everybody wants one pool, synchronous_commit off", "off", "everysec"),
];
const CLIENTS: [u32; 4] = [1, 8, 32, 96];

const ONE_POOL: &[Contender] = &[
    Contender {
        name: "booking, escrow",
        script: "select hold_id, expires_at from booking.hold('drop', 1, '10 minutes');",
    },
    Contender {
        name: "bare INSERT",
        script: "insert into rival.like_holds (id, resource, quantity, state, placed_at, expires_at)
            values (gen_random_uuid(), 'drop', 1, 'held', clock_timestamp(),
                    clock_timestamp() + interval '10 minutes')
            returning id, expires_at;",
    },
    Contender {
        name: "bare INSERT, smallest table",
        script: "insert into rival.smallest_holds (id, resource, quantity, expires_at)
            values (gen_random_uuid(), 'drop', 1, clock_timestamp() + interval '10 minutes')
            returning id, expires_at;",
    },
    Contender {
        name: "booking, auto",
        script: "select hold_id, expires_at from booking.hold('auto', 1, '10 minutes');",
    },
    Contender {
        name: "booking, locked",
        script: "select hold_id, expires_at from booking.hold('hot', 1, '10 minutes');",
    },
    Contender { name: "plpgsql", script: "select * from rival.hold('hot', 1, '10 minutes');" },
    FOR_UPDATE,
    Contender {
        name: "advisory lock",
        script: "begin;
            select pg_advisory_xact_lock(hashtext('hot'));
            select capacity + overbooking - taken from rival.resources where name = 'hot' and open;
            update rival.resources set taken = taken + 1, version = version + 1 where name = 'hot';
            insert into rival.holds (resource, quantity, expires_at)
                values ('hot', 1, clock_timestamp() + interval '10 minutes') returning id, expires_at;
            commit;",
    },
    Contender {
        name: "optimistic, retried",
        script: "select * from rival.hold_optimistically('hot', 1, '10 minutes');",
    },
    Contender {
        name: "look, then take",
        script: "select capacity + overbooking - taken from rival.resources where name = 'hot' and open;
            update rival.resources set taken = taken + 1, version = version + 1 where name = 'hot';
            insert into rival.holds (resource, quantity, expires_at)
                values ('hot', 1, clock_timestamp() + interval '10 minutes') returning id, expires_at;",
    },
    Contender {
        name: "a row per unit, skip locked",
        script: "select * from rival.hold_unit('hot', '10 minutes');",
    },
];

const BATCH: i64 = 1000;
const BATCHES: usize = 20;
const LIVE: i64 = 1_000_000;

const PUT_BACK: &[&str] = &[
    "truncate booking.holds",
    "truncate rival.like_holds",
    "truncate rival.smallest_holds",
    "truncate rival.holds",
    "update rival.units set hold_id = null where hold_id is not null",
    "vacuum rival.units",
];

/// The number of the [`WAYS`] that need more than PostgreSQL.
const WITH_SERVICES: usize = 3;

pub const TURNS: usize = ONE.len() * CLIENTS.len() * (ONE_POOL.len() + WITH_SERVICES) + 3;

impl Bench {
    pub fn escrow(&self) -> Result<()> {
        self.load(include_str!("escrow.sql"), "postgres")?;
        let services = Services::start(self)?;
        for (scenario, commits, fsync) in ONE {
            self.commits.set(commits);
            services.redis.set_durability(fsync)?;
            for clients in CLIENTS {
                let length = Length::Seconds(self.options.seconds);
                let contest = Contest { put_back: PUT_BACK, ..Contest::new(scenario, clients, length) };
                let first = self.measure(&contest, ONE_POOL)?;
                self.with_services(&contest, &services, first)?;
            }
        }
        self.commits.set("on");
        services.redis.set_durability("always")?;
        self.batch()?;
        self.count()?;
        self.mistakes(&services)
    }

    fn with_services(&self, contest: &Contest, services: &Services, first: f64) -> Result<()> {
        let Contest { scenario, clients, .. } = *contest;
        for way in WAYS.iter().filter(|way| way.needs != Needs::Nothing && services.have(way.needs)) {
            let mut turns = Vec::new();
            for _ in 0..self.options.rounds {
                self.progress.set_message(format!("{scenario}, {clients} clients: {}", way.name));
                redis::cmd("SET").arg("left").arg(1_000_000_000).exec(&mut services.redis.connect()?)?;
                let buyer = |number| Buyer::new(self.session()?, services, way.needs, number, 0);
                turns.push(threads::drive(clients, self.options.seconds, buyer, |buyer| {
                    (way.buy)(buyer).map(|_| ())
                })?);
                self.progress.inc(1);
            }
            self.report_run(contest, way.name, &Measured::median(&turns), first);
        }
        Ok(())
    }

    /// Measures `hold_each` with a thousand requests against one INSERT of a thousand rows.
    fn batch(&self) -> Result<()> {
        let mut client = self.server.connect("postgres");
        let requests = "select jsonb_agg('{\"resource\": \"drop\", \"ttl\": \"10 minutes\"}'::jsonb)
                        from generate_series(1, 1000)";
        let each = format!("select count(*) from booking.hold_each(({requests}))");
        let bulk = "insert into rival.like_holds (id, resource, quantity, state, placed_at, expires_at)
            select gen_random_uuid(), 'drop', 1, 'held', clock_timestamp(), clock_timestamp() + interval '10 minutes'
            from generate_series(1, 1000)";
        let mut medians = [Vec::new(), Vec::new()];
        for _ in 0..self.options.rounds {
            self.progress.set_message("batches of a thousand");
            let mut seconds = [Vec::new(), Vec::new()];
            for _ in 0..BATCHES {
                for (n, sql) in [each.as_str(), bulk].into_iter().enumerate() {
                    let begun = Instant::now();
                    client.batch_execute(sql)?;
                    seconds[n].push(begun.elapsed().as_secs_f64());
                }
            }
            medians.iter_mut().zip(&seconds).for_each(|(all, seconds)| all.push(median(seconds)));
            self.progress.inc(1);
        }
        let medians = medians.map(|seconds| median(&seconds));
        let names = ["booking.hold_each(), escrow", "one bulk INSERT"];
        for (name, seconds) in names.into_iter().zip(medians) {
            self.row("batches of 1,000", name, BATCH as f64 / seconds, seconds / medians[0]);
        }
        Ok(())
    }

    /// Measures the first count of a pool with a million live holds against a sum over them.
    fn count(&self) -> Result<()> {
        let mut client = self.server.connect("postgres");
        client.batch_execute(&format!(
            "truncate booking.holds;
             insert into booking.holds (id, resource, quantity, state, placed_at, expires_at, confirmed_at)
             select gen_random_uuid(), 'drop', 1, case when n % 3 = 0 then 'held' else 'confirmed' end::booking.hold_state,
                    clock_timestamp(), clock_timestamp() + interval '1 day', case when n % 3 <> 0 then clock_timestamp() end
             from generate_series(1, {LIVE}) n"
        ))?;
        client.batch_execute("vacuum analyze booking.holds")?;
        let plain = "select sum(quantity) from booking.holds
            where resource = 'drop' and state in ('held', 'confirmed') and during is null";
        let mut seconds = [Vec::new(), Vec::new()];
        for _ in 0..self.options.rounds {
            self.progress.set_message("counting a million holds");
            // The first hold after this counts the pool.
            client.batch_execute("select booking.after_restore()")?;
            for (n, sql) in ["select booking.hold('drop', 1, '1 day')", plain].into_iter().enumerate() {
                let begun = Instant::now();
                client.batch_execute(sql)?;
                seconds[n].push(begun.elapsed().as_secs_f64());
            }
            self.progress.inc(1);
        }
        let medians = seconds.map(|seconds| median(&seconds));
        for (name, seconds) in
            ["the first hold, which counts", "select sum(quantity)"].into_iter().zip(medians)
        {
            self.row("a pool with a million live holds", name, 1.0 / seconds, seconds / medians[1]);
        }
        client.batch_execute("truncate booking.holds")?;
        Ok(())
    }
}
