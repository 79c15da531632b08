//! Whether a request fits into a pool: every small pool, counted place by place.

use booking_rules::Refusal;
use booking_rules::pool::{Admission, Pool, admit, readmit, resize};

const VERSION: i64 = 3;

/// Calls `each` with every pool of up to four places and one of overbooking, however full, open and closed.
fn every_pool(mut each: impl FnMut(Pool)) {
    for capacity in 0..=4 {
        for overbooking in 0..=1 {
            for taken in 0..=capacity + overbooking {
                for open in [true, false] {
                    for max_per_holder in [None, Some(1), Some(3)] {
                        each(Pool { capacity, overbooking, taken, version: VERSION, open, max_per_holder });
                    }
                }
            }
        }
    }
}

/// Returns the number of free places, counted one by one.
fn free_places(pool: &Pool) -> usize {
    (0..pool.capacity + pool.overbooking).skip(usize::try_from(pool.taken).unwrap()).count()
}

/// Returns whether the free places suffice for `room` places, or how many are missing.
fn fit(pool: &Pool, room: i64) -> Admission {
    match usize::try_from(room).unwrap().checked_sub(free_places(pool)) {
        None | Some(0) => Admission::Fits,
        Some(missing) => Admission::Short(missing as i64),
    }
}

#[test]
fn a_hold_is_let_in_where_all_of_it_fits() {
    let mut seen = [0; 5];
    every_pool(|pool| {
        for (quantity, owned) in (1..=6).flat_map(|quantity| (0..=4).map(move |owned| (quantity, owned))) {
            for expected in [None, Some(VERSION), Some(VERSION - 1), Some(VERSION + 1)] {
                let stale = !matches!(expected, None | Some(VERSION));
                let too_many = pool.max_per_holder.is_some_and(|limit| owned + quantity > limit);
                let (kind, answer) = match (pool.open, stale, too_many) {
                    (false, _, _) => (0, Admission::Refuse(Refusal::Closed)),
                    (true, true, _) => (1, Admission::Refuse(Refusal::VersionMismatch)),
                    (true, false, true) => (2, Admission::Refuse(Refusal::LimitExceeded)),
                    _ => match fit(&pool, quantity) {
                        Admission::Fits => (3, Admission::Fits),
                        short => (4, short),
                    },
                };
                assert_eq!(
                    admit(&pool, quantity, expected, owned),
                    answer,
                    "{quantity} for a holder of {owned}, expecting {expected:?}, of {pool:?}"
                );
                seen[kind] += 1;
            }
        }
    });
    assert!(seen.iter().all(|cases| *cases > 100), "{seen:?}");
}

#[test]
fn a_late_confirmation_is_let_in_though_the_pool_has_closed() {
    every_pool(|pool| {
        for (quantity, owned) in (1..=6).flat_map(|quantity| (0..=4).map(move |owned| (quantity, owned))) {
            // The confirmation must take all of its places once more, or none.
            for room in [0, quantity] {
                let answer = match pool.max_per_holder {
                    Some(limit) if owned + quantity > limit => Admission::Refuse(Refusal::LimitExceeded),
                    _ => fit(&pool, room),
                };
                assert_eq!(
                    readmit(&pool, quantity, room, owned),
                    answer,
                    "{quantity}/{room}/{owned}: {pool:?}"
                );
            }
        }
    });
}

#[test]
fn a_capacity_is_accepted_where_what_is_taken_fits_in_it() {
    every_pool(|pool| {
        for capacity in 0..=6 {
            let after = capacity + pool.overbooking;
            let answer =
                if pool.taken <= after { Admission::Fits } else { Admission::Short(pool.taken - after) };
            assert_eq!(resize(&pool, capacity, None), answer, "{capacity}: {pool:?}");
            assert_eq!(resize(&pool, capacity, Some(VERSION)), answer, "{capacity}: {pool:?}");
            let stale = Admission::Refuse(Refusal::VersionMismatch);
            assert_eq!(resize(&pool, capacity, Some(VERSION + 1)), stale, "{capacity}: {pool:?}");
        }
    });
}

#[test]
fn the_largest_pool_does_not_overflow() {
    let half = i64::MAX / 2;
    let mut pool = Pool {
        capacity: half,
        overbooking: half,
        taken: 0,
        version: 1,
        open: true,
        max_per_holder: Some(i64::MAX),
    };
    assert_eq!(pool.free(), i64::MAX - 1);
    assert_eq!(admit(&pool, i64::MAX, None, 0), Admission::Short(1));
    assert_eq!(admit(&pool, i64::MAX - 1, None, 0), Admission::Fits);
    assert_eq!(admit(&pool, i64::MAX, None, 1), Admission::Refuse(Refusal::LimitExceeded));
    pool.taken = i64::MAX - 1;
    assert_eq!(resize(&pool, 0, None), Admission::Short(half));
}

/// Seconds in which a count was lost, changed a million times a second, and lost again.
#[test]
fn a_version_after_a_loss_is_higher_than_any_before() {
    const SECOND: i64 = 1_000_000;
    const IN_2027: i64 = 852_076_800 * SECOND;
    let mut version = 7;
    for now in [IN_2027, IN_2027 + 1, IN_2027 + 3 * SECOND, 0, IN_2027 + 100 * SECOND] {
        let after = booking_rules::pool::version_after_loss(version, now);
        assert!(after > version + SECOND, "{after} after {version}");
        version = after + 1_000_000;
    }
    // It stays below what a number in JSON or JavaScript can say exactly.
    assert!(booking_rules::pool::version_after_loss(1, IN_2027 + 200 * 365 * 86_400 * SECOND) < 1 << 53);
}
