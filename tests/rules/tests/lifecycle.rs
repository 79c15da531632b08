//! Every verb on every hold, against a table written by hand.
//!
//! Exactly one line of the table must match each case, and each line must match a case. So the table is complete,
//! without contradictions and without dead lines.

use booking_rules::lifecycle::{
    Change, Hold, Late, State, Verdict, amend, cancel, confirm, expire, extend, release,
};
use booking_rules::{Micros, Refusal};

/// When the hold of every case was placed. It has 5 places and version 7.
const PLACED: Micros = 1000;
/// When it expires.
const EXPIRES: Micros = 2000;

/// A `*` matches everything, a comma separates alternatives.
///
/// reference: the one that the call gives, compared with that of the hold. back: how much the call gives back.
/// ttl: `shorter` than what is left, `longer`, or `beyond` the limit; `lowered`: the limit was lowered after the
/// placement. at: whether the hold is in the new period already (`here`). After the bar: the answer, and for a
/// change the state, quantity, expiry, version and room. The numbers are those of the hold above.
const TABLE: &str = "
verb       state     time reference version    late      back       ttl     at   | answer
confirm    held      live *         none,right *         *          *       *    | write confirmed 5 2000 8 0
confirm    held      live *         wrong      *         *          *       *    | VersionMismatch
confirm    held      late *         *          refuse    *          *       *    | Expired
confirm    held      late *         none,right reacquire *          *       *    | write confirmed 5 2000 8 0
confirm    held      late *         wrong      reacquire *          *       *    | VersionMismatch
confirm    confirmed *    none,same *          *         *          *       *    | repeat
confirm    confirmed *    first     *          *         *          *       *    | adopt confirmed 5 2000 7 0
confirm    confirmed *    other     *          *         *          *       *    | AlreadyConfirmed
confirm    released  *    *         *          *         *          *       *    | Released
confirm    cancelled *    *         *          *         *          *       *    | Cancelled
confirm    expired   *    *         *          refuse    *          *       *    | Expired
confirm    expired   *    *         none,right reacquire *          *       *    | write confirmed 5 2000 8 5
confirm    expired   *    *         wrong      reacquire *          *       *    | VersionMismatch

extend     held      live *         wrong      *         *          *       *    | VersionMismatch
extend     held      live *         none,right *         *          shorter *    | repeat
extend     held      live *         none,right *         *          lowered *    | repeat
extend     held      live *         none,right *         *          longer  *    | write held 5 2500 8 0
extend     held      live *         none,right *         *          beyond  *    | write held 5 4000 8 0
extend     held      late *         *          *         *          *       *    | Expired
extend     confirmed *    *         *          *         *          *       *    | AlreadyConfirmed
extend     released  *    *         *          *         *          *       *    | Released
extend     cancelled *    *         *          *         *          *       *    | Cancelled
extend     expired   *    *         *          *         *          *       *    | Expired

release    held      live *         wrong      *         *          *       *    | VersionMismatch
release    held      live *         none,right *         none,whole *       *    | write released 5 2000 8 -5
release    held      live *         none,right *         part       *       *    | write held 3 2000 8 -2
release    held      live *         none,right *         more       *       *    | too much
release    held      late *         *          *         *          *       *    | write expired 5 2000 7 -5
release    confirmed *    *         *          *         *          *       *    | AlreadyConfirmed
release    released  *    *         *          *         *          *       *    | repeat
release    cancelled *    *         *          *         *          *       *    | repeat
release    expired   *    *         *          *         *          *       *    | repeat

cancel     confirmed *    *         wrong      *         *          *       *    | VersionMismatch
cancel     confirmed *    *         none,right *         none,whole *       *    | write cancelled 5 2000 8 -5
cancel     confirmed *    *         none,right *         part       *       *    | write confirmed 3 2000 8 -2
cancel     confirmed *    *         none,right *         more       *       *    | too much
cancel     cancelled *    *         *          *         *          *       *    | repeat
cancel     held      *    *         *          *         *          *       *    | NotConfirmed
cancel     released  *    *         *          *         *          *       *    | NotConfirmed
cancel     expired   *    *         *          *         *          *       *    | NotConfirmed

amend held      live *         none,right *         *          *       away | write held 5 2000 8 0
amend held      live *         wrong      *         *          *       away | VersionMismatch
amend held      live *         *          *         *          *       here | repeat
amend held      late *         *          *         *          *       *    | Expired
amend confirmed *    *         none,right *         *          *       away | write confirmed 5 2000 8 0
amend confirmed *    *         wrong      *         *          *       away | VersionMismatch
amend confirmed *    *         *          *         *          *       here | repeat
amend released  *    *         *          *         *          *       *    | Released
amend cancelled *    *         *          *         *          *       *    | Cancelled
amend expired   *    *         *          *         *          *       *    | Expired
";

