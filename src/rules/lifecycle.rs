//! The life of one hold: `held → confirmed | released | expired`, `confirmed → cancelled`, and `expired →
//! confirmed` only by a late confirmation that finds the place still free.
//!
//! Each verb is a function from the hold as read under its lock, the request and the time to a [`Verdict`]. It
//! recognises a repeated call before it compares the version: a caller that never received the first answer can
//! ask again with the version it knew.

use super::{Micros, Refusal};

/// The state of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Held,
    Confirmed,
    Released,
    Cancelled,
    Expired,
}

impl State {
    /// Every state, in the order of a hold's life.
    pub const ALL: [Self; 5] = [Self::Held, Self::Confirmed, Self::Released, Self::Cancelled, Self::Expired];

    /// Returns the state's name in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Returns the state with this name in SQL. Returns `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Returns whether a hold in this state takes places of its resource.
    ///
    /// A held one does until its expiry is written down, however late that is. So the resource's count is an upper
    /// bound, and no answer depends on a sweep in time.
    pub const fn takes_room(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed)
    }
}

/// What the decisions need to know of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub state: State,
    pub quantity: i64,
    pub placed_at: Micros,
    pub expires_at: Micros,
    /// The reference of its confirmation.
    pub reference: Option<String>,
    pub version: i64,
}

impl Hold {
    /// Returns the state at a moment, whether the hold was swept or not: a held one is live exactly while `now <
    /// expires_at`.
    pub fn state_at(&self, now: Micros) -> State {
        if self.state == State::Held && now >= self.expires_at { State::Expired } else { self.state }
    }

    /// Returns whether the hold keeps others from its places at a moment.
    pub fn is_live(&self, now: Micros) -> bool {
        self.state_at(now).takes_room()
    }

    fn is_stale(&self, expected_version: Option<i64>) -> bool {
        expected_version.is_some_and(|expected| expected != self.version)
    }

    /// Returns the change that gives the hold a new state and the next version, and nothing else.
    fn becoming(&self, state: State) -> Change {
        Change {
            state,
            quantity: self.quantity,
            expires_at: self.expires_at,
            version: self.version + 1,
            room: 0,
        }
    }
}

/// What to write: the new values of the hold, and what changes on its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub state: State,
    pub quantity: i64,
    pub expires_at: Micros,
    pub version: i64,
    /// How many more places of the resource are taken afterwards: negative if the hold gives places back.
    pub room: i64,
}

/// The decision on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write this change.
    Change(Change),
    /// Write this change: the confirmed hold adopts a reference, and nothing else changes. The call counts as
    /// repeated.
    Adopt(Change),
    /// Write nothing and answer yes: the hold is already as the request wants it.
    Repeat,
    /// Answer no.
    Refuse(Refusal),
    /// Raise an error: the request gives back more than the hold has.
    TooMuch,
}

/// What a confirmation does after the hold has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    Refuse,
    Reacquire,
}

/// Decides on a confirmation.
///
/// A late confirmation takes the places again (`room` of the change) only if the expiry was written down. Until
/// then the resource still counts the hold, so nobody else got its places.
pub fn confirm(
    hold: &Hold,
    reference: Option<&str>,
    expected_version: Option<i64>,
    late: Late,
    now: Micros,
) -> Verdict {
    match hold.state_at(now) {
        State::Confirmed if reference.is_none() || reference == hold.reference.as_deref() => Verdict::Repeat,
        // The hold was confirmed without a reference: it adopts the first one that a later call gives.
        State::Confirmed if hold.reference.is_none() => {
            Verdict::Adopt(Change { version: hold.version, ..hold.becoming(State::Confirmed) })
        }
        State::Confirmed => Verdict::Refuse(Refusal::AlreadyConfirmed),
        State::Released => Verdict::Refuse(Refusal::Released),
        State::Cancelled => Verdict::Refuse(Refusal::Cancelled),
        State::Expired if late == Late::Refuse => Verdict::Refuse(Refusal::Expired),
        State::Held | State::Expired if hold.is_stale(expected_version) => {
            Verdict::Refuse(Refusal::VersionMismatch)
        }
        State::Held => Verdict::Change(hold.becoming(State::Confirmed)),
        State::Expired => {
            let room = if hold.state.takes_room() { 0 } else { hold.quantity };
            Verdict::Change(Change { room, ..hold.becoming(State::Confirmed) })
        }
    }
}

