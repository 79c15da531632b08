//! One transaction takes or gives back the last place and stays open, while a rival wants the place, in every
//! combination of calls. The rival waits, and its answer must be right once the transaction ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use booking_live::{Answer, Server, ask, ask_each, in_background, join};
use postgres::error::SqlState;
use postgres::{Client, Error};

/// What the first asks for. The two hours after it are its buffer, which reaches into the next day.
const FIRST: &str = "[2032-06-10 22:00Z, 2032-06-10 23:00Z)";
/// What the rival asks for, which lies on that next day only.
const RIVAL: &str = "[2032-06-11 00:30Z, 2032-06-11 01:30Z)";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Hold,
    Nights,
    Basket,
    Batch,
    MoveIn,
    ConfirmLate,
    Release,
    Cancel,
    MoveAway,
    Resize,
}

const FIRSTS: [Way; 9] = [
    Way::Hold,
    Way::Nights,
    Way::Basket,
    Way::Batch,
    Way::MoveIn,
    Way::ConfirmLate,
    Way::Release,
    Way::Cancel,
    Way::MoveAway,
];
const RIVALS: [Way; 7] =
    [Way::Hold, Way::Nights, Way::Basket, Way::Batch, Way::MoveIn, Way::ConfirmLate, Way::Resize];

impl Way {
    fn gives_back(self) -> bool {
        matches!(self, Way::Release | Way::Cancel | Way::MoveAway)
    }

    /// Returns a period that nobody else wants.
    fn elsewhere(self, during: &str) -> String {
        let day = format!("2032-{}-{}", if during == FIRST { "08" } else { "09" }, 10 + self as usize);
        format!("[{day} 10:00Z, {day} 11:00Z)")
    }

    /// What must be there before; the call.
    fn prepare(self, session: &mut Client, room: &str, places: i64, during: &str) -> String {
        let elsewhere = self.elsewhere(during);
        let mut hold = |during: &str, ttl: &str| {
            let call = format!("hold('{room}', during => '{during}', ttl => '{ttl}')");
            ask(session, &call).expect("an answer").id().to_owned()
        };
        match self {
            Way::Hold => format!("hold('{room}', during => '{during}')"),
            Way::Nights => format!("hold_nights('{room}', '2032-06-09', '2032-06-10')"),
            Way::Basket => {
                let item = |during: &str| format!(r#"{{"resource": "{room}", "during": "{during}"}}"#);
                format!("hold_all('[{}, {}]')", item(&elsewhere), item(during))
            }
            Way::Batch => format!(r#"hold_each('[{{"resource": "{room}", "during": "{during}"}}]')"#),
            Way::MoveIn => format!("reschedule('{}', '{during}')", hold(&elsewhere, "1 h")),
            Way::ConfirmLate => {
                let id = hold(during, "1 us");
                let over = ask(session, &format!("release('{id}')")).expect("an answer");
                assert_eq!(over.status, "expired");
                format!("confirm('{id}', late => 'reacquire')")
            }
            Way::Release => format!("release('{}')", hold(during, "1 h")),
            Way::MoveAway => format!("reschedule('{}', '{elsewhere}')", hold(during, "1 h")),
            Way::Cancel => {
                let id = hold(during, "1 h");
                assert!(ask(session, &format!("confirm('{id}')")).expect("an answer").ok);
                format!("cancel('{id}')")
            }
            Way::Resize => {
                let less = places - 1;
                format!("set_capacity('{room}', {less}, '[2032-06-10 00:00Z, 2032-06-12 00:00Z)')")
            }
        }
    }
}

fn call(session: &mut Client, call: &str) -> Result<Answer, Error> {
    ask_each(session, call).map(|mut answers| answers.remove(0))
}

#[test]
fn who_wants_what_is_not_decided_waits_and_is_told_what_is_so() {
    let server = Server::builder().start().expect("a server");
    let cases = FIRSTS.iter().flat_map(|first| RIVALS.iter().map(move |rival| (*first, *rival)));
    let cases: Vec<_> = cases.collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((first, rival)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for level in ["read committed", "repeatable read"] {
                        for end in ["commit", "rollback"] {
                            meet(&server, *first, *rival, 1, level, end);
                            meet(&server, *first, *rival, 2, level, end);
                        }
                    }
                }
            });
        }
    });
    server.assert_sound("postgres");
}

fn meet(server: &Server, first: Way, rival: Way, places: i64, level: &str, end: &str) {
    let room = format!("{first:?} {rival:?} {places} {level} {end}");
    let mut one = server.connect("postgres");
    let mut other = server.connect("postgres");
    one.batch_execute(&format!(
        "select booking.create_calendar('{room}', {places}, buffer => '2 h', check_in => '12:00', check_out => '23:00')"
    ))
    .expect("a calendar");
    if places > 1 {
        // The other place is taken all the time, so no constraint stands between the two.
        let all_the_time = "[2032-06-09 10:00Z, 2032-06-11 06:00Z)";
        let call = format!("hold('{room}', during => '{all_the_time}', ttl => '1 h')");
        assert!(ask(&mut one, &call).expect("an answer").ok);
    }
    // The hold that expires must have been there before the hold that is there now.
    let late = (rival == Way::ConfirmLate).then(|| rival.prepare(&mut other, &room, places, RIVAL));
    let of_first = first.prepare(&mut one, &room, places, FIRST);
    let of_rival = late.unwrap_or_else(|| rival.prepare(&mut other, &room, places, RIVAL));
    one.batch_execute("begin").expect("begin");
    let answer = call(&mut one, &of_first).expect("an answer");
    assert!(answer.ok && !answer.replayed, "{room}: {answer:?}");

    other.batch_execute(&format!("set default_transaction_isolation = '{level}'")).expect("set");
    let (pid, waiting) = in_background(other, move |session| call(session, &of_rival));
    server.wait_until_blocked(pid);
    one.batch_execute(end).expect("the end");
    let told = join(waiting);
    let is_free = first.gives_back() == (end == "commit");
    match told {
        Ok(answer) if level == "read committed" || end == "rollback" => {
            let lost = if rival == Way::ConfirmLate { "expired" } else { "unavailable" };
            assert!(answer.ok == is_free && (answer.ok || answer.status == lost), "{room}: {answer:?}");
        }
        Err(error) if level != "read committed" && end == "commit" => {
            assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE), "{room}: {error:?}");
        }
        told => panic!("{room}: {told:?}"),
    }
}
