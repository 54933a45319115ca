//! Rows of labelled tables, as text.

use std::io::{self, Write};

use anyhow::bail;
use serde_json::{Map, json};

use super::input::{Row, Value};
use crate::args::flows::Format;
use crate::screen::table::Table;

/// Rows with the columns of their table.
pub(super) struct Rows {
    out: Box<dyn Write + Send>,
    names: Vec<String>,
    /// Rows that are aligned at the end, where they are to be looked at.
    table: Option<Table>,
    json: bool,
}

impl Rows {
    pub(super) fn new(mut out: Box<dyn Write + Send>, format: Format, first: &Row<'_>) -> anyhow::Result<Self> {
        let names = first.names();
        let table = match format {
            Format::Table => {
                let mut table = Table::new(0);
                table.row(names.iter().map(|name| name.escape_debug().to_string()));
                Some(table)
            }
            Format::Csv => {
                let header: Vec<String> = names.iter().map(|name| quoted(name)).collect();
                writeln!(out, "{}", header.join(","))?;
                None
            }
            Format::Json => None,
            Format::Zeek => bail!("rows of a labelled table are no connections: --format table, csv or json"),
            #[cfg(feature = "parquet")]
            Format::Parquet => bail!("rows of a labelled table are no connections: --format table, csv or json"),
        };
        Ok(Self { out, names, table, json: format == Format::Json })
    }

    pub(super) fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let values = row.values();
        if self.json {
            let object: Map<String, serde_json::Value> =
                self.names.iter().cloned().zip(values.iter().map(|value| json!(value))).collect();
            serde_json::to_writer(&mut self.out, &object)?;
            return self.out.write_all(b"\n");
        }
        let cells = values.into_iter().map(|value| match value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text,
            Value::Nothing => String::new(),
        });
        if let Some(table) = &mut self.table {
            table.row(cells.map(|cell| cell.escape_debug().to_string()));
            return Ok(());
        }
        let cells: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
        writeln!(self.out, "{}", cells.join(","))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        for line in self.table.iter().flat_map(Table::lines) {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()
    }
}

/// A value of a CSV, in quotes where it has to be.
fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"', '\n', '\r']);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " ")) }
}
