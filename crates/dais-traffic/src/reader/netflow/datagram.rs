//! Where one export packet ends and the next begins, and who sent it.
//!
//! Version 5 has a count of records of 48 bytes, IPFIX its length. Version 9 has neither: its sets are passed over until
//! something follows that is no set, for the numbers 2 to 255 are reserved and so the version of the next packet is none.

use std::io::Read;

use super::super::ReadError;
use super::super::window::{ByteOrder, Window};

const VERSION_5: u16 = 5;
const VERSION_9: u16 = 9;
const IPFIX: u16 = 10;

/// What a header of each version takes, and a header of a set.
const HEADER_5: usize = 24;
const HEADER_9: usize = 20;
const HEADER_10: usize = 16;
const SET: usize = 4;
const RECORD_5: usize = 48;
const RECORDS_5: usize = 30;
const PACKET_BYTES_MAX: usize = 1 << 16;

fn word(bytes: &[u8], at: usize) -> u16 {
    ByteOrder::Big.u16(bytes, at)
}

/// Whether a file that begins like this holds export packets, by a header and a first set that can be.
pub(super) fn recognises(head: &[u8]) -> bool {
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

/// Bytes of the export packet that comes next, all of them fetched; `None` where the stream ends before or within it.
pub(super) fn length<R: Read>(window: &mut Window<R>, packets: u64) -> Result<Option<usize>, ReadError> {
    if !window.has(SET, packets)? {
        return Ok(None);
    }
    let (version, second) = (word(window.unused(), 0), usize::from(word(window.unused(), 2)));
    let length = match version {
        VERSION_5 if (1..=RECORDS_5).contains(&second) => HEADER_5 + RECORD_5 * second,
        VERSION_9 => return sets(window, packets),
        IPFIX if second >= HEADER_10 => second,
        VERSION_5 | IPFIX => return Err(damaged(window, packets, format!("it claims a count or length of {second}"))),
        _ => return Err(damaged(window, packets, format!("version {version} is none of 5, 9 and 10"))),
    };
    Ok(window.has(length, packets)?.then_some(length))
}

fn sets<R: Read>(window: &mut Window<R>, packets: u64) -> Result<Option<usize>, ReadError> {
    let mut at = HEADER_9;
    if !window.has(at, packets)? {
        return Ok(None);
    }
    while window.has(at + SET, packets)? {
        let (kind, length) = (word(window.unused(), at), usize::from(word(window.unused(), at + 2)));
        if (2..=255).contains(&kind) {
            return Ok(Some(at));
        }
        at += length;
        if length < SET || at > PACKET_BYTES_MAX {
            return Err(damaged(window, packets, format!("a set claims {length} bytes")));
        }
        if !window.has(at, packets)? {
            return Ok(None);
        }
    }
    // Less than the header of another set follows: nothing, or what is left of a packet that was cut off.
    Ok(Some(at))
}

fn damaged<R: Read>(window: &Window<R>, packets: u64, why: String) -> ReadError {
    ReadError::Damaged { file: window.file().to_owned(), packet: packets + 1, why }
}
