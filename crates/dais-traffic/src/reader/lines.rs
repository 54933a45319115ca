//! Lines of a plain or compressed stream, in bounded memory.

use std::io::Read;

use super::ReadError;
use super::bytes::Bytes;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A line within the bound.
    Text(&'a [u8]),
    /// A longer line, which was skipped.
    TooLong,
}

/// Reads line by line; never holds more than one block and one line of bounded length.
pub(crate) struct Lines<R> {
    bytes: Bytes<R>,
    buffer: Vec<u8>,
    /// First byte in `buffer` that no line has used yet.
    start: usize,
    /// Lines handed out so far.
    line: u64,
    line_bytes_max: usize,
}

impl<R: Read> Lines<R> {
    /// The lines of a stream from its beginning.
    pub(super) fn new(mut bytes: Bytes<R>, line_bytes_max: usize) -> Self {
        let buffer = bytes.take_head();
        let start = if buffer.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { bytes, buffer, start, line: 0, line_bytes_max }
    }

    pub(crate) fn file(&self) -> &str {
        self.bytes.file()
    }

    /// Number of the line handed out last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.line
    }

    /// The next line, or `None` at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line<'_>>, ReadError> {
        let mut searched = 0;
        loop {
            let unused = &self.buffer[self.start..];
            if let Some(length) = memchr::memchr(b'\n', &unused[searched..]).map(|at| searched + at) {
                let first = self.start;
                self.start += length + 1;
                self.line += 1;
                return Ok(Some(self.bounded(first, length)));
            }
            searched = unused.len();
            if self.bytes.ended() {
                if searched == 0 {
                    return Ok(None);
                }
                let first = self.start;
                self.start = self.buffer.len();
                self.line += 1;
                return Ok(Some(self.bounded(first, searched)));
            }
            if searched > self.line_bytes_max {
                self.skip_line()?;
                return Ok(Some(Line::TooLong));
            }
            self.fill()?;
        }
    }

    fn bounded(&self, first: usize, length: usize) -> Line<'_> {
        let text = &self.buffer[first..first + length];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() > self.line_bytes_max { Line::TooLong } else { Line::Text(text) }
    }

    fn skip_line(&mut self) -> Result<(), ReadError> {
        self.line += 1;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..]) {
                self.start += at + 1;
                return Ok(());
            }
            self.start = self.buffer.len();
            if self.bytes.ended() {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Drops what lines have used and reads one more block.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.bytes.append_block(&mut self.buffer, self.line)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("memory takes bytes");
        encoder.finish().expect("memory takes bytes")
    }

    fn read_all(bytes: &[u8], line_bytes_max: usize) -> Result<Vec<Option<String>>, ReadError> {
        let mut lines = Lines::new(Bytes::open("f", bytes, |_| false)?, line_bytes_max);
        let mut all = Vec::new();
        while let Some(line) = lines.next_line()? {
            all.push(match line {
                Line::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                Line::TooLong => None,
            });
        }
        assert_eq!(lines.number(), all.len() as u64);
        Ok(all)
    }

    #[test]
    fn line_ends_byte_order_mark_and_a_missing_last_end_are_understood() {
        let all = read_all(b"\xef\xbb\xbfa\r\n\nb", 10).expect("plain text");
        assert_eq!(all, [Some("a".into()), Some(String::new()), Some("b".into())]);
    }

    #[test]
    fn gzip_is_recognised_by_its_bytes_also_in_several_members() {
        let bytes = [gzip(b"a\nb"), gzip(b"c\nd\n")].concat();
        let all = read_all(&bytes, 10).expect("two members");
        assert_eq!(all, [Some("a".into()), Some("bc".into()), Some("d".into())]);
    }

    #[test]
    fn a_line_beyond_the_bound_is_skipped_and_the_next_one_read() {
        let text = [b"x".repeat(300_000).as_slice(), b"\nok\n", &b"y".repeat(20), b"\nok"].concat();
        let all = read_all(&text, 10).expect("plain text");
        assert_eq!(all, [None, Some("ok".into()), None, Some("ok".into())]);
    }

    #[test]
    fn truncated_gzip_is_told_from_damaged_gzip() {
        let text: Vec<u8> =
            (0..200_000_u32).flat_map(|k| format!("{}\n", k.wrapping_mul(2_654_435_761)).into_bytes()).collect();
        let bytes = gzip(&text);
        let cut = read_all(&bytes[..bytes.len() - 1_000], 100);
        assert!(matches!(cut, Err(ReadError::TruncatedGzip { line, .. }) if line > 100_000), "{cut:?}");
        let mut damaged = bytes.clone();
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        let damaged = read_all(&damaged, 100);
        assert!(matches!(damaged, Err(ReadError::CorruptGzip { .. })), "{damaged:?}");
    }
}
