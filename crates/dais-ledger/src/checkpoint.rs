//! A head as text, with the signatures of its log and of witnesses (C2SP `tlog-checkpoint`, `signed-note`).

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};

use crate::digest::Digest;
use crate::head::{Head, HeadSeal, HeadVerifier, SignedHead};
use crate::note::NoteSignature;
use crate::origin::Origin;

/// Largest checkpoint that is read, in bytes.
pub const CHECKPOINT_BYTES_MAX: usize = 1_000_000;

/// Most signature lines of a checkpoint that is read; 16 must be accepted by the standard.
pub const SIGNATURES_MAX: usize = 100;

/// A head under the name of its log, with any number of signatures: what is published and handed on.
///
/// Nothing in it is to be believed before [`Checkpoint::signed_by`] was asked. Lines of keys that are not known are kept
/// and ignored.
///
/// ```
/// use dais_ledger::{Checkpoint, Head, HeadKey, Origin};
///
/// let (origin, key) = (Origin::new("dais/example")?, HeadKey::from_seed([7; 32]));
/// let checkpoint = Checkpoint::new(origin.clone(), &key.seal(&origin, Head::empty()), &key.verifier());
/// let read: Checkpoint = checkpoint.to_string().parse()?;
/// assert_eq!(read.signed_by(&key.verifier())?.head, Head::empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    head: Head,
    signatures: Vec<NoteSignature>,
}

/// A text that is not a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// More bytes than any checkpoint needs.
    #[error("a checkpoint has at most {CHECKPOINT_BYTES_MAX} bytes, found {found}")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// The bytes are not UTF-8.
    #[error("a checkpoint is UTF-8 text")]
    NotText,
    /// A line is not what it should be.
    #[error("line {line} of the checkpoint: expected {expected}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// More signature lines than are read.
    #[error("a checkpoint has at most {SIGNATURES_MAX} signatures")]
    TooManySignatures,
}

/// A signature that was asked for and is not there or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// No line is from this key.
    #[error("the checkpoint bears no signature of `{name}` with this key")]
    Missing {
        /// Name of the key.
        name: Origin,
    },
    /// A line names this key, and its signature is of something else or was altered.
    #[error("the checkpoint's signature of `{name}` does not hold")]
    Invalid {
        /// Name of the key.
        name: Origin,
    },
}

impl Checkpoint {
    /// The checkpoint of a sealed head, with the log's signature.
    pub fn new(origin: Origin, signed: &SignedHead, verifier: &HeadVerifier) -> Self {
        let signature = NoteSignature {
            name: origin.clone(),
            key_id: verifier.key_id(&origin),
            signature: signed.seal.as_bytes().to_vec(),
        };
        Self { origin, head: signed.head, signatures: vec![signature] }
    }

    /// Name of the log.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Size and root, not checked by anyone yet.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The signature lines, in order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// What is signed: the text before the empty line.
    pub fn body(&self) -> String {
        self.head.checkpoint_body(&self.origin)
    }

    /// Adds a signature line, in place of an earlier one of the same key. It is not checked.
    pub fn add(&mut self, signature: NoteSignature) {
        match self.signatures.iter_mut().find(|line| line.same_key(&signature)) {
            Some(line) => *line = signature,
            None => self.signatures.push(signature),
        }
    }

