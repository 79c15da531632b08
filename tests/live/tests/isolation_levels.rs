//! Old snapshots under load: callers that retry on 40001, as they must, never oversell and lose
//! nothing.

use booking_live::{Answer, Server, ask, in_background, join};
use postgres::Client;
use postgres::error::SqlState;

const CONNECTIONS: usize = 16;
const PLACES: i64 = 60;

/// One hold and its confirmation in a transaction of its own, retried until it is not in conflict.
fn book(client: &mut Client, level: &str) -> Answer {
    loop {
        let attempt = (|| {
            client.batch_execute(&format!("begin isolation level {level}"))?;
            // The snapshot is taken here, before the place is asked for.
            client.batch_execute("select count(*) from booking.holds")?;
            let held = ask(client, "hold('gig')")?;
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
                    let answer = book(client, level);
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

#[test]
fn read_committed() {
    sell_out("read committed");
}

#[test]
fn repeatable_read() {
    sell_out("repeatable read");
}

#[test]
fn serializable() {
    sell_out("serializable");
}
