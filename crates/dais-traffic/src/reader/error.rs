//! What can be wrong with a file of flows, and with one of its rows.

use std::fmt;
use std::io;

/// One row that could not be read: where it is, what was expected, what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Name of the file.
    pub file: String,
    /// Line in the file, or packet of a capture, from 1; the row in files that have no lines.
    pub line: u64,
    /// Name of the column, where one is to blame.
    pub column: Option<String>,
    /// What the row should have held.
    pub expected: String,
    /// What it holds: shortened, with unprintable bytes escaped; empty where there is nothing.
    pub found: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        write!(f, "expected {}, found ", self.expected)?;
        if self.found.is_empty() { f.write_str("nothing") } else { f.write_str(&self.found) }
    }
}

impl std::error::Error for RowError {}

/// What is wrong with a row, before the place is known.
#[derive(Clone, Debug)]
pub(crate) struct Flaw {
    pub(crate) column: Option<String>,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Flaw {
    /// A field of `column` that holds something else than `expected`.
    pub(crate) fn field(column: &str, expected: impl Into<String>, found: &[u8]) -> Self {
        Self { column: Some(column.to_owned()), expected: expected.into(), found: quoted(found) }
    }

    /// A row that is wrong as a whole.
    pub(crate) fn row(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { column: None, expected: expected.into(), found: found.into() }
    }
}

/// Foreign bytes in quotes, at most 40 of them, unprintable ones escaped.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 40;
    if bytes.is_empty() {
        return String::new();
    }
    let mut end = bytes.len().min(SHOWN_MAX);
    while end < bytes.len() && end > 0 && bytes[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    let shown = match std::str::from_utf8(&bytes[..end]) {
        Ok(text) => text.escape_debug().to_string(),
        Err(_) => bytes[..end].escape_ascii().to_string(),
    };
    format!("\"{shown}{}\"", if end < bytes.len() { "…" } else { "" })
}

/// Why a file of flows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A folder was given in place of a file.
    #[error("{file}: is a folder: name the files in it")]
    Directory {
        /// Name of the file.
        file: String,
    },
    /// The bytes could not be fetched.
    #[error("{file}: {source}")]
    Io {
        /// Name of the file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The compressed data ends in the middle.
    #[error("{file}: the gzip data ends too early, after line or packet {line}: the file is truncated, fetch it again")]
    TruncatedGzip {
        /// Name of the file.
        file: String,
        /// Last complete line or packet.
        line: u64,
    },
    /// The compressed data is damaged.
    #[error("{file}: the gzip data is damaged after line or packet {line} ({why}): fetch the file again")]
    CorruptGzip {
        /// Name of the file.
        file: String,
        /// Last complete line or packet.
        line: u64,
        /// What the decoder says.
        why: String,
    },
    /// A capture or a stream of export packets whose records can no longer be told apart.
    #[error("{file}: damaged at packet {packet}: {why}")]
    Damaged {
        /// Name of the file.
        file: String,
        /// Number of the packet, from 1; 0 for what comes before the first.
        packet: u64,
        /// What is wrong there.
        why: String,
    },
    /// A capture of packets that begin with something unknown.
    #[error(
        "{file}: is a capture of link type {link_type}, which is not understood: Ethernet, raw IP, Linux cooked, BSD loopback, PPP and MPLS are"
    )]
    LinkType {
        /// Name of the file.
        file: String,
        /// Its number in the list of `tcpdump`.
        link_type: u16,
    },
    /// There is nothing in the file.
    #[error("{file}: the file is empty")]
    Empty {
        /// Name of the file.
        file: String,
    },
    /// The content of a file that is not text is damaged, or not of the form that is understood.
    #[error("{file}: the {what} cannot be read: {why}")]
    Unreadable {
        /// Name of the file.
        file: String,
        /// What kind of file it is.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A file of a kind that is held in memory is too large for that.
    #[error("{file}: the {what} is larger than {bytes_max} bytes, packed or unpacked: split it, or convert it to CSV")]
    TooLarge {
        /// Name of the file.
        file: String,
        /// What kind of file it is.
        what: &'static str,
        /// The bound.
        bytes_max: u64,
    },
    /// There is a header, or records of other kinds, but not one flow.
    #[error("{file}: the file holds no flow ({what})")]
    NoRows {
        /// Name of the file.
        file: String,
        /// What it holds instead.
        what: String,
    },
    /// The content is no known format.
    #[error(
        "{file}: {why}; formats recognised by content: {}; describe any other table of labelled rows in a schema file and give it with `--schema`",
        super::Format::NAMES.join(", ")
    )]
    Unknown {
        /// Name of the file.
        file: String,
        /// What the content looks like.
        why: String,
    },
    /// A log of the right program, but of something else than flows.
    #[error("{file}:{line}: is a Zeek log of `{path}`: expected `conn`")]
    OtherLog {
        /// Name of the file.
        file: String,
        /// Line that says so.
        line: u64,
        /// What it is a log of.
        path: String,
    },
    /// A column that is needed is not there.
    #[error("{file}:{line}: column `{column}` is missing; the header names {}", names(header))]
    MissingColumn {
        /// Name of the file.
        file: String,
        /// Line of the header.
        line: u64,
        /// The missing column.
        column: String,
        /// The columns there are.
        header: Vec<String>,
    },
    /// A column that the schema file does not mention.
    #[error(
        "{file}:{line}: column `{column}` is not in schema `{schema}`: add it under numeric, categorical or ignored"
    )]
    UndescribedColumn {
        /// Name of the file.
        file: String,
        /// Line of the header.
        line: u64,
        /// The column.
        column: String,
        /// Name of the schema.
        schema: String,
    },
    /// More rows are broken than was allowed.
    #[error("{first}; {bad} of {rows} rows are broken, allowed is a share of {allowed} (`--max-bad-rows`)")]
    TooManyBadRows {
        /// The first broken row.
        first: Box<RowError>,
        /// Broken rows seen.
        bad: u64,
        /// Rows seen.
        rows: u64,
        /// Largest share of broken rows allowed.
        allowed: f64,
    },
    /// The schema that was given contradicts itself.
    #[error("{file}: {source}")]
    Schema {
        /// Name of the file.
        file: String,
        /// What is wrong with it.
        source: crate::TableSchemaError,
    },
}

