//! Proof that a log showed two histories.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::checkpoint::Checkpoint;
use crate::head::{HeadVerifier, SignedHead};
use crate::origin::Origin;

/// First line of the text form.
const TITLE: &str = "dais/split-view/v1";

/// Largest text that is read, in bytes; what this version writes has less than 2,000.
const TEXT_BYTES_MAX: usize = 4_096;

/// Two heads of one log with the same size and different roots, both sealed with its key.
///
/// Nobody but the holder of the key can make one, so it convinces whoever knows that the key is the log's. A value of
/// this type always holds against the key that is in it; that this is the key of the log is for
/// [`SplitView::verify`] to say.
///
/// Two heads of different sizes that do not fit are no such proof: that a consistency proof is refused shows nothing to
/// others.
///
/// As text it has the title line `dais/split-view/v1`, a line with the `vkey` of the log, and the two checkpoints, the
/// one with the lesser root first, each after an empty line. There is one text only for two heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitView {
    origin: Origin,
    verifier: HeadVerifier,
    heads: [SignedHead; 2],
}

/// Why a split view shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitViewError {
    /// The text does not have the form of one.
    #[error("this is not the text of a split view: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The two heads do not contradict one another, or one is not sealed with the key in the text.
    #[error("the two heads are not both sealed by this key with one size and different roots")]
    NotSplit,
    /// The proof is about another key.
    #[error("the split view is about the public key {}, expected {}", hex::encode(found), hex::encode(expected))]
    ForeignKey {
        /// Key in the proof.
        found: [u8; 32],
        /// Key it was checked against.
        expected: [u8; 32],
    },
}

impl SplitView {
    /// The proof that two heads give against the log of this name and key, if they do.
    ///
    /// `None` when one of the seals does not hold, when the sizes differ, or when the heads are the same.
    pub fn detect(origin: &Origin, a: &SignedHead, b: &SignedHead, verifier: &HeadVerifier) -> Option<Self> {
        let contradict = a.head.size == b.head.size && a.head.root != b.head.root;
        let sealed = |signed| verifier.verify(origin, signed).is_ok();
        if !contradict || !sealed(a) || !sealed(b) {
            return None;
        }
        let heads = if a.head.root < b.head.root { [*a, *b] } else { [*b, *a] };
        Some(Self { origin: origin.clone(), verifier: *verifier, heads })
    }

    /// Name of the log that showed both heads.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key that sealed both. Trust it only after [`SplitView::verify`], which takes the key from elsewhere.
    pub fn key(&self) -> &HeadVerifier {
        &self.verifier
    }

    /// The two heads, the one with the lesser root first.
    pub fn heads(&self) -> &[SignedHead; 2] {
        &self.heads
    }

    /// Checks everything again, with the key of the log from somewhere else than the proof.
    ///
    /// # Errors
    ///
    /// [`SplitViewError::ForeignKey`] when the proof is not about this key.
    pub fn verify(&self, verifier: &HeadVerifier) -> Result<(), SplitViewError> {
        if self.verifier != *verifier {
            let (found, expected) = (self.verifier.to_bytes(), verifier.to_bytes());
            return Err(SplitViewError::ForeignKey { found, expected });
        }
        let [a, b] = &self.heads;
        Self::detect(&self.origin, a, b, verifier).map(|_| ()).ok_or(SplitViewError::NotSplit)
    }

    /// Where the proof against a ledger file is kept: `.split-view` added to its name.
    ///
    /// It is a file of its own, because the log of the accused is no place for it.
    pub fn path_beside(ledger: &Path) -> PathBuf {
        let mut name = OsString::from(ledger);
        name.push(".split-view");
        name.into()
    }
}

impl fmt::Display for SplitView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}\n{}", self.verifier.to_vkey(&self.origin))?;
        let checkpoint = |signed| Checkpoint::new(self.origin.clone(), signed, &self.verifier);
        self.heads.iter().try_for_each(|signed| write!(f, "\n{}", checkpoint(signed)))
    }
}

impl FromStr for SplitView {
    type Err = SplitViewError;

