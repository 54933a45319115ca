//! Damage to an export is found and named, and hostile files do no harm.

use std::fs;
use std::path::Path;

use dais_ledger::{
    Checkpoint, CheckpointError, Entry, Head, HeadKey, Kind, Ledger, MemoryStorage, Origin, TileFault, import_tiles,
    leaf_hash, verify_tiles,
};
use rand::RngExt;
use rand_philox::Philox;
use tempfile::TempDir;

use super::tiles::{exported, files, verified};
use super::{entries, filled, key, origin};

fn fault(folder: &Path) -> TileFault {
    let fault = verify_tiles(folder, &origin(), &key().verifier()).unwrap_err();
    assert!(!fault.to_string().is_empty());
    fault
}

/// An export of 300 entries in batches of 100.
fn export() -> TempDir {
    exported(&filled(MemoryStorage::new(), 300, 100)).0
}

/// Exports, replaces one file, and returns what verification says.
fn damaged(path: &str, change: impl FnOnce(&mut Vec<u8>)) -> TileFault {
    let folder = export();
    let place = folder.path().join(path);
    let mut bytes = fs::read(&place).unwrap();
    change(&mut bytes);
    fs::write(place, bytes).unwrap();
    fault(folder.path())
}

#[test]
fn every_changed_byte_of_a_small_export_is_found() {
    let ledger = filled(MemoryStorage::new(), 12, 5);
    let (folder, _) = exported(&ledger);
    let mut checked = 0;
    for (path, good) in files(folder.path()) {
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(folder.path().join(&path), &bad).unwrap();
            assert!(verify_tiles(folder.path(), &origin(), &key().verifier()).is_err(), "byte {at} of {path}");
            checked += 1;
        }
        fs::write(folder.path().join(&path), &good).unwrap();
    }
    assert!(checked > 1_500, "{checked} bytes changed");
    verified(folder.path());
}

#[test]
fn changed_bytes_of_a_larger_export_are_found() {
    let folder = export();
    let all: Vec<(String, Vec<u8>)> = files(folder.path()).into_iter().collect();
    let mut random = Philox::from_u64_seed_stream(5, 0);
    for _ in 0..200 {
        let (path, good) = &all[random.random_range(0..all.len())];
        let mut bad = good.clone();
        match random.random_range(0..3) {
            0 => bad.truncate(random.random_range(0..good.len())),
            1 => bad.extend((0..random.random_range(1..40)).map(|_| random.random::<u8>())),
            _ => bad[random.random_range(0..good.len())] ^= random.random_range(1..=255u8),
        }
        fs::write(folder.path().join(path), &bad).unwrap();
        assert!(verify_tiles(folder.path(), &origin(), &key().verifier()).is_err(), "{path}");
        fs::write(folder.path().join(path), good).unwrap();
    }
    verified(folder.path());
}

#[test]
fn the_bad_entry_is_named() {
    let found = damaged("tile/entries/000", |bytes| bytes[20] ^= 1);
    assert!(
        matches!(&found, TileFault::EntryAltered { index: 1 | 0, path, .. } if path == "tile/entries/000"),
        "{found}"
    );
    let found = damaged("tile/0/001.p/44", |bytes| bytes[32 * 3] ^= 1);
    assert!(matches!(found, TileFault::EntryAltered { index: 259, .. }), "{found}");
    assert_eq!(found.first_index(), Some(259));
    let found = damaged("tile/1/000.p/1", |bytes| bytes[31] ^= 1);
    assert!(matches!(found, TileFault::HashAltered { position: 0, first: 0, .. }), "{found}");
    let found = damaged("tile/entries/001.p/44", |bytes| bytes.truncate(bytes.len() - 1));
    assert!(matches!(found, TileFault::EntryCut { index: 299, .. }), "{found}");
    let found = damaged("tile/entries/001.p/44", |bytes| bytes.push(0));
    assert_eq!(found, TileFault::BundleSurplus { path: "tile/entries/001.p/44".to_owned(), bytes: 1 });
}

