//! Every state, every verb, every request that can be told apart, against the rules written out a
//! second time, as sentences rather than as code.

use booking_rules::Refusal;
use booking_rules::lifecycle::{Change, Hold, Late, State, Verdict, cancel, confirm, extend, release};

const PLACED: i64 = 1_000;
const EXPIRES: i64 = 2_000;
const MAX_TTL: i64 = 5_000;
const QUANTITY: i64 = 3;
const VERSION: i64 = 7;

/// A moment before, at and after the end of the hold's time.
const MOMENTS: [i64; 4] = [1_500, EXPIRES - 1, EXPIRES, EXPIRES + 1];
const VERSIONS: [Option<i64>; 3] = [None, Some(VERSION), Some(VERSION - 1)];
const REFERENCES: [Option<&str>; 3] = [None, Some("a"), Some("b")];
const QUANTITIES: [Option<i64>; 4] = [None, Some(1), Some(QUANTITY), Some(QUANTITY + 1)];

fn hold(state: State, reference: Option<&str>) -> Hold {
    Hold {
        state,
        quantity: QUANTITY,
        placed_at: PLACED,
        expires_at: EXPIRES,
        reference: reference.map(str::to_owned),
        version: VERSION,
    }
}

fn becomes(state: State, quantity: i64, version: i64, room: i64) -> Verdict {
    Verdict::Change(Change { state, quantity, expires_at: EXPIRES, version, room })
}

fn is_over(state: State, now: i64) -> bool {
    state == State::Expired || (state == State::Held && now >= EXPIRES)
}

#[test]
fn a_hold_is_live_exactly_until_its_time() {
    assert_eq!(hold(State::Held, None).standing(EXPIRES - 1), State::Held);
    assert_eq!(hold(State::Held, None).standing(EXPIRES), State::Expired);
    for state in State::ALL {
        for now in MOMENTS {
            let live = state == State::Confirmed || (state == State::Held && now < EXPIRES);
            assert_eq!(hold(state, None).is_live(now), live, "{state:?} at {now}");
        }
    }
}

#[test]
fn states_and_their_words_are_one_to_one() {
    let words = ["held", "confirmed", "released", "cancelled", "expired"];
    assert_eq!(State::ALL.map(State::name), words);
    for state in State::ALL {
        assert_eq!(State::from_name(state.name()), Some(state));
    }
    assert_eq!(State::from_name("Held"), None);
    assert_eq!(State::from_name(""), None);
}

