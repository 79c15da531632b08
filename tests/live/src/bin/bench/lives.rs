//! The whole life of a hold: all are confirmed, or only half of them.

use anyhow::Result;

use crate::Bench;
use crate::pgbench::{Contest, Length};
use crate::scripts::{Contender, hold_for_update};

const CONFIRM: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set n random(1, 1000)
            select hold_id from booking.hold('pool' || :n, 1, '10 minutes') \\gset
            select * from booking.confirm(:hold_id, 'payment');",
    },
    Contender {
        name: "plpgsql",
        script: "\\set n random(1, 1000)
            select hold_id from rival.hold('pool' || :n, 1, '10 minutes') \\gset
            select rival.confirm(:hold_id, 'payment');",
    },
    Contender {
        name: "for update",
        script: concat!(
            "\\set n random(1, 1000)\n",
            hold_for_update!("'pool' || :n", "id as hold_id \\gset"),
            "
            begin;
            select state, expires_at from rival.holds where id = :hold_id for update;
            update rival.holds set state = 'confirmed', confirmed_at = clock_timestamp(), reference = 'payment',
                version = version + 1 where id = :hold_id;
            commit;"
        ),
    },
    Contender {
        name: "booking, one escrow pool",
        script: "select hold_id from booking.hold('confirmed at once', 1, '10 minutes') \\gset
            select * from booking.confirm(:hold_id, 'payment');",
    },
];

/// Every second hold is confirmed. The others expire a fifth of a second later.
const HALF_EXPIRE: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set n random(1, 1000)
            \\set pays random(0, 1)
            select hold_id from booking.hold('pool' || :n, 1, '200 ms') \\gset
            \\if :pays
            select * from booking.confirm(:hold_id, 'payment');
            \\endif",
    },
    Contender {
        name: "plpgsql",
        script: "\\set n random(1, 1000)
            \\set pays random(0, 1)
            select hold_id from rival.hold('pool' || :n, 1, '200 ms') \\gset
            \\if :pays
            select rival.confirm(:hold_id, 'payment');
            \\endif",
    },
    Contender {
        name: "booking, one escrow pool",
        script: "\\set pays random(0, 1)
            select hold_id from booking.hold('confirmed at once', 1, '200 ms') \\gset
            \\if :pays
            select * from booking.confirm(:hold_id, 'payment');
            \\endif",
    },
];
/// A library of PyPI that does the same work in PL/pgSQL. It confirms only with a payment that paid for nothing else.
const NEVEROVERSELL_CONFIRM: Contender = Contender {
    name: "neveroversell",
    script: "\\set n random(1, 1000)
            select hold_id from nos_hold('pool' || :n, 1, 'ann', null, '10 minutes') \\gset
            select * from nos_confirm(:hold_id, :hold_id);",
};
const NEVEROVERSELL_HALF_EXPIRE: Contender = Contender {
    name: "neveroversell",
    script: "\\set n random(1, 1000)
            \\set pays random(0, 1)
            select hold_id from nos_hold('pool' || :n, 1, 'ann', null, '200 ms') \\gset
            \\if :pays
            select * from nos_confirm(:hold_id, :hold_id);
            \\endif",
};
const SWEEPS: &[&str] = &[
    "select booking.expire(10000)",
    "select rival.expire(10000)",
    "select booking.expire(10000)",
    "select count(*) from nos_sweep(10000)",
];

const CLIENTS: [u32; 3] = [1, 8, 32];
/// The tables of the holds are not vacuumed here. If PostgreSQL knows that they are empty, plpgsql plans
/// sequential scans, and keeps those plans while the tables fill.
const PUT_BACK: &[&str] = &[
    "truncate booking.holds",
    "truncate rival.holds",
    "update booking.resources set taken = 0 where taken > 0",
    "update rival.resources set taken = 0 where taken > 0",
    "select booking.after_restore()",
    "do $$ begin
         if to_regclass('nos_holds') is not null then
             truncate nos_holds, nos_hold_events;
             update nos_resources set held = 0, sold = 0 where held + sold > 0;
         end if;
     end $$",
    "vacuum analyze booking.resources, rival.resources",
];

pub const TURNS: usize = CLIENTS.len() * (CONFIRM.len() + HALF_EXPIRE.len() + 2);

impl Bench {
    pub fn lives(&self) -> Result<()> {
        self.server
            .psql("select booking.create_pool('confirmed at once', 1000000000, contention => 'escrow')");
        let length = Length::Seconds(self.options.seconds);
        let confirm = self.with_neveroversell(CONFIRM, NEVEROVERSELL_CONFIRM);
        let half_expire = self.with_neveroversell(HALF_EXPIRE, NEVEROVERSELL_HALF_EXPIRE);
        for clients in CLIENTS {
            let contest =
                Contest { put_back: PUT_BACK, ..Contest::new("hold, then confirm", clients, length) };
            self.measure(&contest, &confirm)?;
        }
        for clients in CLIENTS {
            let contest = Contest::new("hold, half expire", clients, length);
            self.measure(&Contest { put_back: PUT_BACK, beside: SWEEPS, ..contest }, &half_expire)?;
        }
        Ok(())
    }
}
