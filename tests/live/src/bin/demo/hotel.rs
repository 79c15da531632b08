//! Act four: a calendar. Twelve rooms and a month, in which 100 guests want some nights each and change their
//! minds.

use std::time::{Duration, Instant};

use anyhow::Result;
use booking_live::Server;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use tokio_postgres::{Client, Statement};

use crate::screen::{self, Stage};

const GUESTS: usize = 100;
const ROOMS: i64 = 12;
const SEASON: Duration = Duration::from_secs(5);
/// The longest time for which a guest thinks.
const THINKS: Duration = Duration::from_millis(300);
pub const WAYS: &[&str] = &[
    "booking.hold_nights('hotel', '2030-08-14', '2030-08-17', 2, ttl => '1 s')   two rooms, three nights",
    "booking.reschedule(hold, during)   two days later, or it stays where it is",
    "booking.confirm(hold);  or never heard of again, and it expires",
];

/// What became of the season, counted from the rows.
pub struct Season {
    pub nights: i64,
    pub most: i64,
    pub over: i64,
    pub broken: i64,
    pub seconds: f64,
}

pub async fn run(server: &Server) -> Result<Season> {
    let director = server.connect_async("postgres").await?;
    director
        .batch_execute(&format!("select booking.create_calendar('hotel', {ROOMS}, 'Europe/Rome')"))
        .await?;
    let mut guests = JoinSet::new();
    let opened = Instant::now();
    for number in 0..GUESTS {
        let guest = Guest::open(server.connect_async("postgres").await?, number).await?;
        guests.spawn(guest.stay(opened + SEASON));
    }
    let mut stage = Stage::open();
    while !guests.is_empty() {
        stage.draw(&[map(&director).await?], opened.elapsed());
        tokio::time::sleep(Duration::from_millis(120)).await;
        while let Some(result) = guests.try_join_next() {
            result??;
        }
    }
    let seconds = opened.elapsed().as_secs_f64();
    stage.close(&[map(&director).await?], "when nobody comes any more");
    // The nights are counted at three in the morning, by a query that does not use the extension's own counts.
    let row = director
        .query_one(
            "select coalesce(sum(rooms), 0)::bigint, coalesce(max(rooms), 0)::bigint,
                    count(*) filter (where rooms > $1), (select count(*) from booking.check())
             from (select sum(quantity)::bigint as rooms
                   from generate_series(timestamp '2030-07-01 03:00', '2030-10-01', '1 day') as night
                   join booking.holds on resource = 'hotel' and state = 'confirmed'
                        and during @> night at time zone 'Europe/Rome'
                   group by night) as nights",
            &[&ROOMS],
        )
        .await?;
    Ok(Season { nights: row.get(0), most: row.get(1), over: row.get(2), broken: row.get(3), seconds })
}

async fn map(director: &Client) -> Result<(String, String)> {
    let map = director.query_one("select booking.calendar_map('hotel', '2030-08-01')", &[]).await?;
    Ok(("hotel".to_owned(), map.get(0)))
}

struct Guest {
    client: Client,
    hold: Statement,
    later: Statement,
    confirm: Statement,
    random: StdRng,
}

impl Guest {
    async fn open(client: Client, number: usize) -> Result<Guest> {
        let hold = "select hold_id::text from booking.hold_nights(
                        'hotel', date '2030-08-01' + $1::integer, date '2030-08-01' + $2::integer, $3, ttl => '1 s') where ok";
        let later = "select booking.reschedule(id, tstzrange(lower(during) + '48 h', upper(during) + '48 h'))
                     from booking.holds where id = $1::text::uuid";
        Ok(Guest {
            hold: client.prepare(hold).await?,
            later: client.prepare(later).await?,
            confirm: client.prepare("select ok from booking.confirm($1::text::uuid)").await?,
            random: StdRng::seed_from_u64(number as u64),
            client,
        })
    }

    /// Books one stay after the other, until the season is over.
    async fn stay(mut self, until: Instant) -> Result<()> {
        while Instant::now() < until {
            self.think().await;
            let first = self.random.random_range(0..28);
            let last = first + self.random.random_range(1..=5);
            let rooms = self.random.random_range(1..=2_i64);
            let held = self.client.query_opt(&self.hold, &[&first, &last, &rooms]).await?;
            let Some(held) = held else { continue };
            let held: String = held.get(0);
            self.think().await;
            if self.random.random_range(0..4) == 0 {
                self.client.query(&self.later, &[&held]).await?;
            }
            // One guest in eight closes the window. The rooms come back by themselves.
            if self.random.random_range(0..8) > 0 {
                self.client.query_one(&self.confirm, &[&held]).await?;
            }
        }
        Ok(())
    }

    async fn think(&mut self) {
        tokio::time::sleep(THINKS.mul_f64(self.random.random())).await;
    }
}

/// Returns whether nothing went wrong.
pub fn conclude(season: &Season) -> bool {
    let clean = season.broken == 0 && season.over == 0 && season.most <= ROOMS;
    screen::nights_booked(season, ROOMS, clean);
    clean
}
