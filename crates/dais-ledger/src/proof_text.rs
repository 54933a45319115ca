//! Proofs as text, for readers who have not got the log: C2SP `tlog-proof`, and the body that `tlog-witness` takes.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};

use crate::checkpoint::{Checkpoint, CheckpointError, Unsigned, parse_decimal, parse_root};
use crate::digest::Digest;
use crate::entry::{DecodeError, ENTRY_BYTES_MAX, Entry};
use crate::head::{Head, HeadVerifier, SignedHead};
use crate::origin::Origin;
use crate::proof::{ConsistencyProof, InclusionProof, ProofError};
use crate::tree::leaf_hash;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// Longest line that is read, an entry of full length in base64 with some room.
const LINE_BYTES_MAX: usize = ENTRY_BYTES_MAX.div_ceil(3) * 4 + 64;
/// Most digests of a proof in a tree of less than 2^64 leaves.
const PATH_MAX: usize = 128;

/// That an entry is in a log, with the head it leads to: a C2SP [`tlog-proof`](https://c2sp.org/tlog-proof).
///
/// The `extra` line holds the canonical bytes of the entry, so that the text shows by itself what is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionText {
    /// The bytes of the entry, if the text has them; not to be believed before [`InclusionText::verify`].
    pub entry: Option<Vec<u8>>,
    /// Index of the entry, from 0.
    pub index: u64,
    /// Digests from the leaf's sibling upwards.
    pub path: Vec<Digest>,
    /// The head the proof leads to.
    pub checkpoint: Checkpoint,
}

/// That a log only grew, with the head it leads to: the body of a request to a
/// [`tlog-witness`](https://c2sp.org/tlog-witness).
///
/// It does not hold the older root, which its reader must have from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyText {
    /// Size of the older log.
    pub old_size: u64,
    /// Digests in the order of RFC 9162.
    pub path: Vec<Digest>,
    /// The newer head.
    pub checkpoint: Checkpoint,
}

/// A text that is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofTextError {
    /// A line is not what it should be.
    #[error("line {line} of the proof: expected {expected}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// What comes after the empty line is no checkpoint.
    #[error("after the empty line: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// What a proof does not show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// The head is that of another log.
    #[error("the checkpoint is of the log {found}, expected {expected}")]
    ForeignLog {
        /// Name of the log in the checkpoint.
        found: Origin,
        /// Name of the log that was asked for.
        expected: Origin,
    },
    /// The head is not sealed by the log.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// The path does not lead from the one to the other.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The text has no entry, and no leaf hash was given.
    #[error("the proof does not hold the entry: its leaf hash is needed")]
    NoLeaf,
    /// The entry in the text is not the one that was asked about.
    #[error("the entry in the proof has the leaf hash {found}, asked was about {expected}")]
    OtherEntry {
        /// Leaf hash of the entry in the text.
        found: Digest,
        /// Leaf hash that was given.
        expected: Digest,
    },
    /// The bytes are in the log, and are no entry.
    #[error("the bytes in the proof are no entry: {0}")]
    NoEntry(#[from] DecodeError),
}

/// What an inclusion proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// Hash of the leaf.
    pub leaf: Digest,
    /// The entry, if the text holds it.
    pub entry: Option<Entry>,
    /// The sealed head of the log it is in.
    pub head: SignedHead,
}

impl InclusionText {
    /// Checks that the log of this name and key has the entry at its index: the one with the leaf hash `leaf`, or else
    /// the one in the text.
    ///
    /// # Errors
    ///
    /// [`NotProven`] names the first thing that does not hold.
    pub fn verify(
        &self,
        origin: &Origin,
        verifier: &HeadVerifier,
        leaf: Option<Digest>,
    ) -> Result<Included, NotProven> {
        let head = sealed(&self.checkpoint, origin, verifier)?;
        let contained = self.entry.as_deref().map(leaf_hash);
        let leaf = match (leaf, contained) {
            (Some(expected), Some(found)) if expected != found => {
                return Err(NotProven::OtherEntry { found, expected });
            }
            (given, contained) => given.or(contained).ok_or(NotProven::NoLeaf)?,
        };
        let proof = InclusionProof { index: self.index, size: head.head.size, path: self.path.clone() };
        proof.verify_in(&leaf, &head.head)?;
        let entry = self.entry.as_deref().map(Entry::decode).transpose()?;
        Ok(Included { leaf, entry, head })
    }
}

