//! Contenders that are pgbench scripts.

/// A contender of a scenario, and the script of one of its transactions.
#[derive(Clone, Copy)]
pub struct Contender {
    pub name: &'static str,
    pub script: &'static str,
}

/// The statements with which an application places a hold on a pool itself: on which pool, and what it reads of
/// the hold.
macro_rules! hold_for_update {
    ($pool:literal, $answer:literal) => {
        concat!(
            "begin;
            select capacity + overbooking - taken from rival.resources where name = ",
            $pool,
            " and open for update;
            update rival.resources set taken = taken + 1, version = version + 1 where name = ",
            $pool,
            ";
            insert into rival.holds (resource, quantity, expires_at)
                values (",
            $pool,
            ", 1, clock_timestamp() + interval '10 minutes') returning ",
            $answer,
            "
            commit;"
        )
    };
}
pub(crate) use hold_for_update;

/// The same as a contender.
pub const FOR_UPDATE: Contender =
    Contender { name: "for update", script: hold_for_update!("'hot'", "id, expires_at;") };