#[test]
fn cut_and_long_files_are_named() {
    let path = "tile/0/000".to_owned();
    let found = damaged(&path, |bytes| bytes.truncate(100));
    assert_eq!(found, TileFault::Length { path: path.clone(), found: 100, expected: 8_192 });
    let found = damaged(&path, |bytes| bytes.resize(9_000, 0));
    assert_eq!(found, TileFault::Length { path, found: 9_000, expected: 8_192 });
    let found = damaged("heads/000.p/4", |bytes| bytes.truncate(300));
    assert_eq!(found, TileFault::Length { path: "heads/000.p/4".to_owned(), found: 300, expected: 416 });
    assert_eq!(
        damaged("checkpoint", Vec::clear),
        TileFault::Checkpoint(CheckpointError::Line { line: 1, expected: "the name of a log" })
    );
    let found = damaged("checkpoint", |bytes| bytes.resize(1_000_001, b'a'));
    assert_eq!(found, TileFault::Checkpoint(CheckpointError::TooLong { found: 1_000_001 }));
}

#[test]
fn missing_files_are_named() {
    for path in files(export().path()).keys().filter(|path| !path.starts_with("heads")) {
        let folder = export();
        fs::remove_file(folder.path().join(path)).unwrap();
        assert_eq!(fault(folder.path()), TileFault::Missing { path: path.clone() });
    }
    let nowhere = export().path().join("nowhere");
    assert_eq!(fault(&nowhere), TileFault::Missing { path: "checkpoint".to_owned() });
}

#[test]
fn files_that_do_not_belong_are_named() {
    for path in [
        "notes.txt",
        ".export.tmp",
        "tile/0/002",
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/entries/001",
        "tile/entries/000.p/300",
        "tile/9/000",
        "tile/0/x000/001",
        "a/b/c/d/e/f/g/h/i/j/k/l/m",
    ] {
        let folder = export();
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, [0; 32]).unwrap();
        let found = fault(folder.path());
        assert!(matches!(&found, TileFault::Surplus { path: named } if path.starts_with(named)), "{path}: {found}");
    }
}

#[test]
fn kept_parts_must_be_the_beginning_of_what_follows() {
    for path in ["tile/0/001.p/7", "tile/0/000.p/9", "tile/entries/001.p/7", "heads/000.p/2"] {
        let folder = export();
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let whole = path.split(".p/").next().unwrap();
        let length = match path.split('/').next().unwrap() {
            "heads" => 2 * 104,
            _ => path.split('/').next_back().unwrap().parse::<usize>().unwrap() * 32,
        };
        fs::write(&place, vec![0; length]).unwrap();
        let found = fault(folder.path());
        assert!(
            matches!(&found, TileFault::Outdated { path: named, whole: of } if named == path && of.starts_with(whole)),
            "{found}"
        );
    }
}

#[test]
fn an_altered_head_is_named() {
    for at in [0, 7, 20, 103] {
        let found = damaged("heads/000.p/4", |bytes| bytes[at + 104] ^= 1);
        assert!(matches!(found, TileFault::Seal { .. } | TileFault::HeadOrder { .. }), "{at}: {found}");
    }
    let found = damaged("heads/000.p/4", |bytes| bytes.rotate_left(104));
    assert!(matches!(found, TileFault::HeadOrder { size: 100, .. }), "{found}");
    let folder = export();
    let bytes = fs::read(folder.path().join("heads/000.p/4")).unwrap();
    fs::remove_file(folder.path().join("heads/000.p/4")).unwrap();
    fs::write(folder.path().join("heads/000.p/3"), &bytes[..312]).unwrap();
    assert!(matches!(fault(folder.path()), TileFault::HeadOrder { size: 300, path } if path == "checkpoint"));
}

