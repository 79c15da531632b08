//! The calls of the storm.

use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::{Placed, short_ttl};

/// Pools and halls alternate in the order of their names, which is the order of the locks.
const POOLS: [&str; 4] = ["a pool", "c pool", "e pool, limited", "g pool"];
const HALLS: [&str; 3] = ["b hall", "d hall", "f hall, limited"];
const SECTIONS: [&str; 2] = ["L", "R"];
const ROWS: usize = 8;
const LETTERS: &str = "ABC DEFG HJK";
const HOLDERS: u32 = 24;
/// The number of baskets in a row that may have the same key.
const SAME_KEY: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Basket,
    Hold,
    Best,
    Each,
    Confirm,
    Extend,
    Release,
    Cancel,
    Block,
    Capacity,
    Expire,
    ExpireOn,
}

impl Verb {
    pub fn places(self) -> bool {
        matches!(self, Verb::Basket | Verb::Hold | Verb::Best | Verb::Each)
    }
}

/// The prepared statements, in the order of the verbs. Every argument is a text, so that all calls have one type.
pub const STATEMENTS: [&str; 12] = [
    "select status, replayed, hold_id::text, seats, detail::text
     from booking.hold_all($1::text::jsonb, $2::text::interval, key => $3, holder => $4, wait => $5::text::bool)",
    "select status, replayed, hold_id::text, seats, null
     from booking.hold($1, $2::text::bigint, $3::text::interval, $4::text::text[], holder => $5,
                       wait => $6::text::bool)",
    "select status, replayed, hold_id::text, seats, null
     from booking.hold_best($1, $2::text::bigint, $3::text::interval, $4, $5::text::bool, holder => $6,
                            wait => $7::text::bool)",
    "select status, replayed, hold_id::text, seats, null from booking.hold_each($1::text::jsonb)",
    "select status, replayed from booking.confirm($1::text::uuid, $2, late => $3)",
    "select status, replayed from booking.extend($1::text::uuid, $2::text::interval)",
    "select status, replayed
     from booking.release($1::text::uuid, $2::text::bigint, $3::text::text[])",
    "select status, replayed
     from booking.cancel($1::text::uuid, $2::text::bigint, $3::text::text[])",
    "select status, replayed from booking.set_blocked($1, $2::text::text[], $3::text::bool)",
    "select status, replayed from booking.set_capacity($1, $2::text::bigint)",
    "select 'ended', booking.expire($1::text::int) = 0",
    "select 'ended', booking.expire($1::text::int, $2) = 0",
];

#[derive(Clone, Debug)]
pub struct Call {
    pub verb: Verb,
    pub arguments: Vec<Option<String>>,
}

impl Call {
    fn new<const N: usize>(verb: Verb, arguments: [Option<String>; N]) -> Call {
        Call { verb, arguments: arguments.into() }
    }
}

/// The seats of a hall. All halls are alike.
pub struct Venue {
    labels: Vec<String>,
}

impl Venue {
    pub fn new() -> Venue {
        let letters = LETTERS.chars().filter(|letter| *letter != ' ');
        let label = |section| {
            let letters = letters.clone();
            (1..=ROWS)
                .flat_map(move |row| letters.clone().map(move |letter| format!("{section} {row}{letter}")))
        };
        Venue { labels: SECTIONS.into_iter().flat_map(label).collect() }
    }

    fn some(&self, random: &mut StdRng, count: usize) -> Vec<String> {
        self.labels.choose_multiple(random, count).cloned().collect()
    }
}

pub fn venue_sql() -> String {
    let pools = POOLS.map(|name| {
        let limit = if name.contains("limited") { "25" } else { "null" };
        format!("select booking.create_pool('{name}', 600, 20, max_per_holder => {limit});")
    });
    let grids = SECTIONS.map(|section| format!("booking.seat_grid({ROWS}, '{LETTERS}', '{section}')"));
    let halls = HALLS.map(|name| {
        let limit = if name.contains("limited") { "12" } else { "null" };
        format!("select booking.create_seats('{name}', {}, {limit});", grids.join(" || "))
    });
    pools.concat() + &halls.concat()
}

