//! Three hundred tickets, two thousand buyers and two hundred connections, twice: first in a shop as most are
//! written, then in one with `booking`. What went wrong is counted from the rows that each act leaves behind. Then
//! two seat plans, drawn while they sell out, and a month of a hotel.

mod booked;
mod crowd;
mod hotel;
mod screen;
mod usual;
mod venues;
mod verdict;

use std::process::ExitCode;

use anyhow::Result;
use booking_live::{Server, Worker};

use crowd::Shop;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether the extension made no mistake.
fn run() -> Result<bool> {
    screen::opening();
    let server = Server::builder().worker(Worker::On).max_connections(2 * crowd::CONNECTIONS + 20).start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let usual = runtime.block_on(act::<usual::Usual>(&server))?;
    let booked = runtime.block_on(act::<booked::Booked>(&server))?;
    screen::table(&usual, &booked);
    let clean = screen::conclusion(&usual, &booked);
    screen::seats_curtain();
    let sale = runtime.block_on(venues::run(&server))?;
    let clean = venues::conclude(&sale) && clean;
    screen::calendar_curtain();
    let season = runtime.block_on(hotel::run(&server))?;
    Ok(hotel::conclude(&season) && clean)
}

async fn act<S: Shop>(server: &Server) -> Result<verdict::Verdict> {
    screen::curtain::<S>();
    let director = server.connect_async("postgres").await?;
    director.batch_execute(&S::schema()).await?;
    let seconds = crowd::run::<S>(server).await?.as_secs_f64();
    // Wait until the shop has had the time to free what buyers left behind.
    tokio::time::sleep(crowd::TTL * 2).await;
    verdict::Verdict::count::<S>(&director, seconds).await
}
