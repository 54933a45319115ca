use jiff::Timestamp;
use serde_json::Value;

use crate::log::Level;

/// A line that was read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it was logged.
    pub at: Timestamp,
    /// How much it matters.
    pub level: Level,
    /// Part of the program.
    pub target: String,
    /// What it says.
    pub message: String,
    /// Its fields as text.
    pub fields: Vec<(String, String)>,
}

impl Entry {
    /// Reads a line of text or JSON; `None` where it is neither.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('{') { Self::parse_json(line) } else { Self::parse_text(line) }
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn parse_text(line: &str) -> Option<Self> {
        let (at, rest) = line.split_once(' ')?;
        let (level, rest) = rest.trim_start().split_once(' ')?;
        let rest = rest.trim_start();
        // Lines without a message end in the colon.
        let (target, rest) = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")))?;
        let mut entry = Self {
            at: at.parse().ok()?,
            level: level.parse().ok()?,
            target: target.to_owned(),
            message: rest.to_owned(),
            fields: Vec::new(),
        };
        // Two blanks end the message, if all that follows are fields.
        for (end, _) in rest.match_indices("  ") {
            if let Some(fields) = fields(&rest[end + 2..]) {
                rest[..end].clone_into(&mut entry.message);
                entry.fields = fields;
                break;
            }
        }
        Some(entry)
    }

    fn parse_json(line: &str) -> Option<Self> {
        let Value::Object(mut object) = serde_json::from_str(line).ok()? else { return None };
        let mut take = |name: &str| object.remove(name).map(plain);
        Some(Self {
            at: take("timestamp")?.parse().ok()?,
            level: take("level")?.parse().ok()?,
            target: take("target").unwrap_or_default(),
            message: take("message").unwrap_or_default(),
            fields: object.into_iter().map(|(name, value)| (name, plain(value))).collect(),
        })
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// `text` as fields, `name=value` with one blank between them; `None` where any part of it is something else.
fn fields(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once('=')?;
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '#')) {
            return None;
        }
        let (value, rest) = value(rest)?;
        fields.push((name.to_owned(), value));
        text = match rest.strip_prefix(' ') {
            Some(next) if !next.is_empty() => next,
            None if rest.is_empty() => rest,
            _ => return None,
        };
    }
    (!fields.is_empty()).then_some(fields)
}

/// The value that `text` begins with, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    if !text.starts_with('"') {
        let end = text.find(' ').unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next()?.ok()?;
    let end = values.byte_offset();
    Some((value, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_from_the_message() {
        let line =
            "2026-11-21T23:10:05.123456Z INFO    dais_sim::world: a  b = c  step=7 why=\"no  room=1\" world=isolated";
        let entry = Entry::parse(line).unwrap();
        assert_eq!(entry.message, "a  b = c");
        assert_eq!(entry.target, "dais_sim::world");
        assert_eq!((entry.field("step"), entry.field("why")), (Some("7"), Some("no  room=1")));
        let bare = Entry::parse("2026-11-21T23:10:05Z INFO    a: x=1").unwrap();
        assert_eq!((bare.message.as_str(), bare.fields.len()), ("x=1", 0));
        assert_eq!(Entry::parse("2026-11-21T23:10:05Z INFO    a:   step=1").unwrap().field("step"), Some("1"));
    }

    #[test]
    fn what_is_no_line_of_a_log_is_none() {
        for line in ["", "hello", "2026 INFO a: b", "2026-11-21T23:10:05Z LOUD a: b", "{}", "{\"timestamp\":1}", "[1]"]
        {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
    }
}