/// Decides on an extension: the hold lives for `ttl` from now. An extension never shortens a hold, and a hold
/// never lives longer than `max_ttl` after its placement.
pub fn extend(
    hold: &Hold,
    ttl: Micros,
    max_ttl: Micros,
    expected_version: Option<i64>,
    now: Micros,
) -> Verdict {
    match hold.state_at(now) {
        State::Confirmed => Verdict::Refuse(Refusal::AlreadyConfirmed),
        State::Released => Verdict::Refuse(Refusal::Released),
        State::Cancelled => Verdict::Refuse(Refusal::Cancelled),
        State::Expired => Verdict::Refuse(Refusal::Expired),
        State::Held if hold.is_stale(expected_version) => Verdict::Refuse(Refusal::VersionMismatch),
        State::Held => {
            let wanted = now.saturating_add(ttl).min(hold.placed_at.saturating_add(max_ttl));
            if wanted > hold.expires_at {
                Verdict::Change(Change { expires_at: wanted, ..hold.becoming(State::Held) })
            } else {
                Verdict::Repeat
            }
        }
    }
}

/// Decides on a change of a hold's period, seats or holder. `is_there` says whether the hold has them already. Its
/// state and its expiry stay the same.
pub fn amend(hold: &Hold, is_there: bool, expected_version: Option<i64>, now: Micros) -> Verdict {
    match hold.state_at(now) {
        State::Released => Verdict::Refuse(Refusal::Released),
        State::Cancelled => Verdict::Refuse(Refusal::Cancelled),
        State::Expired => Verdict::Refuse(Refusal::Expired),
        State::Held | State::Confirmed if is_there => Verdict::Repeat,
        State::Held | State::Confirmed if hold.is_stale(expected_version) => {
            Verdict::Refuse(Refusal::VersionMismatch)
        }
        State::Held | State::Confirmed => Verdict::Change(hold.becoming(hold.state)),
    }
}

/// Decides on the release of an unconfirmed hold, as a whole (`quantity` is `None`) or in part.
///
/// If the hold has ended already, the caller has what it wanted. If the hold has expired and that is not written
/// down yet, the release writes it down as expired: the clock has ended it, not the caller.
pub fn release(hold: &Hold, quantity: Option<i64>, expected_version: Option<i64>, now: Micros) -> Verdict {
    match hold.state_at(now) {
        State::Confirmed => Verdict::Refuse(Refusal::AlreadyConfirmed),
        State::Expired if hold.state == State::Held => Verdict::Change(expire(hold)),
        State::Released | State::Cancelled | State::Expired => Verdict::Repeat,
        State::Held => give_back(hold, State::Released, quantity, expected_version),
    }
}

/// Decides on the cancellation of a confirmed hold, as a whole (`quantity` is `None`) or in part.
pub fn cancel(hold: &Hold, quantity: Option<i64>, expected_version: Option<i64>, now: Micros) -> Verdict {
    match hold.state_at(now) {
        State::Cancelled => Verdict::Repeat,
        State::Held | State::Released | State::Expired => Verdict::Refuse(Refusal::NotConfirmed),
        State::Confirmed => give_back(hold, State::Cancelled, quantity, expected_version),
    }
}

/// Returns the change that writes down the expiry of a hold.
///
/// The version stays the same: the clock has ended the hold, and the answer to a caller with an expected version
/// must not depend on when the expiry is written down.
pub fn expire(hold: &Hold) -> Change {
    Change { room: -hold.quantity, version: hold.version, ..hold.becoming(State::Expired) }
}

fn give_back(hold: &Hold, whole: State, quantity: Option<i64>, expected_version: Option<i64>) -> Verdict {
    if hold.is_stale(expected_version) {
        return Verdict::Refuse(Refusal::VersionMismatch);
    }
    match quantity {
        Some(part) if part > hold.quantity => Verdict::TooMuch,
        Some(part) if part < hold.quantity => Verdict::Change(Change {
            quantity: hold.quantity - part,
            room: -part,
            ..hold.becoming(hold.state)
        }),
        _ => Verdict::Change(Change { room: -hold.quantity, ..hold.becoming(whole) }),
    }
}
