//! What each way of selling gets wrong if one in fifty buyers dies in the middle of a purchase, and one in fifty
//! pauses there.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Bench;
use crate::services::Services;
use crate::shop::{Bought, Buyer, WAYS, Way};

/// How often the pool is sold out. Mistakes happen with the last places.
const SALES: i64 = 10;
const PLACES: i64 = 300;
const BUYERS: u32 = 32;
const ONE_IN: u32 = 50;

impl Bench {
    /// Sells a pool out in each way, and compares how many places were sold with how many there were.
    pub fn mistakes(&self, services: &Services) -> Result<()> {
        self.progress.suspend(|| {
            println!();
            println!("| {SALES} sales of {PLACES} places | sold | sold twice | never sold | longest wait |");
            println!("| --- | ---: | ---: | ---: | ---: |");
        });
        for way in WAYS.iter().filter(|way| services.have(way.needs)) {
            let (mut all, mut twice, mut never, mut longest) = (0, 0, 0, Duration::ZERO);
            for sale in 1..=SALES {
                self.progress.set_message(format!("what goes wrong: {}, {sale} of {SALES}", way.name));
                let (sold, waited) = self.sell_out(services, way)?;
                all += sold;
                twice += (sold - PLACES).max(0);
                never += (PLACES - sold).max(0);
                longest = longest.max(waited);
            }
            let longest = longest.as_secs_f64();
            self.progress
                .suspend(|| println!("| {} | {all} | {twice} | {never} | {longest:.2} s |", way.name));
        }
        self.progress.inc(1);
        Ok(())
    }

    /// Lets buyers buy until they are told that nothing is left. Returns how many places were sold, and the
    /// longest wait of a buyer for an answer.
    fn sell_out(&self, services: &Services, way: &Way) -> Result<(i64, Duration)> {
        let mut client = self.server.connect("postgres");
        client.batch_execute(&format!(
            "truncate booking.holds, rival.holds, rival.units;
             update booking.resources set capacity = {PLACES}, taken = 0 where name in ('drop', 'hot');
             update rival.resources set capacity = {PLACES}, overbooking = 0, taken = 0 where name = 'hot';
             insert into rival.units (resource, n) select 'hot', n from generate_series(1, {PLACES}) n;
             select booking.after_restore()"
        ))?;
        redis::cmd("SET").arg("left").arg(PLACES).exec(&mut services.redis.connect()?)?;
        let sessions = (0..BUYERS).map(|_| self.session()).collect::<Result<Vec<_>>>()?;
        let longest = std::thread::scope(|scope| {
            let buyers: Vec<_> = sessions
                .into_iter()
                .zip(0..)
                .map(|(session, number)| {
                    scope.spawn(move || -> Result<Duration> {
                        let mut buyer = Buyer::new(session, services, way.needs, number, ONE_IN)?;
                        let mut longest = Duration::ZERO;
                        loop {
                            let begun = Instant::now();
                            let bought = (way.buy)(&mut buyer)?;
                            longest = longest.max(begun.elapsed());
                            if bought == Bought::SoldOut {
                                return Ok(longest);
                            }
                        }
                    })
                })
                .collect();
            buyers.into_iter().try_fold(Duration::ZERO, |longest, buyer| {
                anyhow::Ok(longest.max(buyer.join().expect("a buyer")?))
            })
        })?;
        let sold = "select (select count(*) from booking.holds) + (select count(*) from rival.holds)";
        Ok((client.query_one(sold, &[])?.get(0), longest))
    }
}
