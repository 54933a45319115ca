//! What the JSON formats have in common: of one object, the values that a flow is made of.
//!
//! Programs on the way from a sensor to a file change how a value is written, not what it means: a number may come as
//! text, one value as an array, an unset one as `null`, and a key may come twice, of which the last counts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::{Flaw, quoted};
use super::value;

/// One value, whatever its type in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// No such key, `null`, or an empty array.
    #[default]
    Absent,
    Whole(u64),
    Number(f64),
    Flag(bool),
    /// Text; several texts of an array with commas between them.
    Text(Cow<'a, str>),
    /// An object where a value was expected.
    Object,
}

impl<'a> Scalar<'a> {
    /// Whether there is a value; the marks that Zeek writes for unset and empty fields are none.
    pub(crate) fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(text) => matches!(text.as_ref(), "" | "-" | "(empty)"),
            Self::Whole(_) | Self::Number(_) | Self::Flag(_) | Self::Object => false,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Whole(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Flag(value) => value.to_string(),
            Self::Text(text) => text.to_string(),
            Self::Object => "{…}".to_owned(),
        }
    }

    fn flaw(&self, column: &str, expected: &str) -> Flaw {
        Flaw::field(column, expected, self.shown().as_bytes())
    }

    /// A point in time: seconds, or finer units, since 1970, or text by RFC 3339.
    pub(crate) fn time(&self, column: &str) -> Result<f64, Flaw> {
        match self {
            Self::Whole(seconds) => value::known_seconds(column, *seconds as f64),
            Self::Number(seconds) => value::known_seconds(column, *seconds),
            Self::Text(text) if !self.is_absent() => value::time(column, text.as_bytes()),
            Self::Text(_) | Self::Absent | Self::Flag(_) | Self::Object => Err(self.flaw(column, "a time")),
        }
    }

    /// A port; 0 where there is none.
    pub(crate) fn port(&self, column: &str) -> Result<u16, Flaw> {
        let wrong = || self.flaw(column, "a port from 0 to 65535");
        match self {
            _ if self.is_absent() => Ok(0),
            Self::Whole(port) => u16::try_from(*port).map_err(|_| wrong()),
            Self::Number(_) => self.whole().and_then(|port| u16::try_from(port).ok()).ok_or_else(wrong),
            Self::Text(text) => value::port(column, text.as_bytes()),
            Self::Absent | Self::Flag(_) | Self::Object => Err(wrong()),
        }
    }

    /// A number of bytes or packets; 0 where there is none.
    pub(crate) fn count(&self, column: &str) -> Result<u64, Flaw> {
        match self {
            Self::Whole(count) => Ok(*count),
            _ if self.is_absent() => Ok(0),
            Self::Text(text) => value::count(column, text.trim().as_bytes()),
            Self::Number(_) | Self::Absent | Self::Flag(_) | Self::Object => {
                self.whole().ok_or_else(|| self.flaw(column, "a whole number of at least 0"))
            }
        }
    }

    /// A duration; 0 where there is none.
    pub(crate) fn amount(&self, column: &str) -> Result<f64, Flaw> {
        match self {
            _ if self.is_absent() => Ok(0.0),
            Self::Whole(amount) => Ok(*amount as f64),
            Self::Number(amount) if *amount >= 0.0 => Ok(*amount),
            Self::Text(text) => value::amount(column, text.as_bytes()),
            Self::Number(_) | Self::Absent | Self::Flag(_) | Self::Object => {
                Err(self.flaw(column, "a number of at least 0"))
            }
        }
    }

    /// Text, which is empty where there is none.
    pub(crate) fn text(&self, column: &str) -> Result<&str, Flaw> {
        match self {
            _ if self.is_absent() => Ok(""),
            Self::Text(text) => Ok(text),
            Self::Absent | Self::Whole(_) | Self::Number(_) | Self::Flag(_) | Self::Object => {
                Err(self.flaw(column, "text"))
            }
        }
    }

    /// Text that has to be there.
    pub(crate) fn needed(&self, column: &str) -> Result<&str, Flaw> {
        let text = self.text(column)?;
        if text.is_empty() { Err(self.flaw(column, "text")) } else { Ok(text) }
    }

    /// The text itself, to be kept beyond the record; empty where there is none.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text,
            Self::Absent => Cow::Borrowed(""),
            Self::Whole(_) | Self::Number(_) | Self::Flag(_) | Self::Object => Cow::Owned(self.shown()),
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            Self::Text(text) => text.eq_ignore_ascii_case("true"),
            Self::Absent | Self::Whole(_) | Self::Number(_) | Self::Object => false,
        }
    }

    fn whole(&self) -> Option<u64> {
        let Self::Number(number) = self else { return None };
        let is_whole = *number >= 0.0 && number.fract() <= 0.0 && *number < 1e18;
        is_whole.then_some(*number as u64)
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Whole(whole))
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(whole).map_or(Scalar::Number(whole as f64), Scalar::Whole))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let mut all = Scalar::Absent;
        while let Some(next) = values.next_element::<Scalar<'de>>()? {
            all = match (all, next) {
                (Scalar::Absent, next) => next,
                (all, Scalar::Absent) => all,
                (all, next) => Scalar::Text(Cow::Owned(format!("{},{}", all.shown(), next.shown()))),
            };
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Object)
    }
}

