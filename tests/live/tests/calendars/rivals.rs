//! One takes or gives back the last place in a transaction that is still open; a rival wants it, in every
//! way there is. The rival waits, and then is told what is so.

use std::sync::atomic::{AtomicUsize, Ordering};

use booking_live::{Answer, Server, ask, ask_each, in_background, join};
use postgres::error::SqlState;
use postgres::{Client, Error};

/// What is asked for by the first is from ten to eleven, by the rival from half past ten.
const FIRST: &str = "[2032-06-10 10:00Z, 2032-06-10 11:00Z)";
const RIVAL: &str = "[2032-06-10 10:30Z, 2032-06-10 11:30Z)";
const ELSEWHERE: &str = "[2032-06-20 10:00Z, 2032-06-20 11:00Z)";

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

    /// What has to be there before; the call.
    fn prepare(self, session: &mut Client, room: &str, during: &str) -> String {
        let mut hold = |during: &str, ttl: &str| {
            let call = format!("hold('{room}', during => '{during}', ttl => '{ttl}')");
            ask(session, &call).expect("an answer").id().to_owned()
        };
        match self {
            Way::Hold => format!("hold('{room}', during => '{during}')"),
            Way::Nights => format!("hold_nights('{room}', '2032-06-09', '2032-06-10')"),
            Way::Basket => {
                let item = |during: &str| format!(r#"{{"resource": "{room}", "during": "{during}"}}"#);
                format!("hold_all('[{}, {}]')", item(ELSEWHERE), item(during))
            }
            Way::Batch => format!(r#"hold_each('[{{"resource": "{room}", "during": "{during}"}}]')"#),
            Way::MoveIn => format!("reschedule('{}', '{during}')", hold(ELSEWHERE, "1 h")),
            Way::ConfirmLate => {
                let id = hold(during, "1 us");
                let over = ask(session, &format!("release('{id}')")).expect("an answer");
                assert_eq!(over.status, "expired");
                format!("confirm('{id}', late => 'reacquire')")
            }
            Way::Release => format!("release('{}')", hold(during, "1 h")),
            Way::MoveAway => format!("reschedule('{}', '{ELSEWHERE}')", hold(during, "1 h")),
            Way::Cancel => {
                let id = hold(during, "1 h");
                assert!(ask(session, &format!("confirm('{id}')")).expect("an answer").ok);
                format!("cancel('{id}')")
            }
            Way::Resize => format!("set_capacity('{room}', 1, '[2032-06-10 00:00Z, 2032-06-11 00:00Z)')"),
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
                            meet(&server, *first, *rival, level, end);
                        }
                    }
                }
            });
        }
    });
    server.assert_sound("postgres");
}

fn meet(server: &Server, first: Way, rival: Way, level: &str, end: &str) {
    let room = format!("{first:?} {rival:?} {level} {end}");
    let mut one = server.connect("postgres");
    let mut other = server.connect("postgres");
    // Two places, of which one is taken all day: no constraint stands between the two.
    one.batch_execute(&format!("select booking.create_calendar('{room}', 2)")).expect("a calendar");
    let all_day = "[2032-06-09 12:00Z, 2032-06-10 20:00Z)";
    assert!(ask(&mut one, &format!("hold('{room}', during => '{all_day}', ttl => '1 h')")).expect("it").ok);
    // What runs out has to have been there before what is there now.
    let late = (rival == Way::ConfirmLate).then(|| rival.prepare(&mut other, &room, RIVAL));
    let of_first = first.prepare(&mut one, &room, FIRST);
    let of_rival = late.unwrap_or_else(|| rival.prepare(&mut other, &room, RIVAL));
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
