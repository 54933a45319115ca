use std::fmt::{self, Write as _};

use jiff::Timestamp;
use tracing::field::{Field, Visit};

use super::{Format, Level};

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
}

/// Fields by name, in the order they were given; the message apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) message: String,
    pub(crate) rest: Vec<(&'static str, Value)>,
}

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        match self.rest.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, old)) => *old = value,
            None => self.rest.push((field.name(), value)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.rest.iter().any(|(own, _)| *own == name)
    }

    /// Adds what encloses these fields; their own values stand.
    pub(crate) fn enclose(&mut self, outer: &Self) {
        for (name, value) in &outer.rest {
            if !self.has(name) {
                self.rest.push((name, value.clone()));
            }
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, Value::Float(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::Unsigned(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.set(field, Value::Text(value.to_owned()));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        self.set(field, Value::Text(text));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail but where the value itself refuses; what it wrote so far stands.
            let _ = write!(self.message, "{value:?}");
        } else {
            self.set(field, Value::Text(format!("{value:?}")));
        }
    }
}

/// An event as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    pub(crate) target: &'a str,
    pub(crate) fields: &'a Fields,
}

/// Keys of a JSON line that no field may take.
const RESERVED: [&str; 4] = ["timestamp", "level", "target", "message"];

impl Line<'_> {
    /// Writes the line with its end; it holds no other line end, nor any other control character.
    pub(crate) fn write(&self, format: Format, to: &mut String) {
        match format {
            Format::Text => self.write_text(to, Ink { colours: false }),
            Format::Json => self.write_json(to),
        }
    }

    /// Writes the line as it is shown to people.
    pub(crate) fn write_text(&self, to: &mut String, ink: Ink) {
        let level = self.level.name().to_ascii_uppercase();
        // Writing to a String cannot fail, here and below.
        let _ = write!(to, "{}", ink.wrap("2", format_args!("{:.6}", self.at)));
        let _ = write!(to, " {} ", ink.wrap(Ink::of(self.level), format_args!("{level:<7}")));
        let _ = write!(to, "{} ", ink.wrap("2", format_args!("{}:", self.target)));
        escape(&self.fields.message, to);
        for (at, (name, value)) in self.fields.rest.iter().enumerate() {
            // Two blanks end the message.
            to.push_str(if at == 0 { "  " } else { " " });
            let _ = write!(to, "{}", ink.wrap("2", format_args!("{name}=")));
            write_plain(value, to);
        }
        to.push('\n');
    }

    fn write_json(&self, to: &mut String) {
        let _ = write!(to, "{{\"timestamp\":\"{:.6}\",\"level\":\"{}\",\"target\":", self.at, self.level.name());
        quote(self.target, to);
        to.push_str(",\"message\":");
        quote(&self.fields.message, to);
        for (name, value) in &self.fields.rest {
            to.push(',');
            if RESERVED.contains(name) {
                quote(&format!("field.{name}"), to);
            } else {
                quote(name, to);
            }
            to.push(':');
            write_json_value(value, to);
        }
        to.push_str("}\n");
    }
}

/// A string as JSON writes it.
fn quote(text: &str, to: &mut String) {
    match serde_json::to_string(text) {
        Ok(quoted) => to.push_str(&quoted),
        Err(_) => to.push_str("\"\""),
    }
}

fn write_json_value(value: &Value, to: &mut String) {
    let _ = match value {
        Value::Bool(value) => write!(to, "{value}"),
        Value::Signed(value) => write!(to, "{value}"),
        Value::Unsigned(value) => write!(to, "{value}"),
        // `Display` never writes an exponent, which makes long but sound JSON numbers.
        Value::Float(value) if value.is_finite() => write!(to, "{value}"),
        Value::Float(value) => write!(to, "\"{value}\""),
        Value::Text(value) => {
            quote(value, to);
            Ok(())
        }
    };
}

fn write_plain(value: &Value, to: &mut String) {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\');
    match value {
        Value::Text(text) if text.is_empty() || !text.chars().all(plain) => quote(text, to),
        Value::Text(text) => to.push_str(text),
        Value::Float(value) => {
            let _ = write!(to, "{value}");
        }
        Value::Bool(_) | Value::Signed(_) | Value::Unsigned(_) => write_json_value(value, to),
    }
}

/// `text` in one line, and without what could steer a terminal.
fn escape(text: &str, to: &mut String) {
    for c in text.chars() {
        if c.is_control() {
            to.extend(c.escape_default());
        } else {
            to.push(c);
        }
    }
}

/// Whether text is set off by colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ink {
    pub(crate) colours: bool,
}

impl Ink {
    fn of(level: Level) -> &'static str {
        match level {
            Level::Trace => "35",
            Level::Debug => "34",
            Level::Info => "32",
            Level::Warning => "33",
            Level::Error => "1;31",
        }
    }

    fn wrap<'a>(self, code: &'a str, text: fmt::Arguments<'a>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |to| if self.colours { write!(to, "\x1b[{code}m{text}\x1b[0m") } else { to.write_fmt(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(message: &str, rest: Vec<(&'static str, Value)>, format: Format) -> String {
        let at = "2026-11-21T23:10:05.1234567Z".parse().unwrap();
        let fields = Fields { message: message.to_owned(), rest };
        let mut text = String::new();
        Line { at, level: Level::Warning, target: "dais_sim::world", fields: &fields }.write(format, &mut text);
        text
    }

    #[test]
    fn a_line_of_text_is_aligned_and_quotes_what_is_not_plain() {
        let fields = vec![
            ("step", Value::Unsigned(7)),
            ("why", Value::Text("no \"room\"\n".into())),
            ("file", Value::Text("a.db".into())),
        ];
        assert_eq!(
            written("slow step", fields, Format::Text),
            "2026-11-21T23:10:05.123456Z WARNING dais_sim::world: slow step  step=7 why=\"no \\\"room\\\"\\n\" file=a.db\n"
        );
    }

    #[test]
    fn no_message_makes_two_lines_or_steers_a_terminal() {
        let text = written("one\ntwo \u{1b}[2J", Vec::new(), Format::Text);
        assert!(text.ends_with("one\\ntwo \\u{1b}[2J\n"), "{text}");
        assert_eq!(written("one\ntwo", Vec::new(), Format::Json).lines().count(), 1);
    }

    #[test]
    fn a_line_of_json_is_an_object_with_the_fields_beside_the_message() {
        let fields = vec![
            ("step", Value::Unsigned(7)),
            ("level", Value::Text("a field".into())),
            ("share", Value::Float(1e-7)),
            ("odd", Value::Float(f64::NAN)),
            ("fine", Value::Bool(true)),
        ];
        let text = written("say \"hi\"", fields, Format::Json);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "timestamp": "2026-11-21T23:10:05.123456Z", "level": "warning", "target": "dais_sim::world",
            "message": "say \"hi\"", "step": 7, "field.level": "a field", "share": 1e-7, "odd": "NaN", "fine": true,
        });
        assert_eq!(value, expected);
    }
}
