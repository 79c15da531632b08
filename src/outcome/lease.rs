//! The answer of every verb on leases, `booking.lease_result`.

use crate::rules::Micros;
use crate::rules::lease::{Lease, LeaseState};
use crate::server::clock::Timestamp;

/// One `booking.lease_result`: whether the call succeeded, and the lease's state.
#[derive(Clone, Debug)]
pub struct LeaseOutcome {
    pub(super) ok: bool,
    pub(super) status: &'static str,
    pub(super) name: String,
    pub(super) holder: Option<String>,
    pub(super) token: Option<i64>,
    pub(super) expires_at: Option<Timestamp>,
}

const ACQUIRED: &str = "acquired";

impl LeaseOutcome {
    fn of(ok: bool, status: &'static str, name: &str) -> Self {
        Self { ok, status, name: name.to_owned(), holder: None, token: None, expires_at: None }
    }

    fn with(self, holder: String, token: Option<i64>, expires_at: Timestamp) -> Self {
        Self { holder: Some(holder), token, expires_at: Some(expires_at), ..self }
    }

    pub fn acquired(name: &str, holder: &str, token: i64, until: Timestamp) -> Self {
        Self::of(true, ACQUIRED, name).with(holder.to_owned(), Some(token), until)
    }

    pub fn renewed(name: &str, lease: &Lease, until: Timestamp) -> Self {
        Self::of(true, "renewed", name).with(lease.holder.clone(), Some(lease.token), until)
    }

    pub fn released(name: &str, lease: &Lease) -> Self {
        let until = Timestamp::from_micros(lease.expires_at);
        Self::of(true, "released", name).with(lease.holder.clone(), Some(lease.token), until)
    }

    /// Answers that others have the lease. Shows the one that expires first, without its token, which is not the
    /// caller's.
    pub fn taken(name: &str, leases: &[Lease], until: Micros) -> Self {
        let refused = Self::of(false, "unavailable", name);
        match leases.iter().find(|lease| lease.expires_at == until) {
            Some(lease) => refused.with(lease.holder.clone(), None, Timestamp::from_micros(until)),
            None => refused,
        }
    }

    pub fn busy(name: &str) -> Self {
        Self::of(false, "busy", name)
    }

    /// Answers that the caller's lease is over.
    pub fn over(name: &str, state: LeaseState) -> Self {
        let status = match state {
            LeaseState::Released => "released",
            LeaseState::Valid | LeaseState::Expired => "expired",
            LeaseState::Unknown => "not_found",
        };
        Self::of(false, status, name)
    }

    /// Returns the answer for a caller who wants the lease to be over: `ok` is true if it is.
    pub fn if_over(self) -> Self {
        Self { ok: matches!(self.status, "released" | "expired"), ..self }
    }

    /// Returns whether this call granted the lease.
    pub fn is_new(&self) -> bool {
        self.status == ACQUIRED
    }
}
