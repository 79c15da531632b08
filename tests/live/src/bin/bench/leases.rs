//! Leases against the lock that most teams use: `SET NX PX` in Redis, with a Lua script that deletes it. And the
//! cost of a release that serves the head of a line.

use std::time::{Duration, Instant};

use anyhow::Result;
use redis::{Connection, Script};

use crate::pgbench::{Contest, Length};
use crate::redis_server::Redis;
use crate::scripts::Contender;
use crate::{Bench, Measured, median, threads};

const DISTINCT: Contender = Contender {
    name: "booking",
    script: "select token from booking.acquire_lease('lease ' || :client_id, 'me', '10 s') \\gset
        select * from booking.release_lease('lease ' || :client_id, :token);",
};

const ONE: Contender = Contender {
    name: "booking",
    script: "select token from booking.acquire_lease('lease', 'client ' || :client_id, '10 s', wait => true) \\gset
        select * from booking.release_lease('lease', :token);",
};

/// The lower bound for any lock in PostgreSQL: two transactions that change a row, each on disk when it is
/// answered.
const TWO_UPDATES: Contender = Contender {
    name: "two UPDATEs",
    script: "update one_row_each set n = n + 1 where client = :client_id;
        update one_row_each set n = n + 1 where client = :client_id;",
};

/// The two round trips alone.
const TWO_ANSWERS: Contender = Contender { name: "two times select 1", script: "select 1; select 1;" };

/// Deletes the lock only if it still belongs to this client: the recipe of Redis's documentation.
pub const RELEASE: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

/// The time that a Redis client sleeps before it asks again. Libraries sleep a hundred times as long.
const RETRY: Duration = Duration::from_millis(1);

/// The number of releases that are timed, with somebody in line and with nobody.
const RELEASES: usize = 2000;

const CLIENTS: [u32; 3] = [1, 8, 32];

pub const TURNS: usize = CLIENTS.len() * 6 + 1;

/// A client that takes a lock and gives it back.
struct Locker {
    connection: Connection,
    release: Script,
    name: String,
    number: u32,
    turns: u64,
}

impl Locker {
    fn lock_and_release(&mut self) -> Result<()> {
        let token = format!("{} {}", self.number, self.turns);
        loop {
            let mut set = redis::cmd("SET");
            set.arg(&self.name).arg(&token).arg("NX").arg("PX").arg(10_000);
            if set.query::<Option<String>>(&mut self.connection)?.is_some() {
                break;
            }
            std::thread::sleep(RETRY);
        }
        let deleted: i32 = self.release.key(&self.name).arg(&token).invoke(&mut self.connection)?;
        anyhow::ensure!(deleted == 1, "Redis had lost the lock \"{}\"", self.name);
        self.turns += 1;
        Ok(())
    }
}

impl Bench {
    pub fn leases(&self) -> Result<()> {
        let redis = Redis::start(self)?;
        self.server.psql(
            "create table one_row_each (client int primary key, n int) with (fillfactor = 10);
             insert into one_row_each select client, 0 from generate_series(0, 31) client",
        );
        for clients in CLIENTS {
            let contenders = [DISTINCT, TWO_UPDATES, TWO_ANSWERS];
            self.against_redis("leases, a name each", clients, &contenders, &redis, |number| {
                format!("lease {number}")
            })?;
        }
        for clients in CLIENTS {
            self.against_redis("leases, one name", clients, &[ONE], &redis, |_| "lease".to_owned())?;
        }
        drop(redis);
        self.promotion()
    }

    fn against_redis(
        &self,
        scenario: &str,
        clients: u32,
        contenders: &[Contender],
        redis: &Redis,
        name: impl Fn(u32) -> String,
    ) -> Result<()> {
        let seconds = self.options.seconds;
        let contest = Contest::new(scenario, clients, Length::Seconds(seconds));
        let mut turns = vec![Vec::new(); contenders.len() + 1];
        for _ in 0..self.options.rounds {
            for (contender, turns) in contenders.iter().zip(&mut turns) {
                turns.push(self.pgbench(&contest, contender, "postgres")?);
            }
            self.progress.set_message(format!("{scenario}, {clients} clients: Redis"));
            let locker = |number| {
                let (connection, release) = (redis.connect()?, Script::new(RELEASE));
                Ok(Locker { connection, release, name: name(number), number, turns: 0 })
            };
            turns[contenders.len()].push(threads::drive(clients, seconds, locker, Locker::lock_and_release)?);
            self.progress.inc(1);
        }
        let medians = turns.iter().map(|turns| Measured::median(turns)).collect::<Vec<_>>();
        let names = contenders.iter().map(|contender| contender.name).chain(["Redis"]);
        for (name, turn) in names.zip(&medians) {
            self.report_run(&contest, name, turn, medians[0].rate);
        }
        Ok(())
    }

    /// Times only the release, in turn with one entry in line and with none.
    fn promotion(&self) -> Result<()> {
        let mut client = self.server.connect("postgres");
        client.batch_execute("select booking.create_pool('waited for', 1)")?;
        let hold = client.prepare("select hold_id::text from booking.hold('waited for', 1, '10 minutes')")?;
        let join = client.prepare("select hold_id::text from booking.join_waitlist('waited for', 1)")?;
        let release = client.prepare("select ok from booking.release($1::text::uuid)")?;
        let mut medians = [Vec::new(), Vec::new()];
        for _ in 0..self.options.rounds {
            let mut seconds = [Vec::new(), Vec::new()];
            self.progress.set_message("a release, with one in line and with nobody");
            for _ in 0..RELEASES {
                for in_line in [true, false] {
                    let held: String = client.query_one(&hold, &[])?.get(0);
                    let waits: Option<String> = match in_line {
                        true => Some(client.query_one(&join, &[])?.get(0)),
                        false => None,
                    };
                    let begun = Instant::now();
                    client.query_one(&release, &[&held])?;
                    seconds[usize::from(in_line)].push(begun.elapsed().as_secs_f64());
                    if let Some(offered) = waits {
                        let taken: bool = client.query_one(&release, &[&offered])?.get(0);
                        anyhow::ensure!(taken, "who waited was not promoted");
                    }
                }
            }
            medians.iter_mut().zip(&seconds).for_each(|(all, seconds)| all.push(median(seconds)));
            self.progress.inc(1);
        }
        let [nobody, promotes] = medians.map(|seconds| median(&seconds));
        self.row("one release", "promotes who waits", 1.0 / promotes, promotes / nobody);
        self.row("one release", "nobody waits", 1.0 / nobody, 1.0);
        Ok(())
    }
}
