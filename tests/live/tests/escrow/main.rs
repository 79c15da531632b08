//! Escrow pools, whose counts are in shared memory: a transaction that ends in any way gives back exactly what it
//! took.

mod auto;
mod edges;
mod fuzz;
mod kills;
mod prepared;
mod storm;
mod switch;

use booking_live::{Server, Worker, wait_until};
use postgres::{Client, Error};

/// A query that must return nothing in any snapshot: pools with more live places than there are.
const OVERSOLD: &str = "select r.name, sum(h.quantity) from booking.resources r
    join booking.holds h on h.resource = r.name and h.state in ('held', 'confirmed')
    group by r.name, r.capacity, r.overbooking having sum(h.quantity) > r.capacity + r.overbooking";

/// Starts a server with escrow pools. Returns `None` if the library is not preloaded, since they need it.
fn server(connections: usize) -> Option<Server> {
    if Worker::from_env() == Worker::Absent {
        return None;
    }
    let builder = Server::builder().max_connections(connections).set("deadlock_timeout", "50ms");
    Some(builder.start().expect("a server"))
}

/// Asserts that, when all clients have stopped, each count is the sum of the holds and nothing is pending.
#[track_caller]
fn assert_exact(server: &Server) {
    let sql = "select resource, taken, under_way, coalesce(sum(quantity), 0)
        from booking.escrow_status
        left join (select resource, quantity from booking.holds where state in ('held', 'confirmed')) as live
            using (resource)
        group by resource, taken, under_way
        having taken <> coalesce(sum(quantity), 0) or under_way <> 0";
    // A backend may still be giving back after its client saw the transaction end, and the worker may be sweeping.
    wait_until("the counts to be what the holds add up to", || server.psql(sql), |rows| rows.is_empty());
    server.assert_sound("postgres");
}

/// Returns whether the error comes from what the test does to the call.
fn is_expected(error: &Error) -> bool {
    // Cancelled, terminated, a crash, a deadlock, a division by zero, lock_timeout, prepared and decided by another.
    const CODES: [&str; 9] =
        ["57014", "57P01", "57P02", "57P03", "40P01", "22012", "55P03", "25P02", "42704"];
    error.code().is_none_or(|code| CODES.contains(&code.code()))
}

/// Connects, and waits until the server accepts the connection.
fn reconnect(config: &postgres::Config) -> Client {
    let mut client = None;
    let mut connected = || {
        client = config.connect(postgres::NoTls).ok();
        client.is_some()
    };
    wait_until("a connection", &mut connected, |connected| *connected);
    client.expect("just connected")
}
