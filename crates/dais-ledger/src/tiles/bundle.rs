//! The bytes of the files: hashes one after the other, entries behind their length, heads of 104 bytes.

use crate::digest::Digest;
use crate::entry::ENTRY_BYTES_MAX;
use crate::head::{Head, HeadSeal, SignedHead};

/// Bytes of a hash.
pub(super) const HASH_BYTES: u64 = 32;
/// Bytes of a sealed head: size, root, seal.
pub(super) const HEAD_BYTES: u64 = 104;
/// Most bytes of an entry with its length.
pub(super) const ENTRY_ITEM_BYTES_MAX: u64 = 2 + ENTRY_BYTES_MAX as u64;

/// Adds an entry behind its length in 16 bits; `None` when it is too long for that.
pub(super) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    let length = u16::try_from(entry.len()).ok()?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Some(())
}

/// Takes the first entry off a bundle; `None` when the bundle ends within it.
pub(super) fn take_entry<'a>(bundle: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *bundle = rest;
    Some(entry)
}

/// The hashes in a tile.
pub(super) fn hashes(tile: &[u8]) -> impl Iterator<Item = Digest> {
    tile.as_chunks::<32>().0.iter().map(|bytes| Digest::from_bytes(*bytes))
}

pub(super) fn push_head(bundle: &mut Vec<u8>, signed: &SignedHead) {
    bundle.extend_from_slice(&signed.head.size.to_be_bytes());
    bundle.extend_from_slice(signed.head.root.as_bytes());
    bundle.extend_from_slice(signed.seal.as_bytes());
}

/// The heads in a bundle.
pub(super) fn heads(bundle: &[u8]) -> impl Iterator<Item = SignedHead> {
    bundle.as_chunks::<{ HEAD_BYTES as usize }>().0.iter().filter_map(|bytes| {
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let (root, seal) = rest.split_first_chunk::<32>()?;
        let head = Head { size: u64::from_be_bytes(*size), root: Digest::from_bytes(*root) };
        Some(SignedHead { head, seal: HeadSeal::from_bytes(seal.try_into().ok()?) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bundle_is_taken_apart_again(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut bundle = Vec::new();
            for entry in &entries {
                push_entry(&mut bundle, entry).unwrap();
            }
            let mut rest = &bundle[..];
            for entry in &entries {
                prop_assert_eq!(take_entry(&mut rest), Some(&entry[..]));
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(take_entry(&mut rest), None);
        }

        #[test]
        fn heads_are_read_back(size: u64, root: [u8; 32], seal: [u8; 64], count in 0..5usize) {
            let head = Head { size, root: Digest::from_bytes(root) };
            let signed = SignedHead { head, seal: HeadSeal::from_bytes(seal) };
            let mut bundle = Vec::new();
            (0..count).for_each(|_| push_head(&mut bundle, &signed));
            prop_assert_eq!(bundle.len() as u64, count as u64 * HEAD_BYTES);
            prop_assert_eq!(heads(&bundle).collect::<Vec<_>>(), vec![signed; count]);
        }
    }

    #[test]
    fn an_entry_that_needs_more_than_16_bits_is_refused() {
        assert_eq!(push_entry(&mut Vec::new(), &vec![0; 65_536]), None);
        assert_eq!(push_entry(&mut Vec::new(), &vec![0; 65_535]), Some(()));
    }
}
