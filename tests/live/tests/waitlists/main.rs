//! Thirty-two clients that wait for a pool and for seats, or try without waiting. The test checks in which order
//! they are served, and that nobody outside the line gets what is owed to it.

mod crash;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use booking_live::{Answer, Server, ask, wait_until};
use postgres::Client;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const CLIENTS: usize = 32;
const RESOURCES: [&str; 2] = ["gig", "hall"];

/// The number of requests of each client: `WAITLIST_ROUNDS`.
fn rounds() -> usize {
    std::env::var("WAITLIST_ROUNDS").map_or(12, |rounds| rounds.parse().expect("WAITLIST_ROUNDS is a number"))
}

/// What one client does: it waits in line, or tries without waiting. It keeps what it gets, gives it back, or lets
/// it expire; and now and then it rolls everything back.
fn client(session: &mut Client, number: usize) {
    let mut rng = StdRng::seed_from_u64(number as u64);
    for _ in 0..rounds() {
        let resource = RESOURCES[rng.random_range(0..RESOURCES.len())];
        let quantity = rng.random_range(1..3);
        if rng.random_bool(0.1) {
            session.batch_execute("begin").expect("begin");
            ask(session, &format!("join_waitlist('{resource}', {quantity})")).expect("a place in the line");
            session.batch_execute("rollback").expect("rollback");
        }
        if rng.random_bool(0.3) {
            let call = match resource {
                "gig" => format!("hold('gig', {quantity}, ttl => '1 h')"),
                _ => format!("hold_best('hall', {quantity}, ttl => '1 h', together => false)"),
            };
            let answer = ask(session, &call).expect("an answer");
            if answer.ok {
                part_with(session, &answer, &mut rng);
            }
            continue;
        }
        let ttl = if rng.random_bool(0.2) { "30 ms" } else { "1 h" };
        let joined = ask(session, &format!("join_waitlist('{resource}', {quantity}, offer_ttl => '{ttl}')"));
        let joined = joined.expect("a place in the line");
        let id = joined.id().to_owned();
        if joined.status == "waiting" && rng.random_bool(0.1) {
            ask(session, &format!("leave_waitlist('{id}')")).expect("leaving");
            continue;
        }
        let mut find = || ask(session, &format!("find('{id}')")).expect("where it stands");
        let stands = wait_until("to be served", &mut find, |answer| answer.status != "waiting");
        if stands.status == "held" && ttl == "1 h" {
            part_with(session, &stands, &mut rng);
        }
    }
}

/// Confirms what it has and cancels it later, or gives it back at once, or gives back a part first.
fn part_with(session: &mut Client, had: &Answer, rng: &mut StdRng) {
    let id = had.id();
    std::thread::sleep(Duration::from_millis(rng.random_range(0..3)));
    let verbs: &[&str] = if rng.random_bool(0.5) { &["confirm", "cancel"] } else { &["release"] };
    for verb in verbs {
        let answer = ask(session, &format!("{verb}('{id}')")).expect(verb);
        assert!(answer.ok, "{verb}: {answer:?}");
    }
}

#[test]
fn the_line_is_served_in_its_order_and_nobody_passes_it() {
    let server = Server::builder().max_connections(CLIENTS + 20).start().expect("a server");
    server.psql("select booking.create_pool('gig', 3)");
    server.psql("select booking.create_seats('hall', booking.seat_grid(1, 'ABCD'))");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // The places of expired holds are offered by a sweep. With the worker off, this session sweeps.
        let sweeper = scope.spawn(|| {
            let mut session = server.connect("postgres");
            while !done.load(Ordering::Relaxed) {
                session.execute("select booking.expire()", &[]).expect("a sweep");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let server = &server;
                scope.spawn(move || client(&mut server.connect("postgres"), number))
            })
            .collect();
        let ended: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        done.store(true, Ordering::Relaxed);
        sweeper.join().expect("the sweeper");
        ended.into_iter().for_each(|ended| ended.expect("a client"));
    });
    // Nobody starved: every client was served, or left.
    assert_eq!(server.psql("select count(*) from booking.waitlist_entries where state = 'waiting'"), "0");
    let offers = "select count(*) from booking.waitlist_entries where state = 'offered'";
    let offered: usize = server.psql(offers).parse().expect("a number");
    assert!(offered > CLIENTS * rounds() / 3, "only {offered} offers");
    // First come, first served.
    let out_of_turn = "select count(*) from (
            select ended_at, max(ended_at) over (partition by resource order by joined_at) as latest
            from booking.waitlist_entries where state = 'offered') as offers
        where ended_at < latest";
    assert_eq!(server.psql(out_of_turn), "0", "somebody was served before one who came first");
    // While anybody waited, nobody outside the line was served.
    let passed = "select count(*) from booking.holds as h join booking.waitlist_entries as e using (resource)
        where not exists (select from booking.waitlist_entries as own where own.id = h.id)
          and e.joined_at < h.placed_at and e.ended_at > h.placed_at";
    assert_eq!(server.psql(passed), "0", "somebody passed the line");
    let outside = "select count(*) from booking.holds as h
        where not exists (select from booking.waitlist_entries as own where own.id = h.id)";
    assert_ne!(server.psql(outside), "0", "nobody from outside ever had anything");
    server.assert_sound("postgres");
}

/// Offers are announced on the channel, once they are committed.
#[test]
fn offers_are_announced() {
    use postgres::fallible_iterator::FallibleIterator;
    let server = Server::builder().set("booking.notify_channel", "offers").start().expect("a server");
    server.psql("select booking.create_pool('gig', 1)");
    let mut listener = server.connect("postgres");
    listener.batch_execute("listen offers").expect("listen");
    let mut session = server.connect("postgres");
    let held = ask(&mut session, "hold('gig', ttl => '1 h')").expect("a hold");
    let waits =
        ask(&mut session, "join_waitlist('gig', holder => 'ann', offer_ttl => '1 h')").expect("a place");
    session.batch_execute("begin").expect("begin");
    ask(&mut session, &format!("release('{}')", held.id())).expect("a release");
    session.batch_execute("rollback").expect("rollback");
    ask(&mut session, &format!("release('{}')", held.id())).expect("a release");
    let mut heard = listener.notifications();
    let told = heard.timeout_iter(Duration::from_secs(60)).next().expect("a notification").expect("one");
    assert_eq!(told.channel(), "offers");
    let offer: serde_json::Value = serde_json::from_str(told.payload()).expect("JSON");
    // The id alone: LISTEN needs no privilege, so nobody's name may be in it.
    assert_eq!(offer, serde_json::json!({"hold_id": waits.id()}));
    // The offer that was rolled back was not announced.
    assert!(heard.timeout_iter(Duration::from_millis(1)).next().expect("no error").is_none());
}
