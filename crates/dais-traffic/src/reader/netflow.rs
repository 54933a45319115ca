//! Export packets of NetFlow (versions 5 and 9) and IPFIX, put one after another in a file or pipe.
//!
//! That is what an IPFIX file is (RFC 5655), and what `nc -lu` writes of the packets of an exporter. Records of one
//! direction are paired to bidirectional flows; `docs/reference/inputs.md` has the rules. Export packets are understood
//! by `netflow_parser`, one parser for each exporter and observation domain, whose templates are their own.

mod datagram;
mod pair;
mod record;

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;

use netflow_parser::variable_versions::{ipfix, v9};
use netflow_parser::{NetflowPacket, NetflowParser};

use crate::Flow;

use super::bytes::Bytes;
use super::error::Flaw;
use super::tally::Tally;
use super::window::Window;
use super::{ReadError, ReadOptions};

use datagram::Source;
use pair::Pairs;
use record::{Record, Uptime};

/// Most exporters and observation domains whose templates are kept.
const SOURCES_MAX: usize = 256;

/// Whether a file that begins like this holds export packets.
pub(super) fn recognises(head: &[u8]) -> bool {
    datagram::recognises(head)
}

/// The flows of a stream of export packets.
pub(super) struct NetFlow<R> {
    window: Window<R>,
    parsers: BTreeMap<Source, NetflowParser>,
    pairs: Pairs,
    ready: VecDeque<Flow>,
    /// Export packets so far.
    packets: u64,
    ended: bool,
}

impl<R: Read> NetFlow<R> {
    pub(super) fn new(bytes: Bytes<R>, options: &ReadOptions) -> Self {
        Self {
            window: Window::new(bytes),
            parsers: BTreeMap::new(),
            pairs: Pairs::new(options.open_flows_max),
            ready: VecDeque::new(),
            packets: 0,
            ended: false,
        }
    }

    /// The next flow that has met its other direction or waited long enough for it; records are counted as rows.
    pub(super) fn next_flow(&mut self, tally: &mut Tally) -> Result<Option<Flow>, ReadError> {
        loop {
            if let Some(flow) = self.ready.pop_front() {
                return Ok(Some(flow));
            }
            if self.ended {
                return Ok(self.pairs.next_left());
            }
            self.next_packet(tally)?;
            tally.stats.crowded_out = self.pairs.crowded_out;
        }
    }

    fn next_packet(&mut self, tally: &mut Tally) -> Result<(), ReadError> {
        let number = self.packets + 1;
        let Some(length) = datagram::length(&mut self.window, self.packets)? else {
            self.ended = true;
            let there = self.window.unused().len();
            if there > 0 {
                let found = format!("the last {there} bytes");
                tally.excuse(number, Flaw::row("a whole export packet: the stream was cut off here", found));
            }
            return Ok(());
        };
        self.packets = number;
        let bytes = self.window.take(length);
        let source = Source::of(bytes);
        if self.parsers.len() == SOURCES_MAX && !self.parsers.contains_key(&source) {
            let found = format!("another, with id {}", source.id);
            return tally.bad(number, Flaw::row("at most 256 exporters and observation domains", found));
        }
        let result = self.parsers.entry(source).or_default().parse_bytes(bytes);
        for packet in &result.packets {
            read(packet, number, tally, |record, export_ms| self.pairs.add(record, export_ms, &mut self.ready));
        }
        result.error.map_or(Ok(()), |error| tally.bad(number, Flaw::row("a sound export packet", error.to_string())))
    }
}

/// Hands on the records of an export packet, each with the time of its export in milliseconds since 1970.
fn read(packet: &NetflowPacket, number: u64, tally: &mut Tally, mut take: impl FnMut(Record, i64)) {
    let no_template = |tally: &mut Tally, id: u16| {
        tally
            .excuse(number, Flaw::row(format!("template {id} before its data"), "data that cannot be read without it"));
    };
    let mut count = |tally: &mut Tally, record: Option<Record>, export_ms| {
        if let Some(record) = record {
            tally.good();
            take(record, export_ms);
        } else {
            tally.stats.other_records += 1;
        }
    };
    if let NetflowPacket::V5(packet) = packet {
        let header = &packet.header;
        let now_ms = i64::from(header.unix_secs) * 1_000 + i64::from(header.unix_nsecs / 1_000_000);
        let uptime = Uptime { now_ms, up_ms: header.sys_up_time };
        packet.flowsets.iter().for_each(|flow| count(tally, Some(Record::version_5(flow, uptime)), now_ms));
    } else if let NetflowPacket::V9(packet) = packet {
        let now_ms = i64::from(packet.header.unix_secs) * 1_000;
        let uptime = Uptime { now_ms, up_ms: packet.header.sys_up_time };
        for set in &packet.flowsets {
            if let v9::FlowSetBody::Data(data) = &set.body {
                data.fields.iter().for_each(|fields| count(tally, Record::version_9(fields, uptime), now_ms));
            } else if let v9::FlowSetBody::OptionsData(_) = &set.body {
                tally.stats.other_records += 1;
            } else if let v9::FlowSetBody::NoTemplate(data) = &set.body {
                no_template(tally, data.template_id);
            }
        }
    } else if let NetflowPacket::IPFix(packet) = packet {
        let now_ms = i64::from(packet.header.export_time) * 1_000;
        for set in &packet.flowsets {
            if let ipfix::FlowSetBody::Data(data) = &set.body {
                data.fields.iter().for_each(|fields| count(tally, Record::ipfix(fields, now_ms), now_ms));
            } else if let ipfix::FlowSetBody::OptionsData(_) = &set.body {
                tally.stats.other_records += 1;
            } else if let ipfix::FlowSetBody::NoTemplate(data) = &set.body {
                no_template(tally, data.template_id);
            }
        }
    }
}
