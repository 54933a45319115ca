//! The blocks of a capture file of the next generation: sections, interfaces, packets.
//!
//! Blocks of other kinds are passed over at any length. Format:
//! <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/>.

use std::io::Read;

use super::super::error::{Flaw, ReadError};
use super::super::window::{ByteOrder, Window};
use super::capture::{Frame, PACKET_BYTES_MAX, Record, cut, damaged};
use super::link::Link;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type and length before a block, and the length again behind it.
const FRAME_BYTES: usize = 12;
/// Longest block whose content is looked at.
const BLOCK_BYTES_MAX: usize = 16 << 20;
/// Most interfaces of one section.
const INTERFACES_MAX: usize = 1 << 16;

/// Whether a file that begins like this is a capture of the next generation.
pub(super) fn recognises(head: &[u8]) -> bool {
    head.starts_with(&SECTION.to_be_bytes()) && head.get(8..).and_then(order).is_some()
}

fn order(magic: &[u8]) -> Option<ByteOrder> {
    match magic.first_chunk()? {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(ByteOrder::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(ByteOrder::Big),
        _ => None,
    }
}

/// Where the packets of an interface come from and how their times count.
#[derive(Clone, Copy)]
struct Interface {
    link: Link,
    /// Most bytes of a packet that are kept; 0 for all.
    snap_bytes: usize,
    resolution: Resolution,
    /// Seconds to be added to every time.
    offset_s: i64,
}

/// Length of a tick.
#[derive(Clone, Copy)]
enum Resolution {
    /// So many nanoseconds.
    Whole(u64),
    /// A second divided by this, where that is no whole number of nanoseconds.
    Part(u128),
}

impl Resolution {
    /// By the option `if_tsresol`; `None` where the tick is shorter than can be counted.
    fn of(option: u8) -> Option<Self> {
        let exponent = u32::from(option & 0x7f);
        let per_second = if option & 0x80 == 0 { 10_u128.checked_pow(exponent) } else { 1_u128.checked_shl(exponent) }?;
        let whole = 1_000_000_000 / per_second;
        Some(if whole * per_second == 1_000_000_000 { Self::Whole(whole as u64) } else { Self::Part(per_second) })
    }

    fn nanoseconds(self, ticks: u64) -> Option<u64> {
        match self {
            Self::Whole(tick) => ticks.checked_mul(tick),
            Self::Part(per_second) => u64::try_from(u128::from(ticks) * 1_000_000_000 / per_second).ok(),
        }
    }
}

/// The section at hand.
#[derive(Default)]
pub(super) struct PcapNg {
    order: Option<ByteOrder>,
    interfaces: Vec<Interface>,
    /// Time of the packet before, for packets that have none.
    last_ns: u64,
}

/// Where in a block a packet lies, and when it came.
struct Place {
    interface: u32,
    /// Ticks of the interface; `None` where the block has no time.
    ticks: Option<u64>,
    first: usize,
    captured: usize,
    wire: usize,
}

impl PcapNg {
    #[inline]
    pub(super) fn next<'w, R: Read>(
        &mut self,
        window: &'w mut Window<R>,
        packets: &mut u64,
    ) -> Result<Record<'w>, ReadError> {
        loop {
            if !window.has(FRAME_BYTES, *packets)? {
                return Ok(if window.unused().is_empty() { Record::End } else { Self::cut(window, packets) });
            }
            let (order, kind, length) = self.frame(window, *packets)?;
            let is_packet = matches!(kind, OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
            if !is_packet && kind != SECTION && kind != INTERFACE {
                if !window.skip(length as u64, *packets)? {
                    return Ok(Self::cut(window, packets));
                }
                continue;
            }
            if length > BLOCK_BYTES_MAX {
                return Err(damaged(window, *packets + 1, format!("a block claims {length} bytes")));
            }
            if !window.has(length, *packets)? {
                return Ok(Self::cut(window, packets));
            }
            if order.u32(window.unused(), length - 4) as usize != length {
                return Err(damaged(window, *packets + 1, "a block has two lengths that differ"));
            }
            if !is_packet {
                self.describe(window, order, kind, length, *packets)?;
                continue;
            }
            *packets += 1;
            let body = &window.take(length)[8..length - 4];
            return Ok(self.packet(order, kind, body));
        }
    }

    /// Byte order, kind and length of the block that comes next.
    fn frame<R: Read>(&mut self, window: &Window<R>, packets: u64) -> Result<(ByteOrder, u32, usize), ReadError> {
        let head = window.unused();
        if head.starts_with(&SECTION.to_be_bytes()) {
            let order =
                order(&head[8..]).ok_or_else(|| damaged(window, packets + 1, "a section without byte order"))?;
            self.order = Some(order);
        }
        let Some(order) = self.order else { return Err(damaged(window, 0, "it does not begin with a section")) };
        let (kind, length) = (order.u32(head, 0), order.u32(head, 4) as usize);
        if length < FRAME_BYTES || length % 4 != 0 {
            return Err(damaged(window, packets + 1, format!("a block claims {length} bytes")));
        }
        Ok((order, kind, length))
    }

    /// Takes in the header of a section or the description of an interface.
    fn describe<R: Read>(
        &mut self,
        window: &mut Window<R>,
        order: ByteOrder,
        kind: u32,
        length: usize,
        packets: u64,
    ) -> Result<(), ReadError> {
        if kind == SECTION {
            self.interfaces.clear();
        } else if self.interfaces.len() == INTERFACES_MAX {
            return Err(damaged(window, packets + 1, "it describes more than 65,536 interfaces"));
        } else {
            self.interfaces.push(interface(order, &window.unused()[8..length - 4]));
        }
        window.take(length);
        Ok(())
    }

    #[inline]
    fn packet<'w>(&mut self, order: ByteOrder, kind: u32, body: &'w [u8]) -> Record<'w> {
        let Some(place) = self.place(order, kind, body) else {
            return Record::Broken(Flaw::row("a block that holds a packet", format!("{} bytes", body.len())));
        };
        let Some(interface) = self.interfaces.get(place.interface as usize) else {
            let expected = format!("one of the {} interfaces described so far", self.interfaces.len());
            return Record::Broken(Flaw::row(expected, format!("interface {}", place.interface)));
        };
        let Some(data) = body.get(place.first..).and_then(|rest| rest.get(..place.captured)) else {
            let expected = format!("a packet of {} bytes", place.captured);
            return Record::Broken(Flaw::row(expected, format!("a block of {}", body.len())));
        };
        if data.len() > PACKET_BYTES_MAX {
            return Record::Broken(Flaw::row("a packet of at most 262144 bytes", data.len().to_string()));
        }
        if let Some(ticks) = place.ticks {
            let offset_ns = i128::from(interface.offset_s) * 1_000_000_000;
            let since_1970 = interface.resolution.nanoseconds(ticks).map(|ns| i128::from(ns) + offset_ns);
            let Some(at_ns) = since_1970.and_then(|ns| u64::try_from(ns).ok()) else {
                return Record::Broken(Flaw::row("a time from 1970 to 2554", format!("{ticks} ticks")));
            };
            self.last_ns = at_ns;
        }
        let wire_bytes = data.len().max(place.wire);
        Record::Packet(Frame { at_ns: self.last_ns, link: interface.link, wire_bytes, data })
    }

    /// `None` where the block is too short to say.
    #[inline]
    fn place(&self, order: ByteOrder, kind: u32, body: &[u8]) -> Option<Place> {
        let word = |at| order.u32(body, at);
        if kind == SIMPLE_PACKET {
            let snap_bytes = self.interfaces.first().map_or(0, |interface| interface.snap_bytes);
            let wire = word(0) as usize;
            let kept = if snap_bytes == 0 { wire } else { wire.min(snap_bytes) };
            return (body.len() >= 4).then_some(Place { interface: 0, ticks: None, first: 4, captured: kept, wire });
        }
        let interface = if kind == OLD_PACKET { u32::from(order.u16(body, 0)) } else { word(0) };
        let ticks = Some(u64::from(word(4)) << 32 | u64::from(word(8)));
        let (captured, wire) = (word(12) as usize, word(16) as usize);
        (body.len() >= 20).then_some(Place { interface, ticks, first: 20, captured, wire })
    }

    fn cut<'w, R: Read>(window: &'w mut Window<R>, packets: &mut u64) -> Record<'w> {
        *packets += 1;
        let there = window.unused().len();
        window.take(there);
        Record::Cut(cut("a whole block", there))
    }
}