fn some(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn array(labels: &[String]) -> String {
    let quoted = labels.iter().map(|label| format!("\"{label}\"")).collect::<Vec<_>>();
    format!("{{{}}}", quoted.join(","))
}

fn milliseconds(random: &mut StdRng) -> String {
    format!("{} ms", short_ttl(random).as_millis())
}

fn holder(random: &mut StdRng) -> String {
    format!("holder {}", random.random_range(0..HOLDERS))
}

/// Makes a basket of 2 to 20 items. Baskets under one key are nearly always the same.
pub fn basket(random: &mut StdRng, venue: &Venue, number: usize) -> Call {
    let key = random.random_ratio(1, 8).then_some(number / SAME_KEY);
    let mut by_key = key.map(|key| StdRng::seed_from_u64(key as u64));
    let content = by_key.as_mut().unwrap_or(random);
    let items = items(content, venue);
    let mut ttl = milliseconds(content);
    let holder = holder(content);
    if key.is_some() && random.random_ratio(1, 10) {
        ttl.push_str(" 1 us");
    }
    let wait = random.random_ratio(7, 8);
    let key = key.map(|key| format!("key {key}"));
    Call::new(Verb::Basket, [some(Value::Array(items)), Some(ttl), key, Some(holder), some(wait)])
}

fn items(random: &mut StdRng, venue: &Venue) -> Vec<Value> {
    let size = random.random_range(2..=20);
    // No basket names a seat twice: that would be misuse.
    let mut named = HashSet::new();
    // A call on a pool has its exclusive lock. Half of the baskets contain only seats, so that they run side by
    // side.
    let first = if random.random_ratio(1, 2) { 0 } else { 450 };
    let item = |_| match random.random_range(first..1000) {
        0..450 => json!({"resource": POOLS.choose(random), "quantity": random.random_range(1..=4)}),
        450..750 => {
            let hall = *HALLS.choose(random).expect("a hall");
            let count = random.random_range(1..=3);
            let mut labels = venue.some(random, count);
            labels.retain(|label| named.insert((hall, label.clone())));
            match labels.is_empty() {
                true => best(random),
                false => json!({"resource": hall, "seats": labels}),
            }
        }
        // So many seats that each hall of the basket is taken whole.
        750..753 => json!({"resource": HALLS.choose(random), "best": 66, "together": false}),
        _ => best(random),
    };
    let mut items = (0..size).map(item).collect::<Vec<_>>();
    items.shuffle(random);
    items
}

fn best(random: &mut StdRng) -> Value {
    let section = random.random_ratio(1, 3).then(|| SECTIONS.choose(random));
    json!({
        "resource": HALLS.choose(random), "best": random.random_range(1..=4), "section": section,
        "together": random.random_ratio(2, 3),
    })
}

/// Makes any call but a basket.
pub fn other(random: &mut StdRng, venue: &Venue, known: Option<&Placed>) -> Call {
    let (hall, pool) = (HALLS.choose(random).expect("a hall"), POOLS.choose(random).expect("a pool"));
    match (random.random_range(0..100), known) {
        (20..45, Some(known)) => confirm(random, known),
        (45..57, Some(known)) => {
            Call::new(Verb::Extend, [some(id_of(random, known)), Some(milliseconds(random))])
        }
        (57..72, Some(known)) => give_back(random, Verb::Release, known),
        (72..92, Some(known)) => give_back(random, Verb::Cancel, known),
        (92, _) => Call::new(Verb::Expire, [some(100)]),
        (93, _) => Call::new(Verb::ExpireOn, [some(100), some([hall, pool].choose(random).expect("one"))]),
        (94, _) => {
            // Unblocking is twice as frequent, so that the seats do not run out.
            let seats = venue.some(random, 2);
            Call::new(Verb::Block, [some(hall), Some(array(&seats)), some(random.random_ratio(1, 3))])
        }
        (95, _) => Call::new(Verb::Capacity, [some(pool), some(random.random_range(560..=620))]),
        (96..98, _) => Call::new(Verb::Each, [some(batch(random, venue))]),
        (n, _) => hold(random, venue, n % 3),
    }
}

fn hold(random: &mut StdRng, venue: &Venue, kind: u32) -> Call {
    let (hall, pool) = (HALLS.choose(random).expect("a hall"), POOLS.choose(random).expect("a pool"));
    let (ttl, holder, wait) =
        (Some(milliseconds(random)), Some(holder(random)), some(random.random_ratio(1, 2)));
    match kind {
        0 => {
            let count = some(random.random_range(1..=3));
            Call::new(Verb::Hold, [some(pool), count, ttl, None, holder, wait])
        }
        1 => {
            let count = random.random_range(1..=4);
            let seats = array(&venue.some(random, count));
            Call::new(Verb::Hold, [some(hall), None, ttl, Some(seats), holder, wait])
        }
        _ => {
            let section = random.random_ratio(1, 2).then(|| SECTIONS.choose(random).map(ToString::to_string));
            let count = some(random.random_range(1..=6));
            let together = some(random.random_ratio(1, 2));
            Call::new(Verb::Best, [some(hall), count, ttl, section.flatten(), together, holder, wait])
        }
    }
}

fn batch(random: &mut StdRng, venue: &Venue) -> Value {
    let request = |_| {
        let mut request = match random.random_range(0..3) {
            0 => json!({"resource": POOLS.choose(random), "quantity": 1}),
            1 => json!({"resource": HALLS.choose(random), "seats": venue.some(random, 2)}),
            _ => best(random),
        };
        request["ttl"] = json!(milliseconds(random));
        request["holder"] = json!(holder(random));
        request
    };
    (0..5).map(request).collect()
}

/// The whole basket, or one item of it.
fn id_of(random: &mut StdRng, known: &Placed) -> String {
    match known.items.choose(random) {
        Some((item, _)) if random.random_ratio(1, 3) => item.clone(),
        _ => known.id.clone(),
    }
}

fn confirm(random: &mut StdRng, known: &Placed) -> Call {
    let id = id_of(random, known);
    // Usually the same payment again, sometimes another.
    let reference = format!("{id}/{}", u8::from(random.random_ratio(1, 8)));
    let late = if random.random_ratio(2, 3) { "reacquire" } else { "refuse" };
    Call::new(Verb::Confirm, [Some(id), Some(reference), some(late)])
}

fn give_back(random: &mut StdRng, verb: Verb, known: &Placed) -> Call {
    if random.random_ratio(1, 3)
        && let Some((item, seats)) = known.items.choose(random)
    {
        // One seat of it, or one place.
        return match seats.choose(random) {
            Some(seat) => Call::new(verb, [some(item), None, Some(array(std::slice::from_ref(seat)))]),
            None => Call::new(verb, [some(item), some(1), None]),
        };
    }
    Call::new(verb, [Some(id_of(random, known)), None, None])
}

/// Gives up a hold that may be confirmed by now.
pub fn cancel(id: &str) -> Call {
    Call::new(Verb::Cancel, [some(id), None, None])
}
