//! Labelled tables as archives of two `NumPy` arrays, in the form of `ADBench`: `X` with a row of features for each row,
//! and `y`, which is 0 where a row is ordinary and 1 where it is an anomaly.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::{LabelColumn, NumericColumn, Table, TableSchema};

use super::bytes::Bytes;
use super::columns::{Cell, Columns, Row, check_names};
use super::npy::Array;
use super::tally::Tally;
use super::{ReadError, ReadOptions};

const WHAT: &str = "npz archive";

/// Name of the label column.
const LABEL: &str = "y";

/// Features beyond which a shape is taken for damage.
const COLUMNS_MAX: usize = 10_000;

/// Rows that are looked at to choose transforms.
const SAMPLE_ROWS: usize = 1_000;

/// Whether a file is a zip archive whose first member is a `NumPy` array.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let length = |header: &[u8; 30]| usize::from(u16::from_le_bytes([header[26], header[27]]));
    let Some((header, rest)) = head.split_first_chunk::<30>() else { return false };
    header.starts_with(b"PK\x03\x04") && rest.get(..length(header)).is_some_and(|name| name.ends_with(b".npy"))
}

/// One row of the two arrays: features, then the label.
struct Pair<'a> {
    features: &'a Array,
    labels: &'a Array,
    row: usize,
}

impl Row for Pair<'_> {
    fn width(&self) -> usize {
        self.features.columns() + 1
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        if at < self.features.columns() { self.features.cell(self.row, at) } else { self.labels.cell(self.row, 0) }
    }
}

/// Reads the table, of at most `bytes_max` bytes packed and as much for each array.
pub(crate) fn read_table<R: Read>(bytes: Bytes<R>, options: &ReadOptions, bytes_max: u64) -> Result<Table, ReadError> {
    let file = bytes.file().to_owned();
    let damaged = |why: String| ReadError::Unreadable { file: file.clone(), what: WHAT, why };
    let packed = Cursor::new(bytes.whole(WHAT, bytes_max)?);
    let mut archive = ZipArchive::new(packed).map_err(|error| damaged(error.to_string()))?;
    let names = archive.file_names().map(|name| name.map(Cow::into_owned).unwrap_or_default());
    let members: Vec<String> = names.collect();
    let mut array = |name: &str| {
        let wanted = format!("{name}.npy");
        let Some(place) = members.iter().position(|member| member.eq_ignore_ascii_case(&wanted)) else {
            let held = members.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(damaged(format!("holds {held}: expected X.npy and y.npy")));
        };
        let member = archive.by_index(place).map_err(|error| damaged(format!("array {name}: {error}")))?;
        let mut bytes = Vec::new();
        let read = member.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| damaged(format!("array {name}: {error}")))?;
        if bytes.len() as u64 > bytes_max {
            return Err(ReadError::TooLarge { file: file.clone(), what: WHAT, bytes_max });
        }
        Array::new(bytes).map_err(|why| damaged(format!("array {name} {why}")))
    };
    let (features, labels) = (array("X")?, array(LABEL)?);
    let (rows, columns) = (features.rows(), features.columns());
    if labels.rows() != rows || labels.columns() != 1 || !(1..=COLUMNS_MAX).contains(&columns) {
        let shapes = format!("X is {rows} × {columns}, y {} × {}", labels.rows(), labels.columns());
        return Err(damaged(format!("{shapes}: expected as many rows, 1 column in y, 1 to {COLUMNS_MAX} in X")));
    }
    let pair = |row| Pair { features: &features, labels: &labels, row };
    let names: Vec<String> = (0..columns).map(|at| format!("x{at}")).chain([LABEL.to_owned()]).collect();
    let schema = match &options.schema {
        Some(schema) => {
            check_names(&file, 1, &names, schema)?;
            schema.clone()
        }
        None => draft(&features, &names[..columns]),
    };
    let mut tally = Tally::new(&file, options.bad_rows_max.unwrap_or(0.0));
    let mut table = Columns::new(&schema, &names, false);
    for row in 0..rows {
        match table.row(&pair(row)) {
            Ok(()) => tally.good(),
            Err(flaw) => tally.bad(row as u64 + 1, flaw)?,
        }
    }
    table.into_table(schema, tally)
}

/// Every feature as a number, with the transform that a table of text would be given.
fn draft(features: &Array, names: &[String]) -> TableSchema {
    let sample = features.rows().min(SAMPLE_ROWS);
    let numbers = |at| {
        (0..sample).filter_map(move |row| match features.cell(row, at) {
            Cell::Number(value) => Some(value),
            Cell::Integer(value) => Some(value as f64),
            Cell::Text(_) => None,
        })
    };
    let column = |(at, name): (usize, &String)| NumericColumn {
        name: name.clone(),
        unit: String::new(),
        transform: crate::table::transform_for(numbers(at)),
        low: None,
        high: None,
    };
    TableSchema {
        name: "npz".to_owned(),
        delimiter: ',',
        header: true,
        columns: Vec::new(),
        numeric: names.iter().enumerate().map(column).collect(),
        categorical: Vec::new(),
        label: LabelColumn {
            column: LABEL.to_owned(),
            verdict: None,
            benign: vec!["0".to_owned()],
            undecided: Vec::new(),
            families: BTreeMap::from([("1".to_owned(), "anomaly".to_owned())]),
        },
        ignored: Vec::new(),
        missing: crate::Missing::default(),
        time: None,
        source: None,
        destination: None,
        destination_port: None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    #[test]
    fn an_archive_beyond_the_bound_is_refused_packed_or_unpacked() {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        archive.start_file("X.npy", options).expect("memory takes bytes");
        archive.write_all(&vec![0; 1_000_000]).expect("memory takes bytes");
        let bytes = archive.finish().expect("memory takes bytes").into_inner();
        assert!(bytes.len() < 5_000, "a million zeros pack well");
        for bytes_max in [100, 5_000] {
            let opened = Bytes::open("f", bytes.as_slice(), |_| 1 << 16).expect("bytes");
            let refused = read_table(opened, &ReadOptions::default(), bytes_max);
            assert!(matches!(refused, Err(ReadError::TooLarge { .. })), "{refused:?}");
        }
    }
}
