//! Leases against the lock that most teams use: `SET NX PX` in Redis, and a Lua script that gives it back; and what
//! a release costs that promotes one who waits.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use redis::{Connection, Script};

use crate::scripts::Contender;
use crate::{Bench, Length, median};

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

/// What no lock in PostgreSQL can do without: two transactions that change a row, each on disk when it is answered.
const TWO_UPDATES: Contender = Contender {
    name: "two UPDATEs",
    script: "update one_row_each set n = n + 1 where client = :client_id;
        update one_row_each set n = n + 1 where client = :client_id;",
};

/// And the two answers alone.
const TWO_ANSWERS: Contender = Contender { name: "two times select 1", script: "select 1; select 1;" };

/// Deletes the lock only where it is still ours: the recipe of Redis's own documentation.
const RELEASE: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

/// How long a Redis client sleeps before it asks again; libraries wait a hundred times as long.
const RETRY: Duration = Duration::from_millis(1);

/// How often a release is timed, with somebody in line and with nobody.
const RELEASES: usize = 2000;

const CLIENTS: [u32; 3] = [1, 8, 32];

pub const TURNS: usize = CLIENTS.len() * 6 + 1;

/// A Redis server of one's own, in the folder of the PostgreSQL server, as durable as that: it answers when what it
/// answers is on disk.
struct Redis(Child, redis::Client);

impl Redis {
    fn start(bench: &Bench) -> Result<Self> {
        let home = bench.server.home();
        let socket = home.join("redis.sock");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .args(["--maxclients", "200", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(home)
            .stdout(Stdio::null())
            .spawn()
            .context(
                "cannot run redis-server, the rival of leases: install it, or leave them out with --only",
            )?;
        let client = redis::Client::open(format!("redis+unix://{}", socket.display()))?;
        let redis = Self(child, client);
        let deadline = Instant::now() + booking_live::BOUND;
        while let Err(error) = redis.connect() {
            anyhow::ensure!(Instant::now() < deadline, "redis-server takes no connections: {error:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(redis)
    }

    fn connect(&self) -> Result<Connection> {
        Ok(self.1.get_connection()?)
    }

    /// How many times a second a lock is taken and given back.
    fn rate(&self, clients: u32, seconds: u32, name: impl Fn(u32) -> String) -> Result<f64> {
        let over = AtomicBool::new(false);
        let connections = (0..clients).map(|_| self.connect()).collect::<Result<Vec<_>>>()?;
        let begun = Instant::now();
        let turns = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..clients)
                .zip(connections)
                .map(|(number, connection)| {
                    let (name, over) = (name(number), &over);
                    scope.spawn(move || in_and_out(connection, &name, number, over))
                })
                .collect();
            std::thread::sleep(Duration::from_secs(seconds.into()));
            over.store(true, Ordering::Relaxed);
            threads.into_iter().map(|thread| thread.join().expect("a client of Redis")).sum::<Result<u64>>()
        })?;
        Ok(turns as f64 / begun.elapsed().as_secs_f64())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn in_and_out(mut connection: Connection, name: &str, number: u32, over: &AtomicBool) -> Result<u64> {
    let release = Script::new(RELEASE);
    let mut turns = 0_u64;
    while !over.load(Ordering::Relaxed) {
        let token = format!("{number} {turns}");
        let mut set = redis::cmd("SET");
        set.arg(name).arg(&token).arg("NX").arg("PX").arg(10_000);
        if set.query::<Option<String>>(&mut connection)?.is_none() {
            std::thread::sleep(RETRY);
            continue;
        }
        let deleted: i32 = release.key(name).arg(&token).invoke(&mut connection)?;
        anyhow::ensure!(deleted == 1, "Redis had lost the lock \"{name}\"");
        turns += 1;
    }
    Ok(turns)
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
        let mut rates = vec![Vec::new(); contenders.len() + 1];
        for _ in 0..self.options.rounds {
            for (contender, rates) in contenders.iter().zip(&mut rates) {
                let length = Length::Seconds(seconds);
                rates.push(self.pgbench(scenario, clients, contender, "postgres", length)?.rate);
            }
            self.progress.set_message(format!("{scenario}, {clients} clients: Redis"));
            rates[contenders.len()].push(redis.rate(clients, seconds, &name)?);
            self.progress.inc(1);
        }
        let medians = rates.iter().map(|rates| median(rates)).collect::<Vec<_>>();
        let names = contenders.iter().map(|contender| contender.name).chain(["Redis"]);
        for (name, rate) in names.zip(&medians) {
            self.row(scenario, &clients.to_string(), name, *rate, medians[0] / rate);
        }
        Ok(())
    }

    /// Times nothing but the release, with one in line and with nobody, in turn.
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
        self.row("one release", "1", "promotes who waits", 1.0 / promotes, promotes / nobody);
        self.row("one release", "1", "nobody waits", 1.0 / nobody, 1.0);
        Ok(())
    }
}