const VERBS: [&str; 5] = ["confirm", "extend", "release", "cancel", "amend"];
const STATES: [(&str, State); 5] = [
    ("held", State::Held),
    ("confirmed", State::Confirmed),
    ("released", State::Released),
    ("cancelled", State::Cancelled),
    ("expired", State::Expired),
];
const TIMES: [(&str, Micros); 5] = [
    ("live", PLACED),
    ("live", EXPIRES - 1),
    ("late", EXPIRES),
    ("late", EXPIRES + 1),
    ("late", EXPIRES + 1_000_000_000_000),
];
/// The word, the reference of the hold, and the reference that the call gives.
const REFERENCES: [(&str, Option<&str>, Option<&str>); 6] = [
    ("none", None, None),
    ("none", Some("payment 1"), None),
    ("same", Some("payment 1"), Some("payment 1")),
    ("other", Some("payment 1"), Some("payment 2")),
    ("other", Some("payment 1"), Some("payment 11")),
    ("first", None, Some("payment 1")),
];
const VERSIONS: [(&str, Option<i64>); 4] =
    [("none", None), ("right", Some(7)), ("wrong", Some(6)), ("wrong", Some(8))];
const LATES: [(&str, Late); 2] = [("refuse", Late::Refuse), ("reacquire", Late::Reacquire)];
const BACK: [(&str, Option<i64>); 5] =
    [("none", None), ("part", Some(2)), ("whole", Some(5)), ("more", Some(6)), ("more", Some(i64::MAX))];
const PERIODS: [(&str, bool); 2] = [("here", true), ("away", false)];
/// Returns the ttl that a call asks for at a time.
type Asked = fn(Micros) -> Micros;
/// The word, the ttl that the call asks for, and the longest that is allowed.
const TTLS: [(&str, Asked, Micros); 5] = [
    ("shorter", |_| 1, 3000),
    ("shorter", |now| (EXPIRES - now).max(1), 3000),
    ("longer", |now| 2500 - now, 3000),
    ("beyond", |_| Micros::MAX, 3000),
    ("lowered", |_| 1500, 999),
];

struct Line {
    cells: Vec<&'static str>,
    answer: &'static str,
    used: usize,
}

fn read_table() -> Vec<Line> {
    let lines = TABLE.lines().filter(|line| !line.is_empty()).skip(1);
    lines
        .map(|line| {
            let (cells, answer) = line.split_once('|').expect("a bar before the answer");
            let cells: Vec<_> = cells.split_whitespace().collect();
            assert_eq!(cells.len(), 9, "{line}");
            Line { cells, answer: answer.trim(), used: 0 }
        })
        .collect()
}

impl Line {
    fn matches(&self, case: &[&str; 9]) -> bool {
        self.cells
            .iter()
            .zip(case)
            .all(|(cell, value)| *cell == "*" || cell.split(',').any(|one| one == *value))
    }
}

/// Returns a verdict in the words of the table.
fn in_words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Change(Change { state, quantity, expires_at, version, room }) => {
            format!("write {} {quantity} {expires_at} {version} {room}", state.name())
        }
        Verdict::Adopt(Change { state, quantity, expires_at, version, room }) => {
            format!("adopt {} {quantity} {expires_at} {version} {room}", state.name())
        }
        Verdict::Repeat => "repeat".into(),
        Verdict::TooMuch => "too much".into(),
        Verdict::Refuse(refusal) => format!("{refusal:?}"),
    }
}

fn hold(state: State, reference: Option<&str>) -> Hold {
    Hold {
        state,
        quantity: 5,
        placed_at: PLACED,
        expires_at: EXPIRES,
        reference: reference.map(str::to_owned),
        version: 7,
    }
}

/// All arguments of all verbs.
struct Request<'a> {
    reference: Option<&'a str>,
    version: Option<i64>,
    late: Late,
    back: Option<i64>,
    ttl: Micros,
    max_ttl: Micros,
    is_there: bool,
}

fn ask(verb: &str, hold: &Hold, request: &Request, now: Micros) -> Verdict {
    match verb {
        "confirm" => confirm(hold, request.reference, request.version, request.late, now),
        "extend" => extend(hold, request.ttl, request.max_ttl, request.version, now),
        "release" => release(hold, request.back, request.version, now),
        "cancel" => cancel(hold, request.back, request.version, now),
        "amend" => amend(hold, request.is_there, request.version, now),
        other => unreachable!("no such verb: {other}"),
    }
}

