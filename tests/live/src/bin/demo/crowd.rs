//! The buyers. Both acts have the same ones, at the same moments, with the same payments.

use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use booking_live::Server;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::screen::Progress;

pub const TICKETS: i64 = 300;
pub const BUYERS: usize = 2000;
pub const CONNECTIONS: usize = 200;
/// The time for which a place is held for its buyer.
pub const TTL: Duration = Duration::from_secs(2);
/// The number of buyers who stand at the door when the sale opens. The others come while it goes on.
const EARLY: usize = 800;
const SALE: Duration = Duration::from_secs(6);

/// One way to write a ticket shop: one of its connections, with its statements prepared.
pub trait Shop: Send + Sync + Sized + 'static {
    const TITLE: &str;
    const WAYS: &[&str];
    /// Creates its tables and the event.
    fn schema() -> String;
    /// A query that returns one row: sold, charged twice, places and money stuck, broken rules.
    const COUNT: &str;

    fn open(client: Client) -> impl Future<Output = Result<Self>> + Send;
    /// Returns false if the event is sold out.
    fn reserve(&self, order: i32) -> impl Future<Output = Result<bool>> + Send;
    fn payment_arrived(&self, order: i32) -> impl Future<Output = Result<()>> + Send;
    fn payment_failed(&self, order: i32) -> impl Future<Output = Result<()>> + Send;
}

#[derive(Clone, Copy)]
enum Payment {
    Succeeds,
    ReportedTwice,
    Fails,
    /// The payment arrives after the time to live of the hold.
    TooLate,
    /// The buyer closes the window, and is not heard of again.
    Never,
}

struct Buyer {
    arrives: Duration,
    pays_within: Duration,
    payment: Payment,
}

fn buyers() -> Vec<Buyer> {
    let mut random = StdRng::seed_from_u64(300);
    let mut buyer = |number: usize| Buyer {
        arrives: SALE.mul_f64(number.saturating_sub(EARLY) as f64 / (BUYERS - EARLY) as f64),
        pays_within: Duration::from_millis(random.random_range(20..100)),
        payment: match random.random_range(0..100) {
            0..65 => Payment::Succeeds,
            65..80 => Payment::ReportedTwice,
            80..87 => Payment::Fails,
            87..96 => Payment::TooLate,
            _ => Payment::Never,
        },
    };
    (0..BUYERS).map(&mut buyer).collect()
}

/// The connections of the shop. A buyer has one while the shop answers, and none while the buyer pays.
struct Pool<S> {
    free: Semaphore,
    shops: Mutex<Vec<S>>,
}

struct Sale<S> {
    pool: Pool<S>,
    opens: Instant,
    progress: Progress,
}

/// Runs all buyers through all connections. Returns how long it took.
pub async fn run<S: Shop>(server: &Server) -> Result<Duration> {
    let pool = Pool { shops: Mutex::new(open_all::<S>(server).await?), free: Semaphore::new(CONNECTIONS) };
    let sale = Arc::new(Sale { pool, progress: Progress::start(BUYERS), opens: Instant::now() });
    let mut tasks = JoinSet::new();
    for (number, buyer) in buyers().into_iter().enumerate() {
        tasks.spawn(serve(sale.clone(), number as i32, buyer));
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    sale.progress.finish();
    Ok(sale.opens.elapsed())
}

async fn open_all<S: Shop>(server: &Server) -> Result<Vec<S>> {
    let mut shops = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        shops.push(S::open(server.connect_async("postgres").await?).await?);
    }
    Ok(shops)
}

/// Runs one buyer from the door to the ticket, or to the answer that there is none.
async fn serve<S: Shop>(sale: Arc<Sale<S>>, order: i32, buyer: Buyer) -> Result<()> {
    tokio::time::sleep_until((sale.opens + buyer.arrives).into()).await;
    let placed = sale.pool.lease().await?.reserve(order).await?;
    if placed {
        tokio::time::sleep(buyer.pays_within).await;
        pay(&sale.pool, order, buyer.payment).await?;
    }
    sale.progress.served();
    Ok(())
}

async fn pay<S: Shop>(pool: &Pool<S>, order: i32, payment: Payment) -> Result<()> {
    let report = async || pool.lease().await?.payment_arrived(order).await;
    match payment {
        Payment::Succeeds => report().await,
        Payment::ReportedTwice => {
            let (once, again) = tokio::join!(report(), report());
            once.and(again)
        }
        Payment::Fails => pool.lease().await?.payment_failed(order).await,
        Payment::TooLate => {
            tokio::time::sleep(TTL + Duration::from_millis(200)).await;
            report().await
        }
        Payment::Never => Ok(()),
    }
}

/// A connection that Drop puts back into the pool.
struct Lease<'a, S> {
    shops: &'a Mutex<Vec<S>>,
    shop: Option<S>,
    _place: SemaphorePermit<'a>,
}

impl<S> Pool<S> {
    async fn lease(&self) -> Result<Lease<'_, S>> {
        let place = self.free.acquire().await?;
        let shop = self.shops.lock().expect("nobody panics with it").pop();
        Ok(Lease { shops: &self.shops, shop, _place: place })
    }
}

impl<S> Deref for Lease<'_, S> {
    type Target = S;
    fn deref(&self) -> &S {
        self.shop.as_ref().expect("the semaphore lets in as many as there are")
    }
}

impl<S> Drop for Lease<'_, S> {
    fn drop(&mut self) {
        self.shops.lock().expect("nobody panics with it").extend(self.shop.take());
    }
}
