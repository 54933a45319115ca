//! Lines of a plain or compressed stream, in bounded memory.

use std::io::Read;

use super::ReadError;
use super::bytes::Bytes;
use super::wrapping::Nesting;

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
    /// Whether what was handed out last ended with the file rather than by itself.
    cut: bool,
}

impl<R: Read> Lines<R> {
    /// The lines of a stream from its beginning.
    pub(super) fn new(mut bytes: Bytes<R>, line_bytes_max: usize) -> Self {
        let buffer = bytes.take_head();
        let start = if buffer.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { bytes, buffer, start, line: 0, line_bytes_max, cut: false }
    }

    pub(crate) fn file(&self) -> &str {
        self.bytes.file()
    }

    /// Number of the line handed out last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.line
    }

    /// Whether the line handed out last has no end, as the last line of a log has that was cut off.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The next line with its number, or `None` at the end.
    pub(crate) fn next_numbered(&mut self) -> Result<Option<(u64, Line<'_>)>, ReadError> {
        let number = self.line + 1;
        Ok(self.next_line()?.map(|line| (number, line)))
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
                self.cut = true;
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

    /// The next JSON object with the line it begins in, or `None` at the end; what stands between objects is passed over.
    pub(crate) fn next_object(&mut self) -> Result<Option<(u64, Line<'_>)>, ReadError> {
        loop {
            let unused = &self.buffer[self.start..];
            let begin = memchr::memchr(b'{', unused);
            let between = begin.unwrap_or(unused.len());
            self.line += line_ends(&unused[..between]);
            self.start += between;
            match begin {
                Some(_) => break,
                None if self.bytes.ended() => return Ok(None),
                None => self.fill()?,
            }
        }
        let (number, mut nesting, mut searched, mut too_long) = (self.line + 1, Nesting::default(), 0, false);
        loop {
            let unused = &self.buffer[self.start..];
            let end = nesting.end(&unused[searched..]).map(|length| searched + length);
            searched = unused.len();
            if end.is_none() && !self.bytes.ended() {
                if searched > self.line_bytes_max {
                    too_long = true;
                    self.line += line_ends(unused);
                    (self.start, searched) = (self.buffer.len(), 0);
                }
                self.fill()?;
                continue;
            }
            let (first, length) = (self.start, end.unwrap_or(searched));
            self.cut = end.is_none();
            self.line += line_ends(&unused[..length]);
            self.start += length;
            return Ok(Some((number, if too_long { Line::TooLong } else { self.bounded(first, length) })));
        }
    }

    /// Drops what lines have used and reads one more block.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.bytes.append_block(&mut self.buffer, self.line)
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
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
        let mut lines = Lines::new(Bytes::open("f", bytes, |_| 1 << 16)?, line_bytes_max);
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
    fn objects_are_found_wherever_their_lines_end() {
        let text = "[{\"a\":1},\n {\n\"b\": \"}\"},{\"long\":\"0123456789012345678901234567890\",\"d\":{}}\n]\n{\"cut";
        for block in [text.len(), 1] {
            let slow = Slow(text.as_bytes(), block);
            let mut lines = Lines::new(Bytes::open("f", slow, |_| 1 << 16).expect("plain text"), 20);
            let mut all = Vec::new();
            while let Some((number, line)) = lines.next_object().expect("plain text") {
                let text = match line {
                    Line::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    Line::TooLong => "too long".to_owned(),
                };
                all.push((number, text, lines.is_cut()));
            }
            let expected =
                [(1, "{\"a\":1}", false), (2, "{\n\"b\": \"}\"}", false), (3, "too long", false), (5, "{\"cut", true)];
            assert_eq!(all, expected.map(|(number, text, cut)| (number, text.to_owned(), cut)));
        }
    }

    /// Hands out a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
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