/// An interface by its description; what is not said is as the format has it.
fn interface(order: ByteOrder, body: &[u8]) -> Interface {
    const IF_TSRESOL: u16 = 9;
    const IF_TSOFFSET: u16 = 14;
    let mut interface = Interface {
        link: Link::of(order.u16(body, 0)),
        snap_bytes: order.u32(body, 4) as usize,
        resolution: Resolution::Whole(1_000),
        offset_s: 0,
    };
    let mut options = body.get(8..).unwrap_or_default();
    while options.len() >= 4 {
        let (code, length) = (order.u16(options, 0), usize::from(order.u16(options, 2)));
        let Some(value) = options.get(4..4 + length) else { break };
        match (code, value) {
            (0, _) => break,
            // A tick too short to be counted makes every time of the interface the same.
            (IF_TSRESOL, &[option]) => interface.resolution = Resolution::of(option).unwrap_or(Resolution::Whole(0)),
            (IF_TSOFFSET, offset) if length == 8 => {
                let (first, second) = (order.u32(offset, 0), order.u32(offset, 4));
                let (high, low) = if order == ByteOrder::Big { (first, second) } else { (second, first) };
                interface.offset_s = (u64::from(high) << 32 | u64::from(low)) as i64;
            }
            _ => {}
        }
        options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
    interface
}
