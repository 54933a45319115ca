//! Flows, and columns, as text to look at.

use std::fmt::Write as _;
use std::io::{self, Write};

use dais_traffic::{Family, Flow, Label};

use super::input::{Column, Columns};
use super::summary::{label_name, time};
use crate::screen::table::Table;

/// Flows in columns, which are written when all are there.
pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    table: Table,
    labelled: bool,
    rows: Vec<[String; 11]>,
}

const HEADINGS: [&str; 11] =
    ["time", "source", "destination", "proto", "service", "state", "label", "s", "packets", "bytes out", "bytes in"];
/// Place of the label among the headings.
const LABEL: usize = 6;

impl Screen {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out, table: Table::new(LABEL + 1), labelled: false, rows: Vec::new() }
    }

    pub(super) fn flow(&mut self, flow: &Flow, label: Label, families: &[Family]) {
        self.labelled |= label != Label::Undecided;
        let end = |address: std::net::IpAddr, port: u16| {
            if port == 0 { address.to_string() } else { std::net::SocketAddr::new(address, port).to_string() }
        };
        self.rows.push([
            time(flow.time_s),
            end(flow.source, flow.source_port),
            end(flow.destination, flow.destination_port),
            flow.protocol.name().to_owned(),
            flow.service.name().to_owned(),
            flow.state.name().to_owned(),
            label_name(label, families).escape_debug().to_string(),
            format!("{:.3}", flow.duration_s),
            flow.packets_out.saturating_add(flow.packets_in).to_string(),
            flow.bytes_out.to_string(),
            flow.bytes_in.to_string(),
        ]);
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.labelled {
            self.table = Table::new(LABEL);
        }
        let labelled = self.labelled;
        let shown = |cells: [String; 11]| -> Vec<String> {
            cells.into_iter().enumerate().filter(|(at, _)| labelled || *at != LABEL).map(|(_, cell)| cell).collect()
        };
        self.table.row(shown(HEADINGS.map(str::to_owned)));
        for row in self.rows {
            self.table.row(shown(row));
        }
        for line in self.table.lines() {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()
    }
}

pub(super) fn columns_text(files: &[Columns]) -> String {
    let mut text = String::new();
    for Columns { file, format, columns, left_out } in files {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(text, "{file}: {format}");
        let mut table = Table::new(3);
        for Column { name, kind, unit } in columns {
            table.row([name.escape_debug().to_string(), (*kind).to_owned(), unit.clone()]);
        }
        for line in table.lines() {
            let _ = writeln!(text, "{line}");
        }
        for line in left_out {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

pub(super) fn columns_json(files: &[Columns]) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(files)? + "\n")
}
