//! Writing and reading of the canonical encodings: little endian, lengths bounded, nothing left over.

use std::net::IpAddr;

use crate::{AgentId, SignatureId};

/// Why bytes are not the canonical encoding of a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("the bytes end at {at}, inside `{field}`")]
    Truncated {
        /// The field that is cut.
        field: &'static str,
        /// Where the field begins.
        at: usize,
    },
    /// The first byte names another kind of message.
    #[error("message kind {found}, expected {expected}")]
    Kind {
        /// The expected first byte.
        expected: u8,
        /// The first byte.
        found: u8,
    },
    /// The second byte names a version this program does not know.
    #[error("encoding version {found}, this program reads {expected}")]
    Version {
        /// The version this program reads.
        expected: u8,
        /// The second byte.
        found: u8,
    },
    /// A list is longer than allowed.
    #[error("`{field}` has {found} items, allowed are {max}")]
    Length {
        /// The list.
        field: &'static str,
        /// Its stated length.
        found: u32,
        /// The bound.
        max: u32,
    },
    /// A value is outside its range, or a list is not in canonical order.
    #[error("`{field}` holds a value that is not allowed")]
    Value {
        /// The field.
        field: &'static str,
    },
    /// Bytes follow the message.
    #[error("{bytes} bytes follow the message")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// The first byte of each encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Signature = 1,
    Vote = 2,
    Decision = 3,
    Sighting = 4,
    Commitment = 5,
    Reveal = 6,
    Challenge = 7,
    Equivocation = 8,
}

/// The version of an encoding without anything that came later.
pub(crate) const VERSION: u8 = 1;
/// The version of a signature that says why its example looked strange.
pub(crate) const VERSION_WITH_REASONS: u8 = 2;

/// Appends fields to an encoding.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(kind: Kind, capacity: usize) -> Self {
        Self::with_version(kind, VERSION, capacity)
    }

    pub(crate) fn with_version(kind: Kind, version: u8, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(&[kind as u8, version]);
        Self { bytes }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn f32(&mut self, value: f32) {
        self.u32(value.to_bits());
    }

    pub(crate) fn length(&mut self, value: usize) {
        self.u32(u32::try_from(value).expect("lists of messages are far below 2^32 items"));
    }

    pub(crate) fn f32s(&mut self, values: &[f32]) {
        self.length(values.len());
        for &value in values {
            self.f32(value);
        }
    }

    pub(crate) fn u16s(&mut self, values: &[u16]) {
        self.length(values.len());
        for &value in values {
            self.u16(value);
        }
    }

    pub(crate) fn agent(&mut self, agent: AgentId) {
        self.u32(agent.0);
    }

    pub(crate) fn id(&mut self, id: SignatureId) {
        self.bytes.extend_from_slice(id.as_bytes());
    }

    pub(crate) fn fixed<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A message within a message.
    pub(crate) fn message(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn addresses(&mut self, addresses: &[IpAddr]) {
        self.length(addresses.len());
        for address in addresses {
            match address {
                IpAddr::V4(v4) => {
                    self.u8(4);
                    self.bytes.extend_from_slice(&v4.octets());
                }
                IpAddr::V6(v6) => {
                    self.u8(6);
                    self.bytes.extend_from_slice(&v6.octets());
                }
            }
        }
    }
}

/// Takes fields off an encoding; every method names the field for the error.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], kind: Kind) -> Result<Self, DecodeError> {
        Self::up_to_version(bytes, kind, VERSION).map(|(reader, _)| reader)
    }

    /// As [`new`](Self::new), for a kind with layouts of more versions than the first; with the version found.
    pub(crate) fn up_to_version(bytes: &'a [u8], kind: Kind, newest: u8) -> Result<(Self, u8), DecodeError> {
        let mut reader = Self { bytes, at: 0 };
        let found = reader.u8("kind")?;
        if found != kind as u8 {
            return Err(DecodeError::Kind { expected: kind as u8, found });
        }
        let found = reader.u8("version")?;
        if !(VERSION..=newest).contains(&found) {
            return Err(DecodeError::Version { expected: newest, found });
        }
        Ok((reader, found))
    }

    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            bytes => Err(DecodeError::Trailing { bytes }),
        }
    }

    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.first_chunk::<N>().ok_or(DecodeError::Truncated { field, at: self.at })?;
        self.at += N;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(self.take::<1>(field)?[0])
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.take(field).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.take(field).map(u32::from_le_bytes)
    }

    /// A finite number.
    pub(crate) fn f32(&mut self, field: &'static str) -> Result<f32, DecodeError> {
        let value = f32::from_bits(self.u32(field)?);
        if value.is_finite() { Ok(value) } else { Err(DecodeError::Value { field }) }
    }

    /// A length of at most `max`, of items that take at least `item_bytes` each: a stated length the rest cannot hold
    /// is refused before anything is reserved for it.
    pub(crate) fn length(&mut self, field: &'static str, max: usize, item_bytes: usize) -> Result<usize, DecodeError> {
        let at = self.at;
        let found = self.u32(field)?;
        if found as usize > max {
            return Err(DecodeError::Length { field, found, max: max as u32 });
        }
        if found as usize * item_bytes > self.bytes.len() - self.at {
            return Err(DecodeError::Truncated { field, at });
        }
        Ok(found as usize)
    }

    pub(crate) fn f32s(&mut self, field: &'static str, max: usize) -> Result<Vec<f32>, DecodeError> {
        let length = self.length(field, max, 4)?;
        (0..length).map(|_| self.f32(field)).collect()
    }

    pub(crate) fn u16s(&mut self, field: &'static str, max: usize) -> Result<Vec<u16>, DecodeError> {
        let length = self.length(field, max, 2)?;
        (0..length).map(|_| self.u16(field)).collect()
    }

    /// Codes or ports in strictly ascending order.
    pub(crate) fn sorted_u16s(&mut self, field: &'static str, max: usize) -> Result<Vec<u16>, DecodeError> {
        let values = self.u16s(field, max)?;
        if values.is_sorted_by(|a, b| a < b) { Ok(values) } else { Err(DecodeError::Value { field }) }
    }

    pub(crate) fn agent(&mut self, field: &'static str) -> Result<AgentId, DecodeError> {
        self.u32(field).map(AgentId)
    }

    pub(crate) fn id(&mut self, field: &'static str) -> Result<SignatureId, DecodeError> {
        self.take(field).map(SignatureId::from_bytes)
    }

    /// Bytes whose number the layout fixes.
    pub(crate) fn fixed<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.take(field)
    }

    /// A message within a message, of at most `max` bytes.
    pub(crate) fn message(&mut self, field: &'static str, max: usize) -> Result<&'a [u8], DecodeError> {
        let length = self.length(field, max, 1)?;
        let bytes = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(bytes)
    }

    /// Addresses in strictly ascending order.
    pub(crate) fn addresses(&mut self, field: &'static str, max: usize) -> Result<Vec<IpAddr>, DecodeError> {
        let length = self.length(field, max, 5)?;
        let mut addresses = Vec::with_capacity(length);
        for _ in 0..length {
            addresses.push(match self.u8(field)? {
                4 => IpAddr::from(self.take::<4>(field)?),
                6 => IpAddr::from(self.take::<16>(field)?),
                _ => return Err(DecodeError::Value { field }),
            });
        }
        if addresses.is_sorted_by(|a, b| a < b) { Ok(addresses) } else { Err(DecodeError::Value { field }) }
    }
}
