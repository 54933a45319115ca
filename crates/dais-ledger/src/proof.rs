//! Proofs about a log for readers who hold only its heads (RFC 9162 section 2.1, on the tree of RFC 6962).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::head::Head;
use crate::tree::{empty_root, node_hash, split};

/// Shows that an entry is at an index of the log of a given size.
///
/// The path has at most 64 digests, about log2 of the size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// Index of the entry, from 0.
    pub index: u64,
    /// Size of the log the proof is about.
    pub size: u64,
    /// Roots of the subtrees beside the way from the leaf to the root, from the leaf upwards.
    pub path: Vec<Digest>,
}

/// Shows that the log of the new size begins with the log of the old size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// Size of the older log.
    pub old_size: u64,
    /// Size of the newer log.
    pub new_size: u64,
    /// Roots of the subtrees from which both roots can be computed, in the order of RFC 9162; empty if a size is 0 or
    /// both are equal.
    pub path: Vec<Digest>,
}

/// Why a proof shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The sizes or the index contradict one another, or those of the heads.
    #[error("the sizes in the proof contradict one another or the heads")]
    Shape,
    /// The path is longer or shorter than the sizes ask for.
    #[error("the path has {found} digests, which does not fit the sizes in the proof")]
    PathLength {
        /// Digests found.
        found: usize,
    },
    /// The path leads to another root.
    #[error("the proof leads to the root {computed}, not to {expected}")]
    Root {
        /// The root that was to be shown.
        expected: Digest,
        /// The root that the path gives.
        computed: Digest,
    },
}

fn same_root(computed: Digest, expected: &Digest) -> Result<(), ProofError> {
    if computed == *expected { Ok(()) } else { Err(ProofError::Root { expected: *expected, computed }) }
}

impl InclusionProof {
    /// Checks that the entry with this leaf hash is at `index` in the log with this root.
    ///
    /// A root does not tell the size of its tree, and a proof may hold for several sizes: compare `size` with that of the
    /// head from which the root was taken, or use [`InclusionProof::verify_in`], which does.
    ///
    /// # Errors
    ///
    /// [`ProofError`] when the proof does not show it.
    pub fn verify(&self, leaf: &Digest, root: &Digest) -> Result<(), ProofError> {
        if self.index >= self.size {
            return Err(ProofError::Shape);
        }
        let wrong_length = ProofError::PathLength { found: self.path.len() };
        let mut walk = Walk { from: self.index, to: self.size - 1 };
        let mut computed = *leaf;
        for sibling in &self.path {
            computed = match walk.up().ok_or(wrong_length)? {
                Side::Left => node_hash(sibling, &computed),
                Side::Right => node_hash(&computed, sibling),
            };
        }
        if walk.to != 0 {
            return Err(wrong_length);
        }
        same_root(computed, root)
    }

    /// Checks that the entry with this leaf hash is at `index` in the log with this head, whose seal was checked.
    ///
    /// # Errors
    ///
    /// [`ProofError`] when the proof does not show it, [`ProofError::Shape`] when it is about another size.
    pub fn verify_in(&self, leaf: &Digest, head: &Head) -> Result<(), ProofError> {
        if self.size != head.size {
            return Err(ProofError::Shape);
        }
        self.verify(leaf, &head.root)
    }
}

impl ConsistencyProof {
    /// Checks that the log with the new head begins with the log that has the old head.
    ///
    /// # Errors
    ///
    /// [`ProofError`] when the proof does not show it, [`ProofError::Shape`] when it is about other sizes.
    pub fn verify_between(&self, old: &Head, new: &Head) -> Result<(), ProofError> {
        if (self.old_size, self.new_size) != (old.size, new.size) {
            return Err(ProofError::Shape);
        }
        self.verify(&old.root, &new.root)
    }

    /// Checks that the log with the new root begins with the log that has the old root.
    ///
    /// # Errors
    ///
    /// [`ProofError`] when the proof does not show it.
    pub fn verify(&self, old_root: &Digest, new_root: &Digest) -> Result<(), ProofError> {
        let wrong_length = ProofError::PathLength { found: self.path.len() };
        if self.old_size > self.new_size {
            return Err(ProofError::Shape);
        }
        if self.old_size == 0 || self.old_size == self.new_size {
            if !self.path.is_empty() {
                return Err(wrong_length);
            }
            return match self.old_size {
                0 => same_root(empty_root(), old_root),
                _ => same_root(*old_root, new_root),
            }
            .and_then(|()| match self.new_size {
                0 => same_root(empty_root(), new_root),
                _ => Ok(()),
            });
        }
        let mut path = self.path.iter();
        let start = if self.old_size.is_power_of_two() { *old_root } else { *path.next().ok_or(wrong_length)? };
        let skipped = (self.old_size - 1).trailing_ones();
        let mut walk = Walk { from: (self.old_size - 1) >> skipped, to: (self.new_size - 1) >> skipped };
        let (mut old, mut new) = (start, start);
        for sibling in path {
            match walk.up().ok_or(wrong_length)? {
                Side::Left => {
                    old = node_hash(sibling, &old);
                    new = node_hash(sibling, &new);
                }
                Side::Right => new = node_hash(&new, sibling),
            }
        }
        if walk.to != 0 {
            return Err(wrong_length);
        }
        same_root(old, old_root)?;
        same_root(new, new_root)
    }
}

