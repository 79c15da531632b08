//! A pool that is switched between locked and escrow, back and forth, while many clients take from it.

use std::sync::atomic::{AtomicBool, Ordering};

use booking_live::ask;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{OVERSOLD, assert_exact, is_expected, server};

const CLIENTS: u64 = 16;
const SWITCHES: usize = 60;

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_pool_changes_its_contention_under_load() {
    let Some(server) = server(60) else { return };
    server.psql("select booking.create_pool('gig', 10)");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (server, over) = (&server, &over);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| {
                scope.spawn(move || {
                    let mut session = server.connect("postgres");
                    let mut random = StdRng::seed_from_u64(seed);
                    while !over.load(Ordering::Relaxed) {
                        let rolls_back = random.random_bool(0.2);
                        let mut round = || {
                            session.batch_execute("begin")?;
                            let held = ask(&mut session, "hold('gig', 1, '50 ms')")?;
                            session.batch_execute(if rolls_back { "rollback" } else { "commit" })?;
                            if let (Some(id), false) = (&held.hold_id, rolls_back || seed % 4 == 0) {
                                ask(&mut session, &format!("release('{id}')"))?;
                            }
                            Ok(())
                        };
                        let ended: Result<(), postgres::Error> = round();
                        if let Err(error) = ended {
                            assert!(is_expected(&error), "{error:?}");
                            session.batch_execute("rollback").expect("a rollback");
                        }
                    }
                })
            })
            .collect();
        // This also runs if an assertion below fails: the clients would not stop otherwise.
        let end = End(over);
        let mut session = server.connect("postgres");
        for n in 0..SWITCHES {
            let contention = ["escrow", "locked", "escrow"][n % 3];
            let changed = ask(&mut session, &format!("set_contention('gig', '{contention}')"));
            assert!(changed.expect("a switch").ok);
            let oversold = session.query(OVERSOLD, &[]).expect("a sample");
            assert!(oversold.is_empty(), "oversold after {n} switches");
        }
        drop(end);
        clients.into_iter().for_each(|client| client.join().expect("a client"));
    });
    assert_exact(&server);
    server.psql("select booking.set_contention('gig', 'locked')");
    server.assert_sound("postgres");
    let row = "select taken = (select coalesce(sum(quantity), 0) from booking.holds where state in ('held', 'confirmed'))
               from booking.resources";
    assert_eq!(server.psql(row), "t");
}
