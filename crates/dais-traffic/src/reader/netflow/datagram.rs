//! Where one export packet ends and the next begins, and who sent it.
//!
//! Version 5 has a count of records of 48 bytes, IPFIX its length. Version 9 has neither: its sets are passed over until
//! something follows that is no set, for the numbers 2 to 255 are reserved and so the version of the next packet is none.
//! Behind something else the next packet is looked for byte by byte.

use std::io::Read;

use super::super::ReadError;
use super::super::window::{ByteOrder, Window};

pub(super) const VERSION_5: u16 = 5;
pub(super) const VERSION_9: u16 = 9;
pub(super) const IPFIX: u16 = 10;

/// What a header of each version takes, and a header of a set.
pub(super) const HEADER_5: usize = 24;
pub(super) const HEADER_9: usize = 20;
pub(super) const HEADER_10: usize = 16;
pub(super) const SET: usize = 4;
pub(super) const RECORD_5: usize = 48;
const RECORDS_5: usize = 30;
const PACKET_BYTES_MAX: usize = 1 << 16;
/// How much is looked at to tell what comes next: the longest header, and that of a set.
const HEAD: usize = HEADER_5;
/// Before that there was no NetFlow: the beginning of 1995.
const TIME_MIN_S: u32 = 788_918_400;

fn word(bytes: &[u8], at: usize) -> u16 {
    ByteOrder::Big.u16(bytes, at)
}

/// Whether bytes are the beginning of an export packet, by a header and a first set that can be.
pub(in crate::reader) fn recognises(head: &[u8]) -> bool {
    let set = |at: usize, templates: [u16; 2]| {
        let kind = word(head, at);
        head.len() >= at + SET && (kind > 255 || templates.contains(&kind)) && usize::from(word(head, at + 2)) >= SET
    };
    match word(head, 0) {
        VERSION_5 => {
            let nanoseconds = ByteOrder::Big.u32(head, 12);
            head.len() >= HEADER_5
                && (1..=RECORDS_5).contains(&usize::from(word(head, 2)))
                && nanoseconds < 1_000_000_000
        }
        VERSION_9 => set(HEADER_9, [0, 1]),
        IPFIX => usize::from(word(head, 2)) >= HEADER_10 + SET && set(HEADER_10, [2, 3]),
        _ => false,
    }
}

/// The same with a time that can be, for bytes that may be anything.
fn resembles(head: &[u8]) -> bool {
    let at = if word(head, 0) == IPFIX { 4 } else { 8 };
    recognises(head) && ByteOrder::Big.u32(head, at) >= TIME_MIN_S
}

/// Whether a datagram is an export packet from its beginning to its end, but for zeros behind it.
pub(in crate::reader) fn is_whole(datagram: &[u8]) -> bool {
    let length = usize::from(word(datagram, 2));
    let fits = match word(datagram, 0) {
        VERSION_5 => datagram.len() >= HEADER_5 + RECORD_5 * length,
        VERSION_9 => datagram.len() >= HEADER_9 + usize::from(word(datagram, HEADER_9 + 2)),
        IPFIX => datagram.len() >= length,
        _ => false,
    };
    fits && resembles(datagram)
}

/// Who sent an export packet, as far as it says so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    version: u16,
    /// Source or observation domain.
    pub(super) id: u32,
}

impl Source {
    pub(super) fn of(packet: &[u8]) -> Self {
        let id = |at| ByteOrder::Big.u32(packet, at);
        match word(packet, 0) {
            VERSION_9 => Self { version: VERSION_9, id: id(16) },
            IPFIX => Self { version: IPFIX, id: id(12) },
            version => Self { version, id: 0 },
        }
    }
}

/// What comes next in a stream, all of it fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// An export packet of so many bytes.
    Packet(usize),
    /// Zeros that fill something up.
    Zeros(usize),
    /// Bytes that are no export packet.
    Strange(usize),
    /// The beginning of an export packet, and then the end of the stream.
    Cut(usize),
    End,
}

/// What comes next; `packets` came before, for messages.
pub(super) fn next<R: Read>(window: &mut Window<R>, packets: u64) -> Result<Next, ReadError> {
    if !window.has(SET, packets)? {
        let there = window.unused();
        return Ok(match there.len() {
            0 => Next::End,
            bytes if there.iter().all(|byte| *byte == 0) => Next::Zeros(bytes),
            bytes => Next::Cut(bytes),
        });
    }
    let (version, second) = (word(window.unused(), 0), usize::from(word(window.unused(), 2)));
    let length = match version {
        VERSION_5 if (1..=RECORDS_5).contains(&second) => HEADER_5 + RECORD_5 * second,
        VERSION_9 => return sets(window, packets),
        IPFIX if second >= HEADER_10 => second,
        _ => return strange(window, packets),
    };
    if window.has(length, packets)? {
        return Ok(Next::Packet(length));
    }
    cut(window, packets)
}

/// The sets of a packet of version 9. What stands behind the last whole one is looked at by itself.
fn sets<R: Read>(window: &mut Window<R>, packets: u64) -> Result<Next, ReadError> {
    let mut at = HEADER_9;
    loop {
        if !window.has(at + SET, packets)? {
            return if at == HEADER_9 { cut(window, packets) } else { Ok(Next::Packet(at)) };
        }
        let (kind, length) = (word(window.unused(), at), usize::from(word(window.unused(), at + 2)));
        let is_set = !(2..=255).contains(&kind) && length >= SET && at + length <= PACKET_BYTES_MAX;
        if is_set && window.has(at + length, packets)? {
            at += length;
            continue;
        }
        return match (at, is_set) {
            (HEADER_9, true) => cut(window, packets),
            (HEADER_9, false) => strange(window, packets),
            _ => Ok(Next::Packet(at)),
        };
    }
}

/// A packet whose claimed end is beyond that of the stream: another one may still begin within it.
fn cut<R: Read>(window: &mut Window<R>, packets: u64) -> Result<Next, ReadError> {
    let there = window.unused();
    let another = (SET..there.len()).any(|at| resembles(&there[at..]));
    if another { strange(window, packets) } else { Ok(Next::Cut(there.len())) }
}

/// Bytes up to the next export packet, or as many as were looked at.
fn strange<R: Read>(window: &mut Window<R>, packets: u64) -> Result<Next, ReadError> {
    window.has(PACKET_BYTES_MAX, packets)?;
    let there = window.unused();
    let zeros = there.iter().take_while(|byte| **byte == 0).count();
    // A version begins with a zero, so the last one may be part of it.
    if zeros > 1 {
        return Ok(Next::Zeros(zeros - 1));
    }
    // What has no room for a header is looked at again with what follows it.
    let looked_at = if there.len() < PACKET_BYTES_MAX { there.len() } else { there.len() - HEAD };
    let begins = |at: &usize| there[*at] == 0 && resembles(&there[*at..]);
    Ok(Next::Strange((1..looked_at).find(begins).unwrap_or(looked_at)))
}
