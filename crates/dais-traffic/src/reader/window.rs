//! A stream of binary records, seen through a window that is as long as the record at hand.

use std::io::Read;

use super::ReadError;
use super::bytes::Bytes;

/// Holds one block and one record at most, whatever a record claims to be: it grows only by what really comes.
pub(super) struct Window<R> {
    bytes: Bytes<R>,
    buffer: Vec<u8>,
    /// First byte in `buffer` that no record has used yet.
    start: usize,
}

impl<R: Read> Window<R> {
    /// The stream from its beginning.
    pub(super) fn new(mut bytes: Bytes<R>) -> Self {
        let buffer = bytes.take_head();
        Self { bytes, buffer, start: 0 }
    }

    pub(super) fn file(&self) -> &str {
        self.bytes.file()
    }

    /// What is there and not used yet.
    pub(super) fn unused(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Fetches until `length` bytes are there; `false` where the stream ends before. `record` is the last one that was
    /// understood, for messages.
    #[inline]
    pub(super) fn has(&mut self, length: usize, record: u64) -> Result<bool, ReadError> {
        if self.buffer.len() - self.start >= length { Ok(true) } else { self.fetch(length, record) }
    }

    fn fetch(&mut self, length: usize, record: u64) -> Result<bool, ReadError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        while self.buffer.len() < length && !self.bytes.ended() {
            self.bytes.append_block(&mut self.buffer, record)?;
        }
        Ok(self.buffer.len() >= length)
    }

    /// Uses up to `length` of the bytes that are there.
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let first = self.start;
        self.start = (first + length).min(self.buffer.len());
        &self.buffer[first..self.start]
    }

    /// Passes over `length` bytes without keeping them; `false` where the stream ends before.
    pub(super) fn skip(&mut self, mut length: u64, record: u64) -> Result<bool, ReadError> {
        loop {
            let there = self.unused().len() as u64;
            if there >= length {
                self.start += length as usize;
                return Ok(true);
            }
            length -= there;
            self.start = self.buffer.len();
            if !self.has(1, record)? {
                return Ok(false);
            }
        }
    }
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The number of two bytes at `at`; 0 where the bytes end before.
    #[inline]
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let Some(&[a, b]) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { return 0 };
        match self {
            Self::Little => u16::from_le_bytes([a, b]),
            Self::Big => u16::from_be_bytes([a, b]),
        }
    }

    /// The number of four bytes at `at`; 0 where the bytes end before.
    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let Some(&word) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { return 0 };
        match self {
            Self::Little => u32::from_le_bytes(word),
            Self::Big => u32::from_be_bytes(word),
        }
    }
}
