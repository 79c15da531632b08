//! Old snapshots under load. Callers that retry on 40001, as they must, never oversell and lose nothing.

use booking_live::{Answer, Server, ask, in_background, join};
use postgres::Client;
use postgres::error::SqlState;

const CONNECTIONS: usize = 16;
const PLACES: i64 = 60;

/// Places and confirms one hold in a transaction, and retries it until it has no conflict.
fn book(client: &mut Client, level: &str, hold: &str) -> Answer {
    loop {
        let attempt = (|| {
            client.batch_execute(&format!("begin isolation level {level}"))?;
            // This statement takes the snapshot, before the hold is asked for.
            client.batch_execute("select count(*) from booking.holds")?;
            let held = ask(client, hold)?;
            let answer =
                if held.ok { ask(client, &format!("confirm('{}', 'payment')", held.id()))? } else { held };
            client.batch_execute("commit")?;
            Ok::<_, postgres::Error>(answer)
        })();
        match attempt {
            Ok(answer) => return answer,
            Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {
                client.batch_execute("rollback").expect("rollback");
            }
            Err(error) => panic!("{level}: {error:?}"),
        }
    }
}

fn sell_out(level: &'static str) {
    let server = Server::builder().start().expect("a server");
    server.psql(&format!("select booking.create_pool('gig', {PLACES})"));
    let threads = (0..CONNECTIONS)
        .map(|_| {
            in_background(server.connect("postgres"), move |client| {
                let mut sold = 0;
                loop {
                    let answer = book(client, level, "hold('gig')");
                    match answer.status.as_str() {
                        "confirmed" => sold += 1,
                        "unavailable" => return sold,
                        other => panic!("{other}"),
                    }
                }
            })
            .1
        })
        .collect::<Vec<_>>();
    let sold: i64 = threads.into_iter().map(join).sum();
    assert_eq!(sold, PLACES, "{level}: every place is sold, and once");
    assert_eq!(
        server.psql("select state, sum(quantity) from booking.holds group by 1"),
        format!("confirmed|{PLACES}")
    );
    assert_eq!(server.psql("select count(*) from booking.check()"), "0");
}

/// The hours of a calendar. All clients ask for them in the same order.
fn sell_every_hour(level: &'static str) {
    const HOURS: i64 = 20;
    const ROOMS: i64 = 3;
    let server = Server::builder().start().expect("a server");
    server.psql(&format!("select booking.create_calendar('rooms', {ROOMS}, buffer => '10 min')"));
    let threads = (0..CONNECTIONS)
        .map(|_| {
            in_background(server.connect("postgres"), move |client| {
                let mut sold = 0;
                for hour in 0..HOURS {
                    let period =
                        format!("timestamptz '2032-06-01 12:00Z' + '{hour} h', '2032-06-01 12:50Z'::timestamptz + '{hour} h'");
                    let hold = format!("hold('rooms', during => tstzrange({period}))");
                    loop {
                        match book(client, level, &hold).status.as_str() {
                            "confirmed" => sold += 1,
                            "unavailable" => break,
                            other => panic!("{other}"),
                        }
                    }
                }
                sold
            })
            .1
        })
        .collect::<Vec<_>>();
    let sold: i64 = threads.into_iter().map(join).sum();
    assert_eq!(sold, HOURS * ROOMS, "{level}: every hour is sold, and once for each room");
    let full = format!(
        "select count(*) from (select during from booking.holds where state = 'confirmed'
                               group by during having sum(quantity) = {ROOMS}) as full_hours"
    );
    assert_eq!(server.psql(&full), HOURS.to_string());
    server.assert_sound("postgres");
}

#[test]
fn read_committed() {
    sell_out("read committed");
    sell_every_hour("read committed");
}

#[test]
fn repeatable_read() {
    sell_out("repeatable read");
    sell_every_hour("repeatable read");
}

#[test]
fn serializable() {
    sell_out("serializable");
    sell_every_hour("serializable");
}