fn names(header: &[String]) -> String {
    const SHOWN_MAX: usize = 12;
    let shown: Vec<String> = header.iter().take(SHOWN_MAX).map(|name| quoted(name.as_bytes())).collect();
    let rest = header.len().saturating_sub(SHOWN_MAX);
    format!("{}{}", shown.join(", "), if rest > 0 { format!(" and {rest} more") } else { String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_error_names_file_line_column_expected_and_found() {
        let flaw = Flaw::field("src_bytes", "a number", b"abc");
        let error = RowError {
            file: "flows.csv".into(),
            line: 17,
            column: flaw.column,
            expected: flaw.expected,
            found: flaw.found,
        };
        assert_eq!(error.to_string(), "flows.csv:17: column `src_bytes`: expected a number, found \"abc\"");
    }

    #[test]
    fn foreign_bytes_are_shortened_and_escaped() {
        assert_eq!(quoted(b"a\tb"), "\"a\\tb\"");
        assert_eq!(quoted(&[0xff, 0x00]), "\"\\xff\\x00\"");
        assert_eq!(quoted("é".repeat(30).as_bytes()).chars().count(), 23);
    }

    #[test]
    fn an_unknown_format_lists_what_is_known_and_the_way_out() {
        let text = ReadError::Unknown { file: "x".into(), why: "is a zip archive".into() }.to_string();
        assert!(text.contains("Zeek") && text.contains("Suricata") && text.contains("--schema"), "{text}");
    }
}
