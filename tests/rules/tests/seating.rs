//! Best available, on plans drawn by hand, and on random plans whose answers the judge checks against their
//! pictures.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use booking_rules::seating::{REACH, ROWS_A_SECTION, Search, SeatPosition, best, first_row};

#[path = "seating/judge.rs"]
mod judge;
#[path = "seating/plan.rs"]
mod plan;

use judge::{best_fit, choose, closest, fits, least_apart, smallest_group};
use plan::{Label, Plan, Random};

const PLANS: u64 = 100_000;

/// Calls `each` with random plans and parties of up to eight.
fn every_plan(seed: u64, mut each: impl FnMut(&mut Random, &Plan, usize, bool)) {
    let mut random = Random(seed);
    for _ in 0..PLANS {
        let plan = random.plan();
        let quantity = random.within(1, 8) as usize;
        let together = random.within(0, 1) == 1;
        each(&mut random, &plan, quantity, together);
    }
}

fn ranks(labels: &[Label]) -> BTreeSet<i32> {
    labels.iter().map(|(rank, _)| *rank).collect()
}

fn sections(labels: &[Label]) -> BTreeSet<i32> {
    labels.iter().map(|(rank, _)| rank / ROWS_A_SECTION).collect()
}

/// A party gets no taken seat, no blocked seat, no aisle, no seat twice, and a seat for everybody. The search
/// turns a party away only if there are no such seats.
#[test]
fn a_party_gets_that_many_free_seats_or_there_are_not_that_many() {
    let mut seen = [0; 3];
    every_plan(1, |_, plan, quantity, together| {
        let there =
            if together { !fits(plan, quantity).is_empty() } else { plan.labels().count() >= quantity };
        let Some(chosen) = choose(plan, quantity, together) else {
            assert!(!there, "{quantity}, together {together}:\n{plan}");
            seen[0] += 1;
            return;
        };
        assert!(there, "{quantity}, together {together}: {chosen:?}\n{plan}");
        assert_eq!(chosen.len(), quantity, "{chosen:?}\n{plan}");
        assert!(chosen.is_sorted_by(|one, next| one < next), "out of order or twice: {chosen:?}\n{plan}");
        assert!(chosen.iter().all(|label| plan.is_free(*label)), "{chosen:?}\n{plan}");
        seen[if together { 1 } else { 2 }] += 1;
    });
    assert!(seen.iter().all(|cases| *cases > PLANS / 20), "{seen:?}");
}

#[test]
fn a_party_sits_side_by_side_wherever_there_is_room() {
    let mut seen = [0; 2];
    every_plan(2, |_, plan, quantity, together| {
        let fits = fits(plan, quantity);
        let chosen = choose(plan, quantity, together);
        let side_by_side = fits.iter().any(|fit| Some(&fit.labels) == chosen.as_ref());
        assert_eq!(side_by_side, !fits.is_empty(), "{quantity}, together {together}: {chosen:?}\n{plan}");
        seen[usize::from(side_by_side)] += 1;
    });
    assert!(seen.iter().all(|cases| *cases > PLANS / 20), "{seen:?}");
}

/// The search leaves a single seat alone only if every choice within reach would leave one, and it seats a party
/// further back than necessary only to leave none. Among the remaining choices, the middle of the row decides, and
/// then its lower end.
#[test]
fn a_party_moves_back_only_to_spare_a_seat_and_only_within_reach() {
    let mut seen = [[0; 2]; 2];
    let mut furthest = 0;
    every_plan(3, |_, plan, quantity, together| {
        let fits = fits(plan, quantity);
        let Some(front) = fits.iter().map(|fit| fit.rank).min() else {
            return;
        };
        let chosen = choose(plan, quantity, together);
        let taken = fits.iter().find(|fit| Some(&fit.labels) == chosen.as_ref()).expect("side by side");
        assert!(taken.rank - front <= REACH, "{quantity}, out of reach: {chosen:?}\n{plan}");
        for other in fits.iter().filter(|other| other.rank <= front + REACH) {
            let spares = taken.orphans < other.orphans;
            assert!(spares || taken.orphans == other.orphans, "{quantity}, not spared: {chosen:?}\n{plan}");
            assert!(spares || taken.rank <= other.rank, "{quantity}, too far back: {chosen:?}\n{plan}");
        }
        let right = best_fit(&fits).map(|fit| fit.labels);
        assert_eq!(chosen, right, "{quantity}, not in the middle\n{plan}");
        furthest = furthest.max(taken.rank - front);
        // A choice never leaves two seats alone: the same party moved by one seat would leave none.
        seen[taken.orphans][usize::from(taken.rank > front)] += 1;
    });
    assert!(seen[0][0].min(seen[0][1]).min(seen[1][0]) > PLANS / 100, "{seen:?}");
    assert_eq!((seen[1][1], furthest), (0, REACH));
}

