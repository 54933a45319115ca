//! How the records of a JSON log lie in a file, and what programs on the way have put around them.
//!
//! A record is a line, or an object that spans lines or stands in an array. A syslog daemon writes its header before each;
//! collectors put the record, or its text, under a key of an object of their own.

use std::borrow::Cow;

use serde_json::Value;

use super::Format;
use super::error::Flaw;

/// Lines, or objects, of the beginning that are looked at.
const LOOKED_AT_MAX: usize = 64;

/// Objects within one another that are looked into.
const DEPTH_MAX: usize = 3;

/// Keys under which collectors put a record: Filebeat, Logstash, Elasticsearch, Splunk, Docker, journald, Vector, Kafka.
const KEYS: [&str; 14] = [
    "_source", "message", "json", "event", "original", "_raw", "result", "log", "MESSAGE", "fields", "suricata", "eve",
    "zeek", "conn",
];

/// Where the records of a log are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wrapping {
    /// Whether a record may span lines, or share one with others.
    pub(crate) spread: bool,
    /// Whether there is text before each record.
    pub(crate) prefixed: bool,
    /// Keys under which the record is, from the outside in.
    path: Vec<&'static str>,
}

/// What the beginning of a JSON text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Records of a format, and where they are.
    Records(Format, Wrapping),
    /// A log of Zeek of something else than connections.
    OtherLog(&'static str),
    /// Objects of another kind.
    Unknown,
    /// No object that is whole.
    Nothing,
}

/// Looks at the first whole records of a text.
pub(crate) fn recognise(head: &[u8]) -> Seen {
    match head.trim_ascii_start().first() {
        // The last object of an array may be alone in its line, so lines say less.
        Some(b'[') => or_else(spread(head), || in_lines(head)),
        Some(b'{') => or_else(in_lines(head), || spread(head)),
        _ => in_lines(head),
    }
}

fn or_else(first: Seen, second: impl FnOnce() -> Seen) -> Seen {
    if matches!(first, Seen::Records(..)) { first } else { better(first, second()) }
}

fn in_lines(head: &[u8]) -> Seen {
    let whole = memchr::memrchr(b'\n', head).map_or(head, |last| &head[..last]);
    let mut best = Seen::Nothing;
    let lines = whole.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    for line in lines.take(LOOKED_AT_MAX) {
        let Some(start) = memchr::memchr(b'{', line) else { continue };
        let Ok(object) = serde_json::from_slice::<Value>(&line[start..]) else { continue };
        match judged(&object, DEPTH_MAX) {
            Seen::Records(format, wrapping) => {
                return Seen::Records(format, Wrapping { prefixed: start > 0, ..wrapping });
            }
            seen @ (Seen::OtherLog(_) | Seen::Unknown | Seen::Nothing) => best = better(best, seen),
        }
    }
    best
}

fn spread(head: &[u8]) -> Seen {
    let mut best = Seen::Nothing;
    let mut rest = head;
    for _ in 0..LOOKED_AT_MAX {
        let Some(start) = memchr::memchr(b'{', rest) else { break };
        rest = &rest[start..];
        let Some(length) = Nesting::default().end(rest) else { break };
        if let Ok(object) = serde_json::from_slice::<Value>(&rest[..length]) {
            match judged(&object, DEPTH_MAX) {
                Seen::Records(format, wrapping) => {
                    return Seen::Records(format, Wrapping { spread: true, ..wrapping });
                }
                seen @ (Seen::OtherLog(_) | Seen::Unknown | Seen::Nothing) => best = better(best, seen),
            }
        }
        rest = &rest[length..];
    }
    best
}

/// The one that says more.
fn better(a: Seen, b: Seen) -> Seen {
    let rank = |seen: &Seen| match seen {
        Seen::Records(..) => 3,
        Seen::OtherLog(_) => 2,
        Seen::Unknown => 1,
        Seen::Nothing => 0,
    };
    if rank(&b) > rank(&a) { b } else { a }
}

