//! What each way of selling gets wrong, where one in fifty buyers dies in the middle, and one in fifty is held up
//! there.

use anyhow::Result;

use crate::Bench;
use crate::redis_server::Redis;
use crate::shop::{Bought, Buyer, WAYS, Way};

/// Sold out so many times: what goes wrong does so with the last places.
const SALES: i64 = 10;
const PLACES: i64 = 300;
const BUYERS: u32 = 32;
const ONE_IN: u32 = 50;

impl Bench {
    /// Sells a pool out in each way, and compares what was sold with what there was.
    pub fn mistakes(&self, redis: &Redis) -> Result<()> {
        self.progress.suspend(|| {
            println!();
            println!("| {SALES} sales of {PLACES} places | sold | sold twice | never sold |");
            println!("| --- | ---: | ---: | ---: |");
        });
        for (name, way) in WAYS {
            let (mut all, mut twice, mut never) = (0, 0, 0);
            for sale in 1..=SALES {
                self.progress.set_message(format!("what goes wrong: {name}, {sale} of {SALES}"));
                let sold = self.sell_out(redis, way)?;
                all += sold;
                twice += (sold - PLACES).max(0);
                never += (PLACES - sold).max(0);
            }
            self.progress.suspend(|| println!("| {name} | {all} | {twice} | {never} |"));
        }
        self.progress.inc(1);
        Ok(())
    }

    /// Lets buyers buy until they are told that nothing is left. How many places were sold then.
    fn sell_out(&self, redis: &Redis, way: Way) -> Result<i64> {
        let mut client = self.server.connect("postgres");
        client.batch_execute(&format!(
            "truncate booking.holds, rival.holds;
             update booking.resources set capacity = {PLACES}, taken = 0 where name in ('drop', 'hot');
             update rival.resources set capacity = {PLACES}, overbooking = 0, taken = 0 where name = 'hot';
             select booking.after_restore()"
        ))?;
        redis::cmd("SET").arg("left").arg(PLACES).exec(&mut redis.connect()?)?;
        let server = &self.server;
        std::thread::scope(|scope| {
            let buyers: Vec<_> = (0..BUYERS)
                .map(|number| {
                    scope.spawn(move || -> Result<()> {
                        let session = server.connect("postgres");
                        let mut buyer = Buyer::new(session, Some(redis.connect()?), number, ONE_IN);
                        while way(&mut buyer)? != Bought::SoldOut {}
                        Ok(())
                    })
                })
                .collect();
            buyers.into_iter().try_for_each(|buyer| buyer.join().expect("a buyer"))
        })?;
        let sold = "select (select count(*) from booking.holds) + (select count(*) from rival.holds)";
        Ok(client.query_one(sold, &[])?.get(0))
    }
}