#[test]
fn a_party_is_split_over_as_few_rows_as_can_be_and_sits_as_close_as_can_be() {
    let mut seen = [0; 4];
    every_plan(4, |_, plan, quantity, _| {
        if !fits(plan, quantity).is_empty() || plan.labels().count() < quantity {
            return;
        }
        let chosen = choose(plan, quantity, false).expect("there are enough");
        let Some((top, height)) = smallest_group(plan, quantity) else {
            assert!(sections(&chosen).len() > 1, "{chosen:?}\n{plan}");
            let front: Vec<Label> = plan.labels().take(quantity).collect();
            assert_eq!(chosen, front, "{plan}");
            seen[3] += 1;
            return;
        };
        assert_eq!(sections(&chosen).len(), 1, "{chosen:?}\n{plan}");
        let inside = ranks(&chosen).into_iter().all(|rank| (top..top + height).contains(&rank));
        assert!(inside, "{height} rows from {top}: {chosen:?}\n{plan}");
        assert_eq!(chosen, closest(plan, (top, height), quantity), "{quantity}\n{plan}");
        seen[if height < 3 { height as usize - 1 } else { 2 }] += 1;
    });
    assert!(seen.iter().all(|cases| *cases > PLANS / 200), "{seen:?}");
}

/// However much of the plan the search reads, it gives the answer for the whole plan or asks for more. It answers
/// as soon as nothing further back could change the answer.
#[test]
fn a_part_of_the_plan_gives_the_answer_of_the_whole_or_none() {
    let mut seen = [0; 2];
    every_plan(5, |random, plan, quantity, together| {
        let free = plan.free();
        let whole = best(&free, true, quantity, together);
        let fits = fits(plan, quantity);
        let settled_after = best_fit(&fits).map(|right| {
            let front = fits.iter().map(|fit| fit.rank).min().expect("one is right");
            if right.orphans == 0 { right.rank } else { front + REACH }
        });
        for _ in 0..4 {
            let shown = &free[..random.within(0, free.len() as i32) as usize];
            let part = best(shown, false, quantity, together);
            let settled =
                settled_after.is_some_and(|rank| shown.last().is_some_and(|place| place.rank > rank));
            let right = if settled { &whole } else { &Search::LookFurther };
            assert_eq!(part, *right, "{quantity} of the first {}\n{plan}", shown.len());
            seen[usize::from(settled)] += 1;
        }
    });
    assert!(seen.iter().all(|cases| *cases > PLANS / 5), "{seen:?}");
}

/// Asserts that a party gets the seats that are drawn as `@`, and no others.
fn gives(quantity: usize, together: bool, picture: &[&str]) {
    let blank: Vec<String> = picture.iter().map(|row| row.replace('@', ".")).collect();
    let plan = Plan::read(&blank.iter().map(String::as_str).collect::<Vec<_>>());
    let chosen = choose(&plan, quantity, together).unwrap_or_default();
    let drawn: Vec<&str> = picture.iter().copied().filter(|row| !row.is_empty() && *row != "---").collect();
    assert_eq!(plan.with(&chosen), drawn, "{quantity}, together {together}");
}

/// Asserts the same for a party that fits side by side: it makes no difference whether the party may be split.
fn gives_side_by_side(quantity: usize, picture: &[&str]) {
    gives(quantity, true, picture);
    gives(quantity, false, picture);
}

#[test]
fn the_front_comes_first_and_then_the_middle_of_the_row() {
    gives_side_by_side(3, &["..@@@..", ".......", "......."]);
    gives_side_by_side(2, &["xxx#xxx", "xx.xx.x", "..@@..."]);
    // Of two seats equally far from the middle, the search takes the lower.
    gives_side_by_side(2, &["..@@..."]);
    gives_side_by_side(1, &["..x@x.."]);
    gives_side_by_side(5, &["@@@@@"]);
    // The middle of the whole row counts, not that of its free seats.
    gives_side_by_side(2, &["......@@xxxxxxxx"]);
    gives_side_by_side(2, &["xx ..@@...."]);
}

