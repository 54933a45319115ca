//! Flows as a Parquet file, many rows at a time.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder, UInt16Builder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{COLUMNS, Record};

/// Rows that are gathered before they are written.
const BATCH_ROWS: usize = 8_192;

/// Rows of a file, of which the last few are still in memory.
pub(super) struct Rows<W: Write + Send> {
    writer: ArrowWriter<W>,
    columns: Columns,
}

#[derive(Default)]
struct Columns {
    rows: usize,
    times: [Float64Builder; 2],
    ends: [StringBuilder; 2],
    ports: [UInt16Builder; 2],
    words: [StringBuilder; 3],
    counts: [UInt64Builder; 4],
    labels: [StringBuilder; 2],
}

impl Columns {
    fn push(&mut self, record: &Record<'_>) {
        self.rows += 1;
        self.times[0].append_value(record.ts);
        self.times[1].append_value(record.duration);
        self.ends[0].append_value(record.source.to_string());
        self.ends[1].append_value(record.destination.to_string());
        self.ports[0].append_value(record.source_port);
        self.ports[1].append_value(record.destination_port);
        self.words[0].append_value(record.proto);
        self.words[1].append_option(record.service);
        self.words[2].append_value(record.conn_state);
        let counts = [record.orig_bytes, record.resp_bytes, record.orig_pkts, record.resp_pkts];
        self.counts.iter_mut().zip(counts).for_each(|(column, count)| column.append_value(count));
        self.labels[0].append_option(record.label);
        self.labels[1].append_option(record.detailedlabel);
    }

    /// The rows so far, which are forgotten.
    fn take(&mut self) -> io::Result<RecordBatch> {
        self.rows = 0;
        let [ts, duration] = self.times.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let [source, destination] = self.ends.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let [source_port, destination_port] = self.ports.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let [proto, service, state] = self.words.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let [out, back, sent, received] = self.counts.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let [label, details] = self.labels.each_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let columns = [
            ts,
            source,
            source_port,
            destination,
            destination_port,
            proto,
            service,
            duration,
            out,
            back,
            state,
            sent,
            received,
            label,
            details,
        ];
        // Values are there or not by column, whatever one batch holds.
        let named = COLUMNS.iter().zip(columns).map(|((name, _), column)| (*name, column, true));
        RecordBatch::try_from_iter_with_nullable(named).map_err(io::Error::other)
    }
}

impl<W: Write + Send> Rows<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut columns = Columns::default();
        let schema = columns.take()?.schema();
        let packed = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(packed).build();
        let writer = ArrowWriter::try_new(out, schema, Some(properties)).map_err(io::Error::other)?;
        Ok(Self { writer, columns })
    }

    pub(super) fn push(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.columns.push(record);
        if self.columns.rows < BATCH_ROWS { Ok(()) } else { self.hand_on() }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.writer.write(&self.columns.take()?).map_err(io::Error::other)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.hand_on()?;
        self.writer.close().map(|_| ()).map_err(io::Error::other)
    }
}