#[test]
fn entries_replaced_together_with_their_hashes_show_in_their_batch() {
    let mut other = entries(300);
    other[150].body = b"another".to_vec();
    let mut forged = Ledger::create(MemoryStorage::new(), origin(), HeadKey::from_seed([1; 32])).unwrap();
    forged.append_batch(&other).unwrap();
    let (forgery, _) = exported(&forged);
    let folder = export();
    for (path, bytes) in files(forgery.path()) {
        if path.starts_with("tile") {
            fs::write(folder.path().join(path), bytes).unwrap();
        }
    }
    let found = fault(folder.path());
    assert!(matches!(found, TileFault::RootMismatch { first: 100, size: 200, .. }), "{found}");
}

#[test]
fn another_name_or_key_is_refused() {
    let folder = export();
    let other = Origin::new("dais/other").unwrap();
    let found = verify_tiles(folder.path(), &other, &key().verifier());
    assert_eq!(found, Err(TileFault::ForeignLog { found: origin(), expected: other }));
    let found = verify_tiles(folder.path(), &origin(), &HeadKey::from_seed([1; 32]).verifier());
    assert!(matches!(found, Err(TileFault::Unsigned(_))));
}

#[test]
fn a_sealed_head_of_absurd_size_costs_nothing() {
    let folder = export();
    for size in [301, 1 << 40, u64::MAX - 1, u64::MAX] {
        let signed = key().seal(&origin(), Head { size, root: leaf_hash(b"?") });
        let checkpoint = Checkpoint::new(origin(), &signed, &key().verifier());
        fs::write(folder.path().join("checkpoint"), checkpoint.to_string()).unwrap();
        let found = fault(folder.path());
        assert!(matches!(found, TileFault::Missing { .. } | TileFault::HeadOrder { .. }), "{found}");
    }
}

#[test]
fn entries_that_are_none_of_this_format_are_named() {
    let folder = export();
    let junk = [&[0, 4][..], b"junk"].concat();
    for path in files(folder.path()).into_keys() {
        fs::remove_file(folder.path().join(path)).unwrap();
    }
    fs::create_dir_all(folder.path().join("tile/entries/000.p")).unwrap();
    fs::create_dir_all(folder.path().join("tile/0/000.p")).unwrap();
    fs::write(folder.path().join("tile/entries/000.p/1"), junk).unwrap();
    fs::write(folder.path().join("tile/0/000.p/1"), leaf_hash(b"junk").as_bytes()).unwrap();
    let signed = key().seal(&origin(), Head { size: 1, root: leaf_hash(b"junk") });
    let checkpoint = Checkpoint::new(origin(), &signed, &key().verifier()).to_string();
    fs::write(folder.path().join("checkpoint"), checkpoint).unwrap();
    assert!(matches!(fault(folder.path()), TileFault::EntryMalformed { index: 0, .. }));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let folder = export();
    let place = folder.path().join("tile/0/000");
    fs::remove_file(&place).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &place).unwrap();
    assert_eq!(fault(folder.path()), TileFault::NotAFile { path: "tile/0/000".to_owned() });
}

#[test]
fn a_damaged_export_is_not_imported() {
    let folder = export();
    let place = folder.path().join("tile/entries/001.p/44");
    let mut bytes = fs::read(&place).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(place, bytes).unwrap();
    assert!(import_tiles(folder.path(), &origin(), &key().verifier(), MemoryStorage::new()).is_err());
}

#[test]
fn the_largest_entries_fit() {
    let mut ledger = filled(MemoryStorage::new(), 0, 1);
    let entry = Entry { kind: Kind::Vote, step: 1, author: 2, body: vec![7; dais_ledger::BODY_BYTES_MAX] };
    ledger.append_batch(&vec![entry; 257]).unwrap();
    let (folder, _) = exported(&ledger);
    assert_eq!(fs::metadata(folder.path().join("tile/entries/000")).unwrap().len(), 256 * 65_537);
    verified(folder.path());
}
