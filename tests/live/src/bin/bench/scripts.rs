//! What each contender does, as pgbench scripts.

/// Somebody who takes part in a scenario, and the script of one of their transactions.
#[derive(Clone, Copy)]
pub struct Contender {
    pub name: &'static str,
    pub script: &'static str,
}

/// What an application does from outside.
pub const FOR_UPDATE: Contender = Contender {
    name: "for update",
    script: "begin;
        select capacity + overbooking - taken from rival.resources where name = 'hot' and open for update;
        update rival.resources set taken = taken + 1, version = version + 1 where name = 'hot';
        insert into rival.holds (resource, quantity, expires_at)
            values ('hot', 1, clock_timestamp() + interval '10 minutes') returning id, expires_at;
        commit;",
};

/// The first is measured, the others are its rivals.
pub const HOT: &[Contender] = &[
    Contender { name: "booking", script: "select * from booking.hold('hot', 1, '10 minutes');" },
    Contender { name: "plpgsql", script: "select * from rival.hold('hot', 1, '10 minutes');" },
    Contender { name: "plpgsql, bare", script: "select rival.bare_hold('hot', 1, '10 minutes');" },
    FOR_UPDATE,
];

pub const MANY: &[Contender] = &[
    Contender {
        name: "booking",
        script: "\\set n random(1, 1000)
            select * from booking.hold('pool' || :n, 1, '10 minutes');",
    },
    Contender {
        name: "plpgsql",
        script: "\\set n random(1, 1000)
            select * from rival.hold('pool' || :n, 1, '10 minutes');",
    },
    Contender {
        name: "plpgsql, bare",
        script: "\\set n random(1, 1000)
            select rival.bare_hold('pool' || :n, 1, '10 minutes');",
    },
];

pub const CONFIRM: &[Contender] = &[
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
];

/// The same hold in two databases, an empty one and one full of history.
pub const HISTORY: Contender =
    Contender { name: "booking", script: "select * from booking.hold('hot', 1, '10 minutes');" };

pub const LOAD_HISTORY: &str = "
    insert into booking.holds (id, resource, quantity, state, placed_at, expires_at, ended_at, key, fingerprint)
    select gen_random_uuid(), 'hot', 1, 'released', at, at + interval '10 minutes', at,
           'key ' || n, gen_random_uuid()
    from (select n, clock_timestamp() - interval '20 days' + n * interval '1 ms' as at
          from generate_series(1, ROWS) n) as times;
    vacuum analyze booking.holds;
    checkpoint;";

/// 100,000 stale holds on 1,000 pools, in a table without the dead rows of the round before.
pub const LOAD_STALE: &str = "
    truncate booking.holds;
    update booking.resources set taken = 0;
    insert into booking.holds (id, resource, quantity, state, placed_at, expires_at)
    select gen_random_uuid(), 'pool' || (1 + n % 1000), 1, 'held', clock_timestamp() - interval '1 hour',
           clock_timestamp() - interval '1 minute' - n * interval '1 ms'
    from generate_series(1, 100000) n;
    update booking.resources set taken = 100 where name like 'pool%';
    vacuum analyze booking.holds;
    vacuum analyze booking.resources;
    checkpoint;";

pub const EXPIRE: &str = "select booking.expire(100000)";

pub const PLAIN_UPDATE: &str = "
    update booking.holds set state = 'expired', ended_at = clock_timestamp()
    where state = 'held' and expires_at <= clock_timestamp()";