impl ConsistencyText {
    /// Checks that the log of this name and key begins with the log that has the root `old_root` at the older size.
    ///
    /// # Errors
    ///
    /// [`NotProven`] names the first thing that does not hold.
    pub fn verify(&self, origin: &Origin, verifier: &HeadVerifier, old_root: Digest) -> Result<SignedHead, NotProven> {
        let head = sealed(&self.checkpoint, origin, verifier)?;
        let (old_size, new_size) = (self.old_size, head.head.size);
        let proof = ConsistencyProof { old_size, new_size, path: self.path.clone() };
        proof.verify_between(&Head { size: old_size, root: old_root }, &head.head)?;
        Ok(head)
    }
}

/// The head in a checkpoint, when it is of this log and sealed with its key.
fn sealed(checkpoint: &Checkpoint, origin: &Origin, verifier: &HeadVerifier) -> Result<SignedHead, NotProven> {
    let found = checkpoint.origin();
    if found != origin {
        return Err(NotProven::ForeignLog { found: found.clone(), expected: origin.clone() });
    }
    Ok(checkpoint.signed_by(verifier)?)
}

impl fmt::Display for InclusionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(entry) = &self.entry {
            writeln!(f, "extra {}", Base64::encode_string(entry))?;
        }
        writeln!(f, "index {}", self.index)?;
        write_path(f, &self.path)?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl fmt::Display for ConsistencyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        write_path(f, &self.path)?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn write_path(f: &mut fmt::Formatter<'_>, path: &[Digest]) -> fmt::Result {
    path.iter().try_for_each(|digest| writeln!(f, "{}", Base64::encode_string(digest.as_bytes())))
}

impl FromStr for InclusionText {
    type Err = ProofTextError;

    fn from_str(text: &str) -> Result<Self, ProofTextError> {
        let mut lines = Lines { rest: text, number: 0 };
        lines.next(FIRST_LINE, |line| (line == FIRST_LINE).then_some(()))?;
        let mut entry = None;
        if lines.rest.starts_with("extra ") {
            let decode = |line: &str| Base64::decode_vec(line.strip_prefix("extra ")?).ok();
            entry = Some(lines.next("`extra` and bytes in base64", decode)?);
        }
        let index = lines.next("`index` and a number", |line| parse_decimal(line.strip_prefix("index ")?))?;
        let path = lines.path()?;
        Ok(Self { entry, index, path, checkpoint: lines.rest.parse()? })
    }
}

impl FromStr for ConsistencyText {
    type Err = ProofTextError;

    fn from_str(text: &str) -> Result<Self, ProofTextError> {
        let mut lines = Lines { rest: text, number: 0 };
        let old_size = lines.next("`old` and a number", |line| parse_decimal(line.strip_prefix("old ")?))?;
        let path = lines.path()?;
        Ok(Self { old_size, path, checkpoint: lines.rest.parse()? })
    }
}

/// The lines of a proof, up to the checkpoint.
struct Lines<'a> {
    rest: &'a str,
    /// Lines that were read.
    number: usize,
}

impl<'a> Lines<'a> {
    fn next<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, ProofTextError> {
        self.number += 1;
        let wrong = ProofTextError::Line { line: self.number, expected };
        let (line, rest) = self.rest.split_once('\n').ok_or(wrong.clone())?;
        self.rest = rest;
        let fits = line.len() <= LINE_BYTES_MAX;
        if fits { read(line) } else { None }.ok_or(wrong)
    }

