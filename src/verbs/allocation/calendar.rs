//! Requests for a period of a calendar.

use super::fit::{PeriodRequest, booked_period_on, find_fit, is_open};
use super::stop::Interrupt;
use super::{Allocation, Allotment, Pass};
use crate::outcome::Refused;
use crate::request::When;
use crate::rules::timeline::Usage;
use crate::server::clock::Timestamp;

impl<'a> Allocation<'_, 'a> {
    /// Decides whether `quantity` places are free at every moment of the period, its buffer included. `Err` inside
    /// is the refusal.
    pub(super) fn period(
        &mut self,
        resource: &'a str,
        quantity: i64,
        when: When,
    ) -> Result<Result<Allotment, Refused>, Interrupt> {
        let stored = self.resource(resource)?;
        let calendar = stored.as_calendar()?;
        let booked = booked_period_on(calendar, when)?;
        if !is_open(calendar, booked.during) {
            return Ok(Err(Refused::outside_hours(calendar, stored.pool.version)));
        }
        // Only overlapping ones are kept: a batch may have given thousands, nearly all of them at other times.
        let unwritten = self.new.iter().filter_map(|hold| {
            let occupied = hold.booked?.0.occupied.common(booked.occupied)?;
            let given = Usage { occupied, quantity: hold.quantity, is_held: true };
            (hold.resource == resource).then_some(given)
        });
        let owed = self.owed_usages.iter().filter(|(of, _)| *of == resource).map(|(_, owed)| *owed);
        let request = PeriodRequest {
            resource: stored,
            occupied: booked.occupied,
            quantity,
            unwritten: unwritten.chain(owed).collect(),
            of: None,
        };
        let fit = find_fit(self.session, &request, self.now, self.pass != Pass::Cheap)?;
        Ok(match fit {
            Ok(fit) => Ok(Allotment {
                booked: Some((booked, fit.is_exclusive)),
                left: Some(fit.left),
                ..Allotment::default()
            }),
            Err(tightest) => {
                let at = Timestamp::from_micros(tightest.period.from);
                Err(Refused::over_time(quantity, tightest.free(), at, stored.pool.version))
            }
        })
    }
}
