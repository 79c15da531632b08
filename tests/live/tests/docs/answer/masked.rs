//! The parts of a text that are another time's: ids and times.

/// A part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'l> {
    Text(&'l str),
    /// A UUID.
    Id(&'l str),
    /// A date with a time of the day, as PostgreSQL or ISO 8601 writes it.
    Time(&'l str),
}

/// A line in its parts; no two texts follow each other.
pub fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < line.len() {
        let rest = &line[at..];
        let found = match (id(rest), time(rest)) {
            _ if line[..at].ends_with(|before: char| before.is_alphanumeric()) => None,
            (Some(length), _) => Some(Piece::Id(&rest[..length])),
            (None, Some(length)) => Some(Piece::Time(&rest[..length])),
            (None, None) => None,
        };
        let Some(piece) = found else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if begin < at {
            pieces.push(Piece::Text(&line[begin..at]));
        }
        let (Piece::Text(text) | Piece::Id(text) | Piece::Time(text)) = piece;
        pieces.push(piece);
        at += text.len();
        begin = at;
    }
    if begin < line.len() {
        pieces.push(Piece::Text(&line[begin..]));
    }
    pieces
}

/// `(1 row)`, `(7 rows)`; that there are none is worth showing.
pub fn is_footer(line: &str) -> bool {
    let Some(inner) = line.trim_end().strip_prefix('(').and_then(|line| line.strip_suffix(')')) else {
        return false;
    };
    match inner.split_once(' ') {
        Some((count, "row" | "rows")) => count != "0" && count.parse::<u64>().is_ok(),
        _ => false,
    }
}

/// The day of a time, counted from 1970-01-01.
pub fn day(time: &str) -> i64 {
    let part =
        |range: std::ops::Range<usize>| time.get(range).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let (year, month, day): (i64, i64, i64) = (part(0..4), part(5..7), part(8..10));
    // Years begin in March, so that the day that some lack is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469
}

/// The date of a day.
#[cfg(test)]
pub fn date(wanted: i64) -> String {
    let year = 1970 + wanted * 400 / 146_097;
    (year - 1..=year + 1)
        .flat_map(|year| {
            (1..=12).flat_map(move |month| (1..=31).map(move |day| format!("{year}-{month:02}-{day:02}")))
        })
        .find(|date| day(date) == wanted)
        .expect("a date of that day")
}

/// The length of the UUID that a text begins with.
fn id(text: &str) -> Option<usize> {
    const SHAPE: [usize; 5] = [8, 4, 4, 4, 12];
    let mut at = 0;
    for (n, length) in SHAPE.into_iter().enumerate() {
        if n > 0 {
            at += text[at..].starts_with('-').then_some(1)?;
        }
        at += run(&text[at..], length, |letter| letter.is_ascii_hexdigit())?;
    }
    (!text[at..].starts_with(|after: char| after.is_alphanumeric())).then_some(at)
}

/// The length of the time that a text begins with: `2026-11-25 10:03:21.5+00`, `2026-11-25T10:03:21Z`.
fn time(text: &str) -> Option<usize> {
    let digits = |at: usize, count| run(text.get(at..)?, count, |letter| letter.is_ascii_digit());
    let sign = |at: usize, signs: &str| text.get(at..)?.starts_with(|next| signs.contains(next)).then_some(1);
    let mut at = 0;
    for (count, separator) in [(4, "-"), (2, "-"), (2, " T"), (2, ":")] {
        at += digits(at, count)?;
        at += sign(at, separator)?;
    }
    at += digits(at, 2)?;
    let mut more = |begin: &str, count: usize| {
        if let Some(length) = sign(at, begin).and_then(|one| Some(one + digits(at + one, count)?)) {
            at += length;
        }
    };
    more(":", 2);
    if text[at..].starts_with('.') {
        at += 1 + text[at + 1..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len() - at - 1);
    }
    if let Some(one) = sign(at, "Z") {
        return Some(at + one);
    }
    let mut more = |begin: &str, count: usize| {
        if let Some(length) = sign(at, begin).and_then(|one| Some(one + digits(at + one, count)?)) {
            at += length;
        }
    };
    more("+-", 2);
    more(":", 2);
    Some(at)
}

/// `length`, if so many letters of that sort come first.
fn run(text: &str, length: usize, is_one: impl Fn(char) -> bool) -> Option<usize> {
    let found = text.chars().take(length).filter(|letter| is_one(*letter)).count();
    (found == length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_times_are_found() {
        let id = "01a20fa8-73a0-7502-bcfe-a8d4f513cd9f";
        let line = format!(" t | {id} | 2026-11-25 10:03:21.123456+00");
        assert_eq!(
            pieces(&line),
            [
                Piece::Text(" t | "),
                Piece::Id(id),
                Piece::Text(" | "),
                Piece::Time("2026-11-25 10:03:21.123456+00")
            ]
        );
        assert_eq!(
            pieces("[\"2027-03-26 15:00:00+01\",\"2027-03-29T11:00:00+05:30\")"),
            [
                Piece::Text("[\""),
                Piece::Time("2027-03-26 15:00:00+01"),
                Piece::Text("\",\""),
                Piece::Time("2027-03-29T11:00:00+05:30"),
                Piece::Text("\")")
            ]
        );
        for time in ["2026-11-25 10:03", "2026-11-25T10:03:21Z", "2026-11-25 10:03:21-05"] {
            assert_eq!(pieces(time), [Piece::Time(time)], "{time}");
        }
        for text in ["2026-11-25", "12:00:00", "x01a20fa8-73a0-7502-bcfe-a8d4f513cd9f", "1-2-3 …", "größer"]
        {
            assert_eq!(pieces(text), [Piece::Text(text)], "{text}");
        }
    }

    #[test]
    fn days_are_counted() {
        for (time, count) in
            [("1970-01-01 00:00", 0), ("2000-02-29 00:00", 11_016), ("2026-11-27 00:00", 20_784)]
        {
            assert_eq!(day(time), count, "{time}");
            assert_eq!(date(count), time[..10]);
        }
    }
}
