//! How many flows there are of each kind.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::input::Came;
use super::summary::label_name;
use crate::args::flows::Field;
use crate::screen::figure::{count, percent};
use crate::screen::table::Table;

/// Most kinds that are told apart; flows of others are counted together.
const KINDS_MAX: usize = 1_000_000;

/// Flows by the values of some fields.
pub(super) struct Counts<'a> {
    fields: &'a [Field],
    by_values: BTreeMap<Vec<String>, [u64; 3]>,
    /// Flows of kinds that came when there were too many.
    rest: u64,
    flows: u64,
}

impl<'a> Counts<'a> {
    pub(super) fn new(fields: &'a [Field]) -> Self {
        Self { fields, by_values: BTreeMap::new(), rest: 0, flows: 0 }
    }

    pub(super) fn count(&mut self, came: &Came<'_>) {
        self.flows += 1;
        let values: Vec<String> = self.fields.iter().map(|field| value(*field, came)).collect();
        let (packets, bytes) = match came {
            Came::Flow { flow, .. } => {
                (flow.packets_out.saturating_add(flow.packets_in), flow.bytes_out.saturating_add(flow.bytes_in))
            }
            Came::Row(_) => (0, 0),
        };
        if self.by_values.len() >= KINDS_MAX && !self.by_values.contains_key(&values) {
            self.rest += 1;
            return;
        }
        let [flows, all_packets, all_bytes] = self.by_values.entry(values).or_default();
        (*flows, *all_packets) = (*flows + 1, all_packets.saturating_add(packets));
        *all_bytes = all_bytes.saturating_add(bytes);
    }

    /// The most common kinds.
    fn top(&self, limit: usize) -> Vec<(&Vec<String>, &[u64; 3])> {
        let mut order: Vec<_> = self.by_values.iter().collect();
        order.sort_by_key(|&(values, [flows, ..])| (Reverse(*flows), values));
        order.truncate(limit);
        order
    }

    pub(super) fn text(&self, limit: usize) -> String {
        let mut table = Table::new(self.fields.len());
        let names = self.fields.iter().map(|field| name(*field).to_owned());
        table.row(names.chain(["flows", "share", "packets", "bytes"].map(str::to_owned)));
        for (values, [flows, packets, bytes]) in self.top(limit) {
            let share = percent(Some(*flows as f64 / self.flows as f64));
            let values = values.iter().map(|value| value.escape_debug().to_string());
            table.row(values.chain([count(*flows), share, count(*packets), count(*bytes)]));
        }
        let more = self.by_values.len().saturating_sub(limit);
        let mut text = table.lines().join("\n") + "\n";
        if more > 0 || self.rest > 0 {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  and {} more", count(more as u64 + self.rest));
        }
        text
    }

    pub(super) fn json(&self, limit: usize) -> anyhow::Result<String> {
        let counts = self.top(limit).into_iter().map(|(values, [flows, packets, bytes])| {
            let mut object: Map<String, Value> =
                self.fields.iter().zip(values).map(|(field, value)| (name(*field).to_owned(), json!(value))).collect();
            object.extend(
                [("flows", flows), ("packets", packets), ("bytes", bytes)].map(|(k, v)| (k.to_owned(), json!(v))),
            );
            Value::Object(object)
        });
        let counts: Vec<Value> = counts.collect();
        let all = json!({ "flows": self.flows, "kinds": self.by_values.len(), "counts": counts });
        Ok(serde_json::to_string_pretty(&all)? + "\n")
    }
}

fn name(field: Field) -> &'static str {
    match field {
        Field::Source => "source",
        Field::Destination => "destination",
        Field::Port => "port",
        Field::Protocol => "protocol",
        Field::Service => "service",
        Field::State => "state",
        Field::Label => "label",
    }
}

fn value(field: Field, came: &Came<'_>) -> String {
    if field == Field::Label {
        let (label, families) = came.label();
        return label_name(label, families).to_owned();
    }
    let Came::Flow { flow, .. } = came else { return String::new() };
    match field {
        Field::Source => flow.source.to_string(),
        Field::Destination => flow.destination.to_string(),
        Field::Port => flow.destination_port.to_string(),
        Field::Protocol => flow.protocol.name().to_owned(),
        Field::Service => flow.service.name().to_owned(),
        Field::State => flow.state.name().to_owned(),
        Field::Label => String::new(),
    }
}
