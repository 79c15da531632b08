//! What is booked, and the queries that look for overbooked moments.

use postgres::{Client, Error};
use rand::Rng;
use rand::rngs::StdRng;

/// A beginning and an end, in microseconds since 1970.
pub type Period = (i64, i64);

pub const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2032-06-01, in UTC. Capacities are checked from the present on, so the days must lie in the future.
const FIRST_DAY: i64 = 22_797;
pub const BEGIN: i64 = FIRST_DAY * DAY;
/// Few enough days that bookings are in each other's way all the time.
const DAYS: i64 = 4;
const OPENS: i64 = 8;
const CLOSES: i64 = 18;
/// More days than the extension claims one by one.
const LONG: std::ops::Range<i64> = 66..80;

pub struct Room {
    pub name: &'static str,
    pub capacity: i64,
    /// The buffer, in minutes.
    buffer: i64,
    pub has_hours: bool,
    pub limit: Option<i64>,
    /// The offset of its clock from UTC, in hours.
    east: i64,
    /// Whether its capacity changes all the time.
    pub is_resized: bool,
}

const fn room(name: &'static str, capacity: i64) -> Room {
    Room { name, capacity, buffer: 0, has_hours: false, limit: None, east: 0, is_resized: false }
}

pub const ROOMS: [Room; 20] = [
    room("a", 1),
    room("b", 1),
    Room { east: 2, ..room("c", 1) },
    Room { buffer: 15, ..room("d", 1) },
    Room { has_hours: true, ..room("e", 1) },
    Room { limit: Some(3), ..room("f", 1) },
    Room { is_resized: true, ..room("g", 1) },
    Room { is_resized: true, buffer: 30, ..room("h", 1) },
    room("i", 2),
    Room { buffer: 45, ..room("j", 2) },
    Room { buffer: 15, has_hours: true, ..room("k", 2) },
    Room { limit: Some(4), ..room("l", 2) },
    Room { is_resized: true, ..room("m", 2) },
    room("n", 5),
    Room { buffer: 60, ..room("o", 5) },
    Room { limit: Some(8), is_resized: true, ..room("p", 5) },
    Room { has_hours: true, is_resized: true, ..room("q", 5) },
    room("r", 40),
    Room { buffer: 90, east: 2, is_resized: true, ..room("s", 40) },
    Room { limit: Some(60), is_resized: true, ..room("t", 40) },
];

impl Room {
    fn sql(&self) -> String {
        let limit = self.limit.map_or("null".to_owned(), |limit| limit.to_string());
        let zone = if self.east == 2 { "Europe/Berlin" } else { "UTC" };
        let create = format!(
            "select booking.create_calendar('{}', {}, '{zone}', '{} min', max_per_holder => {limit});",
            self.name, self.capacity, self.buffer
        );
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let hours = days.map(|day| format!("\"{day}\": [\"{OPENS:02}:00-{CLOSES}:00\"]")).join(", ");
        match self.has_hours {
            true => create + &format!("select booking.set_hours('{}', '{{{hours}}}');", self.name),
            false => create,
        }
    }

    /// Returns the period with the buffer after it.
    pub fn occupied(&self, during: Period) -> Period {
        (during.0, during.1 + self.buffer * MINUTE)
    }

    pub fn is_open(&self, (from, to): Period) -> bool {
        let (day, hour) = (from.div_euclid(DAY), from.rem_euclid(DAY));
        !self.has_hours || hour >= OPENS * HOUR && to <= day * DAY + CLOSES * HOUR
    }
}

pub fn sql() -> String {
    ROOMS.iter().map(Room::sql).collect()
}

#[derive(Clone, Copy, Debug)]
pub enum When {
    During(Period),
    /// The first night and the day after the last, counted from the first day.
    Nights(i64, i64),
}

/// A number of places of a room for a period.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    pub room: usize,
    pub quantity: i64,
    pub when: When,
}

pub fn time(at: i64) -> String {
    format!("to_timestamp({})", at / 1_000_000)
}

pub fn range((from, to): Period) -> String {
    format!("tstzrange({}, {})", time(from), time(to))
}

fn date(day: i64) -> String {
    format!("date '2032-06-01' + {day}")
}

impl Want {
    pub fn random(random: &mut StdRng) -> Want {
        let room = random.random_range(0..ROOMS.len());
        let most = (ROOMS[room].capacity / 3).max(1);
        let mut quantity = random.random_range(1..=most);
        if random.random_ratio(1, 8) {
            // More than the usual capacity.
            quantity = ROOMS[room].capacity;
        }
        Want { room, quantity, when: When::random(random, room) }
    }

    pub fn during(&self) -> Period {
        match self.when {
            When::During(during) => during,
            When::Nights(check_in, check_out) => {
                let at = |day, hour| BEGIN + day * DAY + (hour - ROOMS[self.room].east) * HOUR;
                (at(check_in, 15), at(check_out, 11))
            }
        }
    }

    pub fn occupied(&self) -> Period {
        ROOMS[self.room].occupied(self.during())
    }

