//! Calendars: a room with one place, a hotel with forty, and the free slots of a surgery.

use anyhow::Result;

use crate::Bench;
use crate::pgbench::{Contest, Length};
use crate::scripts::Contender;

const EMPTY_ROOM: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set n random(0, 1999999)
            select * from booking.hold('empty', ttl => '10 minutes', during => tstzrange(
                timestamptz '2030-01-01 00:00+00' + :n * interval '30 min',
                timestamptz '2030-01-01 00:30+00' + :n * interval '30 min'));",
    },
    Contender {
        name: "exclusion constraint",
        script: "\\set n random(0, 1999999)
            select * from rival.book('empty', tstzrange(
                timestamptz '2030-01-01 00:00+00' + :n * interval '30 min',
                timestamptz '2030-01-01 00:30+00' + :n * interval '30 min'), '10 minutes');",
    },
];

const BUSY_ROOM: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set n random(0, 1999999)
            select * from booking.hold('busy', ttl => '10 minutes', during => tstzrange(
                timestamptz '2030-01-01 00:00+00' + :n * interval '30 min',
                timestamptz '2030-01-01 00:30+00' + :n * interval '30 min'));",
    },
    Contender {
        name: "exclusion constraint",
        script: "\\set n random(0, 1999999)
            select * from rival.book('busy', tstzrange(
                timestamptz '2030-01-01 00:00+00' + :n * interval '30 min',
                timestamptz '2030-01-01 00:30+00' + :n * interval '30 min'), '10 minutes');",
    },
    Contender { name: "booking, empty room", script: EMPTY_ROOM[0].script },
];

const HOTEL: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set n random(0, 9124)
            \\set last :n + random(1, 3)
            select * from booking.hold('hotel', ttl => '10 minutes', during => tstzrange(
                timestamptz '2030-01-01 15:00+00' + :n * interval '24 h',
                timestamptz '2030-01-01 11:00+00' + :last * interval '24 h'));",
    },
    Contender {
        name: "plpgsql, lock and sum",
        script: "\\set n random(0, 9124)
            \\set last :n + random(1, 3)
            select * from rival.stay('hotel', tstzrange(
                timestamptz '2030-01-01 15:00+00' + :n * interval '24 h',
                timestamptz '2030-01-01 11:00+00' + :last * interval '24 h'), 1, '10 minutes');",
    },
    Contender {
        name: "booking, one at a time",
        script: "\\set n random(0, 9124)
            \\set last :n + random(1, 3)
            begin;
            select pg_advisory_xact_lock(1);
            select * from booking.hold('hotel', ttl => '10 minutes', during => tstzrange(
                timestamptz '2030-01-01 15:00+00' + :n * interval '24 h',
                timestamptz '2030-01-01 11:00+00' + :last * interval '24 h'));
            commit;",
    },
];

const SLOTS: &[Contender] = &[Contender {
    name: "booking.free_slots()",
    script: "select count(*) from booking.free_slots('surgery',
                '[2030-03-01 00:00+01,2030-04-01 00:00+02)', '20 min', '5 min');",
}];

/// There is no checkpoint here. After a checkpoint, the first change of each page writes the whole page to the
/// WAL, and a run of some seconds would measure how many pages a full room has.
const PUT_BACK: &[&str] = &[
    "delete from booking.holds where state = 'held'",
    "delete from rival.bookings where state = 'held'",
    "delete from rival.stays where state = 'held'",
    "vacuum full analyze booking.holds",
    "vacuum full analyze rival.bookings",
    "vacuum full analyze rival.stays",
];

pub const TURNS: usize = (EMPTY_ROOM.len() + BUSY_ROOM.len() + HOTEL.len()) * 2 + SLOTS.len() - HOTEL.len();

impl Bench {
    pub fn calendars(&self) -> Result<()> {
        self.load(include_str!("calendars.sql"), "postgres")?;
        let length = Length::Seconds(self.options.seconds);
        let contest =
            |scenario, clients| Contest { put_back: PUT_BACK, ..Contest::new(scenario, clients, length) };
        for clients in [1, 8] {
            self.measure(&contest("an empty room", clients), EMPTY_ROOM)?;
            self.measure(&contest("a room, 100,000 bookings", clients), BUSY_ROOM)?;
        }
        self.measure(&contest("random nights, 40 rooms, 100,000 stays", 32), HOTEL)?;
        self.measure(&Contest::new("free slots of a busy month", 1, length), SLOTS).map(|_| ())
    }
}