    /// Digests, and the empty line after them.
    fn path(&mut self) -> Result<Vec<Digest>, ProofTextError> {
        let mut path = Vec::new();
        loop {
            let read = |line: &str| if line.is_empty() { Some(None) } else { parse_root(line).map(Some) };
            match self.next("a hash of 32 bytes in base64, or an empty line", read)? {
                None => return Ok(path),
                Some(_) if path.len() == PATH_MAX => {
                    return Err(ProofTextError::Line {
                        line: self.number,
                        expected: "an empty line: the proof is too long",
                    });
                }
                Some(digest) => path.push(digest),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Entry, HeadKey, Kind, Ledger, MemoryStorage};

    fn origin() -> Origin {
        Origin::new("dais/test").unwrap()
    }

    fn ledger(size: u32) -> (Ledger<MemoryStorage>, HeadKey) {
        let key = HeadKey::from_seed([7; 32]);
        let mut ledger = Ledger::create(MemoryStorage::new(), origin(), key.clone()).unwrap();
        let entry = |author| Entry { kind: Kind::Vote, step: 1, author, body: vec![author as u8; 3] };
        ledger.append_batch(&(0..size).map(entry).collect::<Vec<_>>()).unwrap();
        (ledger, key)
    }

    fn inclusion(ledger: &Ledger<MemoryStorage>, key: &HeadKey, index: u64) -> InclusionText {
        let checkpoint = Checkpoint::new(origin(), ledger.head(), &key.verifier());
        let path = ledger.prove_inclusion(index, ledger.head().head.size).unwrap().path;
        InclusionText { entry: Some(ledger.entry(index).unwrap().encode()), index, path, checkpoint }
    }

    proptest! {
        #[test]
        fn every_proof_is_read_as_it_was_written_and_holds(size in 1_u32..70, at in 0_u32..70, old in 0_u32..70) {
            let (ledger, key) = ledger(size);
            let (index, old) = (u64::from(at % size), u64::from(old % (size + 1)));
            let proof = inclusion(&ledger, &key, index);
            let read: InclusionText = proof.to_string().parse().unwrap();
            prop_assert_eq!(&read, &proof);
            let included = read.verify(&origin(), &key.verifier(), None).unwrap();
            prop_assert_eq!((included.entry, included.head), (Some(ledger.entry(index).unwrap()), *ledger.head()));

            let path = ledger.prove_consistency(old, size.into()).unwrap().path;
            let grown = ConsistencyText { old_size: old, path, checkpoint: proof.checkpoint };
            let read: ConsistencyText = grown.to_string().parse().unwrap();
            prop_assert_eq!(&read, &grown);
            let root = ledger.root_at(old).unwrap();
            prop_assert_eq!(read.verify(&origin(), &key.verifier(), root), Ok(*ledger.head()));
        }

        #[test]
        fn no_altered_character_proves_another_entry(at in 0_usize..2_000, new in 0_u8..128) {
            let (ledger, key) = ledger(13);
            let text = inclusion(&ledger, &key, 5).to_string();
            let mut bytes = text.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = new;
            let Ok(altered) = String::from_utf8(bytes) else { return Ok(()) };
            if let Ok(proof) = altered.parse::<InclusionText>()
                && let Ok(included) = proof.verify(&origin(), &key.verifier(), None)
            {
                prop_assert_eq!((proof.index, included.entry), (5, Some(ledger.entry(5).unwrap())));
            }
        }
    }

    #[test]
    fn the_form_is_that_of_the_standard() {
        let (ledger, key) = ledger(3);
        let text = inclusion(&ledger, &key, 2).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[2], lines[4]), ("c2sp.org/tlog-proof@v1", "index 2", ""));
        assert!(lines[1].starts_with("extra ") && lines[5] == "dais/test" && lines[6] == "3");
        let line = |text: &str| match text.parse::<InclusionText>() {
            Err(ProofTextError::Line { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line(&text.replace("@v1", "@v2")), 1);
        assert_eq!(line(&text.replace("extra ", "extra !")), 2);
        assert_eq!(line(&text.replace("index 2", "index 02")), 3);
        assert_eq!(line(&text.replace("index 2\n", "index 2\nAAAA\n")), 4);
        assert_eq!(line(&format!("{FIRST_LINE}\nindex 0\n{}", format!("{}=\n", "A".repeat(43)).repeat(200))), 131);
        let cut = text.split_once("\n\n").unwrap().0.to_owned() + "\n\n";
        assert!(matches!(cut.parse::<InclusionText>(), Err(ProofTextError::Checkpoint(_))));
    }
}