/// What an object is, looking into those within it where it is nothing itself.
fn judged(object: &Value, depth: usize) -> Seen {
    let is = |key: &str| object.get(key).is_some_and(|value| !value.is_null());
    let any = |keys: &[&str]| keys.iter().any(|key| is(key));
    if object.get("event_type").is_some_and(Value::is_string) {
        return Seen::Records(Format::SuricataEve, Wrapping::default());
    }
    let ends = any(&["id.orig_h", "id_orig_h"]) || object.pointer("/id/orig_h").is_some();
    if is("ts") && (object.get("_path").is_some_and(Value::is_string) || ends) {
        // A stream of several logs says in each record which one it is of.
        if any(&["_path", "conn_state", "orig_pkts", "resp_pkts", "orig_bytes", "resp_bytes"]) {
            return Seen::Records(Format::ZeekJson, Wrapping::default());
        }
        return Seen::OtherLog(log_of(&any));
    }
    let within = KEYS.iter().filter(|_| depth > 0).filter_map(|key| Some((*key, inner(object.get(*key)?)?)));
    for (key, value) in within {
        match judged(&value, depth - 1) {
            Seen::Records(format, Wrapping { mut path, .. }) => {
                path.insert(0, key);
                return Seen::Records(format, Wrapping { path, ..Wrapping::default() });
            }
            Seen::OtherLog(log) => return Seen::OtherLog(log),
            Seen::Unknown | Seen::Nothing => {}
        }
    }
    if object.is_object() { Seen::Unknown } else { Seen::Nothing }
}

/// An object that is a value, or that the text of a value holds.
fn inner(value: &Value) -> Option<Cow<'_, Value>> {
    match value {
        Value::Object(_) => Some(Cow::Borrowed(value)),
        Value::String(text) => {
            let start = text.find('{')?;
            serde_json::from_str(&text[start..]).ok().map(Cow::Owned)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// The log of Zeek whose records have such keys.
fn log_of(any: &impl Fn(&[&str]) -> bool) -> &'static str {
    match () {
        () if any(&["query", "qtype_name", "rcode_name"]) => "dns",
        () if any(&["method", "host", "uri", "user_agent"]) => "http",
        () if any(&["server_name", "cipher", "ja3"]) => "ssl",
        () if any(&["fuid", "mime_type"]) => "files",
        () if any(&["note", "sub"]) => "notice",
        () => "something else",
    }
}

impl Wrapping {
    /// The record in a line or object; `room` is for one that has to be unpacked. `None` where there is none.
    pub(crate) fn record<'a>(&self, taken: &'a [u8], room: &'a mut Vec<u8>) -> Result<Option<&'a [u8]>, Flaw> {
        let bare = if self.prefixed {
            match memchr::memchr(b'{', taken) {
                Some(start) => &taken[start..],
                None => return Ok(None),
            }
        } else {
            taken
        };
        if self.path.is_empty() {
            return Ok(Some(bare.trim_ascii_end()));
        }
        let broken = |error: serde_json::Error| {
            Flaw::row("a JSON object on one line", format!("{} ({error})", super::error::quoted(taken)))
        };
        let mut value: Value = serde_json::from_slice(bare).map_err(broken)?;
        for key in &self.path {
            let Some(next) = value.get(*key).and_then(inner) else { return Ok(None) };
            value = next.into_owned();
        }
        room.clear();
        serde_json::to_writer(&mut *room, &value).map_err(broken)?;
        Ok(Some(room))
    }
}

/// Where an object ends: by its brackets, those within text aside.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nesting {
    depth: u64,
    within_text: bool,
    escaped: bool,
}

impl Nesting {
    /// The length of the object that goes on with these bytes, up to the end of the object, if it ends among them.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                // No text has a line end in it: it was left open.
                b'\n' => (self.within_text, self.escaped) = (false, false),
                _ if self.escaped => self.escaped = false,
                b'\\' if self.within_text => self.escaped = true,
                b'"' => self.within_text = !self.within_text,
                b'{' if !self.within_text => self.depth += 1,
                b'}' if !self.within_text => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::bytes::Bytes;
    use super::super::lines::{Line, Lines};
    use super::*;

