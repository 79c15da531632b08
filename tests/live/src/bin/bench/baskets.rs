//! Baskets: three of a thousand pools, all or nothing.

use anyhow::Result;

use crate::Bench;
use crate::pgbench::{Contest, Length};
use crate::scripts::Contender;

const BASKET: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set a random(1, 1000)
            \\set b random(1, 1000)
            \\set c random(1, 1000)
            select * from booking.hold_all(jsonb_build_array(
                jsonb_build_object('resource', 'pool' || :a),
                jsonb_build_object('resource', 'pool' || :b),
                jsonb_build_object('resource', 'pool' || :c)), '10 minutes');",
    },
    Contender {
        name: "plpgsql",
        script: "\\set a random(1, 1000)
            \\set b random(1, 1000)
            \\set c random(1, 1000)
            select * from rival.hold_all(array['pool' || :a, 'pool' || :b, 'pool' || :c], '10 minutes');",
    },
    Contender {
        name: "for update",
        script: "\\set a random(1, 333)
            \\set b random(334, 666)
            \\set c random(667, 1000)
            begin;
            select name, capacity + overbooking - taken from rival.resources
                where name in ('pool' || :a, 'pool' || :b, 'pool' || :c) and open order by name for update;
            update rival.resources set taken = taken + 1, version = version + 1
                where name in ('pool' || :a, 'pool' || :b, 'pool' || :c);
            insert into rival.holds (resource, quantity, expires_at)
                values ('pool' || :a, 1, clock_timestamp() + interval '10 minutes'),
                       ('pool' || :b, 1, clock_timestamp() + interval '10 minutes'),
                       ('pool' || :c, 1, clock_timestamp() + interval '10 minutes') returning id, expires_at;
            commit;",
    },
];

const CLIENTS: [u32; 3] = [1, 8, 32];

pub const TURNS: usize = CLIENTS.len() * BASKET.len();

impl Bench {
    pub fn baskets(&self) -> Result<()> {
        for clients in CLIENTS {
            let length = Length::Seconds(self.options.seconds);
            self.measure(&Contest::new("three of 1,000 pools", clients, length), BASKET)?;
        }
        Ok(())
    }
}
