//! The bytes of a file or stream, unpacked where they are compressed, with a look at their beginning.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::ReadError;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How much is fetched at once.
pub(super) const BLOCK_BYTES: usize = 1 << 16;

type Peeked<R> = io::Chain<Cursor<Vec<u8>>, R>;

enum Packing<R> {
    Plain(Peeked<R>),
    Gzip(Box<MultiGzDecoder<io::BufReader<Peeked<R>>>>),
}

/// A plain stream, or one that is unpacked because its first two bytes say gzip; never holds more than its head.
pub(super) struct Bytes<R> {
    file: String,
    packing: Packing<R>,
    /// The beginning, until somebody takes it.
    head: Vec<u8>,
    ended: bool,
}

impl<R: Read> Bytes<R> {
    /// Opens a stream and looks at its beginning, at as many bytes as `wanted` says in view of what there is already; where
    /// that is enough, no more is waited for, so that a slow pipe is understood at once.
    pub(super) fn open(file: &str, mut input: R, wanted: impl Fn(&[u8]) -> usize) -> Result<Self, ReadError> {
        let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
        let read = input.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut magic);
        let gzip = magic == GZIP_MAGIC;
        let whole = Cursor::new(magic).chain(input);
        let packing = if gzip {
            Packing::Gzip(Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(BLOCK_BYTES, whole))))
        } else {
            Packing::Plain(whole)
        };
        let mut bytes = Self { file: file.to_owned(), packing, head: Vec::new(), ended: false };
        read.map_err(|error| bytes.error(0, error))?;
        let mut head = Vec::with_capacity(2 * BLOCK_BYTES);
        while !bytes.ended && (head.is_empty() || head.len() < wanted(&head)) {
            bytes.append_block(&mut head, 0)?;
        }
        bytes.head = head;
        Ok(bytes)
    }

    /// Name of the file, for messages.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The beginning of the stream, until it is taken.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The beginning of the stream, which will not be read again.
    pub(super) fn take_head(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.head)
    }

    /// Whether there is nothing more after the head.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Reads at most one block behind the end of `buffer`; `line` is the last one that was understood, for messages.
    pub(super) fn append_block(&mut self, buffer: &mut Vec<u8>, line: u64) -> Result<(), ReadError> {
        let held = buffer.len();
        buffer.resize(held + BLOCK_BYTES, 0);
        let read = loop {
            let read = match &mut self.packing {
                Packing::Plain(bytes) => bytes.read(&mut buffer[held..]),
                Packing::Gzip(bytes) => bytes.read(&mut buffer[held..]),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        buffer.truncate(held + read.as_ref().copied().unwrap_or(0));
        self.ended = read.map_err(|error| self.error(line, error))? == 0;
        Ok(())
    }

    /// All bytes, of which there may be at most `bytes_max`; `what` they are, for messages.
    pub(super) fn whole(mut self, what: &'static str, bytes_max: u64) -> Result<Vec<u8>, ReadError> {
        let mut whole = self.take_head();
        while !self.ended {
            if whole.len() as u64 > bytes_max {
                return Err(ReadError::TooLarge { file: self.file, what, bytes_max });
            }
            self.append_block(&mut whole, 0)?;
        }
        Ok(whole)
    }

    fn error(&self, line: u64, source: io::Error) -> ReadError {
        let file = self.file.clone();
        if source.kind() == io::ErrorKind::IsADirectory {
            return ReadError::Directory { file };
        }
        // The decoder reports damage with these kinds; errors of the disk below it carry others.
        let gzip = matches!(self.packing, Packing::Gzip(_));
        if gzip && source.kind() == io::ErrorKind::UnexpectedEof {
            return ReadError::TruncatedGzip { file, line };
        }
        if gzip && matches!(source.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) {
            return ReadError::CorruptGzip { file, line, why: source.to_string() };
        }
        ReadError::Io { file, source }
    }
}
