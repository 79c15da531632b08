//! Buys one place of a pool, in the ways of shops that use another service, or that decide outside of PostgreSQL.

use std::time::Duration;

use anyhow::{Context, Result};
use postgres::Client;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::{Connection, Script};

use crate::leases::RELEASE;
use crate::services::Services;
use crate::zookeeper::Locker;

/// What may happen to a buyer between the decision and the end of a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Fine,
    /// The process dies.
    Dies,
    /// The process pauses for long: garbage collection, or a page read from disk.
    Pauses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bought {
    Yes,
    SoldOut,
    /// The buyer died. Others must clear up what it had.
    Died,
}

/// The time to live of a lock in Redis.
const LOCK: Duration = Duration::from_millis(50);
/// The time that a buyer waits before it asks for the lock again.
const RETRY: Duration = Duration::from_millis(1);
/// Takes one of the places left, if there is one.
const TAKE: &str = "if tonumber(redis.call('get', KEYS[1]) or '0') > 0 then return redis.call('decr', KEYS[1]) else return -1 end";

/// The services that a way needs besides PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    Redis,
    ZooKeeper,
}

/// A way to buy.
pub struct Way {
    pub name: &'static str,
    pub needs: Needs,
    pub buy: fn(&mut Buyer) -> Result<Bought>,
}

const fn way(name: &'static str, needs: Needs, buy: fn(&mut Buyer) -> Result<Bought>) -> Way {
    Way { name, needs, buy }
}

pub static WAYS: [Way; 11] = [
    way("booking, escrow", Needs::Nothing, |buyer| buyer.by_booking("drop")),
    way("booking, locked", Needs::Nothing, |buyer| buyer.by_booking("hot")),
    way("plpgsql", Needs::Nothing, |buyer| buyer.by_function("rival.hold('hot', 1, '10 minutes')")),
    way("for update", Needs::Nothing, |buyer| buyer.behind("begin", "for update")),
    way("advisory lock", Needs::Nothing, |buyer| {
        buyer.behind("begin; select pg_advisory_xact_lock(hashtext('hot'))", "")
    }),
    way("optimistic, retried", Needs::Nothing, |buyer| {
        buyer.by_function("rival.hold_optimistically('hot', 1, '10 minutes')")
    }),
    way("a row per unit, skip locked", Needs::Nothing, |buyer| {
        buyer.by_function("rival.hold_unit('hot', '10 minutes')")
    }),
    way("look, then take", Needs::Nothing, |buyer| buyer.look_then_take()),
    way("lock in Redis", Needs::Redis, |buyer| buyer.lock_in_redis()),
    way("counter in Redis", Needs::Redis, |buyer| buyer.counter_in_redis()),
    way("lock in ZooKeeper", Needs::ZooKeeper, |buyer| buyer.lock_in_zookeeper()),
];

pub struct Buyer<'s> {
    pub session: Client,
    services: &'s Services,
    redis: Option<Connection>,
    zookeeper: Option<Locker>,
    release: Script,
    take: Script,
    random: StdRng,
    turns: u64,
    number: u32,
    /// One in this many buyers dies, and as many pause. 0: nobody does.
    one_in: u32,
}

impl<'s> Buyer<'s> {
    pub fn new(
        session: Client,
        services: &'s Services,
        needs: Needs,
        number: u32,
        one_in: u32,
    ) -> Result<Self> {
        let redis = match needs {
            Needs::Redis => Some(services.redis.connect()?),
            _ => None,
        };
        let zookeeper = match (needs, &services.zookeeper) {
            (Needs::ZooKeeper, Some(zookeeper)) => Some(zookeeper.connect()?),
            _ => None,
        };
        let (release, take) = (Script::new(RELEASE), Script::new(TAKE));
        let random = StdRng::seed_from_u64(number.into());
        Ok(Self { session, services, redis, zookeeper, release, take, random, turns: 0, number, one_in })
    }

    fn fate(&mut self) -> Fate {
        self.turns += 1;
        match self.one_in {
            0 => Fate::Fine,
            one_in => match self.random.random_range(0..one_in) {
                0 => Fate::Dies,
                1 => Fate::Pauses,
                _ => Fate::Fine,
            },
        }
    }

    /// Does what fate decides in the middle of a purchase. Returns whether the purchase goes on.
    fn goes_on(fate: Fate) -> bool {
        if fate == Fate::Pauses {
            std::thread::sleep(2 * LOCK);
        }
        fate != Fate::Dies
    }

    /// Ends the transaction: by a commit, or as the server ends it when its client is gone.
    fn end(&mut self, fate: Fate, bought: Bought) -> Result<Bought> {
        let goes_on = Self::goes_on(fate);
        self.session.batch_execute(if goes_on { "commit" } else { "rollback" })?;
        Ok(if goes_on { bought } else { Bought::Died })
    }

