//! Export packets of NetFlow and IPFIX within a capture: told of, or read in place of the capture's own flows.

use etherparse::IpNumber;

use crate::Flow;

use super::super::ReadOptions;
use super::super::netflow::{Collector, is_whole};
use super::super::tally::Tally;
use super::segment::Segment;

/// What is done with export packets.
pub(super) enum Exports {
    /// They are packets like others; how many there were, and the port of the last.
    Counted { packets: u64, port: u16 },
    /// The flows that they tell of are read, and no others.
    Read(Box<Collector>),
}

impl Exports {
    pub(super) fn new(options: &ReadOptions) -> Self {
        if options.exported {
            Self::Read(Box::new(Collector::new(options.open_flows_max)))
        } else {
            Self::Counted { packets: 0, port: 0 }
        }
    }

    /// Takes in a packet, the `number`th; whether that is all that is to be done with it.
    #[inline]
    pub(super) fn take(&mut self, segment: &Segment<'_>, number: u64, tally: &mut Tally) -> bool {
        let whole = segment.payload.len() as u64 == segment.payload_bytes;
        let export = segment.protocol == IpNumber::UDP && whole && is_whole(segment.payload);
        match self {
            Self::Counted { packets, port } => {
                if export {
                    (*packets, *port) = (*packets + 1, segment.destination_port);
                }
                false
            }
            Self::Read(collector) => {
                if export {
                    collector.take(segment.payload, Some(segment.source), number, tally);
                } else {
                    tally.other("packet that exports nothing");
                }
                true
            }
        }
    }

    /// Whether a flow that an exporter told of waits to be taken.
    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        matches!(self, Self::Read(collector) if collector.is_ready())
    }

    /// A flow that an exporter told of.
    #[inline]
    pub(super) fn next_ready(&mut self) -> Option<Flow> {
        match self {
            Self::Counted { .. } => None,
            Self::Read(collector) => collector.next_ready(),
        }
    }

    /// A flow that an exporter told of, at the end of the capture.
    pub(super) fn next_left(&mut self) -> Option<Flow> {
        match self {
            Self::Counted { .. } => None,
            Self::Read(collector) => collector.next_ready().or_else(|| collector.next_left()),
        }
    }

    /// Says what there is to say at the end of the capture.
    pub(super) fn close(&self, tally: &mut Tally) {
        match self {
            Self::Counted { packets: 0, .. } => {}
            Self::Counted { packets, port } => tally.hint(format!(
                "the capture holds export packets of NetFlow or IPFIX ({packets}, the last to UDP port {port}): \
                 `--exported` reads the flows that they tell of in place of the packets"
            )),
            Self::Read(collector) => collector.close(tally),
        }
    }
}