    /// The signatures of a key, in the order of their lines: rarely more than one.
    pub(crate) fn lines_of<'a>(&'a self, name: &'a Origin, key_id: [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
        let by_key = move |line: &&NoteSignature| line.name == *name && line.key_id == key_id;
        self.signatures.iter().filter(by_key).map(|line| &line.signature[..])
    }

    /// Checks the log's own signature, and returns the head with it.
    ///
    /// # Errors
    ///
    /// [`Unsigned`] when there is none of this key, or one that does not hold.
    pub fn signed_by(&self, verifier: &HeadVerifier) -> Result<SignedHead, Unsigned> {
        let mut checked = None;
        for line in self.lines_of(&self.origin, verifier.key_id(&self.origin)) {
            let invalid = || Unsigned::Invalid { name: self.origin.clone() };
            let seal = HeadSeal::from_bytes(line.try_into().map_err(|_| invalid())?);
            let signed = SignedHead { head: self.head, seal };
            verifier.verify(&self.origin, &signed).map_err(|_| invalid())?;
            checked = checked.or(Some(signed));
        }
        checked.ok_or_else(|| Unsigned::Missing { name: self.origin.clone() })
    }

    /// Reads the bytes of a checkpoint, as they come from a file or a server.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] names the first line that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        if bytes.len() > CHECKPOINT_BYTES_MAX {
            return Err(CheckpointError::TooLong { found: bytes.len() });
        }
        std::str::from_utf8(bytes).map_err(|_| CheckpointError::NotText)?.parse()
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.body())?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads a checkpoint without extension lines, which a dais ledger never has.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > CHECKPOINT_BYTES_MAX {
            return Err(CheckpointError::TooLong { found: text.len() });
        }
        let wrong = |line, expected| CheckpointError::Line { line, expected };
        let mut lines = text.split('\n');
        let mut next = |line, expected| lines.next().ok_or(wrong(line, expected));
        let origin = Origin::new(next(1, "the name of a log")?).map_err(|_| wrong(1, "the name of a log"))?;
        let size = parse_decimal(next(2, "a size")?).ok_or(wrong(2, "a size in decimal"))?;
        let root = parse_root(next(3, "a root")?).ok_or(wrong(3, "a root of 32 bytes in base64"))?;
        if !next(4, "an empty line")?.is_empty() {
            return Err(wrong(4, "an empty line (extension lines are not read)"));
        }
        let mut signatures = Vec::new();
        let mut ended = false;
        for (number, line) in (5..).zip(lines) {
            if ended {
                return Err(wrong(number - 1, "a signature line"));
            }
            if line.is_empty() {
                ended = true;
                continue;
            }
            if signatures.len() == SIGNATURES_MAX {
                return Err(CheckpointError::TooManySignatures);
            }
            signatures.push(line.parse().map_err(|_| wrong(number, "a signature line"))?);
        }
        let last = signatures.len() + 4;
        if signatures.is_empty() {
            return Err(wrong(5, "a signature line"));
        }
        if !ended {
            return Err(wrong(last, "a newline at its end"));
        }
        Ok(Self { origin, head: Head { size, root }, signatures })
    }
}

/// A number as it is written in checkpoints: without sign and leading zeroes.
/// A number in digits, without leading zeroes.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || text.bytes().next().is_some_and(|first| (b'1'..=b'9').contains(&first));
    if canonical { text.parse().ok() } else { None }
}