#[test]
fn no_seat_is_left_alone_though_it_is_nearer_the_middle() {
    // In the middle, the party would leave one seat alone on each side.
    gives_side_by_side(3, &["@@@.."]);
    gives_side_by_side(2, &["@@.."]);
    gives_side_by_side(4, &["..x@@@@..x"]);
    gives_side_by_side(1, &["..@.."]);
    gives_side_by_side(1, &["x@..x"]);
    // A seat that was alone before does not count.
    gives_side_by_side(2, &[".x@@x."]);
}

#[test]
fn an_aisle_parts_neighbours() {
    gives_side_by_side(4, &["... ...", "@@@@..."]);
    gives_side_by_side(2, &["xx. .xx", "..@@..."]);
    // A seat that an aisle cuts off is alone too.
    gives_side_by_side(2, &["... ...", "x@@xxxx"]);
    gives_side_by_side(3, &["@@@ ...."]);
    gives(4, true, &["... ..."]);
}

#[test]
fn a_seat_is_left_alone_where_it_cannot_be_helped() {
    gives_side_by_side(2, &["x@@.x", "x...x"]);
    gives_side_by_side(3, &["xx@@@.xx", "xxxxxxxx", "x....xxx"]);
    // If every choice leaves a seat alone, the middle decides again.
    gives_side_by_side(3, &["x.@@@xxxx"]);
}

#[test]
fn eight_rows_further_back_are_within_reach_and_nine_are_not() {
    let full = "xxxxx";
    let near = ["x...x", full, full, full, full, full, full, full, "x@@xx"];
    gives_side_by_side(2, &near);
    let far = ["x@@.x", full, full, full, full, full, full, full, full, "x..xx"];
    gives_side_by_side(2, &far);
    // The reach is counted in ranks, from the first row in which the party fits.
    gives_side_by_side(2, &["x@@.x", "", "", "", "", "", "", "", "", "x..xx"]);
    gives_side_by_side(2, &["x.x.x", full, "x...x", full, full, full, full, full, full, full, "x@@xx"]);
    // Another section is never within reach, however few rows the first one has.
    gives_side_by_side(2, &["x@@.x", "---", "x..xx"]);
}

#[test]
fn a_split_party_sits_in_as_few_rows_of_one_section_as_can_be() {
    gives(3, false, &[".@x@@x", "x..x.."]);
    gives(4, false, &["..x.x", "x.xxx", "@@x@@"]);
    gives(5, false, &["@@x@@x", "x@.x.."]);
    // A rank without a free seat counts as a row in between.
    gives(3, false, &["..x", "xxx", ".x.", "---", "@@x", "x@x"]);
    // The search prefers more rows of one section to fewer rows of two.
    gives(4, false, &["..x", "---", "@@x", "x@x", ".@x"]);
    gives(5, false, &["@@x", "---", "x@@", "@x."]);
}

#[test]
fn a_split_party_sits_as_close_as_its_rows_allow() {
    // Sitting close together comes before sitting in the middle.
    gives(3, false, &["@@xxx@x."]);
    gives(4, false, &[".@@ @@."]);
    // The search prefers seats behind one another to seats far along the row.
    gives(3, false, &["@xxxx.", "@x@xxx"]);
}

/// For up to 129 people the search tries every seat as the centre. For more it tries only some, and loses at most
/// a hundredth.
#[test]
fn a_large_split_party_sits_as_close_as_can_be_or_nearly() {
    let mut random = Random(6);
    for _ in 0..12 {
        let plan = random.large_plan();
        let quantity = random.within(125, 129) as usize;
        let group = smallest_group(&plan, quantity).expect("there are enough");
        assert_eq!(choose(&plan, quantity, false), Some(closest(&plan, group, quantity)), "{quantity}");

        let quantity = random.within(260, 500) as usize;
        let (top, height) = smallest_group(&plan, quantity).expect("there are enough");
        let group: Vec<Label> =
            plan.labels().filter(|(rank, _)| (top..top + height).contains(rank)).collect();
        assert!(height > 1, "{plan}");
        let chosen = choose(&plan, quantity, false).expect("there are enough");
        assert!(chosen.iter().all(|label| group.contains(label)), "{height} rows from {top}: {chosen:?}");
        let (best, given) = (least_apart(&group, quantity), least_apart(&chosen, quantity));
        assert!(given * 100 <= best * 101, "{given} for {best} of {quantity} people");
    }
}

