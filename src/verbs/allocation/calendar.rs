//! Whether there is room on a calendar for as long as it is asked for.

use super::{Depth, Desk, Share};
use crate::clock::Timestamp;
use crate::outcome::Refused;
use crate::rules::timeline::Use;
use crate::verbs::fitting::{Wish, find_room, is_open, stay_on};
use crate::verbs::{Stop, When};

impl<'a> Desk<'_, 'a> {
    /// Finds room for so much, all the time.
    pub(super) fn period(
        &mut self,
        resource: &'a str,
        quantity: i64,
        when: When,
    ) -> Result<Result<Share, Refused>, Stop> {
        let stored = self.resource(resource)?;
        let calendar = stored.as_calendar()?;
        let stay = stay_on(calendar, when)?;
        if !is_open(calendar, stay.during) {
            return Ok(Err(Refused::outside_hours(calendar, stored.pool.version)));
        }
        // A batch may have given thousands, nearly all of them at other times.
        let unwritten = self.new.iter().filter_map(|hold| {
            let occupied = hold.stay?.0.occupied.common(stay.occupied)?;
            let given = Use { occupied, quantity: hold.quantity, is_held: true };
            (hold.resource == resource).then_some(given)
        });
        let owed = self.owed_uses.iter().filter(|(of, _)| *of == resource).map(|(_, owed)| *owed);
        let wish = Wish {
            resource: stored,
            occupied: stay.occupied,
            quantity,
            unwritten: unwritten.chain(owed).collect(),
            of: None,
        };
        let room = find_room(self.session, &wish, self.now, self.depth != Depth::Shallow)?;
        Ok(match room {
            Ok(room) => {
                Ok(Share { stay: Some((stay, room.is_sole)), left: Some(room.left), ..Share::default() })
            }
            Err(tightest) => {
                let at = Timestamp::from_micros(tightest.period.from);
                Err(Refused::over_time(quantity, tightest.free(), at, stored.pool.version))
            }
        })
    }
}