/// 32 bytes in base64.
pub(crate) fn parse_root(text: &str) -> Option<Digest> {
    let mut root = [0; 32];
    match Base64::decode(text, &mut root) {
        Ok(decoded) if decoded.len() == 32 => Some(Digest::from_bytes(root)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeadKey;
    use proptest::prelude::*;

    fn sealed() -> (HeadKey, Checkpoint) {
        let (origin, key) = (Origin::new("example.com/log").unwrap(), HeadKey::from_seed([3; 32]));
        let head = Head { size: 20_852_163, root: Digest::from_bytes([0xab; 32]) };
        let checkpoint = Checkpoint::new(origin.clone(), &key.seal(&origin, head), &key.verifier());
        (key, checkpoint)
    }

    fn refused_line(text: &str) -> usize {
        match text.parse::<Checkpoint>() {
            Err(CheckpointError::Line { line, .. }) => line,
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    #[test]
    fn lines_that_are_wrong_are_named() {
        let (_, checkpoint) = sealed();
        let text = checkpoint.to_string();
        let lines: Vec<&str> = text.lines().collect();
        let with = |line: usize, other: &str| {
            let mut lines = lines.clone();
            lines[line - 1] = other;
            refused_line(&(lines.join("\n") + "\n"))
        };
        assert_eq!(with(1, "two words"), 1);
        for size in ["", "01", "+1", "-1", "18446744073709551616", " 1"] {
            assert_eq!(with(2, size), 2);
        }
        for root in ["", "q6s=", "!", &"A".repeat(44)] {
            assert_eq!(with(3, root), 3);
        }
        assert_eq!(with(4, "an extension"), 4);
        assert_eq!(with(5, "\u{2014} name"), 5);
        assert_eq!(with(5, ""), 5);
        assert_eq!(refused_line(&text[..text.len() - 1]), 5);
        assert_eq!(refused_line(&format!("{text}\n")), 6);
        assert_eq!(refused_line(""), 1);
    }

    #[test]
    fn signatures_of_unknown_keys_are_kept_and_ignored() {
        let (key, mut checkpoint) = sealed();
        let foreign: NoteSignature = "\u{2014} example.com/log AAAAAAAA".parse().unwrap();
        checkpoint.add(foreign.clone());
        checkpoint.add(foreign);
        let read: Checkpoint = checkpoint.to_string().parse().unwrap();
        assert_eq!(read.signatures().len(), 2);
        assert_eq!(read.signed_by(&key.verifier()).unwrap().head, *checkpoint.head());
        let name = checkpoint.origin().clone();
        let other = HeadKey::from_seed([4; 32]).verifier();
        assert_eq!(read.signed_by(&other), Err(Unsigned::Missing { name }));
    }

    #[test]
    fn one_bad_signature_of_the_log_spoils_the_checkpoint() {
        let (key, checkpoint) = sealed();
        let mut doubled = checkpoint.clone();
        let mut line = checkpoint.signatures[0].clone();
        line.signature[7] ^= 1;
        doubled.signatures.push(line);
        let name = checkpoint.origin().clone();
        assert_eq!(doubled.signed_by(&key.verifier()), Err(Unsigned::Invalid { name }));
    }

    #[test]
    fn size_is_limited() {
        let (_, mut checkpoint) = sealed();
        let line = checkpoint.signatures[0].clone();
        checkpoint.signatures.resize(SIGNATURES_MAX, line.clone());
        assert!(checkpoint.to_string().parse::<Checkpoint>().is_ok());
        checkpoint.signatures.push(line);
        assert_eq!(checkpoint.to_string().parse::<Checkpoint>(), Err(CheckpointError::TooManySignatures));
        let found = CHECKPOINT_BYTES_MAX + 1;
        assert_eq!(Checkpoint::from_bytes(&vec![b'a'; found]), Err(CheckpointError::TooLong { found }));
        assert_eq!(Checkpoint::from_bytes(&[0xff]), Err(CheckpointError::NotText));
    }

    proptest! {
        #[test]
        fn every_checkpoint_is_read_back(name in "[!-*,-~]{1,40}", size: u64, root: [u8; 32], ids: Vec<[u8; 4]>) {
            let (origin, key) = (Origin::new(name).unwrap(), HeadKey::from_seed([3; 32]));
            let signed = key.seal(&origin, Head { size, root: Digest::from_bytes(root) });
            let mut checkpoint = Checkpoint::new(origin.clone(), &signed, &key.verifier());
            for key_id in ids.into_iter().take(SIGNATURES_MAX - 1) {
                checkpoint.add(NoteSignature { name: origin.clone(), key_id, signature: key_id.to_vec() });
            }
            prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        }

        #[test]
        fn an_altered_text_is_refused_or_is_its_own_text(at: prop::sample::Index, byte: u8) {
            let mut bytes = sealed().1.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(read) = Checkpoint::from_bytes(&bytes) {
                prop_assert_eq!(read.to_string().into_bytes(), bytes);
            }
        }

        #[test]
        fn garbage_is_refused(bytes: Vec<u8>) {
            prop_assert!(Checkpoint::from_bytes(&bytes).is_err());
        }
    }
}
