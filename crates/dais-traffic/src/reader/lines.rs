//! Lines of a plain or compressed stream, in bounded memory.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::ReadError;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BLOCK_BYTES: usize = 1 << 16;

/// How much of the beginning format detection may look at.
const HEAD_BYTES: usize = 1 << 16;

type Peeked<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// The bytes of a file, unpacked where its first two bytes say gzip.
enum Bytes<R> {
    Plain(Peeked<R>),
    Gzip(Box<MultiGzDecoder<io::BufReader<Peeked<R>>>>),
}

impl<R: Read> Bytes<R> {
    fn open(mut input: R) -> io::Result<Self> {
        let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
        input.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut magic)?;
        let gzip = magic == GZIP_MAGIC;
        let whole = Cursor::new(magic).chain(input);
        Ok(if gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(BLOCK_BYTES, whole))))
        } else {
            Self::Plain(whole)
        })
    }
}

impl<R: Read> Read for Bytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(bytes) => bytes.read(buffer),
            Self::Gzip(bytes) => bytes.read(buffer),
        }
    }
}

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
    file: String,
    bytes: Bytes<R>,
    buffer: Vec<u8>,
    /// First byte in `buffer` that no line has used yet.
    start: usize,
    /// Whether `bytes` has nothing more.
    ended: bool,
    /// Lines handed out so far.
    line: u64,
    line_bytes_max: usize,
}

impl<R: Read> Lines<R> {
    /// Opens a stream and looks at its beginning.
    pub(crate) fn open(file: &str, input: R, line_bytes_max: usize) -> Result<Self, ReadError> {
        let bytes = Bytes::open(input).map_err(|error| io_error(file, 0, false, error))?;
        let (file, buffer) = (file.to_owned(), Vec::with_capacity(2 * BLOCK_BYTES));
        let mut lines = Self { file, bytes, buffer, start: 0, ended: false, line: 0, line_bytes_max };
        while !lines.ended && lines.buffer.len() < HEAD_BYTES {
            lines.fill()?;
        }
        if lines.buffer.starts_with(BYTE_ORDER_MARK) {
            lines.start = BYTE_ORDER_MARK.len();
        }
        Ok(lines)
    }

    /// The beginning of the stream; only meaningful before the first line is taken.
    pub(crate) fn head(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
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
            if self.ended {
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
            if self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Drops what lines have used and reads one more block.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + BLOCK_BYTES, 0);
        let read = loop {
            match self.bytes.read(&mut self.buffer[held..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(held + read.as_ref().copied().unwrap_or(0));
        let gzip = matches!(self.bytes, Bytes::Gzip(_));
        let read = read.map_err(|error| io_error(&self.file, self.line, gzip, error))?;
        self.ended = read == 0;
        Ok(())
    }
}

fn io_error(file: &str, line: u64, gzip: bool, source: io::Error) -> ReadError {
    let file = file.to_owned();
    if source.kind() == io::ErrorKind::IsADirectory {
        return ReadError::Directory { file };
    }
    // The decoder reports damage with these kinds; errors of the disk below it carry others.
    if gzip && source.kind() == io::ErrorKind::UnexpectedEof {
        return ReadError::TruncatedGzip { file, line };
    }
    if gzip && matches!(source.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) {
        return ReadError::CorruptGzip { file, line, why: source.to_string() };
    }
    ReadError::Io { file, source }
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
        let mut lines = Lines::open("f", bytes, line_bytes_max)?;
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
