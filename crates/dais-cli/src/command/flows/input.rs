//! Files of any kind as flows, or rows of tables, one by one.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use dais_lab::open;
use dais_traffic::{
    Family, Flow, FlowReader, Input, Label, ReadError, ReadOptions, ReadStats, Table, TableSchema, Transform,
    flow_schema,
};
use serde::Serialize;

use crate::args::flows::FlowsArgs;

/// What comes out of a file.
pub(super) enum Came<'a> {
    /// A flow, and what is said of it.
    Flow {
        flow: &'a Flow,
        label: Label,
        families: &'a [Family],
    },
    Row(Row<'a>),
}

/// A row of a labelled table.
pub(super) struct Row<'a> {
    table: &'a Table,
    row: usize,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    Number(f64),
    Text(String),
    Nothing,
}

/// What is known of a file at its end.
pub(super) struct Ended {
    pub(super) format: String,
    pub(super) stats: ReadStats,
    /// Notes on columns that were left out.
    pub(super) notes: Vec<String>,
}

impl Came<'_> {
    pub(super) fn label(&self) -> (Label, &[Family]) {
        match self {
            Self::Flow { label, families, .. } => (*label, families),
            Self::Row(row) => (row.table.labels[row.row], &row.table.families),
        }
    }
}

impl Row<'_> {
    pub(super) fn names(&self) -> Vec<String> {
        names(self.table)
    }

    pub(super) fn time_s(&self) -> Option<f64> {
        self.table.time_s.as_ref().map(|times| times[self.row])
    }

    /// The values in the order of the names.
    pub(super) fn values(&self) -> Vec<Value> {
        let (table, row) = (self.table, self.row);
        let mut values = Vec::new();
        values.extend(self.time_s().map(Value::Number));
        if let Some(ends) = &table.endpoints {
            values.push(Value::Text(ends.source[row].to_string()));
            values.push(Value::Text(ends.destination[row].to_string()));
            values.push(Value::Number(f64::from(ends.destination_port[row])));
        }
        for (numbers, column) in table.numeric.iter().zip(&table.schema.numeric) {
            let value = numbers.get(row);
            // Logarithms are kept short; undone they are a little beside the number that was read.
            let value = match column.transform {
                Transform::Identity => value,
                Transform::Log1p => rounded(Transform::Log1p.invert(value)),
            };
            values.push(if value.is_nan() { Value::Nothing } else { Value::Number(value) });
        }
        for (codes, values_of) in table.codes.iter().zip(&table.values) {
            let place = usize::from(codes[row]).checked_sub(1);
            values.push(place.map_or(Value::Nothing, |place| Value::Text(values_of[place].clone())));
        }
        values.push(match table.labels[row] {
            Label::Benign => Value::Text("benign".to_owned()),
            Label::Undecided => Value::Nothing,
            Label::Attack(id) => Value::Text(table.families[usize::from(id.0)].name.clone()),
        });
        values
    }
}

/// A number with six digits, of which more were lost.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn names(table: &Table) -> Vec<String> {
    let TableSchema { time, source, destination, destination_port, numeric, categorical, label, .. } = &*table.schema;
    let mut names: Vec<String> = time.iter().cloned().collect();
    if let (Some(source), Some(destination)) = (source, destination) {
        let port = destination_port.clone().unwrap_or_else(|| "destination_port".to_owned());
        names.extend([source.clone(), destination.clone(), port]);
    }
    names.extend(numeric.iter().map(|column| column.name.clone()));
    names.extend(categorical.iter().map(|column| column.name.clone()));
    names.push(label.column.clone());
    names
}

fn options(args: &FlowsArgs) -> anyhow::Result<ReadOptions> {
    let schema = match &args.schema {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            Some(TableSchema::from_yaml(&text).with_context(|| path.display().to_string())?)
        }
        None => None,
    };
    Ok(ReadOptions { schema, bad_rows_max: args.max_bad_rows, exported: args.exported, ..ReadOptions::default() })
}

