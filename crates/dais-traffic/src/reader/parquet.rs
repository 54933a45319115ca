//! Labelled tables, and connection logs of Zeek, as Parquet files, batch by batch.
//!
//! A column means what it would mean in a table of text: numbers are numbers, booleans 0 and 1, times seconds since 1970,
//! no value an empty field.

mod log;
mod values;

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Field;
use bytes::{Buf, Bytes as Shared, buf};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::table::{Sample, told_apart};
use crate::{Table, TableSchema};

use super::bytes::Bytes;
use super::columns::{Cell, Columns, Row, check_names};
use super::tally::Tally;
use super::zeek;
use super::{Input, NotRecognised, ReadError, ReadOptions, not_recognised};
use values::Values;

const WHAT: &str = "Parquet file";

/// Rows decoded at once.
const BATCH_ROWS: usize = 8_192;

/// Rows that the guess of a schema looks at.
const SAMPLE_ROWS: usize = 1_000;

/// A file in memory, whose offsets are not trusted.
struct Whole(Shared);

impl Whole {
    fn part(&self, start: u64, length: usize) -> Result<Shared, ParquetError> {
        let start = usize::try_from(start).ok().filter(|start| *start <= self.0.len());
        let end = start.and_then(|start| start.checked_add(length)).filter(|end| *end <= self.0.len());
        match (start, end) {
            (Some(start), Some(end)) => Ok(self.0.slice(start..end)),
            _ => Err(ParquetError::EOF("the file ends before a part that it names".to_owned())),
        }
    }
}

impl Length for Whole {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl ChunkReader for Whole {
    type T = buf::Reader<Shared>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let rest = self.len().checked_sub(start).and_then(|rest| usize::try_from(rest).ok());
        self.part(start, rest.unwrap_or(usize::MAX)).map(Buf::reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Shared, ParquetError> {
        self.part(start, length)
    }
}

/// A file of which the description of its columns is read.
struct Opened {
    file: String,
    bytes: Shared,
    metadata: ArrowReaderMetadata,
}

impl Opened {
    fn new(file: String, bytes: Vec<u8>) -> Result<Self, ReadError> {
        let bytes = Shared::from(bytes);
        // A schema of Arrow beside that of Parquet says nothing that is needed here, and could contradict it.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(&file, || ArrowReaderMetadata::load(&Whole(bytes.clone()), options))?;
        Ok(Self { file, bytes, metadata })
    }

    fn fields(&self) -> &[Arc<Field>] {
        self.metadata.schema().fields()
    }

    /// Names of the columns, no two of them the same.
    fn names(&self) -> Vec<String> {
        told_apart(self.fields().iter().map(|field| field.name().clone()).collect())
    }

    /// Batches of the columns at these places, in the order of the file.
    fn batches(
        &self,
        places: &[usize],
        rows: usize,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, ReadError>>, ReadError> {
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(Whole(self.bytes.clone()), self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
        let mut reader = guarded(&self.file, || builder.with_projection(mask).with_batch_size(rows).build())?;
        let next = move || guarded(&self.file, || reader.next().transpose()).transpose();
        Ok(std::iter::from_fn(next))
    }

    /// Places of the columns that can be read and whose name is wanted.
    fn places(&self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let names = self.names();
        let of = |at: &usize| wanted(&names[*at]) && values::understands(self.fields()[*at].data_type());
        (0..names.len()).filter(of).collect()
    }
}

/// What the library reads, or what is wrong with the file: it asserts some of what a damaged file can break.
fn guarded<T, E: ToString>(file: &str, read: impl FnOnce() -> Result<T, E>) -> Result<T, ReadError> {
    let read = catch_unwind(AssertUnwindSafe(read));
    let read = read.map_err(|_| damaged(file, "it contradicts itself"))?;
    read.map_err(|error| damaged(file, error.to_string()))
}

fn damaged(file: &str, why: impl Into<String>) -> ReadError {
    ReadError::Unreadable { file: file.to_owned(), what: WHAT, why: why.into() }
}

/// One row of a batch.
struct BatchRow<'a> {
    columns: &'a [Values<'a>],
    row: usize,
}

impl Row for BatchRow<'_> {
    fn width(&self) -> usize {
        self.columns.len()
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        self.columns[at].cell(self.row)
    }
}

fn columns<'a>(file: &str, batch: &'a RecordBatch) -> Result<Vec<Values<'a>>, ReadError> {
    let columns = batch.columns().iter().map(|column| Values::of(column.as_ref()));
    columns.collect::<Option<_>>().ok_or_else(|| damaged(file, "a column is of another type than the file says"))
}

