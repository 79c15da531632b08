//! The life of one hold: `held → confirmed | released | expired`, `confirmed → cancelled`, and
//! `expired → confirmed` only by a late confirmation that finds the place still free.
//!
//! Each verb is a function from the hold as it was read under its lock, the request and the time,
//! to a [`Verdict`]. A repeated call is recognised before the version is compared, so that a caller
//! who never saw the first answer can ask again with the version it knew.

use super::{Micros, Refusal};

/// Where a hold stands.
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

    /// The word for it in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state a word in SQL stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a hold in this state takes up room on its resource.
    ///
    /// A held one does so until somebody writes down that it expired, however late that is: this is
    /// what makes the resource's count an upper bound that nobody has to sweep in time.
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
    pub reference: Option<String>,
    pub version: i64,
}

impl Hold {
    /// Where the hold stands at a moment, swept or not: a held one is live exactly while
    /// `now < expires_at`.
    pub fn state_at(&self, now: Micros) -> State {
        if self.state == State::Held && now >= self.expires_at { State::Expired } else { self.state }
    }

    /// Whether it keeps others from its place at this moment.
    pub fn is_live(&self, now: Micros) -> bool {
        self.state_at(now).takes_room()
    }

    fn is_stale(&self, expected_version: Option<i64>) -> bool {
        expected_version.is_some_and(|expected| expected != self.version)
    }

    /// This hold as the starting point of a change.
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

/// What to write down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub state: State,
    pub quantity: i64,
    pub expires_at: Micros,
    pub version: i64,
    /// By how much the resource's count moves: negative where the hold gives room back.
    pub room: i64,
}

/// What is to become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write this.
    Change(Change),
    /// Write this, which adopts a reference and changes nothing else: a repeated call.
    Adopt(Change),
    /// Nothing to write: it is so already, and the caller may be told yes.
    Repeat,
    /// No.
    Refuse(Refusal),
    /// The request makes no sense for this hold: it has less than was asked to be given back.
    TooMuch,
}

/// What a confirmation does when the time to live has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    Refuse,
    Reacquire,
}

/// Confirms a hold for good.
///
/// A late confirmation asks for the room again (`room` of the change) only where the expiry was
/// written down: until then the resource still counts the hold, so nobody else was given its place.
pub fn confirm(
    hold: &Hold,
    reference: Option<&str>,
    expected_version: Option<i64>,
    late: Late,
    now: Micros,
) -> Verdict {
    match hold.state_at(now) {
        State::Confirmed if reference.is_none() || reference == hold.reference.as_deref() => Verdict::Repeat,
        // The first reference that is given after a confirmation without one is that confirmation's.
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

/// Lets a hold live for `ttl` from now. It is never shortened, and never lives longer than
/// `max_ttl` after it was placed.
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

/// Changes when a hold is, where, or whose (`is_there`: it is so already). It stays what it is, held or
/// confirmed, and lives no longer for it.
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

/// Gives a hold back before it is confirmed, whole (`quantity` none) or in part.
///
/// What has ended already is what the caller wanted. One whose time ran out unnoticed is written
/// down as expired, since that is what it was.
pub fn release(hold: &Hold, quantity: Option<i64>, expected_version: Option<i64>, now: Micros) -> Verdict {
    match hold.state_at(now) {
        State::Confirmed => Verdict::Refuse(Refusal::AlreadyConfirmed),
        State::Expired if hold.state == State::Held => Verdict::Change(expire(hold)),
        State::Released | State::Cancelled | State::Expired => Verdict::Repeat,
        State::Held => give_back(hold, State::Released, quantity, expected_version),
    }
}

/// Gives a confirmed hold back, whole (`quantity` none) or in part.
pub fn cancel(hold: &Hold, quantity: Option<i64>, expected_version: Option<i64>, now: Micros) -> Verdict {
    match hold.state_at(now) {
        State::Cancelled => Verdict::Repeat,
        State::Held | State::Released | State::Expired => Verdict::Refuse(Refusal::NotConfirmed),
        State::Confirmed => give_back(hold, State::Cancelled, quantity, expected_version),
    }
}

/// Writes down that a hold's time to live has run out.
///
/// The version stays: it was the clock that ended the hold, and when somebody notices must not
/// change what a caller with an expected version is told.
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
