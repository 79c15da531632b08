//! One place of a pool bought, as it is done where PostgreSQL is not alone, or not asked to decide.

use std::time::Duration;

use anyhow::Result;
use postgres::Client;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::{Connection, Script};

use crate::leases::RELEASE;

/// What may happen to a buyer between the decision and the end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Fine,
    /// The process is gone.
    Dies,
    /// It goes on much later: a collection of garbage, a page that has to be read from disk.
    Pauses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bought {
    Yes,
    SoldOut,
    /// Whatever it had is for others to clear up.
    Died,
}

/// How long a lock in Redis lasts.
const LOCK: Duration = Duration::from_millis(50);
/// How long a buyer waits before asking for it again.
const RETRY: Duration = Duration::from_millis(1);
/// Takes one of what is left, if anything is.
const TAKE: &str = "if tonumber(redis.call('get', KEYS[1]) or '0') > 0 then return redis.call('decr', KEYS[1]) else return -1 end";

pub struct Buyer {
    pub session: Client,
    redis: Option<Connection>,
    release: Script,
    take: Script,
    random: StdRng,
    turns: u64,
    number: u32,
    /// One in so many dies, and as many pause; 0: nobody does.
    pub one_in: u32,
}

/// A way to buy.
pub type Way = fn(&mut Buyer) -> Result<Bought>;

/// All of them, by name.
pub const WAYS: [(&str, Way); 7] = [
    ("booking, escrow", |buyer| buyer.by_booking("drop")),
    ("booking, locked", |buyer| buyer.by_booking("hot")),
    ("for update", Buyer::for_update),
    ("optimistic, retried", Buyer::optimistic),
    ("look, then take", Buyer::look_then_take),
    ("lock in Redis", Buyer::lock_in_redis),
    ("counter in Redis", Buyer::counter_in_redis),
];

impl Buyer {
    pub fn new(session: Client, redis: Option<Connection>, number: u32, one_in: u32) -> Self {
        let (release, take) = (Script::new(RELEASE), Script::new(TAKE));
        let random = StdRng::seed_from_u64(number.into());
        Self { session, redis, release, take, random, turns: 0, number, one_in }
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

    /// Lives through what happens in the middle. Whether it goes on.
    fn goes_on(fate: Fate) -> bool {
        if fate == Fate::Pauses {
            std::thread::sleep(2 * LOCK);
        }
        fate != Fate::Dies
    }

    /// Ends the transaction: by a commit, or as the server does when its client is gone.
    fn end(&mut self, fate: Fate, bought: Bought) -> Result<Bought> {
        let goes_on = Self::goes_on(fate);
        self.session.batch_execute(if goes_on { "commit" } else { "rollback" })?;
        Ok(if goes_on { bought } else { Bought::Died })
    }

    fn by_booking(&mut self, pool: &str) -> Result<Bought> {
        let fate = self.fate();
        // Nothing has to be held while it pauses: it is one statement.
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

    fn for_update(&mut self) -> Result<Bought> {
        let fate = self.fate();
        self.session.batch_execute("begin")?;
        if self.free("for update")? < 1 {
            return self.end(Fate::Fine, Bought::SoldOut);
        }
        self.write()?;
        self.end(fate, Bought::Yes)
    }

    fn optimistic(&mut self) -> Result<Bought> {
        let fate = self.fate();
        self.session.batch_execute("begin")?;
        let sql = "select ok from rival.hold_optimistically('hot', 1, '10 minutes')";
        let ok: bool = self.session.query_typed(sql, &[])?[0].get(0);
        self.end(fate, if ok { Bought::Yes } else { Bought::SoldOut })
    }

    /// What is taught as the mistake, and still found.
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
        let free = self.free("")?;
        let goes_on = Self::goes_on(fate);
        if free > 0 && goes_on {
            self.write()?;
        }
        let redis = self.redis.as_mut().expect("a connection");
        if goes_on {
            self.release.key("lock").arg(&token).invoke::<i32>(redis)?;
        }
        Ok(match (goes_on, free > 0) {
            (false, _) => Bought::Died,
            (true, true) => Bought::Yes,
            (true, false) => Bought::SoldOut,
        })
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
}