/// Calls `each` with every case: its words in the table, and what to call.
fn every_case(mut each: impl FnMut([&'static str; 9], Hold, Request<'_>, Micros)) {
    for verb in VERBS {
        for (state, (time, now)) in product(&STATES, &TIMES) {
            for ((reference, had, given), (version, expected)) in product(&REFERENCES, &VERSIONS) {
                for ((late, mode), (back, quantity)) in product(&LATES, &BACK) {
                    for ((ttl, asked, max_ttl), (at, is_there)) in product(&TTLS, &PERIODS) {
                        each(
                            [verb, state.0, time, reference, version, late, back, ttl, at],
                            hold(state.1, had),
                            Request {
                                reference: given,
                                version: expected,
                                late: mode,
                                back: quantity,
                                ttl: asked(now),
                                max_ttl,
                                is_there,
                            },
                            now,
                        );
                    }
                }
            }
        }
    }
}

fn product<A: Copy, B: Copy>(one: &[A], other: &[B]) -> impl Iterator<Item = (A, B)> {
    one.iter().flat_map(move |a| other.iter().map(move |b| (*a, *b)))
}

#[test]
fn every_request_on_every_hold_is_answered_as_the_table_says() {
    let mut table = read_table();
    let mut cases = 0;
    every_case(|case, hold, request, now| {
        let mut lines = table.iter_mut().filter(|line| line.matches(&case));
        let line = lines.next().unwrap_or_else(|| panic!("no line for {case:?}"));
        assert!(lines.next().is_none(), "two lines for {case:?}");
        let verdict = ask(case[0], &hold, &request, now);
        assert_eq!(in_words(verdict), line.answer, "{case:?} at {now}");
        line.used += 1;
        cases += 1;
    });
    assert_eq!(cases, 5 * 5 * 5 * 6 * 4 * 2 * 5 * 5 * 2);
    for line in &table {
        assert!(line.used > 0, "never used: {:?}", line.cells);
    }
}

/// The answers to callers must not depend on when the expiry of a hold is written down.
#[test]
fn whether_an_expired_hold_was_swept_changes_only_the_room() {
    let mut cases = 0;
    every_case(|case, unswept, request, now| {
        if unswept.state != State::Held || now < EXPIRES {
            return;
        }
        let swept = {
            let Change { state, quantity, expires_at, version, room } = expire(&unswept);
            assert_eq!(room, -unswept.quantity);
            Hold { state, quantity, expires_at, version, ..unswept.clone() }
        };
        let (before, after) = (ask(case[0], &unswept, &request, now), ask(case[0], &swept, &request, now));
        assert_eq!(told(&unswept, before, now), told(&swept, after, now), "{case:?} at {now}");
        assert_eq!(row(&unswept, before, now), row(&swept, after, now), "{case:?} at {now}");
        if let Verdict::Change(_) = before {
            // The sweep gave the hold's places back, so the verb has to take that many more.
            assert_eq!(room(after), room(before) + unswept.quantity, "{case:?} at {now}");
        } else {
            assert_eq!((room(before), room(after)), (0, 0), "{case:?} at {now}");
        }
        cases += 1;
    });
    assert_eq!(cases, 5 * 3 * 6 * 4 * 2 * 5 * 5 * 2);
}

/// Returns what the caller learns: the state, or the refusal.
fn told(hold: &Hold, verdict: Verdict, now: Micros) -> Result<State, Option<Refusal>> {
    match verdict {
        Verdict::Change(change) | Verdict::Adopt(change) => Ok(change.state),
        Verdict::Repeat => Ok(hold.state_at(now)),
        Verdict::Refuse(refusal) => Err(Some(refusal)),
        Verdict::TooMuch => Err(None),
    }
}

/// Returns what `find` shows afterwards.
fn row(hold: &Hold, verdict: Verdict, now: Micros) -> (State, i64, Micros, i64) {
    match verdict {
        Verdict::Change(change) => (change.state, change.quantity, change.expires_at, change.version),
        _ => (hold.state_at(now), hold.quantity, hold.expires_at, hold.version),
    }
}

fn room(verdict: Verdict) -> i64 {
    if let Verdict::Change(change) = verdict { change.room } else { 0 }
}

#[test]
fn a_hold_is_live_exactly_while_the_clock_is_before_its_expiry() {
    for ((name, state), (time, now)) in product(&STATES, &TIMES) {
        let live = name == "confirmed" || (name == "held" && time == "live");
        let shown = if name == "held" && time == "late" { "expired" } else { name };
        assert_eq!(hold(state, None).is_live(now), live, "{name} at {now}");
        assert_eq!(hold(state, None).state_at(now).name(), shown, "{name} at {now}");
        assert_eq!(state.takes_room(), name == "held" || name == "confirmed", "{name}");
    }
}

#[test]
fn states_have_the_names_they_have_in_sql() {
    let names = STATES.map(|(name, _)| name);
    assert_eq!(State::ALL.map(State::name), names);
    for (name, state) in STATES {
        assert_eq!(State::from_name(name), Some(state));
    }
    for other in ["", "Held", "held ", "hel", "live", "expire"] {
        assert_eq!(State::from_name(other), None, "{other:?}");
    }
}

#[test]
fn an_extension_near_the_end_of_time_does_not_overflow() {
    let far = Hold { placed_at: Micros::MAX - 20, expires_at: Micros::MAX - 10, ..hold(State::Held, None) };
    let verdict = extend(&far, Micros::MAX, Micros::MAX, None, Micros::MAX - 15);
    assert_eq!(in_words(verdict), format!("write held 5 {} 8 0", Micros::MAX));
}