/// On which side of the way up a sibling lies.
enum Side {
    Left,
    Right,
}

/// The way from a node to the root: `fn` and `sn` of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
struct Walk {
    from: u64,
    to: u64,
}

impl Walk {
    /// Goes up past the next sibling; `None` at the root.
    fn up(&mut self) -> Option<Side> {
        if self.to == 0 {
            return None;
        }
        let side = if self.from & 1 == 1 || self.from == self.to {
            // A node without a right sibling rises unchanged until it is a right child itself.
            let risen = self.from.trailing_zeros().min(63);
            self.from >>= risen;
            self.to >>= risen;
            Side::Left
        } else {
            Side::Right
        };
        self.from >>= 1;
        self.to >>= 1;
        Some(side)
    }
}

/// The ranges of leaves whose roots make the inclusion path of `index` in a tree of `size`; `index < size`.
pub(crate) fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The ranges of leaves whose roots make the consistency path; `old_size <= new_size`.
pub(crate) fn consistency_ranges(old_size: u64, new_size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    if old_size == 0 {
        return ranges;
    }
    let (mut start, mut end) = (0, new_size);
    while old_size < end {
        let middle = start + split(end - start);
        if old_size <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    if start > 0 {
        ranges.push(start..end);
    }
    ranges.reverse();
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Span, Tree, leaf_hash};
    use std::convert::Infallible;
    use std::sync::Arc;

    /// The leaves of the test vectors of the Certificate Transparency reference implementation.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn vector_leaves() -> Vec<Digest> {
        LEAVES.iter().map(|text| leaf_hash(&hex::decode(text).unwrap())).collect()
    }

    fn roots(leaves: &[Digest], ranges: Vec<Range<u64>>) -> Vec<Digest> {
        let span = Arc::new(Span::new(0, leaves.to_vec()));
        let mut spans = |_| Ok::<_, Infallible>(Arc::clone(&span));
        ranges.into_iter().map(|range| Tree::default().range_root(range, &mut spans).unwrap()).collect()
    }

    fn digests(texts: &[&str]) -> Vec<Digest> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn roots_are_those_of_the_reference_vectors() {
        let ranges = (1..=8).map(|size| 0..size).collect();
        assert_eq!(roots(&vector_leaves(), ranges), digests(&ROOTS));
        assert_eq!(empty_root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn an_inclusion_path_is_that_of_the_reference_vectors() {
        let expected = [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ];
        let leaves = vector_leaves();
        let path = roots(&leaves, inclusion_ranges(5, 8));
        assert_eq!(path, digests(&expected));
        let proof = InclusionProof { index: 5, size: 8, path };
        assert_eq!(proof.verify(&leaves[5], &ROOTS[7].parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_consistency_path_is_that_of_the_reference_vectors() {
        let expected = [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ];
        let path = roots(&vector_leaves(), consistency_ranges(6, 8));
        assert_eq!(path, digests(&expected));
        let proof = ConsistencyProof { old_size: 6, new_size: 8, path };
        assert_eq!(proof.verify(&ROOTS[5].parse().unwrap(), &ROOTS[7].parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_log_without_entries_is_the_beginning_of_every_log() {
        let proof = ConsistencyProof { old_size: 0, new_size: 3, path: vec![] };
        let root: Digest = ROOTS[2].parse().unwrap();
        assert_eq!(proof.verify(&empty_root(), &root), Ok(()));
        assert!(matches!(proof.verify(&root, &root), Err(ProofError::Root { .. })));
        let nothing = ConsistencyProof { old_size: 0, new_size: 0, path: vec![] };
        assert!(matches!(nothing.verify(&empty_root(), &root), Err(ProofError::Root { .. })));
    }

    #[test]
    fn contradictory_sizes_and_extra_digests_are_refused() {
        let root: Digest = ROOTS[2].parse().unwrap();
        let proof = ConsistencyProof { old_size: 4, new_size: 3, path: vec![] };
        assert_eq!(proof.verify(&root, &root), Err(ProofError::Shape));
        let proof = ConsistencyProof { old_size: 3, new_size: 3, path: vec![root] };
        assert_eq!(proof.verify(&root, &root), Err(ProofError::PathLength { found: 1 }));
        let proof = InclusionProof { index: 0, size: 0, path: vec![] };
        assert_eq!(proof.verify(&root, &root), Err(ProofError::Shape));
        let proof = InclusionProof { index: 0, size: 1, path: vec![root] };
        assert_eq!(proof.verify(&root, &root), Err(ProofError::PathLength { found: 1 }));
        let huge = InclusionProof { index: u64::MAX - 1, size: u64::MAX, path: vec![root; 70] };
        assert_eq!(huge.verify(&root, &root), Err(ProofError::PathLength { found: 70 }));
    }
}
