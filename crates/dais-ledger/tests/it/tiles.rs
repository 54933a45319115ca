//! Exports: their layout, also as another implementation sees it, adding to them, and importing them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use dais_ledger::{
    Durability, Entry, ExportError, Exported, HeadKey, ImportError, Ledger, MemoryStorage, Origin, SqliteStorage,
    Storage, VerifiedTiles, Witness, WitnessPolicy, add_cosignatures, export_tiles, import_tiles, verify_tiles,
};
use tempfile::{TempDir, tempdir};
use tlog_tiles::{Error, HashReader, Tile, TileHashReader, TileReader};

use super::{all_entries, entries, filled, key, origin};

/// All files below a folder, by their path with `/`.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(path) = folders.pop() {
        for entry in fs::read_dir(folder.join(&path)).unwrap() {
            let entry = entry.unwrap();
            let inner = format!("{path}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(inner + "/");
            } else {
                found.insert(inner, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

pub(crate) fn exported<S: Storage>(ledger: &Ledger<S>) -> (TempDir, Exported) {
    let folder = tempdir().unwrap();
    let exported = export_tiles(ledger, folder.path()).unwrap();
    (folder, exported)
}

pub(crate) fn verified(folder: &Path) -> VerifiedTiles {
    verify_tiles(folder, &origin(), &key().verifier()).unwrap()
}

/// `count` of the smallest entries in two batches.
fn small(count: u32) -> Ledger<MemoryStorage> {
    let mut ledger = filled(MemoryStorage::new(), 0, 1);
    let all: Vec<Entry> = (0..count)
        .map(|author| Entry { kind: dais_ledger::Kind::Vote, step: author / 300, author, body: vec![] })
        .collect();
    for part in all.chunks((count as usize).div_ceil(2).max(1)) {
        ledger.append_batch(part).unwrap();
    }
    ledger
}

#[test]
fn logs_of_every_size_are_exported_verified_and_imported() {
    for count in [0, 1, 2, 255, 256, 257, 511, 512, 513, 70_000] {
        let ledger = small(count);
        let (folder, exported) = exported(&ledger);
        let report = verified(folder.path());
        assert_eq!(report.head, *ledger.head(), "{count}");
        assert_eq!((report.entries, exported.entries_added), (count as u64, count as u64));
        assert_eq!((report.files, report.heads), (exported.files, ledger.verify(&key().verifier()).unwrap().heads));
        let imported = import_tiles(folder.path(), &origin(), &key().verifier(), MemoryStorage::new()).unwrap();
        assert_eq!(imported.verify(&key().verifier()), ledger.verify(&key().verifier()));
        assert!(all_entries(&imported) == all_entries(&ledger), "{count}");
        let (again, _) = self::exported(&imported);
        assert!(files(again.path()) == files(folder.path()), "an import exports the same bytes, {count}");
    }
}

#[test]
fn the_files_of_70000_entries_are_those_of_the_standard() {
    let (folder, _) = exported(&small(70_000));
    let mut expected: Vec<String> =
        Tile::new_tiles(8, 0, 70_000).iter().map(|tile| tile.path().replacen("tile/8/", "tile/", 1)).collect();
    let entries =
        expected.iter().filter_map(|path| path.strip_prefix("tile/0/").map(|rest| format!("tile/entries/{rest}")));
    let entries: Vec<String> = entries.collect();
    expected.extend(entries);
    expected.extend(["checkpoint".to_owned(), "heads/000.p/3".to_owned()]);
    expected.sort();
    let found: Vec<String> = files(folder.path()).into_keys().collect();
    assert_eq!(found, expected);
    for path in ["tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"] {
        assert!(found.iter().any(|file| file == path), "{path}");
    }
}

/// Tiles as another implementation reads them from a mirror.
struct Mirror<'a>(&'a Path);

impl TileReader for Mirror<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let place = |tile: &Tile| self.0.join(tile.path().replacen("tile/8/", "tile/", 1));
        Ok(tiles.iter().map(|tile| fs::read(place(tile)).unwrap()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn another_implementation_proves_entries_from_the_tiles() {
    let ledger = filled(MemoryStorage::new(), 1_000, 100);
    let (folder, _) = exported(&ledger);
    let mirror = Mirror(folder.path());
    let root = tlog_tiles::Hash(*ledger.head().head.root.as_bytes());
    let reader = TileHashReader::new(1_000, root, &mirror);
    for index in [0, 1, 255, 256, 700, 999] {
        let entry = tlog_tiles::record_hash(&ledger.entry(index).unwrap().encode());
        let hashes = reader.read_hashes(&[tlog_tiles::stored_hash_index(0, index)]).unwrap();
        assert_eq!(hashes[0], entry);
        let proof = tlog_tiles::prove_record(1_000, index, &reader).unwrap();
        let ours = ledger.prove_inclusion(index, 1_000).unwrap();
        assert!(proof.iter().map(|hash| hash.0).eq(ours.path.iter().map(|digest| *digest.as_bytes())));
    }
    let bundle = fs::read(folder.path().join("tile/entries/001")).unwrap();
    let first = ledger.entry(256).unwrap().encode();
    assert_eq!(bundle[..2], (first.len() as u16).to_be_bytes());
    assert_eq!(bundle[2..2 + first.len()], first);
}

#[test]
fn adding_to_an_export_gives_the_export_of_the_whole() {
    let all = entries(1_200);
    let mut ledger = filled(MemoryStorage::new(), 0, 1);
    let folder = tempdir().unwrap();
    let mut full: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for part in [0..0, 0..3, 3..200, 200..256, 256..257, 257..300, 300..1_025, 1_025..1_200] {
        let added = part.len() as u64;
        ledger.append_batch(&all[part]).unwrap();
        assert_eq!(export_tiles(&ledger, folder.path()).unwrap().entries_added, added);
        verified(folder.path());
        let found = files(folder.path());
        let (fresh, _) = exported(&ledger);
        for (path, bytes) in files(fresh.path()) {
            assert_eq!(found.get(&path), Some(&bytes), "{path}");
        }
        // What else is there was the right edge at an earlier checkpoint, and is not full yet.
        let fresh = files(fresh.path());
        for path in found.keys().filter(|path| !fresh.contains_key(*path)) {
            let (whole, _) = path.split_once(".p/").unwrap();
            assert!(!found.contains_key(whole), "{path} beside the full file");
        }
        for (path, bytes) in &full {
            assert_eq!(found.get(path), Some(bytes), "{path} stays");
        }
        full = found.into_iter().filter(|(path, _)| path != "checkpoint" && !path.contains(".p/")).collect();
    }
    assert_eq!(full.len(), 4 + 4);
}

#[test]
fn full_tiles_are_not_written_again() {
    let mut ledger = filled(MemoryStorage::new(), 600, 100);
    let (folder, _) = exported(&ledger);
    let tile = folder.path().join("tile/0/001");
    let written = fs::metadata(&tile).unwrap().modified().unwrap();
    ledger.append_batch(&entries(1)).unwrap();
    let report = export_tiles(&ledger, folder.path()).unwrap();
    assert_eq!(report.files, 4, "bundle, tile, heads, checkpoint");
    assert_eq!(fs::metadata(&tile).unwrap().modified().unwrap(), written);
    let report = export_tiles(&ledger, folder.path()).unwrap();
    assert_eq!((report.files, report.entries_added), (0, 0));
}

#[test]
fn many_heads_fill_bundles_of_their_own() {
    let mut ledger = filled(MemoryStorage::new(), 255, 1);
    let (folder, _) = exported(&ledger);
    assert!(folder.path().join("heads/000").is_file());
    assert_eq!(verified(folder.path()).heads, 256);
    for entry in entries(400) {
        ledger.append_batch(&[entry]).unwrap();
    }
    export_tiles(&ledger, folder.path()).unwrap();
    assert_eq!(verified(folder.path()).heads, 656);
    let (fresh, _) = exported(&ledger);
    assert!(files(folder.path()) == files(fresh.path()));
    let imported = import_tiles(folder.path(), &origin(), &key().verifier(), MemoryStorage::new()).unwrap();
    assert_eq!(imported.verify(&key().verifier()).unwrap().heads, 656);
}

#[test]
fn an_export_that_did_not_end_is_completed() {
    let mut ledger = filled(MemoryStorage::new(), 300, 100);
    let (folder, _) = exported(&ledger);
    let before = fs::read(folder.path().join("checkpoint")).unwrap();
    ledger.append_batch(&entries(300)).unwrap();
    export_tiles(&ledger, folder.path()).unwrap();
    // As if the process had ended before the checkpoint was written, in the middle of a file.
    fs::write(folder.path().join("checkpoint"), before).unwrap();
    fs::write(folder.path().join(".export.tmp"), b"half a ti").unwrap();
    assert!(verify_tiles(folder.path(), &origin(), &key().verifier()).is_err());
    export_tiles(&ledger, folder.path()).unwrap();
    assert_eq!(verified(folder.path()).entries, 600);
}

#[test]
fn only_an_export_of_the_same_log_is_added_to() {
    let ledger = filled(MemoryStorage::new(), 30, 10);
    let (folder, _) = exported(&ledger);
    let good = files(folder.path());
    let shorter = filled(MemoryStorage::new(), 20, 10);
    assert_eq!(export_tiles(&shorter, folder.path()), Err(ExportError::Older { exported: 30, size: 20 }));
    let mut forked = filled(MemoryStorage::new(), 29, 29);
    forked.append_batch(&entries(2)).unwrap();
    assert_eq!(export_tiles(&forked, folder.path()), Err(ExportError::Forked(*ledger.head())));
    let other = HeadKey::from_seed([1; 32]);
    let foreign = Ledger::create(MemoryStorage::new(), origin(), other.clone()).unwrap();
    assert!(matches!(export_tiles(&foreign, folder.path()), Err(ExportError::Before(_))));
    let named = Ledger::create(MemoryStorage::new(), Origin::new("dais/other").unwrap(), key()).unwrap();
    assert!(matches!(export_tiles(&named, folder.path()), Err(ExportError::Before(_))));
    assert!(files(folder.path()) == good);

    let home = tempdir().unwrap();
    fs::write(home.path().join("letter.txt"), b"dear").unwrap();
    let refused = export_tiles(&ledger, home.path());
    assert!(matches!(refused, Err(ExportError::NotAnExport { name, .. }) if name == "letter.txt"));
    assert_eq!(files(home.path()).len(), 1);
}

#[test]
fn one_export_into_a_folder_goes_on_at_a_time() {
    let ledger = filled(MemoryStorage::new(), 3, 3);
    let (folder, _) = exported(&ledger);
    let held = fs::OpenOptions::new().read(true).open(folder.path()).unwrap();
    held.lock().unwrap();
    assert_eq!(export_tiles(&ledger, folder.path()), Err(ExportError::Busy { folder: folder.path().into() }));
    drop(held);
    assert!(export_tiles(&ledger, folder.path()).is_ok());
}

#[test]
fn cosignatures_travel_with_the_export() {
    let mut ledger = filled(MemoryStorage::new(), 30, 10);
    let (folder, _) = exported(&ledger);
    let mut witness = Witness::new(Origin::new("witness.example/w1").unwrap(), [1; 32]);
    witness.watch(origin(), key().verifier(), None).unwrap();
    let proof = ledger.prove_consistency(0, 30).unwrap();
    let line = witness.check(&verified(folder.path()).checkpoint, &proof, 77).unwrap();
    let head = ledger.head().head;
    add_cosignatures(folder.path(), &origin(), &key().verifier(), &head, std::slice::from_ref(&line)).unwrap();
    let own = verified(folder.path()).checkpoint.signatures()[0].to_string().replace('+', "/");
    let spoilt = add_cosignatures(folder.path(), &origin(), &key().verifier(), &head, &[own.parse().unwrap()]);
    assert!(matches!(spoilt, Err(ExportError::Before(_))), "the log's own line stays whole");
    export_tiles(&ledger, folder.path()).unwrap();
    let policy = WitnessPolicy::new(vec![witness.verifier()], 1).unwrap();
    let cosigned = policy.check(&verified(folder.path()).checkpoint, &key().verifier()).unwrap();
    assert_eq!(cosigned.witnesses, [(Origin::new("witness.example/w1").unwrap(), 77)]);

    ledger.append_batch(&entries(1)).unwrap();
    export_tiles(&ledger, folder.path()).unwrap();
    assert!(policy.check(&verified(folder.path()).checkpoint, &key().verifier()).is_err());
    let late = add_cosignatures(folder.path(), &origin(), &key().verifier(), &head, &[line]);
    assert!(matches!(late, Err(ExportError::Forked(_))));
}

#[test]
fn an_import_into_a_file_reads_like_the_ledger_it_came_from() {
    let folder = tempdir().unwrap();
    let storage = SqliteStorage::create(folder.path().join("a.db"), Durability::Normal).unwrap();
    let ledger = filled(storage, 700, 50);
    let (tiles, _) = exported(&ledger);
    let storage = SqliteStorage::create(folder.path().join("b.db"), Durability::Normal).unwrap();
    let mut imported = import_tiles(tiles.path(), &origin(), &key().verifier(), storage).unwrap();
    assert_eq!(imported.public_key(), ledger.public_key());
    assert_eq!(imported.prove_inclusion(77, 500), ledger.prove_inclusion(77, 500));
    assert!(imported.append_batch(&entries(1)).is_err(), "a copy is for reading");
    imported.into_storage().close().unwrap();
    let storage = SqliteStorage::open_read_only(folder.path().join("b.db")).unwrap();
    assert_eq!(dais_ledger::verify(&storage, &key().verifier()), ledger.verify(&key().verifier()));
}

#[test]
fn tiles_without_heads_are_verified_but_not_imported() {
    let (folder, _) = exported(&filled(MemoryStorage::new(), 300, 100));
    fs::remove_dir_all(folder.path().join("heads")).unwrap();
    let report = verified(folder.path());
    assert_eq!((report.entries, report.heads), (300, 0));
    let refused = import_tiles(folder.path(), &origin(), &key().verifier(), MemoryStorage::new());
    assert_eq!(refused.unwrap_err(), ImportError::NoHeads);
}

/// The program in the reference, for those who check an export without dais.
#[test]
fn the_program_of_the_reference_finds_an_export_good_and_a_damaged_one_bad() {
    let page = include_str!("../../../../docs/reference/ledger-export.md");
    let (_, rest) = page.split_once("```python\n").unwrap();
    let (program, _) = rest.split_once("```").unwrap();
    let (folder, _) = exported(&filled(MemoryStorage::new(), 700, 100));
    let run = || {
        let output = Command::new("python3").args(["-c", program]).arg(folder.path()).output();
        output.map(|output| String::from_utf8(output.stdout).unwrap())
    };
    match run() {
        Err(error) => println!("skipped: no python3 ({error})"),
        Ok(said) => {
            assert_eq!(said, "dais/test 700 good\n");
            let place = folder.path().join("tile/entries/001");
            let mut bytes = fs::read(&place).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(place, bytes).unwrap();
            assert_eq!(run().unwrap(), "dais/test 700 BAD\n");
        }
    }
}