    fn by_booking(&mut self, pool: &str) -> Result<Bought> {
        let fate = self.fate();
        // The buyer holds nothing while it pauses: the purchase is one statement.
        let sql = format!("select ok from booking.hold('{pool}', 1, '10 minutes')");
        if fate == Fate::Fine {
            let ok: bool = self.session.query_typed(&sql, &[])?[0].get(0);
            return Ok(if ok { Bought::Yes } else { Bought::SoldOut });
        }
        self.session.batch_execute("begin")?;
        let ok: bool = self.session.query_typed(&sql, &[])?[0].get(0);
        self.end(fate, if ok { Bought::Yes } else { Bought::SoldOut })
    }

    fn free(&mut self, rest: &str) -> Result<i64> {
        let sql = format!("select capacity - taken from rival.resources where name = 'hot' {rest}");
        Ok(self.session.query_typed(&sql, &[])?[0].get(0))
    }

    fn write(&mut self) -> Result<()> {
        Ok(self.session.batch_execute(
            "insert into rival.holds (resource, quantity, expires_at)
                 values ('hot', 1, clock_timestamp() + interval '10 minutes');
             update rival.resources set taken = least(taken + 1, capacity) where name = 'hot'",
        )?)
    }

    /// Reads and takes in one transaction, which `begin` opens, so that nobody else takes the place between.
    fn behind(&mut self, begin: &str, lock: &str) -> Result<Bought> {
        let fate = self.fate();
        self.session.batch_execute(begin)?;
        if self.free(lock)? < 1 {
            return self.end(Fate::Fine, Bought::SoldOut);
        }
        self.write()?;
        self.end(fate, Bought::Yes)
    }

    fn by_function(&mut self, call: &str) -> Result<Bought> {
        let fate = self.fate();
        self.session.batch_execute("begin")?;
        let held = self.session.query_typed(&format!("select hold_id is not null from {call}"), &[])?;
        let bought = if held[0].get(0) { Bought::Yes } else { Bought::SoldOut };
        self.end(fate, bought)
    }

    /// Reads and then takes: the well-known mistake, which is still found in practice.
    fn look_then_take(&mut self) -> Result<Bought> {
        let fate = self.fate();
        if self.free("")? < 1 {
            return Ok(Bought::SoldOut);
        }
        if !Self::goes_on(fate) {
            return Ok(Bought::Died);
        }
        self.write()?;
        Ok(Bought::Yes)
    }

    /// Reads and takes under a lock that is outside PostgreSQL. A buyer that dies leaves the lock behind.
    fn under_a_lock(&mut self, fate: Fate) -> Result<Bought> {
        let free = self.free("")?;
        if !Self::goes_on(fate) {
            return Ok(Bought::Died);
        }
        if free < 1 {
            return Ok(Bought::SoldOut);
        }
        self.write()?;
        Ok(Bought::Yes)
    }

    fn lock_in_redis(&mut self) -> Result<Bought> {
        let fate = self.fate();
        let token = format!("{} {}", self.number, self.turns);
        loop {
            let redis = self.redis.as_mut().expect("a connection");
            let mut set = redis::cmd("SET");
            set.arg("lock").arg(&token).arg("NX").arg("PX").arg(LOCK.as_millis() as u64);
            if set.query::<Option<String>>(redis)?.is_some() {
                break;
            }
            std::thread::sleep(RETRY);
        }
        let bought = self.under_a_lock(fate)?;
        if bought != Bought::Died {
            let redis = self.redis.as_mut().expect("a connection");
            self.release.key("lock").arg(&token).invoke::<i32>(redis)?;
        }
        Ok(bought)
    }

    fn counter_in_redis(&mut self) -> Result<Bought> {
        let fate = self.fate();
        let redis = self.redis.as_mut().expect("a connection");
        if self.take.key("left").invoke::<i64>(redis)? < 0 {
            return Ok(Bought::SoldOut);
        }
        if !Self::goes_on(fate) {
            return Ok(Bought::Died);
        }
        self.session.batch_execute(
            "insert into rival.holds (resource, quantity, expires_at)
                 values ('hot', 1, clock_timestamp() + interval '10 minutes')",
        )?;
        Ok(Bought::Yes)
    }

    fn lock_in_zookeeper(&mut self) -> Result<Bought> {
        let fate = self.fate();
        let locker = self.zookeeper.take().context("a connection to ZooKeeper")?;
        let bought = locker.with_lock(|| {
            let bought = self.under_a_lock(fate)?;
            Ok((bought != Bought::Died, bought))
        })?;
        // A buyer that died comes back as another client.
        self.zookeeper = match (bought, &self.services.zookeeper) {
            (Bought::Died, Some(zookeeper)) => Some(zookeeper.connect()?),
            _ => Some(locker),
        };
        Ok(bought)
    }
}