/// Reads the file, which may have `bytes_max` bytes, and its rows as many once they are read: flows where its columns are
/// those of a connection log of Zeek and no schema says otherwise.
pub(crate) fn read<R: Read>(bytes: Bytes<R>, options: &ReadOptions, bytes_max: u64) -> Result<Input, ReadError> {
    let file = bytes.file().to_owned();
    let opened = Opened::new(file, bytes.whole(WHAT, bytes_max)?)?;
    match zeek::recognised(&opened.names()) {
        Some(columns) if options.schema.is_none() => opened.log(&columns, options, bytes_max).map(Input::Flows),
        _ => table(&opened, options, bytes_max).map(Input::Table),
    }
}

fn table(opened: &Opened, options: &ReadOptions, bytes_max: u64) -> Result<Table, ReadError> {
    let file = opened.file.clone();
    let schema = match &options.schema {
        Some(schema) => schema.clone(),
        None => opened.draft()?,
    };
    let all = opened.names();
    check_names(&file, 1, &all, &schema)?;
    let used = |name: &str| schema.roles().any(|role| role == name) && !schema.ignored.iter().any(|no| no == name);
    let mut fields = all.iter().zip(opened.fields());
    if let Some((name, field)) = fields.find(|(name, field)| used(name) && !values::understands(field.data_type())) {
        let kind = field.data_type();
        let why = format!("column `{name}` is of type {kind}: expected numbers, text or times; name it under ignored");
        return Err(damaged(&file, why));
    }
    let places = opened.places(used);
    let names: Vec<String> = places.iter().map(|at| all[*at].clone()).collect();
    let mut tally = Tally::new(&file, options.bad_rows_max.unwrap_or(0.0));
    let mut table = Columns::new(&schema, &names, options.schema.is_none());
    let mut number = 0;
    for batch in opened.batches(&places, BATCH_ROWS)? {
        let batch = batch?;
        let values = columns(&file, &batch)?;
        for row in 0..batch.num_rows() {
            number += 1;
            match table.row(&BatchRow { columns: &values, row }) {
                Ok(()) => tally.good(),
                Err(flaw) => tally.bad(number, flaw)?,
            }
        }
        if table.bytes() > bytes_max {
            return Err(ReadError::TooLarge { file, what: WHAT, bytes_max });
        }
    }
    table.into_table(schema, tally)
}

impl Opened {
    /// The schema that a table of text with these columns and first rows would be given.
    fn draft(&self) -> Result<TableSchema, ReadError> {
        let places = self.places(|_| true);
        let names = self.names();
        let header: Vec<String> = places.iter().map(|at| names[*at].clone()).collect();
        let mut rows: Vec<Vec<String>> = Vec::new();
        if let Some(batch) = self.batches(&places, SAMPLE_ROWS)?.next() {
            let batch = batch?;
            let values = columns(&self.file, &batch)?;
            let text = |value: &Values<'_>, row| {
                String::from_utf8_lossy(value.cell(row).text(&mut Vec::new())).trim().to_owned()
            };
            rows.extend((0..batch.num_rows()).map(|row| values.iter().map(|value| text(value, row)).collect()));
        }
        let drafted = TableSchema::draft_of("parquet", &Sample::new(header, rows));
        let no_label = NotRecognised::Text("is a Parquet file without a column that is named as a label".to_owned());
        let mut schema = drafted.ok_or_else(|| not_recognised(&self.file, b"PAR1", &no_label))?;
        // A time that is not known as the start of a flow is no feature.
        let is_time = |name: &str| {
            names.iter().zip(self.fields()).any(|(own, field)| own == name && field.data_type().is_temporal())
        };
        let times = schema.numeric.extract_if(.., |column| is_time(&column.name));
        schema.ignored.extend(times.map(|column| column.name));
        let read = |at: &usize| !places.contains(at);
        schema.ignored.extend((0..names.len()).filter(read).map(|at| names[at].clone()));
        match schema.check() {
            Ok(()) => Ok(schema),
            Err(source) => Err(ReadError::Schema { file: self.file.clone(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int64Array};
    use parquet::arrow::ArrowWriter;

    use super::*;

    #[test]
    fn a_file_beyond_the_bound_is_refused_packed_or_unpacked() {
        let zeros: ArrayRef = Arc::new(Int64Array::from(vec![0; 200_000]));
        let batch = RecordBatch::try_from_iter([("bytes", zeros.clone()), ("label", zeros)]).expect("equal lengths");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("memory takes bytes");
        writer.write(&batch).expect("memory takes bytes");
        writer.close().expect("memory takes bytes");
        assert!(bytes.len() < 5_000, "zeros pack well");
        for (bytes_max, fits) in [(100, false), (100_000, false), (10_000_000, true)] {
            let opened = Bytes::open("f", bytes.as_slice(), |_| 1 << 16).expect("bytes");
            let table = read(opened, &ReadOptions::default(), bytes_max);
            assert_eq!(table.is_ok(), fits);
            assert!(fits || matches!(table, Err(ReadError::TooLarge { .. })), "{table:?}");
        }
    }
}