    /// Reads the one text of a split view, and checks both seals against the key in it.
    fn from_str(text: &str) -> Result<Self, SplitViewError> {
        let malformed = |what| SplitViewError::Malformed { what };
        if text.len() > TEXT_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let mut parts = text.splitn(3, '\n');
        if parts.next() != Some(TITLE) {
            return Err(malformed("its first line is another"));
        }
        let vkey = parts.next().ok_or(malformed("it has no key"))?;
        let (origin, verifier) =
            HeadVerifier::from_vkey(vkey).map_err(|_| malformed("the second line is not the verifier key of a log"))?;
        // Each checkpoint has one empty line of its own.
        let mut pieces = parts.next().unwrap_or_default().split("\n\n");
        let mut checkpoint = || {
            let (body, signature) = (pieces.next()?, pieces.next()?);
            let text = format!("{}\n\n{}\n", body.trim_start_matches('\n'), signature.trim_end_matches('\n'));
            text.parse::<Checkpoint>().ok()?.signed_by(&verifier).ok()
        };
        let (Some(a), Some(b)) = (checkpoint(), checkpoint()) else {
            return Err(malformed("it does not hold two checkpoints sealed with its key"));
        };
        let split = Self::detect(&origin, &a, &b, &verifier).ok_or(SplitViewError::NotSplit)?;
        if split.to_string() == text { Ok(split) } else { Err(malformed("it has more than belongs into it")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Head, HeadKey};
    use proptest::prelude::*;

    fn origin() -> Origin {
        Origin::new("dais/two-faced").unwrap()
    }

    fn head(key: &HeadKey, size: u64, root: u8) -> SignedHead {
        key.seal(&origin(), Head { size, root: Digest::from_bytes([root; 32]) })
    }

    fn split() -> (HeadKey, SplitView) {
        let key = HeadKey::from_seed([9; 32]);
        let found = SplitView::detect(&origin(), &head(&key, 7, 2), &head(&key, 7, 1), &key.verifier()).unwrap();
        (key, found)
    }

    #[test]
    fn a_split_view_convinces_who_knows_the_key() {
        let (key, split) = split();
        let read: SplitView = split.to_string().parse().unwrap();
        assert_eq!(read, split);
        assert_eq!(read.verify(&key.verifier()), Ok(()));
        assert_eq!((read.origin(), read.key()), (&origin(), &key.verifier()));
        let other = HeadKey::from_seed([8; 32]).verifier();
        assert!(matches!(read.verify(&other), Err(SplitViewError::ForeignKey { .. })));
    }

    #[test]
    fn the_order_of_the_heads_does_not_matter() {
        let (key, split) = split();
        let other = SplitView::detect(&origin(), &head(&key, 7, 1), &head(&key, 7, 2), &key.verifier());
        assert_eq!(other, Some(split));
    }

    #[test]
    fn heads_that_do_not_contradict_one_another_prove_nothing() {
        let key = HeadKey::from_seed([9; 32]);
        let detect = |a: &SignedHead, b: &SignedHead| SplitView::detect(&origin(), a, b, &key.verifier());
        assert_eq!(detect(&head(&key, 7, 1), &head(&key, 7, 1)), None);
        assert_eq!(detect(&head(&key, 7, 1), &head(&key, 8, 2)), None);
        let mut forged = head(&key, 7, 1);
        forged.head.root = Digest::from_bytes([2; 32]);
        assert_eq!(detect(&head(&key, 7, 1), &forged), None);
        let foreign = head(&HeadKey::from_seed([8; 32]), 7, 2);
        assert_eq!(detect(&head(&key, 7, 1), &foreign), None);
        let elsewhere = Origin::new("dais/elsewhere").unwrap();
        assert_eq!(SplitView::detect(&elsewhere, &head(&key, 7, 1), &head(&key, 7, 2), &key.verifier()), None);
    }

    #[test]
    fn every_changed_byte_of_the_text_is_noticed() {
        let text = split().1.to_string();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(changed.parse::<SplitView>().is_err(), "byte {at}: {changed}");
            }
        }
        for cut in (0..text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            assert!(text[..cut].parse::<SplitView>().is_err(), "cut at {cut}");
        }
        assert!(format!("{text}\n").parse::<SplitView>().is_err());
        assert!(format!("{text}{text}").parse::<SplitView>().is_err());
        assert!(text.replacen("\n\n", "\n\n\n", 1).parse::<SplitView>().is_err());
    }

    #[test]
    fn a_split_view_lies_beside_its_ledger() {
        assert_eq!(SplitView::path_beside(Path::new("runs/a/ledger.db")), Path::new("runs/a/ledger.db.split-view"));
    }

    proptest! {
        #[test]
        fn garbage_is_refused(garbage in "(dais/split-view/v1\n)?(.|\n){0,200}") {
            prop_assert!(garbage.parse::<SplitView>().is_err());
        }
    }
}
