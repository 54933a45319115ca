//! Export packets of NetFlow (versions 5 and 9) and IPFIX, put one after another in a file or pipe, or in a capture.
//!
//! The former is what an IPFIX file is (RFC 5655), and what `nc -lu` writes of the packets of an exporter. Records of one
//! direction are paired to bidirectional flows; `docs/reference/inputs.md` has the rules. Packets are read by the
//! templates that came before them (RFC 3954, RFC 7011), those of each exporter and observation domain apart. What no
//! template tells to read is counted and named, and so is each byte that cannot be read.

mod collector;
mod datagram;
mod direction;
mod draft;
mod element;
mod event;
mod exporter;
mod pair;
mod record;
mod sampling;
mod template;

use std::io::Read;

use crate::Flow;

use super::bytes::Bytes;
use super::error::Flaw;
use super::tally::Tally;
use super::window::Window;
use super::{ReadError, ReadOptions};

pub(in crate::reader) use collector::Collector;
pub(in crate::reader) use datagram::{is_whole, recognises};

use datagram::Next;

/// The flows of a stream of export packets.
pub(super) struct NetFlow<R> {
    window: Window<R>,
    collector: Collector,
    /// Export packets so far.
    packets: u64,
    /// Bytes before the next export packet that are none, and not only zeros.
    strange: u64,
    ended: bool,
}

impl<R: Read> NetFlow<R> {
    pub(super) fn new(bytes: Bytes<R>, options: &ReadOptions) -> Self {
        let collector = Collector::new(options.open_flows_max);
        Self { window: Window::new(bytes), collector, packets: 0, strange: 0, ended: false }
    }

    /// The next flow that has met its other direction or waited long enough for it; records are counted as rows.
    pub(super) fn next_flow(&mut self, tally: &mut Tally) -> Result<Option<Flow>, ReadError> {
        loop {
            if let Some(flow) = self.collector.next_ready() {
                return Ok(Some(flow));
            }
            if self.ended {
                return Ok(self.collector.next_left());
            }
            self.next_packet(tally)?;
        }
    }

    fn next_packet(&mut self, tally: &mut Tally) -> Result<(), ReadError> {
        let next = datagram::next(&mut self.window, self.packets)?;
        if let Next::Strange(bytes) = next {
            self.strange += bytes as u64;
            self.window.take(bytes);
            return Ok(());
        }
        if self.strange > 0 && !matches!(next, Next::Zeros(_)) {
            let found = format!("{} bytes of something else", self.strange);
            tally.excuse(self.packets + 1, Flaw::row("an export packet of version 5, 9 or 10", found));
            self.strange = 0;
        }
        match next {
            Next::Packet(length) => {
                self.packets += 1;
                self.collector.take(self.window.take(length), None, self.packets, tally);
            }
            Next::Zeros(bytes) => {
                self.window.take(bytes);
            }
            Next::Cut(bytes) => {
                let found = format!("the last {bytes} bytes");
                tally.excuse(self.packets + 1, Flaw::row("a whole export packet: the stream was cut off here", found));
                self.window.take(bytes);
            }
            Next::End => {
                self.ended = true;
                self.collector.close(tally);
            }
            Next::Strange(_) => {}
        }
        Ok(())
    }
}
