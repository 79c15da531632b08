//! Seats and batches. Each run sells a large part of a venue, so its length is a number of calls, and everything
//! is put back before the next run.

use anyhow::Result;

use crate::Bench;
use crate::pgbench::{Contest, Length};
use crate::scripts::Contender;

/// Seats side by side, for each client in its own part of the venue, so that nothing is refused.
const NAMED: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set first :client_id * :part + (:call * 2) % :part
            \\set second :first + 1
            \\set call :call + 1
            select * from booking.hold('named', seats => array['s' || :first, 's' || :second],
                                       ttl => '10 minutes');",
    },
    Contender {
        name: "select for update",
        script: "\\set first :client_id * :part + (:call * 2) % :part
            \\set second :first + 1
            \\set call :call + 1
            select * from rival.hold_seats('named', array['s' || :first, 's' || :second], '10 minutes');",
    },
];

const BEST_OF_MANY: &[Contender] = &[
    Contender { name: "booking", script: "select * from booking.hold_best('large', 4, '10 minutes');" },
    Contender {
        name: "any four, skip locked",
        script: "select * from rival.hold_any('large', 4, '10 minutes');",
    },
    Contender {
        name: "booking, 6,000 seats",
        script: "select * from booking.hold_best('small', 4, '10 minutes');",
    },
];

const BEST_AT_ONCE: &[Contender] = &[
    Contender { name: "booking", script: "select * from booking.hold_best('large', 2, '10 minutes');" },
    Contender {
        name: "one at a time",
        script: "begin;
            select pg_advisory_xact_lock(1);
            select * from booking.hold_best('large', 2, '10 minutes');
            commit;",
    },
    Contender {
        name: "any two, skip locked",
        script: "select * from rival.hold_any('large', 2, '10 minutes');",
    },
];

const BATCH: &[Contender] = &[
    Contender {
        name: "booking.hold_each()",
        script: "select count(*) from rival.batch, lateral booking.hold_each(requests) as answer where ok;",
    },
    Contender { name: "one bulk INSERT", script: "select rival.bulk_insert(1000);" },
];

/// Removes everything that was sold in the run, and leaves no dead rows behind.
const PUT_BACK: &[&str] = &[
    "update booking.seats s set hold_id = null
     where hold_id is not null and not exists (select from rival.sold where sold.id = s.hold_id)",
    "update rival.seats s set hold_id = null
     where hold_id is not null and not exists (select from rival.sold where sold.id = s.hold_id)",
    "delete from booking.holds where state = 'held'",
    "update booking.resources set taken = 0 where taken > 0",
    "truncate rival.seat_holds",
    "vacuum full analyze booking.seats",
    "vacuum full analyze rival.seats",
    "vacuum full analyze booking.holds",
    "vacuum full analyze booking.resources",
    "checkpoint",
];

pub const TURNS: usize = NAMED.len() * 3 + BEST_OF_MANY.len() + BEST_AT_ONCE.len() + BATCH.len();

impl Bench {
    pub fn seats(&self) -> Result<()> {
        self.load(include_str!("seats.sql"), "postgres")?;
        for clients in [1, 8, 32] {
            let length = Length::Calls { calls: 8000 / clients, part: 20_000 / clients / 2 * 2 };
            let contest = Contest::new("two named seats of 20,000", clients, length);
            self.measure(&Contest { put_back: PUT_BACK, ..contest }, NAMED)?;
        }
        let calls = |calls| Length::Calls { calls, part: 0 };
        let contest = Contest::new("best four, half sold, 60,000 seats", 1, calls(400));
        self.measure(&Contest { put_back: PUT_BACK, ..contest }, BEST_OF_MANY)?;
        let contest = Contest::new("best two, half sold, 60,000 seats", 32, calls(200));
        self.measure(&Contest { put_back: PUT_BACK, ..contest }, BEST_AT_ONCE)?;
        let contest = Contest::new("batches of 1,000 holds", 1, calls(50));
        self.measure(&Contest { put_back: PUT_BACK, each: 1000.0, ..contest }, BATCH).map(|_| ())
    }
}
