//! One record of the log and its canonical bytes.

use crate::digest::Digest;
use crate::tree;

/// Largest encoded entry, in bytes.
///
/// Static mirrors of a log in the C2SP `tlog-tiles` layout give an entry's length in 16 bits, so nothing longer may
/// enter. Record something larger by its digest, or in several entries.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Largest body of an entry, in bytes.
pub const BODY_BYTES_MAX: usize = ENTRY_BYTES_MAX - HEADER_BYTES;

/// The author of entries that no agent wrote: the coordinator of the run.
pub const COORDINATOR: u32 = u32::MAX;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 14;

/// What an entry records. The number is the code in the entry's bytes; codes are never given a second meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Kind {
    /// The run itself: what a reader must know to read the rest.
    Genesis = 1,
    /// An agent and its public key.
    Member = 2,
    /// A signature (pattern of an attack) as published.
    Signature = 3,
    /// A verdict with its evidence.
    Vote = 4,
    /// The result of a closed ballot.
    Outcome = 5,
    /// Traffic of an attack as seen by one agent.
    Sighting = 6,
    /// A transition in an agent's life, with its cause.
    Lifecycle = 7,
    /// An agent's seal over what it said in a part of a step.
    Seal = 8,
    /// What an agent says against an accepted signature.
    Challenge = 9,
}

impl Kind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::Genesis,
        Self::Member,
        Self::Signature,
        Self::Vote,
        Self::Outcome,
        Self::Sighting,
        Self::Lifecycle,
        Self::Seal,
        Self::Challenge,
    ];

    /// Name as shown to people and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Member => "member",
            Self::Signature => "signature",
            Self::Vote => "vote",
            Self::Outcome => "outcome",
            Self::Sighting => "sighting",
            Self::Lifecycle => "lifecycle",
            Self::Seal => "seal",
            Self::Challenge => "challenge",
        }
    }

    /// The code in an entry's bytes, 1 to 9.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// What is recorded.
    pub kind: Kind,
    /// The step in which it happened.
    pub step: u32,
    /// Index of the agent that said it, or [`COORDINATOR`].
    pub author: u32,
    /// The content, at most [`BODY_BYTES_MAX`] bytes; its meaning belongs to the writer.
    pub body: Vec<u8>,
}

/// Bytes that are not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than the fixed part of an entry.
    #[error("an entry has at least {HEADER_BYTES} bytes, found {found}")]
    TooShort {
        /// Bytes found.
        found: usize,
    },
    /// A format this version does not know.
    #[error("entry format {found} is not known, this version reads format {VERSION}")]
    UnknownVersion {
        /// The first byte.
        found: u8,
    },
    /// A code that stands for no kind.
    #[error("no kind of entry has the code {found}")]
    UnknownKind {
        /// The code found.
        found: u8,
    },
    /// The stated length of the body is not what follows.
    #[error("the body should have {stated} bytes, found {found}")]
    WrongLength {
        /// Length in the entry's header, in bytes.
        stated: u32,
        /// Bytes after the header.
        found: usize,
    },
    /// More bytes than an entry may have.
    #[error("an entry has at most {ENTRY_BYTES_MAX} bytes, found {found}")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
}

