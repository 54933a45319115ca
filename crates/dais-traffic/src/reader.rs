//! Readers of flow logs and labelled tables: plain or gzip, recognised by content, in bounded memory.
//!
//! Broken rows are never passed on and never silently lost: each is counted, the first few are kept with their
//! place, and a file with too many of them is refused.

mod account;
mod arff;
mod argus;
mod bytes;
mod columns;
mod detect;
mod error;
mod fields;
mod flows;
mod joined;
mod json;
mod lines;
mod netflow;
mod npy;
mod npz;
mod packets;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;
mod suricata;
mod tally;
mod value;
mod verdict;
mod window;
mod wrapping;
mod zeek;
mod zeek_csv;
mod zeek_json;

use std::io::Read;

use crate::table::{KddLine, Sample, recognises};
use crate::{Table, TableSchema};

pub use account::Account;
pub use detect::{Format, NotRecognised, detect};
pub use error::{ReadError, RowError};
pub use flows::{FlowLog, FlowReader, LabelledFlow};
pub use tally::ReadStats;

use bytes::Bytes;
pub(crate) use error::Flaw;
pub(crate) use fields::Fields;
use lines::Lines;
use rows::{Head, Layout};
pub(crate) use value::{decoded, is_missing};

/// Most bytes of a file that has to be held in memory: 4 GiB.
const WHOLE_BYTES_MAX: u64 = 1 << 32;

/// How to read a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadOptions {
    /// How the columns of a table are to be read, where the content does not say it.
    pub schema: Option<TableSchema>,
    /// Largest share of broken rows, in [0, 1]; where not given 0 for labelled tables and 0.01 for flow logs.
    pub bad_rows_max: Option<f64>,
    /// Longest line in bytes; a longer one is a broken row. 1 MiB where not given.
    pub line_bytes_max: usize,
    /// Most flows of a capture that are open at once, at least 1: beyond it the flow that has been idle longest ends.
    /// Also most records of NetFlow that wait for their other direction.
    /// 1,048,576 where not given, for which some 150 MB are needed.
    pub open_flows_max: usize,
    /// Whether a capture is read for the flows that export packets of NetFlow and IPFIX in it tell of, in place of the
    /// flows that its packets are.
    pub exported: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { schema: None, bad_rows_max: None, line_bytes_max: 1 << 20, open_flows_max: 1 << 20, exported: false }
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Raw flows with addresses and times: features are computed by [`crate::Context`].
    Flows(FlowLog),
    /// A labelled table with features of its own.
    Table(Table),
}

/// Reads a file of any known format, plain or gzip; `file` is its name for messages.
///
/// Flow logs are recognised by content. A table is read by `options.schema`; without one NSL-KDD is recognised,
/// and any other table by [`TableSchema::draft`] where it has a column that is named as a label. Archives of `NumPy` arrays
/// and Parquet files are held in memory while they are read, at most 4 GiB.
///
/// # Errors
/// Where the input cannot be fetched or unpacked, is empty, of no known format, or has too many broken rows.
pub fn read(file: &str, input: impl Read, options: &ReadOptions) -> Result<Input, ReadError> {
    if let Some(schema) = &options.schema {
        schema.check().map_err(|source| ReadError::Schema { file: file.to_owned(), source })?;
    }
    let bytes = open(file, input)?;
    let head = text(bytes.head());
    let unknown = |what: &NotRecognised| not_recognised(file, head, what);
    let table =
        |bytes, layout| rows::read_table(Lines::new(bytes, options.line_bytes_max), layout, options).map(Input::Table);
    let given = |schema: &TableSchema, head| Layout { schema: schema.clone(), head, drafted: false };
    let drafted = |schema: Option<TableSchema>, head| {
        let no_label = NotRecognised::Text("is a table without a column that is named as a label".to_owned());
        schema.map(|schema| Layout { schema, head, drafted: true }).ok_or_else(|| unknown(&no_label))
    };
    match (detect(head), &options.schema) {
        // A table of such columns and more is read as its schema says.
        (Ok(format), schema) if format.is_flow_log() && !(format.is_table() && schema.is_some()) => {
            FlowLog::read(FlowReader::new(bytes, format, options)?, format).map(Input::Flows)
        }
        (Ok(Format::Npz), _) => npz::read_table(bytes, options, WHOLE_BYTES_MAX).map(Input::Table),
        #[cfg(feature = "parquet")]
        (Ok(Format::Parquet), _) => parquet::read(bytes, options, WHOLE_BYTES_MAX),
        (Ok(Format::Arff), Some(schema)) => table(bytes, given(schema, Head::Arff)),
        (Ok(Format::Arff), None) => {
            let layout = drafted(TableSchema::draft_of("table", &arff::sample(head)), Head::Arff)?;
            table(bytes, layout)
        }
        (Ok(_) | Err(NotRecognised::Text(_)), Some(schema)) => table(bytes, given(schema, Head::BySchema)),
        (Ok(Format::NslKdd), None) => {
            let (schema, has_header) = kdd_layout(head);
            let head = if has_header { Head::Passed } else { Head::BySchema };
            table(bytes, Layout { schema, head, drafted: false })
        }
        (Ok(_), None) => {
            let layout = drafted(TableSchema::draft("table", head), Head::BySchema)?;
            table(bytes, layout)
        }
        (Err(what), _) => Err(unknown(&what)),
    }
}

/// Opens a stream that is not empty, as soon as there is enough of it to tell a flow log.
fn open<R: Read>(file: &str, input: R) -> Result<Bytes<R>, ReadError> {
    let bytes = Bytes::open(file, input, |head| detect::wanted(text(head)))?;
    if text(bytes.head()).trim_ascii().is_empty() {
        return Err(ReadError::Empty { file: file.to_owned() });
    }
    Ok(bytes)
}

/// The beginning of a text, behind its byte order mark.
fn text(head: &[u8]) -> &[u8] {
    head.strip_prefix(lines::BYTE_ORDER_MARK).unwrap_or(head)
}

/// The NSL-KDD layout without the difficulty where a file has none, and whether its first line is a header.
fn kdd_layout(head: &[u8]) -> (TableSchema, bool) {
    let mut schema = TableSchema::nsl_kdd();
    let Some(sample) = Sample::cut(head) else { return (schema, false) };
    schema.columns.truncate(sample.header.len());
    (schema, recognises(&sample.first) == Some(KddLine::Header))
}

fn not_recognised(file: &str, head: &[u8], what: &NotRecognised) -> ReadError {
    let file = file.to_owned();
    if head.trim_ascii().is_empty() {
        return ReadError::Empty { file };
    }
    ReadError::Unknown { file, why: what.to_string() }
}

fn too_long() -> Flaw {
    Flaw::row("a line within the bound", "a longer one")
}

/// The number that a text is, as the readers understand it.
pub(crate) fn number(text: &[u8]) -> Option<f64> {
    value::number("", text).ok()
}

/// Seconds since 1970 that a number is, whatever its unit.
pub(crate) fn seconds(number: f64) -> Option<f64> {
    value::known_seconds("", number).ok()
}

/// Whether text is a time that the readers understand.
pub(crate) fn is_time(text: &str) -> bool {
    value::time("", text.as_bytes()).is_ok()
}
