//! Packet captures, turned into bidirectional flows while they are read.
//!
//! A flow is what one pair of addresses and ports exchanged by one transport protocol, seen from the side that began
//! it, in the terms of Zeek's `conn.log`; `docs/reference/inputs.md` has the rules for its ends, byte counts and states.
//!
//! The stream is cut into packets by [`pcap`] and [`pcapng`]: `pcap-file` 2.0 is as fast at that (13 ns a packet of 600
//! bytes), but refuses packets that were longer on the wire than the snap length, takes all times of the newer format
//! for nanoseconds, and keeps as many interfaces as a file describes. IP headers are read by `etherparse`.

#[cfg(test)]
mod baseline;
mod capture;
mod export;
mod fragment;
mod history;
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
use export::Exports;
use fragment::Fragments;
use history::History;
use link::{Content, Other};
use segment::{Decoded, decode};
use table::{Ended, FlowTable};

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
    exports: Exports,
    /// Of the flow handed out last.
    history: Option<History>,
    ended: bool,
}

impl<R: Read> Packets<R> {
    pub(super) fn open(bytes: Bytes<R>, format: Format, options: &ReadOptions) -> Result<Self, ReadError> {
        let capture = Capture::open(bytes, format == Format::PcapNg)?;
        let table = FlowTable::new(options.open_flows_max);
        let exports = Exports::new(options);
        Ok(Self { capture, fragments: Fragments::default(), table, exports, history: None, ended: false })
    }

    /// The next flow that is over; packets are counted as rows.
    pub(super) fn next_flow(&mut self, tally: &mut Tally) -> Result<Option<Flow>, ReadError> {
        loop {
            self.history = None;
            if let Some(flow) = self.exports.next_ready() {
                return Ok(Some(flow));
            }
            if let Some(Ended { flow, history }) = self.next_ended(tally)? {
                self.history = Some(history);
                return Ok(Some(flow));
            }
            if self.ended {
                return Ok(self.exports.next_left());
            }
        }
    }

    /// What happened in the flow handed out last, where it was TCP.
    pub(super) fn history(&self) -> Option<&str> {
        let letters = self.history.as_ref()?.letters();
        std::str::from_utf8(letters).ok().filter(|letters| !letters.is_empty())
    }

    /// The next flow of the packets themselves; `None` at the end, and where an export packet came first.
    fn next_ended(&mut self, tally: &mut Tally) -> Result<Option<Ended>, ReadError> {
        while !self.ended {
            if let Some(ended) = self.table.next_ended() {
                return Ok(Some(ended));
            }
            let ended = self.next_packet(tally)?;
            tally.stats.crowded_out = tally.stats.crowded_out.max(self.table.crowded_out);
            if ended.is_some() || self.exports.is_ready() {
                return Ok(ended);
            }
            if self.ended {
                self.exports.close(tally);
            }
        }
        Ok(self.table.next_open())
    }

    /// Counts one packet; a flow that had to end for it is handed out.
    fn next_packet(&mut self, tally: &mut Tally) -> Result<Option<Ended>, ReadError> {
        let number = self.capture.number() + 1;
        let flaw = match self.capture.next()? {
            Record::Packet(frame) => match decoded(&frame, &mut self.fragments) {
                Ok(Found::Ip(Decoded::Segment(segment))) => {
                    if self.exports.take(&segment, number, tally) {
                        return Ok(None);
                    }
                    tally.good();
                    return Ok(self.table.observe(&segment, frame.at_ns));
                }
                Ok(Found::Ip(Decoded::Stray)) => {
                    tally.other("fragment without its first");
                    return Ok(None);
                }
                Ok(Found::Other(other)) => {
                    tally.other(&other.name());
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

/// What a packet holds.
enum Found<'a> {
    Ip(Decoded<'a>),
    Other(Other),
}

/// Unpacks a frame.
#[inline]
fn decoded<'a>(frame: &Frame<'a>, fragments: &mut Fragments) -> Result<Found<'a>, Flaw> {
    match frame.link.content(frame.data) {
        Content::Ip(ip) => {
            let wire_bytes = frame.wire_bytes - (frame.data.len() - ip.len());
            decode(ip, wire_bytes, frame.at_ns, fragments).map(Found::Ip)
        }
        Content::Other(other) => Ok(Found::Other(other)),
        Content::Short => Err(Flaw::row("a whole link-layer header", format!("{} bytes", frame.data.len()))),
    }
}
