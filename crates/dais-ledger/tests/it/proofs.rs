//! Proofs: against an independent implementation, and against forgery.

use std::sync::LazyLock;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use dais_ledger::{ConsistencyProof, Digest, Entry, Head, InclusionProof, Ledger, MemoryStorage};
use proptest::prelude::*;
use sha2::Sha256;

use super::{all_entries, entries, filled};

static LOG: LazyLock<Ledger<MemoryStorage>> = LazyLock::new(|| filled(MemoryStorage::new(), 900, 50));

fn joined(path: &[Digest]) -> Vec<u8> {
    path.iter().flat_map(|digest| *digest.as_bytes()).collect()
}

#[test]
fn roots_and_proofs_are_those_of_ct_merkle_for_all_sizes_up_to_256() {
    let ledger = filled(MemoryStorage::new(), 256, 5);
    let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut compared = 0;
    for (new, entry) in (1u64..).zip(entries(256)) {
        other.push(entry.encode());
        let root = ledger.root_at(new).unwrap();
        assert_eq!(root.as_bytes()[..], other.root().as_bytes()[..], "root of {new}");
        for old in 0..=new {
            if old < new {
                let proof = ledger.prove_inclusion(old, new).unwrap();
                let expected = other.prove_inclusion(old as usize);
                assert_eq!(joined(&proof.path), expected.as_bytes(), "entry {old} in {new}");
                proof.verify(&ledger.entry(old).unwrap().leaf_hash(), &root).unwrap();
            }
            let proof = ledger.prove_consistency(old, new).unwrap();
            proof.verify(&ledger.root_at(old).unwrap(), &root).unwrap();
            if 0 < old && old < new {
                let expected = other.prove_consistency((new - old) as usize);
                assert_eq!(joined(&proof.path), expected.as_bytes(), "{old} to {new}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 256 * 257 / 2 + 256);
}

/// Every way to change a path in one place: a byte of a digest, a digest gone, added, doubled or swapped with another.
fn changed_paths(path: &[Digest]) -> Vec<Vec<Digest>> {
    let mut changed = Vec::new();
    let mut change = |edit: &dyn Fn(&mut Vec<Digest>)| {
        let mut other = path.to_vec();
        edit(&mut other);
        if other != path {
            changed.push(other);
        }
    };
    for at in 0..=path.len() {
        change(&|path| path.insert(at, Digest::from_bytes([7; 32])));
        if at == path.len() {
            break;
        }
        change(&|path| {
            path.remove(at);
        });
        change(&|path| path.insert(at, path[at]));
        change(&|path| path.truncate(at));
        for other in 0..at {
            change(&|path| path.swap(at, other));
        }
        for byte in 0..32 {
            change(&|path| {
                let mut bytes = *path[at].as_bytes();
                bytes[byte] ^= 0x10;
                path[at] = Digest::from_bytes(bytes);
            });
        }
    }
    changed
}

#[test]
fn every_changed_proof_of_a_small_log_is_refused() {
    const SIZE: u64 = 20;
    let ledger = filled(MemoryStorage::new(), SIZE as u32, 3);
    let heads: Vec<_> = (0..=SIZE).map(|size| Head { size, root: ledger.root_at(size).unwrap() }).collect();
    let leaves: Vec<_> = all_entries(&ledger).unwrap().iter().map(Entry::leaf_hash).collect();
    let mut refused = 0;
    for (new, head) in (1..).zip(&heads[1..]) {
        for (index, leaf) in (0..new).zip(&leaves) {
            let proof = ledger.prove_inclusion(index, new).unwrap();
            proof.verify_in(leaf, head).unwrap();
            for path in changed_paths(&proof.path) {
                assert!(
                    InclusionProof { path, ..proof.clone() }.verify_in(leaf, head).is_err(),
                    "entry {index} of {new}"
                );
                refused += 1;
            }
            for other in (0..=SIZE).filter(|other| *other != index) {
                let moved = InclusionProof { index: other, ..proof.clone() };
                assert!(moved.verify_in(leaf, head).is_err(), "entry {index} of {new} as {other}");
            }
            for other in heads.iter().filter(|other| *other != head) {
                assert!(proof.verify_in(leaf, other).is_err(), "entry {index} of {new} in {}", other.size);
                let resized = InclusionProof { size: other.size, ..proof.clone() };
                assert!(resized.verify_in(leaf, head).is_err());
                assert!(resized.verify_in(leaf, other).is_err(), "entry {index} of {new} in {}", other.size);
            }
            assert!(leaves.iter().filter(|other| *other != leaf).all(|other| proof.verify_in(other, head).is_err()));
        }
        for (old, old_head) in (0..=new).zip(&heads) {
            let proof = ledger.prove_consistency(old, new).unwrap();
            proof.verify_between(old_head, head).unwrap();
            for path in changed_paths(&proof.path) {
                let changed = ConsistencyProof { path, ..proof.clone() };
                assert!(changed.verify_between(old_head, head).is_err(), "{old} to {new}");
                refused += 1;
            }
            for other in &heads {
                let (size, root) = (other.size, other.root);
                if other != old_head {
                    assert!(proof.verify_between(other, head).is_err(), "{old} to {new}, from {size}");
                    assert!(proof.verify_between(&Head { root, ..*old_head }, head).is_err());
                }
                if other != head {
                    assert!(proof.verify_between(old_head, other).is_err(), "{old} to {new}, to {size}");
                    // From nothing, every log grows: only the old root is compared.
                    assert!(old == 0 || proof.verify_between(old_head, &Head { root, ..*head }).is_err());
                }
            }
        }
    }
    assert!(refused > 20_000, "only {refused} changed proofs");
}

#[test]
fn proofs_of_a_long_log_hold() {
    let ledger = filled(MemoryStorage::new(), 100_000, 10_000);
    let head = ledger.head().head;
    for index in (0..100_000).step_by(10_007) {
        let leaf = ledger.entry(index).unwrap().leaf_hash();
        ledger.prove_inclusion(index, head.size).unwrap().verify(&leaf, &head.root).unwrap();
        let old = ledger.root_at(index).unwrap();
        ledger.prove_consistency(index, head.size).unwrap().verify(&old, &head.root).unwrap();
    }
}

fn mutated(mut path: Vec<Digest>, at: usize, how: u8) -> Option<Vec<Digest>> {
    let before = path.clone();
    let length = path.len();
    match how {
        0 if length > 0 => {
            let mut bytes = *path[at % length].as_bytes();
            bytes[at % 32] ^= 1 << (at % 8);
            path[at % length] = Digest::from_bytes(bytes);
        }
        1 if length > 0 => drop(path.remove(at % length)),
        2 => path.insert(at % (length + 1), Digest::from_bytes([at as u8; 32])),
        3 if length > 1 => path.swap(at % length, (at + 1) % length),
        4 if length > 0 => path.push(path[at % length]),
        _ => (),
    }
    (path != before).then_some(path)
}

proptest! {
    #[test]
    fn proofs_hold_and_changed_ones_are_refused(
        old in 0u64..900, more in 1u64..=900, at: usize, how in 0u8..5, shift in 1u64..900,
    ) {
        let new = (old + more).min(900);
        let (old_root, new_root) = (LOG.root_at(old).unwrap(), LOG.root_at(new).unwrap());
        let leaf = LOG.entry(old).unwrap().leaf_hash();
        let inclusion = LOG.prove_inclusion(old, new).unwrap();
        let consistency = LOG.prove_consistency(old, new).unwrap();
        prop_assert_eq!(inclusion.verify(&leaf, &new_root), Ok(()));
        prop_assert_eq!(consistency.verify(&old_root, &new_root), Ok(()));

        if let Some(path) = mutated(inclusion.path.clone(), at, how) {
            let mut forged = inclusion.clone();
            forged.path = path;
            prop_assert!(forged.verify(&leaf, &new_root).is_err());
        }
        if let Some(path) = mutated(consistency.path.clone(), at, how) {
            let mut forged = consistency.clone();
            forged.path = path;
            prop_assert!(forged.verify(&old_root, &new_root).is_err());
        }
        let elsewhere = (old + shift) % 900;
        if elsewhere != old {
            let other = LOG.entry(elsewhere).unwrap().leaf_hash();
            prop_assert!(inclusion.verify(&other, &new_root).is_err());
            let mut moved = inclusion.clone();
            moved.index = elsewhere;
            prop_assert!(moved.verify(&leaf, &new_root).is_err());
            prop_assert!(consistency.verify(&LOG.root_at(elsewhere).unwrap(), &new_root).is_err());
        }
    }

    #[test]
    fn proofs_survive_json(index in 0u64..900) {
        let proofs = (LOG.prove_inclusion(index, 900).unwrap(), LOG.prove_consistency(index, 900).unwrap());
        let json = serde_json::to_string(&proofs).unwrap();
        prop_assert_eq!(serde_json::from_str::<(_, _)>(&json).ok(), Some(proofs));
    }

    #[test]
    fn foreign_proofs_never_panic(index: u64, size: u64, digests in 0usize..80) {
        let path = vec![Digest::from_bytes([3; 32]); digests];
        let root = Digest::from_bytes([4; 32]);
        let inclusion = InclusionProof { index, size, path: path.clone() };
        prop_assert!(inclusion.verify(&root, &root).is_err() || (index, size, digests) == (0, 1, 0));
        let consistency = ConsistencyProof { old_size: index, new_size: size, path };
        prop_assert!(consistency.verify(&root, &root).is_err() || index == size);
    }
}