/// What a key of an object is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The value at this place of the record.
    Value(usize),
    /// An object whose keys are values of the record too; the number says which object.
    Within(u8),
    Nothing,
}

/// What the keys of a record mean: by the object they stand in, 0 for the record itself, and the key.
pub(crate) type Keys = fn(u8, &str) -> Meaning;

/// The values of an object by the places that `keys` gives them. Text is checked once for the whole line; where a part that
/// nobody asks for is no text, the rest is read all the same.
pub(crate) fn record<const N: usize>(line: &[u8], keys: Keys) -> Result<[Scalar<'_>; N], Flaw> {
    let mut values = [const { Scalar::Absent }; N];
    let object = Object { values: &mut values, keys, within: 0 };
    let read = match std::str::from_utf8(line) {
        Ok(text) => whole(&mut serde_json::Deserializer::from_str(text), object),
        Err(_) => whole(&mut serde_json::Deserializer::from_slice(line), object),
    };
    let broken = |error| Flaw::row("a JSON object on one line", format!("{} ({error})", quoted(line)));
    read.map(|()| values).map_err(broken)
}

fn whole<'de, R: serde_json::de::Read<'de>, const N: usize>(
    deserializer: &mut serde_json::Deserializer<R>,
    object: Object<'_, 'de, N>,
) -> serde_json::Result<()> {
    deserializer.deserialize_map(object)?;
    deserializer.end()
}

/// An object whose values are taken into a record.
struct Object<'r, 'a, const N: usize> {
    values: &'r mut [Scalar<'a>; N],
    keys: Keys,
    within: u8,
}

impl<'de, const N: usize> DeserializeSeed<'de> for Object<'_, 'de, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Object<'_, 'de, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(meaning) = entries.next_key_seed(Key { keys: self.keys, within: self.within })? {
            match meaning {
                Meaning::Value(at) => self.values[at] = entries.next_value()?,
                Meaning::Within(within) => {
                    entries.next_value_seed(Object { values: &mut *self.values, keys: self.keys, within })?;
                }
                Meaning::Nothing => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _text: &str) -> Result<(), E> {
        Ok(())
    }
}

struct Key {
    keys: Keys,
    within: u8,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Meaning;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Meaning, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Meaning, E> {
        Ok((self.keys)(self.within, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(within: u8, key: &str) -> Meaning {
        match (within, key) {
            (0, "a") => Meaning::Value(0),
            (0, "o") => Meaning::Within(1),
            (1, "b") => Meaning::Value(1),
            _ => Meaning::Nothing,
        }
    }

    fn read(line: &str) -> [Scalar<'_>; 2] {
        record(line.as_bytes(), keys).expect("a JSON object")
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_counts_also_within_an_object() {
        let [a, b] = read(r#"{"a":1,"o":{"b":"x"},"c":{"a":9},"a":2,"o":{"b":"y","b":"z"}}"#);
        assert_eq!((a, b), (Scalar::Whole(2), Scalar::Text("z".into())));
    }

    #[test]
    fn null_an_empty_array_and_the_marks_of_zeek_are_absent() {
        for text in [r#"{"a":null}"#, r#"{"a":[]}"#, r#"{"a":"-"}"#, r#"{"a":"(empty)"}"#, r#"{"o":null}"#, "{}"] {
            let [a, _] = read(text);
            assert!(a.is_absent() && a.count("a").ok() == Some(0) && a.text("a").is_ok_and(str::is_empty), "{text}");
        }
    }

    #[test]
    fn numbers_may_be_text_or_fractions_of_nothing_and_arrays_are_lists() {
        for text in [r#"{"a":443}"#, r#"{"a":"443"}"#, r#"{"a":443.0}"#, r#"{"a":[443]}"#, r#"{"a":"0x01bb"}"#] {
            assert_eq!(read(text)[0].port("a").ok(), Some(443), "{text}");
        }
        assert_eq!(read(r#"{"a":["gssapi","smb"]}"#)[0].text("a").ok(), Some("gssapi,smb"));
        for bad in [r#"{"a":-1}"#, r#"{"a":1.5}"#, r#"{"a":{}}"#, r#"{"a":true}"#, r#"{"a":"x"}"#] {
            assert!(read(bad)[0].count("a").is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_object_is_a_broken_row() {
        for bad in ["{", "[1]", "{} x", "{\"a\":}", ""] {
            let flaw = record::<2>(bad.as_bytes(), keys).expect_err(bad);
            assert!(flaw.column.is_none() && flaw.expected.contains("JSON object"), "{flaw:?}");
        }
    }
}