#[test]
fn a_party_that_cannot_be_seated_is_turned_away() {
    let plan = ["..x..x", "x..x..", "xxxxxx"];
    gives(3, true, &plan);
    gives(9, false, &plan);
    for together in [true, false] {
        assert_eq!(best(&[], true, 1, together), Search::Nothing);
        assert_eq!(best(&[], false, 1, together), Search::LookFurther);
        for complete in [true, false] {
            assert_eq!(best(&Plan::read(&plan).free(), complete, 0, together), Search::Nothing);
        }
    }
}

#[test]
fn the_furthest_numbers_do_not_overflow() {
    let ends = [i32::MIN, -1, 0, i32::MAX - 1, i32::MAX];
    for middle in ends {
        let places = ends.iter().flat_map(|rank| ends.iter().map(move |position| (*rank, *position)));
        let places = places.map(|(rank, position)| SeatPosition { rank, position, middle });
        let free: Vec<SeatPosition> = places.collect();
        for shown in 0..=free.len() {
            for quantity in [1, 2, 3, 5, 6, shown, shown + 1, usize::MAX] {
                for (complete, together) in [(true, true), (true, false), (false, true), (false, false)] {
                    let found = best(&free[..shown], complete, quantity, together);
                    if let Search::Take(chosen) = found {
                        assert_eq!(chosen.len(), quantity);
                        assert!(chosen.is_sorted_by(|one, next| one < next), "{chosen:?}");
                    }
                }
            }
        }
    }
}

/// Returns rows of one section in which every `step`th seat of `places` is free.
fn combed(rows: i32, places: i32, step: i32) -> Vec<SeatPosition> {
    let middle = places - 1;
    let row = move |rank| (0..places).step_by(step as usize).map(move |position| (rank, position));
    (0..rows).flat_map(row).map(|(rank, position)| SeatPosition { rank, position, middle }).collect()
}

/// The time limit is far above what the search takes, and far below what trying all choices would take.
#[test]
fn sixty_thousand_free_seats_are_searched_without_delay() {
    let plans = [
        ("one row", combed(1, 60_000, 1)),
        ("one row with every other seat", combed(1, 120_000, 2)),
        ("a chequered row", combed(1, 10_000, 2)),
        ("a chequered house", combed(300, 400, 2)),
        ("rows just too small", combed(61, 1998, 2)),
        ("single seats, each in its row", combed(60_000, 1, 1)),
        ("a free house", combed(100, 600, 1)),
    ];
    for (name, free) in plans {
        for quantity in [1, 8, 100, 601, 1000] {
            for complete in [true, false] {
                let start = Instant::now();
                let found = best(&free, complete, quantity, false);
                let took = start.elapsed();
                assert!(took < Duration::from_secs(2), "{name}, {quantity}: {took:?}");
                if let Search::Take(chosen) = found {
                    assert_eq!(chosen.len(), quantity, "{name}");
                    assert!(chosen.is_sorted_by(|one, next| one < next), "{name}, {quantity}");
                } else {
                    assert!(!complete, "{name}, {quantity}");
                }
            }
        }
    }
}

#[test]
fn no_row_before_the_first_has_a_block() {
    let mut random = Random(41);
    for _ in 0..20_000 {
        let plan = random.plan();
        let free = plan.free();
        for quantity in 1..=6 {
            let rows =
                |rank: i32| free.iter().filter(|place| place.rank == rank).copied().collect::<Vec<_>>();
            let has_block = |rank: i32| matches!(best(&rows(rank), true, quantity, true), Search::Take(_));
            let ranks = free.iter().map(|place| place.rank).collect::<BTreeSet<_>>();
            let expected = ranks.into_iter().find(|rank| has_block(*rank));
            assert_eq!(first_row(&free, quantity), expected, "{quantity} in {free:?}");
        }
    }
}
