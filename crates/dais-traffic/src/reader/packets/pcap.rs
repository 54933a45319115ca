//! The records of a classic capture file, in either byte order, with times in micro- or nanoseconds.
//!
//! Format: <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/>.

use std::io::Read;

use super::super::error::{Flaw, ReadError};
use super::super::window::{ByteOrder, Window};
use super::capture::{Frame, PACKET_BYTES_MAX, Record, cut, damaged};
use super::link::Link;

const HEADER_BYTES: usize = 24;
const RECORD_BYTES: usize = 16;
const SECOND_NS: u64 = 1_000_000_000;

/// Byte order and nanoseconds a tick, by the first four bytes.
fn layout(head: &[u8]) -> Option<(ByteOrder, u64)> {
    match head.first_chunk()? {
        [0xd4, 0xc3, 0xb2, 0xa1] => Some((ByteOrder::Little, 1_000)),
        [0xa1, 0xb2, 0xc3, 0xd4] => Some((ByteOrder::Big, 1_000)),
        [0x4d, 0x3c, 0xb2, 0xa1] => Some((ByteOrder::Little, 1)),
        [0xa1, 0xb2, 0x3c, 0x4d] => Some((ByteOrder::Big, 1)),
        _ => None,
    }
}

/// Whether a file that begins like this is a classic capture.
pub(super) fn recognises(head: &[u8]) -> bool {
    layout(head).is_some()
}

/// What the header said.
pub(super) struct Pcap {
    order: ByteOrder,
    tick_ns: u64,
    link: Link,
}

impl Pcap {
    /// Reads the header.
    pub(super) fn open<R: Read>(window: &mut Window<R>) -> Result<Self, ReadError> {
        let Some((order, tick_ns)) = layout(window.unused()) else {
            return Err(damaged(window, 0, "it does not begin as one"));
        };
        if !window.has(HEADER_BYTES, 0)? {
            return Err(damaged(window, 0, "it ends within its header"));
        }
        let header = window.take(HEADER_BYTES);
        // The upper bits tell of check sums behind the packets, which nobody here looks at.
        let link_type = order.u32(header, 20) as u16;
        let link = Link::of(link_type);
        if let Link::Unknown(link_type) = link {
            return Err(ReadError::LinkType { file: window.file().to_owned(), link_type });
        }
        Ok(Self { order, tick_ns, link })
    }

    #[inline]
    pub(super) fn next<'w, R: Read>(
        &self,
        window: &'w mut Window<R>,
        packets: &mut u64,
    ) -> Result<Record<'w>, ReadError> {
        if !window.has(RECORD_BYTES, *packets)? {
            let there = window.unused().len();
            return Ok(if there == 0 { Record::End } else { self.cut(window, packets) });
        }
        let header = window.unused();
        let [seconds, fraction, captured, wire] = [0, 4, 8, 12].map(|at| self.order.u32(header, at));
        let captured = captured as usize;
        if captured > PACKET_BYTES_MAX {
            let why = format!("it claims {captured} bytes, more than a packet can have");
            return Err(damaged(window, *packets + 1, why));
        }
        if !window.has(RECORD_BYTES + captured, *packets)? {
            return Ok(self.cut(window, packets));
        }
        *packets += 1;
        let data = &window.take(RECORD_BYTES + captured)[RECORD_BYTES..];
        let fraction_ns = u64::from(fraction) * self.tick_ns;
        if fraction_ns >= SECOND_NS {
            return Ok(Record::Broken(Flaw::row(
                "a time with a fraction below one second",
                format!("{fraction_ns} ns"),
            )));
        }
        let at_ns = u64::from(seconds) * SECOND_NS + fraction_ns;
        Ok(Record::Packet(Frame { at_ns, link: self.link, wire_bytes: data.len().max(wire as usize), data }))
    }

    fn cut<'w, R: Read>(&self, window: &'w mut Window<R>, packets: &mut u64) -> Record<'w> {
        *packets += 1;
        let there = window.unused().len();
        let claimed = self.order.u32(window.unused(), 8);
        window.take(there);
        let expected = if there < RECORD_BYTES {
            "the header of a packet, 16 bytes".to_owned()
        } else {
            format!("a packet of {claimed} bytes behind its header of 16")
        };
        Record::Cut(cut(&expected, there))
    }
}
