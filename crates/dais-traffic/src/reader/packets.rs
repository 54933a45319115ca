//! Packet captures, turned into bidirectional flows while they are read.
//!
//! A flow is what one pair of addresses and ports exchanged by one transport protocol, seen from the side that began
//! it, in the terms of Zeek's `conn.log`; `docs/reference/inputs.md` has the rules for its ends, byte counts and states.
//!
//! The stream is cut into packets by [`pcap`] and [`pcapng`]: `pcap-file` 2.0 is as fast at that (13 ns a packet of 600
//! bytes), but refuses packets that were longer on the wire than the snap length, takes all times of the newer format
//! for nanoseconds, and keeps as many interfaces as a file describes. IP headers are read by `etherparse`.

mod capture;
mod fragment;
mod icmp;
mod idle;
mod link;
mod open;
mod pcap;
mod pcapng;
mod segment;
mod service;
mod table;
mod tcp;

use std::io::Read;

use crate::Flow;

use super::bytes::Bytes;
use super::error::Flaw;
use super::tally::Tally;
use super::{Format, ReadError, ReadOptions};

use capture::{Capture, Frame, Record};
use fragment::Fragments;
use link::Content;
use segment::{Decoded, decode};
use table::FlowTable;

pub(super) use service::by_ports as service_by_port;

/// The format of a capture that begins with `head`.
pub(super) fn recognise(head: &[u8]) -> Option<Format> {
    if pcap::recognises(head) { Some(Format::Pcap) } else { pcapng::recognises(head).then_some(Format::PcapNg) }
}

/// The flows of a capture, in the order of their ends.
pub(super) struct Packets<R> {
    capture: Capture<R>,
    fragments: Fragments,
    table: FlowTable,
    ended: bool,
}

impl<R: Read> Packets<R> {
    pub(super) fn open(bytes: Bytes<R>, format: Format, options: &ReadOptions) -> Result<Self, ReadError> {
        let capture = Capture::open(bytes, format == Format::PcapNg)?;
        let table = FlowTable::new(options.open_flows_max);
        Ok(Self { capture, fragments: Fragments::default(), table, ended: false })
    }

    /// The next flow that is over; packets are counted as rows.
    pub(super) fn next_flow(&mut self, tally: &mut Tally) -> Result<Option<Flow>, ReadError> {
        while !self.ended {
            if let Some(flow) = self.table.next_ended() {
                return Ok(Some(flow));
            }
            let flow = self.next_packet(tally)?;
            tally.stats.crowded_out = self.table.crowded_out;
            if flow.is_some() {
                return Ok(flow);
            }
        }
        Ok(self.table.next_open())
    }

    /// Counts one packet; a flow that had to end for it is handed out.
    fn next_packet(&mut self, tally: &mut Tally) -> Result<Option<Flow>, ReadError> {
        let number = self.capture.number() + 1;
        let flaw = match self.capture.next()? {
            Record::Packet(frame) => match decoded(&frame, &mut self.fragments) {
                Ok(Some(Decoded::Segment(segment))) => {
                    tally.good();
                    return Ok(self.table.observe(&segment, frame.at_ns));
                }
                Ok(Some(Decoded::Stray) | None) => {
                    tally.stats.other_records += 1;
                    return Ok(None);
                }
                Err(flaw) => flaw,
            },
            Record::Broken(flaw) => flaw,
            Record::Cut(flaw) => {
                self.ended = true;
                tally.excuse(number, flaw);
                return Ok(None);
            }
            Record::End => {
                self.ended = true;
                return Ok(None);
            }
        };
        tally.bad(number, flaw)?;
        Ok(None)
    }
}

/// What a packet holds; `None` where that is no IP.
#[inline]
fn decoded<'a>(frame: &Frame<'a>, fragments: &mut Fragments) -> Result<Option<Decoded<'a>>, Flaw> {
    let Some(link) = frame.link else { return Ok(None) };
    match link.content(frame.data) {
        Content::Ip(ip) => {
            let wire_bytes = frame.wire_bytes - (frame.data.len() - ip.len());
            decode(ip, wire_bytes, frame.at_ns, fragments).map(Some)
        }
        Content::Other => Ok(None),
        Content::Short => Err(Flaw::row("a whole link-layer header", format!("{} bytes", frame.data.len()))),
    }
}
