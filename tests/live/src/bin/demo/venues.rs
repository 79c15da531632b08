//! Act three: seats. 200 buyers at once want the best seats of an aeroplane and a small theatre, until both are
//! sold out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use booking_live::Server;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use tokio_postgres::{Client, Statement};

use crate::screen::{self, Stage};

const BUYERS: usize = 200;
/// The time within which all buyers come, and in which each comes again for another party.
const SALE: Duration = Duration::from_secs(6);
/// The longest time that a buyer takes to pay.
const PAYS_WITHIN: Duration = Duration::from_millis(400);
const VENUES: [(&str, &str); 2] = [
    ("A320", "booking.seat_grid(30, 'ABC DEF')"),
    (
        "theatre",
        "booking.seat_grid(9, 'ABCDEF GHIJKL MNOPQR', 'stalls') \
         || booking.seat_grid(4, 'ABCD EFGHIJKL MNOP', 'balcony')",
    ),
];
pub const WAYS: &[&str] = &[
    "booking.hold_best('A320', party, ttl => '1 s')   side by side",
    "booking.hold_best('A320', party, together => false)   or close together",
    "booking.confirm(hold);  or never heard of again, and it expires",
];

/// What became of the sale, counted from the rows.
pub struct Sale {
    pub seats: i64,
    pub sold: i64,
    pub broken: i64,
    pub parties: usize,
    pub side_by_side: usize,
    pub seconds: f64,
}

#[derive(Default)]
struct Count {
    parties: AtomicUsize,
    side_by_side: AtomicUsize,
}

pub async fn run(server: &Server) -> Result<Sale> {
    let director = server.connect_async("postgres").await?;
    for (name, seats) in VENUES {
        director.batch_execute(&format!("select booking.create_seats('{name}', {seats})")).await?;
    }
    let count = Arc::new(Count::default());
    let mut buyers = JoinSet::new();
    for number in 0..BUYERS {
        let buyer = Buyer::open(server.connect_async("postgres").await?, number, count.clone()).await?;
        buyers.spawn(buyer.buy());
    }
    let opened = std::time::Instant::now();
    let mut stage = Stage::open();
    while !buyers.is_empty() {
        stage.draw(&maps(&director).await?, opened.elapsed());
        tokio::time::sleep(Duration::from_millis(120)).await;
        while let Some(result) = buyers.try_join_next() {
            result??;
        }
    }
    let seconds = opened.elapsed().as_secs_f64();
    stage.close(&maps(&director).await?, "sold out");
    let row = director
        .query_one(
            "select (select count(*) from booking.seats),
                    (select count(*) from booking.holds cross join unnest(seats) where state = 'confirmed'),
                    (select count(*) from booking.check())
                        + (select count(*) from (
                               select from booking.holds cross join unnest(seats) as seat
                               where state = 'confirmed'
                               group by resource, seat having count(*) > 1) as twice)",
            &[],
        )
        .await?;
    Ok(Sale {
        seats: row.get(0),
        sold: row.get(1),
        broken: row.get(2),
        parties: count.parties.load(Ordering::Relaxed),
        side_by_side: count.side_by_side.load(Ordering::Relaxed),
        seconds,
    })
}

async fn maps(director: &Client) -> Result<Vec<(String, String)>> {
    let mut maps = Vec::new();
    for (name, _) in VENUES {
        let map = director.query_one("select booking.seat_map($1)", &[&name]).await?;
        maps.push((name.to_owned(), map.get(0)));
    }
    Ok(maps)
}

struct Buyer {
    client: Client,
    hold: Statement,
    confirm: Statement,
    left: Statement,
    random: StdRng,
    count: Arc<Count>,
}

impl Buyer {
    async fn open(client: Client, number: usize, count: Arc<Count>) -> Result<Buyer> {
        let hold =
            "select hold_id::text from booking.hold_best($1, $2, ttl => '1 s', together => $3) where ok";
        Ok(Buyer {
            hold: client.prepare(hold).await?,
            confirm: client.prepare("select ok from booking.confirm($1::text::uuid)").await?,
            left: client.prepare("select available + held from booking.availability($1)").await?,
            random: StdRng::seed_from_u64(number as u64),
            client,
            count,
        })
    }

    /// Buys for one party after the other, until no venue has a free seat.
    async fn buy(mut self) -> Result<()> {
        let mut sold_out = 0;
        let mut venue = self.random.random_range(0..VENUES.len());
        while sold_out < VENUES.len() {
            // A buyer who was refused soon asks again.
            let within = if sold_out == 0 { SALE } else { PAYS_WITHIN };
            tokio::time::sleep(within.mul_f64(self.random.random())).await;
            let party = self.random.random_range(1..=5);
            if self.seat(VENUES[venue].0, party).await? {
                sold_out = 0;
            } else {
                sold_out += 1;
            }
            venue = (venue + 1) % VENUES.len();
        }
        Ok(())
    }

    /// Holds seats for a party, or fewer if fewer are left. Returns false if nothing is left, and no held seat can
    /// come back.
    async fn seat(&mut self, venue: &str, party: i64) -> Result<bool> {
        for (size, together) in [(party, true), (party, false), (1, true)] {
            let held = self.client.query_opt(&self.hold, &[&venue, &size, &together]).await?;
            let Some(held) = held else { continue };
            self.count.parties.fetch_add(1, Ordering::Relaxed);
            self.count.side_by_side.fetch_add(together.into(), Ordering::Relaxed);
            tokio::time::sleep(PAYS_WITHIN.mul_f64(self.random.random())).await;
            // One buyer in twelve closes the window. The seats come back by themselves.
            if self.random.random_range(0..12) > 0 {
                self.client.query_one(&self.confirm, &[&held.get::<_, String>(0)]).await?;
            }
            return Ok(true);
        }
        let left = self.client.query_one(&self.left, &[&venue]).await?;
        Ok(left.get::<_, i64>(0) > 0)
    }
}

/// Returns whether nothing went wrong.
pub fn conclude(sale: &Sale) -> bool {
    let clean = sale.broken == 0 && sale.sold == sale.seats;
    screen::seats_sold(sale, clean);
    clean
}
