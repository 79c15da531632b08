//! Decides whether the answers could come from a single lease that executes one call after the other. It searches
//! for an order (Wing and Gong, "Testing and verifying concurrent objects", 1993) in which each call takes effect
//! at one moment between its beginning and its end.

use std::collections::HashSet;

use super::Said;

#[derive(Clone, Debug)]
pub enum Call {
    Acquire { holder: String },
    Renew { token: i64 },
    Release { token: i64 },
    Check { token: i64 },
}

/// A call with its answer. `None` if the connection was lost: the call may have been done or not.
#[derive(Clone, Debug)]
pub struct Event {
    pub call: Call,
    pub said: Option<Said>,
    /// The answer of `check_lease`.
    pub is_valid: Option<bool>,
    pub began: i64,
    pub ended: i64,
}

/// The state of a lease between two calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    holder: Option<String>,
    /// The last token that was granted. A rollback uses none up, so tokens rise one by one.
    token: i64,
    expires_at: i64,
    is_released: bool,
    /// The time of the previous call.
    now: i64,
}

impl State {
    /// Returns the earliest moment for the call at which the lease is valid, or is not. Returns `None` if there is
    /// no such moment.
    fn when(&self, event: &Event, valid: bool) -> Option<i64> {
        let earliest = self.now.max(event.began);
        let is_had = self.holder.is_some() && !self.is_released;
        let moment = match valid {
            true if is_had && earliest < self.expires_at => earliest,
            true => return None,
            false if !is_had => earliest,
            false => earliest.max(self.expires_at),
        };
        (moment <= event.ended).then_some(moment)
    }

    fn at(&self, now: i64) -> Self {
        Self { now, ..self.clone() }
    }

    /// Returns the lease after the call, or `None` if it could not be answered so.
    fn after(&self, event: &Event) -> Vec<Self> {
        let Some(said) = &event.said else { return self.after_check(event) };
        let valid = |valid| self.when(event, valid).map(|now| self.at(now));
        let expires_at = said.expires_at.unwrap_or(0);
        let after = match (&event.call, said.status.as_str()) {
            (_, "busy") => Some(self.at(self.now.max(event.began))),
            (Call::Acquire { holder }, "acquired") => {
                valid(false).filter(|_| said.token == Some(self.token + 1)).map(|state| State {
                    holder: Some(holder.clone()),
                    token: self.token + 1,
                    expires_at,
                    is_released: false,
                    ..state
                })
            }
            (Call::Acquire { holder }, "renewed") => {
                let is_his = self.holder.as_ref() == Some(holder) && said.token == Some(self.token);
                valid(true).filter(|_| is_his).map(|state| State { expires_at, ..state })
            }
            (Call::Acquire { holder }, "unavailable") => {
                valid(true).filter(|_| self.holder == said.holder && self.holder.as_ref() != Some(holder))
            }
            (Call::Renew { token }, "renewed") => {
                valid(true).filter(|_| self.token == *token).map(|state| State { expires_at, ..state })
            }
            (Call::Release { token }, "released") if said.holder.is_some() => {
                valid(true).filter(|_| self.token == *token).map(|state| State { is_released: true, ..state })
            }
            (Call::Renew { token } | Call::Release { token }, "released") => {
                (self.token == *token && self.is_released).then(|| self.at(self.now.max(event.began)))
            }
            (Call::Renew { token } | Call::Release { token }, "expired") => match self.token == *token {
                true => valid(false).filter(|_| !self.is_released),
                false => Some(self.at(self.now.max(event.began))).filter(|_| *token < self.token),
            },
            _ => None,
        };
        after.into_iter().collect()
    }

    fn after_check(&self, event: &Event) -> Vec<Self> {
        match (&event.call, event.is_valid) {
            (Call::Check { token }, Some(true)) => self
                .when(event, true)
                .filter(|_| self.token == *token)
                .map(|now| self.at(now))
                .into_iter()
                .collect(),
            (Call::Check { token }, Some(false)) => match self.token == *token {
                true => self.when(event, false).map(|now| self.at(now)).into_iter().collect(),
                false => vec![self.at(self.now.max(event.began))],
            },
            // The answer was lost: the call was done, or it was not.
            (Call::Acquire { holder }, _) => {
                let mut states = vec![self.clone()];
                states.extend(self.when(event, false).map(|now| State {
                    holder: Some(holder.clone()),
                    token: self.token + 1,
                    expires_at: i64::MAX,
                    is_released: false,
                    ..self.at(now)
                }));
                states
            }
            (Call::Release { token }, _) => {
                let mut states = vec![self.clone()];
                let released = self.when(event, true).filter(|_| self.token == *token);
                states.extend(released.map(|now| State { is_released: true, ..self.at(now) }));
                states
            }
            (Call::Renew { .. } | Call::Check { .. }, _) => vec![self.clone()],
        }
    }
}

