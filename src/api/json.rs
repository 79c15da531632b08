//! Reads values out of JSON: the types of fields, each with the words that an error says of it, and the
//! error's path. What the fields of an item mean is in `items` and `seat_plan`.

use crate::error::Error;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// What a field must be, in an error.
const WHOLE_NUMBER: &str = "a whole number";
pub const INTERVAL: &str = "an interval, as text";
pub const PERIOD: &str = "a range of times, or an array of two times";
pub const NIGHTS: &str = "an array of two dates, of check-in and check-out";

/// Reads one element of an array, `n` from 0. Every error names the element and the field.
pub fn read<'a, T: Deserialize<'a>>(element: &'a Value, what: &str, n: usize) -> Result<T, Error> {
    if !element.is_object() {
        return Err(Error::invalid("it must be a JSON object").of_item(what, n + 1));
    }
    // The path is only looked for once something is wrong: following it costs a tenth of the reading.
    T::deserialize(element).or_else(|_| {
        serde_path_to_error::deserialize(element).map_err(|error| explain(&error).of_item(what, n + 1))
    })
}

/// Serde's error in the words of the other arguments' errors.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let (field, message) = (error.path().to_string(), error.inner().to_string());
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    if let Some(rest) = message.strip_prefix("unknown field") {
        let known: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        return Error::invalid(format!("field \"{}\" is not known", quoted(&message)))
            .hint(format!("The fields are {}.", known.join(", ")));
    }
    if message.starts_with("missing field") {
        return must(&quoted(&message), "given");
    }
    match message.rsplit_once("expected ") {
        Some((_, expected)) => must(&field, expected),
        // A number that does not fit into the type: only whole numbers are read.
        None => must(&field, WHOLE_NUMBER),
    }
}

/// 22023: a field is not as it must be.
pub fn must(field: &str, be: &str) -> Error {
    Error::invalid(format!("field \"{field}\" must be {be}"))
}

/// Declares a type that serde reads by one visitor method, with the words for what was expected.
macro_rules! field {
    ($(#[$doc:meta])* $name:ident $(<$life:lifetime>)? ($inner:ty) = $expected:expr,
     $ask:ident -> $visit:ident($value:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name $(<$life>)? (pub $inner);

        impl<'de $(: $life, $life)?> Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> Visitor<'de> for Reader {
                    type Value = $value;

                    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                        formatter.write_str($expected)
                    }

                    fn $visit<E: de::Error>(self, value: $value) -> Result<Self::Value, E> {
                        Ok(value)
                    }
                }
                deserializer.$ask(Reader).map($name)
            }
        }
    };
}

field!(
    /// Text, as it stands in the JSON.
    Text<'a>(&'a str) = "text", deserialize_str -> visit_borrowed_str(&'de str)
);
field!(
    /// An interval, as PostgreSQL reads it: `"15 minutes"`.
    IntervalText<'a>(&'a str) = INTERVAL, deserialize_str -> visit_borrowed_str(&'de str)
);
field!(
    /// A whole number that fits into a bigint.
    Whole(i64) = WHOLE_NUMBER, deserialize_i64 -> visit_i64(i64)
);
field!(Truth(bool) = "true or false", deserialize_bool -> visit_bool(bool));

/// The labels of seats.
#[derive(Clone, Debug)]
pub struct Labels<'a>(pub Vec<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = deserializer.deserialize_seq(Texts("an array of labels"))?;
        Ok(Self(texts))
    }
}

/// A period: a range as text, or two times.
#[derive(Clone, Copy, Debug)]
pub enum PeriodText<'a> {
    Range(&'a str),
    Times(&'a str, &'a str),
}

impl<'de: 'a, 'a> Deserialize<'de> for PeriodText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = PeriodText<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str(PERIOD)
            }

            fn visit_borrowed_str<E: de::Error>(self, range: &'de str) -> Result<Self::Value, E> {
                Ok(PeriodText::Range(range))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<Self::Value, A::Error> {
                let [from, to] = two(Texts(PERIOD).visit_seq(array)?, PERIOD)?;
                Ok(PeriodText::Times(from, to))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Nights: the dates of check-in and check-out.
#[derive(Clone, Copy, Debug)]
pub struct NightsText<'a>(pub [&'a str; 2]);

impl<'de: 'a, 'a> Deserialize<'de> for NightsText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        two(deserializer.deserialize_seq(Texts(NIGHTS))?, NIGHTS).map(Self)
    }
}

/// Reads an array of texts; the words are what was expected.
struct Texts(&'static str);

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<&'de str>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::with_capacity(array.size_hint().unwrap_or_default());
        while let Some(Text(text)) = array.next_element()? {
            texts.push(text);
        }
        Ok(texts)
    }
}

fn two<'de, E: de::Error>(texts: Vec<&'de str>, expected: &str) -> Result<[&'de str; 2], E> {
    texts.try_into().map_err(|_| E::custom(format!("expected {expected}")))
}