    /// Returns the request as a single call. `rest` is its time to live, key and holder.
    pub fn call(&self, rest: &str) -> String {
        let Want { room, quantity, when } = self;
        let name = ROOMS[*room].name;
        match when {
            When::During(during) => {
                format!("hold('{name}', {quantity}, during => {}, {rest})", range(*during))
            }
            When::Nights(check_in, check_out) => {
                format!(
                    "hold_nights('{name}', {}, {}, {quantity}, {rest})",
                    date(*check_in),
                    date(*check_out)
                )
            }
        }
    }

    /// Returns the request as an item of a basket or, with more fields, as a request of a batch.
    pub fn item(&self, more: &str) -> String {
        let Want { room, quantity, when } = self;
        let when = match when {
            When::During((from, to)) => {
                format!("'during', jsonb_build_array({}, {})", time(*from), time(*to))
            }
            When::Nights(check_in, check_out) => {
                format!("'nights', jsonb_build_array({}, {})", date(*check_in), date(*check_out))
            }
        };
        let name = ROOMS[*room].name;
        format!("jsonb_build_object('resource', '{name}', 'quantity', {quantity}, {when}{more})")
    }
}

impl When {
    fn random(random: &mut StdRng, room: usize) -> When {
        match random.random_range(0..100) {
            0..22 => {
                let check_in = random.random_range(0..DAYS);
                When::Nights(check_in, check_in + random.random_range(1..=3))
            }
            22..26 => {
                let from = BEGIN + random.random_range(-40 * 24..DAYS * 24) * HOUR;
                When::During((from, from + random.random_range(LONG) * DAY))
            }
            _ => When::During(some_hours(random, room)),
        }
    }
}

pub fn is_long((from, to): Period) -> bool {
    to - from >= LONG.start * DAY
}

/// Returns a period from a quarter of an hour to a day, usually while the room is open.
pub fn some_hours(random: &mut StdRng, room: usize) -> Period {
    let quarter = 15 * MINUTE;
    if ROOMS[room].has_hours && random.random_ratio(7, 8) {
        let from = random.random_range(0..(CLOSES - OPENS) * 4);
        let to = random.random_range(from + 1..=((CLOSES - OPENS) * 4).min(from + 16));
        let opens = BEGIN + random.random_range(0..DAYS) * DAY + OPENS * HOUR;
        return (opens + from * quarter, opens + to * quarter);
    }
    let from = BEGIN + random.random_range(0..DAYS * 96) * quarter;
    let most = if random.random_ratio(1, 3) { 96 } else { 16 };
    (from, from + random.random_range(1..=most) * quarter)
}

/// Reads a time as an answer writes it: `2032-06-01T15:00:00+00:00`.
pub fn moment(text: &str) -> i64 {
    let number = |range| str::parse::<i64>(&text[range]).unwrap_or_else(|_| panic!("no time: {text}"));
    assert_eq!(&text[19..], "+00:00", "{text}");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // The days since 1970-01-01. The year is counted from March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    days * DAY + number(11..13) * HOUR + number(14..16) * MINUTE + number(17..19) * 1_000_000
}

/// A query for the moments at which more is held and confirmed than the capacity, summed from the holds' own
/// periods.
const OVER_CAPACITY: &str = "
    with taken as materialized (
        select h.resource, lower(h.during) as begins, upper(h.during) + r.buffer as ends, h.quantity
        from booking.holds h
        join booking.resources r on r.name = h.resource
        where h.state in ('held', 'confirmed')),
    moments as materialized (
        select resource, begins as at from taken
        union
        select resource, lower(during) from booking.capacity_changes
        union
        select resource, upper(during) from booking.capacity_changes)
    select format('%s: %s of %s at %s', m.resource, sum(t.quantity), c.capacity, m.at)
    from moments m
    join taken t on t.resource = m.resource and t.begins <= m.at and m.at < t.ends
    cross join lateral (
        select coalesce((select capacity from booking.capacity_changes
                         where resource = m.resource and lower(during) <= m.at and m.at < upper(during)),
                        r.capacity) as capacity
        from booking.resources r where r.name = m.resource) c
    group by m.resource, m.at, c.capacity
    having sum(t.quantity) > c.capacity";

const OVER_LIMIT: &str = "
    select format('%s: %s has %s of %s', h.resource, h.holder, sum(h.quantity), r.max_per_holder)
    from booking.holds h
    join booking.resources r on r.name = h.resource
    where h.state = 'confirmed' or h.state = 'held' and h.expires_at > clock_timestamp()
    group by h.resource, h.holder, r.max_per_holder
    having sum(h.quantity) > r.max_per_holder";

/// Asserts that nothing is overbooked, by that query alone.
pub fn look_for_too_much(session: &mut Client) -> Result<(), Error> {
    for sql in [OVER_CAPACITY, OVER_LIMIT] {
        let rows = session.query(sql, &[])?;
        let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(found.is_empty(), "too much: {found:#?}");
    }
    Ok(())
}