impl Entry {
    /// The canonical bytes: the one encoding of this entry, which is what is hashed and stored.
    ///
    /// | offset | bytes | content |
    /// |---|---|---|
    /// | 0 | 1 | format version, 1 |
    /// | 1 | 1 | code of the kind |
    /// | 2 | 4 | step, big-endian |
    /// | 6 | 4 | author, big-endian |
    /// | 10 | 4 | length of the body `n`, big-endian |
    /// | 14 | n | body |
    ///
    /// # Panics
    ///
    /// If the body has 4 GiB or more, far beyond [`BODY_BYTES_MAX`].
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.body.len());
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends the canonical bytes to `out`; as [`Entry::encode`] without an allocation of its own.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let length = u32::try_from(self.body.len()).expect("a body is shorter than 4 GiB");
        let mut header = [0; HEADER_BYTES];
        header[0] = VERSION;
        header[1] = self.kind.code();
        header[2..6].copy_from_slice(&self.step.to_be_bytes());
        header[6..10].copy_from_slice(&self.author.to_be_bytes());
        header[10..14].copy_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&self.body);
    }

    /// Reads canonical bytes; every accepted input is what [`Entry::encode`] gives for the result.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] names the first thing that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (kind, step, author, body) = Self::parts(bytes)?;
        Ok(Self { kind, step, author, body: body.to_vec() })
    }

    /// Whether [`Entry::decode`] would accept these bytes, without a copy of the body.
    pub(crate) fn check(bytes: &[u8]) -> Result<(), DecodeError> {
        Self::parts(bytes).map(drop)
    }

    /// Kind, step, author and body.
    fn parts(bytes: &[u8]) -> Result<(Kind, u32, u32, &[u8]), DecodeError> {
        let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(DecodeError::TooShort { found: bytes.len() });
        };
        let &[version, code, s0, s1, s2, s3, a0, a1, a2, a3, l0, l1, l2, l3] = header;
        if version != VERSION {
            return Err(DecodeError::UnknownVersion { found: version });
        }
        let kind = Kind::from_code(code).ok_or(DecodeError::UnknownKind { found: code })?;
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(DecodeError::TooLong { found: bytes.len() });
        }
        let stated = u32::from_be_bytes([l0, l1, l2, l3]);
        if u64::from(stated) != body.len() as u64 {
            return Err(DecodeError::WrongLength { stated, found: body.len() });
        }
        Ok((kind, u32::from_be_bytes([s0, s1, s2, s3]), u32::from_be_bytes([a0, a1, a2, a3]), body))
    }

    /// The leaf hash of RFC 6962 section 2.1: SHA-256 over the byte 0x00 and the canonical bytes.
    pub fn leaf_hash(&self) -> Digest {
        tree::leaf_hash(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_of_an_entry_are_fixed() {
        let entry = Entry { kind: Kind::Vote, step: 0x0102, author: COORDINATOR, body: b"ab".to_vec() };
        assert_eq!(entry.encode(), [1, 4, 0, 0, 1, 2, 255, 255, 255, 255, 0, 0, 0, 2, b'a', b'b']);
    }

    #[test]
    fn codes_are_those_of_the_format_page() {
        let codes: Vec<u8> = Kind::ALL.into_iter().map(Kind::code).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn broken_bytes_are_refused_by_name() {
        let good = Entry { kind: Kind::Seal, step: 1, author: 2, body: vec![9; 5] }.encode();
        let with = |offset: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[offset] = value;
            Entry::decode(&bytes)
        };
        assert_eq!(Entry::decode(&good[..13]), Err(DecodeError::TooShort { found: 13 }));
        assert_eq!(with(0, 2), Err(DecodeError::UnknownVersion { found: 2 }));
        assert_eq!(with(1, 0), Err(DecodeError::UnknownKind { found: 0 }));
        assert_eq!(with(13, 6), Err(DecodeError::WrongLength { stated: 6, found: 5 }));
        let long = Entry { kind: Kind::Seal, step: 1, author: 2, body: vec![0; BODY_BYTES_MAX + 1] };
        assert_eq!(Entry::decode(&long.encode()), Err(DecodeError::TooLong { found: 65_536 }));
    }

    proptest! {
        #[test]
        fn every_entry_is_read_back(code in 1u8..=8, step: u32, author: u32, body: Vec<u8>) {
            let entry = Entry { kind: Kind::from_code(code).unwrap(), step, author, body };
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn accepted_bytes_are_the_canonical_ones(mut bytes: Vec<u8>, code in 0u8..10) {
            if bytes.len() >= HEADER_BYTES {
                bytes[0] = VERSION;
                bytes[1] = code;
                let length = (bytes.len() - HEADER_BYTES) as u32;
                bytes[10..14].copy_from_slice(&length.to_be_bytes());
            }
            if let Ok(entry) = Entry::decode(&bytes) {
                prop_assert_eq!(entry.encode(), bytes);
            }
        }
    }
}