/// Returns whether there is an order in which every call could have been answered so.
pub fn is_linear(events: &[Event]) -> bool {
    let mut seen = HashSet::new();
    search(events, 0, &State::default(), &mut seen)
}

fn search(events: &[Event], done: u64, state: &State, seen: &mut HashSet<(u64, State)>) -> bool {
    if done.count_ones() as usize == events.len() {
        return true;
    }
    if !seen.insert((done, state.clone())) {
        return false;
    }
    let open = || events.iter().enumerate().filter(|(n, _)| done & (1 << n) == 0);
    // A call that ended before another began comes before it.
    let first_end = open().map(|(_, event)| event.ended).min().unwrap_or(i64::MAX);
    open()
        .filter(|(_, event)| event.began <= first_end)
        .any(|(n, event)| state.after(event).iter().any(|after| search(events, done | (1 << n), after, seen)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(
        call: Call,
        status: &str,
        token: Option<i64>,
        holder: &str,
        expires_at: i64,
        span: (i64, i64),
    ) -> Event {
        let holder = Some(holder.to_owned()).filter(|holder| !holder.is_empty());
        let said = Said { ok: true, status: status.to_owned(), holder, token, expires_at: Some(expires_at) };
        Event { call, said: Some(said), is_valid: None, began: span.0, ended: span.1 }
    }

    fn acquired(holder: &str, token: i64, expires_at: i64, span: (i64, i64)) -> Event {
        event(Call::Acquire { holder: holder.to_owned() }, "acquired", Some(token), holder, expires_at, span)
    }

    #[test]
    fn the_checker_knows_what_cannot_be() {
        // Each client gets the lease after the one before it released it, or after that one expired.
        let released = event(Call::Release { token: 1 }, "released", Some(1), "a", 100, (20, 30));
        assert!(is_linear(&[
            acquired("a", 1, 100, (0, 10)),
            released.clone(),
            acquired("b", 2, 200, (25, 40))
        ]));
        assert!(is_linear(&[acquired("a", 1, 100, (0, 10)), acquired("b", 2, 200, (95, 110))]));
        // Two holders at once; a lower token later; a release that came after the end.
        assert!(!is_linear(&[acquired("a", 1, 100, (0, 10)), acquired("b", 2, 200, (20, 40))]));
        assert!(!is_linear(&[acquired("a", 2, 100, (0, 10)), acquired("b", 1, 200, (100, 140))]));
        assert!(!is_linear(&[acquired("a", 1, 100, (0, 10)), acquired("b", 2, 200, (11, 19)), released]));
        // A check that says yes after the lease passed to another holder.
        let check = |valid, span: (i64, i64)| Event {
            call: Call::Check { token: 1 },
            said: None,
            is_valid: Some(valid),
            began: span.0,
            ended: span.1,
        };
        let history = |valid| {
            [acquired("a", 1, 100, (0, 10)), acquired("b", 2, 200, (100, 110)), check(valid, (120, 130))]
        };
        assert!(is_linear(&history(false)) && !is_linear(&history(true)));
        assert!(is_linear(&[
            acquired("a", 1, 100, (0, 10)),
            check(true, (50, 130)),
            check(false, (60, 140))
        ]));
        assert!(!is_linear(&[acquired("a", 1, 100, (0, 10)), check(false, (50, 60))]));
        // A lost acquisition may have been done, and then somebody has the lease.
        let lost = Event {
            call: Call::Acquire { holder: "c".to_owned() },
            said: None,
            is_valid: None,
            began: 0,
            ended: i64::MAX,
        };
        let unavailable =
            event(Call::Acquire { holder: "a".to_owned() }, "unavailable", None, "c", 100, (5, 9));
        assert!(is_linear(&[lost, unavailable.clone()]) && !is_linear(&[unavailable]));
    }
}