#[test]
fn confirm_every_way() {
    let mut cases = 0;
    for state in State::ALL {
        for stored in REFERENCES {
            for now in MOMENTS {
                for reference in REFERENCES {
                    for version in VERSIONS {
                        for late in [Late::Refuse, Late::Reacquire] {
                            let expected = expected_confirm(state, stored, now, reference, version, late);
                            let actual = confirm(&hold(state, stored), reference, version, late, now);
                            assert_eq!(
                                actual, expected,
                                "{state:?} {stored:?} at {now}: {reference:?} {version:?} {late:?}"
                            );
                            cases += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cases, 5 * 3 * 4 * 3 * 3 * 2);
}

fn expected_confirm(
    state: State,
    stored: Option<&str>,
    now: i64,
    reference: Option<&str>,
    version: Option<i64>,
    late: Late,
) -> Verdict {
    let stale = version == Some(VERSION - 1);
    if state == State::Confirmed {
        let same = reference.is_none() || reference == stored;
        return if same { Verdict::Repeat } else { Verdict::Refuse(Refusal::AlreadyConfirmed) };
    }
    if state == State::Released {
        return Verdict::Refuse(Refusal::Released);
    }
    if state == State::Cancelled {
        return Verdict::Refuse(Refusal::Cancelled);
    }
    if is_over(state, now) && late == Late::Refuse {
        return Verdict::Refuse(Refusal::Expired);
    }
    if stale {
        return Verdict::Refuse(Refusal::VersionMismatch);
    }
    // Only what was written down as expired has to find room again.
    let room = if state == State::Expired { QUANTITY } else { 0 };
    becomes(State::Confirmed, QUANTITY, VERSION + 1, room)
}

#[test]
fn release_every_way() {
    for state in State::ALL {
        for now in MOMENTS {
            for quantity in QUANTITIES {
                for version in VERSIONS {
                    let expected = match state {
                        State::Confirmed => Verdict::Refuse(Refusal::AlreadyConfirmed),
                        State::Released | State::Cancelled | State::Expired => Verdict::Repeat,
                        State::Held if now >= EXPIRES => {
                            becomes(State::Expired, QUANTITY, VERSION, -QUANTITY)
                        }
                        State::Held => expected_gift(State::Held, State::Released, quantity, version),
                    };
                    let actual = release(&hold(state, None), quantity, version, now);
                    assert_eq!(actual, expected, "{state:?} at {now}: {quantity:?} {version:?}");
                }
            }
        }
    }
}

#[test]
fn cancel_every_way() {
    for state in State::ALL {
        for now in MOMENTS {
            for quantity in QUANTITIES {
                for version in VERSIONS {
                    let expected = match state {
                        State::Cancelled => Verdict::Repeat,
                        State::Confirmed => {
                            expected_gift(State::Confirmed, State::Cancelled, quantity, version)
                        }
                        _ => Verdict::Refuse(Refusal::NotConfirmed),
                    };
                    let actual = cancel(&hold(state, None), quantity, version, now);
                    assert_eq!(actual, expected, "{state:?} at {now}: {quantity:?} {version:?}");
                }
            }
        }
    }
}

fn expected_gift(now_is: State, whole: State, quantity: Option<i64>, version: Option<i64>) -> Verdict {
    if version == Some(VERSION - 1) {
        return Verdict::Refuse(Refusal::VersionMismatch);
    }
    match quantity {
        None | Some(QUANTITY) => becomes(whole, QUANTITY, VERSION + 1, -QUANTITY),
        Some(1) => becomes(now_is, QUANTITY - 1, VERSION + 1, -1),
        Some(_) => Verdict::TooMuch,
    }
}

#[test]
fn extend_every_way() {
    for state in State::ALL {
        for now in MOMENTS {
            for version in VERSIONS {
                // Shorter than it lives, longer, and longer than it may.
                for (ttl, expires_at) in [(1, EXPIRES), (1_000, now + 1_000), (9_000, PLACED + MAX_TTL)] {
                    let actual = extend(&hold(state, None), ttl, MAX_TTL, version, now);
                    let expected = match state {
                        State::Confirmed => Verdict::Refuse(Refusal::AlreadyConfirmed),
                        State::Released => Verdict::Refuse(Refusal::Released),
                        State::Cancelled => Verdict::Refuse(Refusal::Cancelled),
                        _ if is_over(state, now) => Verdict::Refuse(Refusal::Expired),
                        _ if version == Some(VERSION - 1) => Verdict::Refuse(Refusal::VersionMismatch),
                        _ if expires_at <= EXPIRES => Verdict::Repeat,
                        _ => Verdict::Change(Change {
                            state: State::Held,
                            quantity: QUANTITY,
                            expires_at,
                            version: VERSION + 1,
                            room: 0,
                        }),
                    };
                    assert_eq!(actual, expected, "{state:?} at {now}: {ttl} {version:?}");
                }
            }
        }
    }
}

/// When somebody writes down that a hold has expired must not change what anybody is told.
#[test]
fn the_sweep_is_not_seen() {
    let answer = |verdict: Verdict| match verdict {
        // A release of what had run out is answered like one of what was swept.
        Verdict::Change(change) if change.state == State::Expired => Verdict::Repeat,
        Verdict::Change(change) => Verdict::Change(Change { room: 0, ..change }),
        other => other,
    };
    let unswept = hold(State::Held, None);
    let swept = hold(State::Expired, None);
    for now in [EXPIRES, EXPIRES + 1, EXPIRES + 100_000] {
        for version in VERSIONS {
            for late in [Late::Refuse, Late::Reacquire] {
                assert_eq!(
                    answer(confirm(&unswept, Some("a"), version, late, now)),
                    answer(confirm(&swept, Some("a"), version, late, now)),
                );
            }
            for quantity in QUANTITIES {
                assert_eq!(
                    answer(release(&unswept, quantity, version, now)),
                    answer(release(&swept, quantity, version, now)),
                );
                assert_eq!(cancel(&unswept, quantity, version, now), cancel(&swept, quantity, version, now));
            }
            assert_eq!(
                extend(&unswept, 1_000, MAX_TTL, version, now),
                extend(&swept, 1_000, MAX_TTL, version, now),
            );
        }
    }
}
