//! What a contender does, as a pgbench script.

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