/// Hands out what a file holds, until `take` has enough.
pub(super) fn each(
    file: &Path,
    args: &FlowsArgs,
    mut take: impl FnMut(Came<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<Ended> {
    let options = options(args)?;
    if options.schema.is_none() && file.is_file() {
        let name = file.display().to_string();
        let content = File::open(file).with_context(|| name.clone())?;
        match FlowReader::open(&name, content, &options) {
            Ok(reader) => return stream(reader, take),
            // What cannot be read as it comes is read as a whole.
            Err(ReadError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match open(file, &options)?.0 {
        Input::Flows(log) => {
            for (flow, label) in log.flows.iter().zip(&log.labels) {
                if !take(Came::Flow { flow, label: *label, families: &log.families })? {
                    break;
                }
            }
            Ok(Ended { format: log.format.to_string(), stats: log.stats, notes: Vec::new() })
        }
        Input::Table(table) => {
            for row in 0..table.rows() {
                if !take(Came::Row(Row { table: &table, row }))? {
                    break;
                }
            }
            let notes = table.left_out.iter().map(ToString::to_string).collect();
            Ok(Ended { format: format!("table `{}`", table.schema.name), stats: table.stats, notes })
        }
    }
}

fn stream(
    mut reader: FlowReader<File>,
    mut take: impl FnMut(Came<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<Ended> {
    while let Some(flow) = reader.next() {
        let flow = flow?;
        if !take(Came::Flow { flow: &flow.flow, label: flow.label, families: reader.families() })? {
            break;
        }
    }
    Ok(Ended { format: reader.format().to_string(), stats: reader.stats().clone(), notes: Vec::new() })
}

/// The columns of a file.
#[derive(Serialize)]
pub(super) struct Columns {
    pub(super) file: String,
    pub(super) format: String,
    pub(super) columns: Vec<Column>,
    pub(super) left_out: Vec<String>,
}

/// A column that is read.
#[derive(Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) unit: String,
}

/// The columns of a file: those of flows, with the features that are computed of them, or those of a table.
pub(super) fn columns(file: &Path, args: &FlowsArgs) -> anyhow::Result<Columns> {
    let column = |name: &str, kind, unit: &str| Column { name: name.to_owned(), kind, unit: unit.to_owned() };
    let (input, _) = open(file, &options(args)?)?;
    let name = file.display().to_string();
    Ok(match input {
        Input::Flows(log) => {
            let schema = flow_schema();
            let numeric = schema.numeric.iter().map(|feature| column(&feature.name, "feature, number", &feature.unit));
            let categorical = schema.categorical.iter().map(|feature| column(&feature.name, "feature, category", ""));
            let given = [("time", "s"), ("source", ""), ("destination", ""), ("destination_port", "")];
            let given = given.iter().map(|(name, unit)| column(name, "flow", unit));
            let columns = given.chain(numeric).chain(categorical).collect();
            Columns { file: name, format: log.format.to_string(), columns, left_out: Vec::new() }
        }
        Input::Table(table) => {
            let schema = &table.schema;
            let ends = [&schema.time, &schema.source, &schema.destination, &schema.destination_port];
            let kinds = ["time", "source", "destination", "destination port"];
            let ends = ends.into_iter().zip(kinds).filter_map(|(name, kind)| Some(column(name.as_ref()?, kind, "")));
            let numeric = schema.numeric.iter().map(|own| column(&own.name, "feature, number", &own.unit));
            let categorical = schema.categorical.iter().map(|own| column(&own.name, "feature, category", ""));
            let label = std::iter::once(column(&schema.label.column, "label", ""));
            let ignored = schema.ignored.iter().map(|name| column(name, "ignored", ""));
            let columns = ends.chain(numeric).chain(categorical).chain(label).chain(ignored).collect();
            let left_out = table.left_out.iter().map(ToString::to_string).collect();
            Columns { file: name, format: format!("table `{}`", schema.name), columns, left_out }
        }
    })
}
