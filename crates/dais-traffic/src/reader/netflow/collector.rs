//! Where export packets come together: exporters, pairs of directions, connections of firewalls, sampling.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::Flow;

use super::super::error::Flaw;
use super::super::tally::Tally;
use super::datagram::Source;
use super::draft::{Draft, Export};
use super::event::{Connections, Event};
use super::exporter::{Exporter, Hearer, Loss};
use super::pair::Pairs;
use super::record::Record;
use super::sampling::{Multiplied, Rate};

/// Most exporters and observation domains whose templates are kept.
const SOURCES_MAX: usize = 256;

/// Makes flows of export packets.
pub(in crate::reader) struct Collector {
    exporters: BTreeMap<(Option<IpAddr>, Source), Exporter>,
    flows: Flows,
}

/// Makes flows of records.
struct Flows {
    pairs: Pairs,
    connections: Connections,
    multiplied: Multiplied,
    ready: VecDeque<Flow>,
}

impl Collector {
    /// At most `waiting_max` records wait for their other direction, and as many connections for their end.
    pub(in crate::reader) fn new(waiting_max: usize) -> Self {
        let (pairs, connections) = (Pairs::new(waiting_max), Connections::new(waiting_max));
        let flows = Flows { pairs, connections, multiplied: Multiplied::default(), ready: VecDeque::new() };
        Self { exporters: BTreeMap::new(), flows }
    }

    /// Takes in an export packet, the `number`th, which came from an address if that is known.
    pub(in crate::reader) fn take(&mut self, packet: &[u8], from: Option<IpAddr>, number: u64, tally: &mut Tally) {
        let source = Source::of(packet);
        let full = self.exporters.len() == SOURCES_MAX && !self.exporters.contains_key(&(from, source));
        if full {
            let found = format!("another, with id {}", source.id);
            return tally.excuse(number, Flaw::row("at most 256 exporters and observation domains", found));
        }
        let exporter = self.exporters.entry((from, source)).or_default();
        exporter.read(packet, &mut Heard { flows: &mut self.flows, number, tally });
        tally.stats.crowded_out = self.flows.pairs.crowded_out + self.flows.connections.crowded_out;
    }

    /// Whether there is a flow to be taken.
    pub(in crate::reader) fn is_ready(&self) -> bool {
        !self.flows.ready.is_empty()
    }

    /// A flow that has met its other direction or waited long enough for it.
    pub(in crate::reader) fn next_ready(&mut self) -> Option<Flow> {
        self.flows.ready.pop_front()
    }

    /// A flow that met no other direction, or no end, when there are no more export packets.
    pub(in crate::reader) fn next_left(&mut self) -> Option<Flow> {
        let Flows { pairs, connections, .. } = &mut self.flows;
        pairs.next_left().or_else(|| connections.next_left().map(|record| record.flow()))
    }

    /// Says what there is to say about all export packets.
    pub(in crate::reader) fn close(&self, tally: &mut Tally) {
        for hint in self.flows.multiplied.hints() {
            tally.hint(hint);
        }
    }
}

/// What hears the records of one export packet.
struct Heard<'a> {
    flows: &'a mut Flows,
    number: u64,
    tally: &'a mut Tally,
}

impl Hearer for Heard<'_> {
    fn record(&mut self, mut draft: Draft, rate: Option<Rate>, export: Export) {
        draft.settle(export);
        let Some(mut record) = Record::of(&draft, export.now_ms) else {
            return self.tally.other("record without addresses");
        };
        match rate {
            Some(rate) if rate.is_partial() && draft.counted => {
                record.multiply(rate);
                self.flows.multiplied.count(rate);
            }
            Some(_) | None => {}
        }
        if let Some(event) = draft.firewall_event.and_then(Event::of) {
            return self.event(event, record, &draft);
        }
        if !draft.counted {
            let kind = match draft {
                Draft { nat_event: Some(_), .. } => "NAT event",
                Draft { firewall_event: Some(_), .. } => "firewall event",
                _ => "record without counts",
            };
            return self.tally.other(kind);
        }
        if !record.is_counted() && record.source.0.is_unspecified() && record.destination.0.is_unspecified() {
            return self.tally.other("empty record");
        }
        self.tally.good();
        self.flows.pairs.add(record, export.now_ms, &mut self.flows.ready);
    }

    fn options(&mut self) {
        self.tally.other("options");
    }

    fn late(&mut self, records: u64) {
        self.flows.multiplied.before += records;
    }

    fn loss(&mut self, loss: Loss) {
        let Loss { expected, found, .. } = loss;
        self.tally.excuse(self.number, Flaw::row(expected, found));
    }
}

impl Heard<'_> {
    /// An event of a firewall; only that which ends a connection is a flow.
    fn event(&mut self, event: Event, record: Record, draft: &Draft) {
        if matches!(event, Event::Created | Event::Updated) {
            self.tally.other("firewall event");
        }
        let now_ms = record.last_ms;
        let Some(ended) = self.flows.connections.take(event, record, draft.connection) else { return };
        if event == Event::Deleted && !ended.is_counted() {
            return self.tally.other("firewall event");
        }
        self.tally.good();
        if event == Event::Deleted && draft.counted {
            self.flows.pairs.add(ended, now_ms, &mut self.flows.ready);
        } else {
            self.flows.ready.push_back(ended.flow());
        }
    }
}