    const CONN: &str = r#"{"ts":1,"id.orig_h":"10.0.0.1","conn_state":"SF"}"#;
    const EVE: &str = r#"{"event_type":"flow","src_ip":"10.0.0.1"}"#;

    fn format(head: &str) -> Option<(Format, Wrapping)> {
        match recognise(head.as_bytes()) {
            Seen::Records(format, wrapping) => Some((format, wrapping)),
            Seen::OtherLog(_) | Seen::Unknown | Seen::Nothing => None,
        }
    }

    #[test]
    fn records_are_found_under_everything_that_collectors_put_around_them() {
        let text = serde_json::to_string(EVE).expect("text");
        for head in [
            EVE.to_owned(),
            format!("May  6 10:00:00 fw1 suricata[91043]: {EVE}\n"),
            format!("<134>1 2024-05-06T10:00:00Z fw1 suricata - - - {EVE}\r\n"),
            format!("2024-05-06T10:00:00.000Z stdout F {EVE}\n"),
            format!(r#"{{"@timestamp":"x","message":{text}}}"#),
            format!(r#"{{"@timestamp":"x","event":{{"original":{text}}}}}"#),
            format!(r#"{{"_index":"i","_source":{EVE}}}"#),
            format!(r#"{{"suricata":{{"eve":{EVE}}}}}"#),
            format!(r#"{{"result":{{"_raw":{text}}}}}"#),
            format!("[\n  {EVE},\n  {EVE}\n]"),
            format!("[{EVE},{EVE}]"),
            EVE.replace(',', ",\n  "),
            format!("{{\"index\":{{}}}}\n{EVE}\n"),
            format!("a_cut_first_line\":1}}\n{EVE}\n"),
        ] {
            let (format, wrapping) = format(&head).unwrap_or_else(|| panic!("{head}"));
            assert_eq!(format, Format::SuricataEve, "{head}");
            let mut lines =
                Lines::new(Bytes::open("f", head.as_bytes(), |_| 1 << 16).expect("bytes in memory"), 1 << 20);
            let (mut records, mut room) = (0, Vec::new());
            loop {
                let next = if wrapping.spread { lines.next_object() } else { lines.next_numbered() };
                let text = match next.expect("bytes in memory") {
                    Some((_, Line::Text(text))) => text,
                    Some((_, Line::TooLong)) => panic!("{head}"),
                    None => break,
                };
                if let Ok(Some(record)) = wrapping.record(text, &mut room) {
                    let value: Result<Value, _> = serde_json::from_slice(record);
                    records += u64::from(value.is_ok_and(|value| value["src_ip"] == "10.0.0.1"));
                }
            }
            assert_eq!(records, head.matches("src_ip").count() as u64, "{head}");
        }
    }

    #[test]
    fn connections_are_told_from_other_logs_of_zeek() {
        assert_eq!(format(CONN).map(|(format, _)| format), Some(Format::ZeekJson));
        assert_eq!(format(&CONN.replace("conn_state", "_path")).map(|(format, _)| format), Some(Format::ZeekJson));
        assert_eq!(recognise(CONN.replace("conn_state", "query").as_bytes()), Seen::OtherLog("dns"));
        assert_eq!(recognise(b"{\"a\":1}"), Seen::Unknown);
        for nothing in ["", "a,b\n1,2\n", "{\"a\":", "x {y} z"] {
            assert_eq!(recognise(nothing.as_bytes()), Seen::Nothing, "{nothing}");
        }
    }

    #[test]
    fn brackets_within_text_end_no_object() {
        let object = br#"{"a":"}\"}","b":{"c":"{"}} rest"#;
        assert_eq!(Nesting::default().end(object), Some(object.len() - 5));
        let mut nesting = Nesting::default();
        let ends: Vec<bool> = object.chunks(1).map(|byte| nesting.end(byte).is_some()).collect();
        assert_eq!(ends.iter().position(|end| *end), Some(object.len() - 6));
    }
}
