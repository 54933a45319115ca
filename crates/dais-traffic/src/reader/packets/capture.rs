//! Packets of a capture one by one, whichever of the two file formats it has.

use std::io::Read;

use super::super::bytes::Bytes;
use super::super::error::{Flaw, ReadError};
use super::super::window::Window;
use super::link::Link;
use super::pcap::Pcap;
use super::pcapng::PcapNg;

/// Most bytes of one packet that a capture may hold, as `tcpdump` and Wireshark have it.
pub(super) const PACKET_BYTES_MAX: usize = 256 << 10;

/// One packet as it was captured.
pub(super) struct Frame<'a> {
    /// Nanoseconds since 1970.
    pub(super) at_ns: u64,
    /// What the packet begins with.
    pub(super) link: Link,
    /// Bytes that the packet had on the wire; at least those that are here.
    pub(super) wire_bytes: usize,
    pub(super) data: &'a [u8],
}

/// What comes next in a capture.
pub(super) enum Record<'a> {
    Packet(Frame<'a>),
    /// A packet that cannot be used; the next one can be found.
    Broken(Flaw),
    /// The capture ends in the middle of a record.
    Cut(Flaw),
    End,
}

enum Framing {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// The records of a capture.
pub(super) struct Capture<R> {
    window: Window<R>,
    framing: Framing,
    /// Packets so far, the broken ones included.
    packets: u64,
}

impl<R: Read> Capture<R> {
    /// Reads what a capture begins with.
    pub(super) fn open(bytes: Bytes<R>, next_generation: bool) -> Result<Self, ReadError> {
        let mut window = Window::new(bytes);
        let framing =
            if next_generation { Framing::PcapNg(PcapNg::default()) } else { Framing::Pcap(Pcap::open(&mut window)?) };
        Ok(Self { window, framing, packets: 0 })
    }

    /// Number of the packet handed out last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.packets
    }

    /// The next packet.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Record<'_>, ReadError> {
        match &mut self.framing {
            Framing::Pcap(pcap) => pcap.next(&mut self.window, &mut self.packets),
            Framing::PcapNg(pcapng) => pcapng.next(&mut self.window, &mut self.packets),
        }
    }
}

/// A capture whose records can no longer be told apart.
pub(super) fn damaged<R: Read>(window: &Window<R>, packet: u64, why: impl Into<String>) -> ReadError {
    ReadError::Damaged { file: window.file().to_owned(), packet, why: why.into() }
}

/// What is said of the record in which a capture was cut off.
pub(super) fn cut(expected: &str, found: usize) -> Flaw {
    Flaw::row(format!("{expected}: the capture was cut off here"), format!("the last {found} bytes"))
}
