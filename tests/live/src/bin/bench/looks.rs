//! How much is left, against the look that an application would write: one row by its primary key.

use anyhow::Result;

use crate::Bench;
use crate::pgbench::{Contest, Length};
use crate::scripts::Contender;

const ROW: Contender = Contender {
    name: "SELECT of one row by its key",
    script: "select capacity + overbooking - taken from rival.resources where name = 'hot';",
};

const LOOKS: &[Contender] = &[
    ROW,
    Contender {
        name: "available(), a pool with no hold",
        script: "select booking.available('nobody holds');",
    },
    Contender {
        name: "available(), a pool with 100,000 live holds",
        script: "select booking.available('looked');",
    },
    Contender {
        name: "available(), an escrow pool with as many",
        script: "select booking.available('looked at once');",
    },
    Contender {
        name: "available(), a hall of 60,000 seats",
        script: "select booking.available('stadium');",
    },
    Contender {
        name: "available(), a room with 50,000 bookings",
        script: "\\set n random(1, 20000)
            select booking.available('room', tstzrange('2027-01-01Z'::timestamptz + :n * interval '1 hour',
                                                       '2027-01-01Z'::timestamptz + :n * interval '1 hour' + interval '1 hour'));",
    },
    Contender {
        name: "available(), a hotel with 100,000 stays",
        script: "\\set n random(1, 2000)
            select booking.available('hotel', tstzrange('2027-01-01Z'::timestamptz + :n * interval '1 day',
                                                        '2027-01-01Z'::timestamptz + :n * interval '1 day' + interval '1 day'));",
    },
    Contender {
        name: "availability(), a pool with no hold",
        script: "select * from booking.availability('nobody holds');",
    },
    Contender {
        name: "availability(), a pool with 100,000 live holds",
        script: "select * from booking.availability('looked');",
    },
    Contender {
        name: "availability(), a hall of 60,000 seats",
        script: "select * from booking.availability('stadium');",
    },
];

const CLIENTS: [u32; 3] = [1, 8, 32];

pub const TURNS: usize = CLIENTS.len() * LOOKS.len();

impl Bench {
    pub fn looks(&self) -> Result<()> {
        self.load(include_str!("looks.sql"), "postgres")?;
        for clients in CLIENTS {
            let contest = Contest::new("how much is left", clients, Length::Seconds(self.options.seconds));
            self.measure(&contest, LOOKS)?;
        }
        Ok(())
    }
}
