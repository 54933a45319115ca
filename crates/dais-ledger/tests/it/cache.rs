//! What a ledger keeps of what it read.

use dais_ledger::{
    CacheSettings, CacheStats, Damage, Durability, Ledger, LedgerCacheStats, LedgerError, SqliteStorage,
};
use rusqlite::Connection;

use super::follow::Watched;
use super::{all_entries, entries, filled, key};

const COUNT: u32 = 1_000;

fn all_of_it() -> CacheSettings {
    CacheSettings::default()
}

#[test]
fn what_was_read_is_not_read_again_and_is_the_same() {
    let storage = Watched::default();
    let plain = filled(storage.clone(), COUNT, 100);
    let cached = Ledger::open(storage.clone()).unwrap().cached(&all_of_it());
    let size = u64::from(COUNT);
    for round in 0..2 {
        for index in [0, 3, 255, 256, 700, 767] {
            assert_eq!(cached.entry(index), plain.entry(index));
            assert_eq!(cached.prove_inclusion(index, size), plain.prove_inclusion(index, size));
            assert_eq!(cached.prove_consistency(index, 700), plain.prove_consistency(index, 700));
        }
        assert_eq!(all_entries(&cached).unwrap(), entries(COUNT), "round {round}");
    }
    storage.read();
    assert_eq!(all_entries(&cached).unwrap(), entries(COUNT));
    assert!(cached.prove_inclusion(5, size).is_ok());
    assert_eq!(storage.read(), []);
    let stats = cached.cache_stats();
    assert_eq!(stats.entries.entries, size);
    assert_eq!((stats.nodes.entries, stats.nodes.misses), (3, 3));
    assert!(stats.nodes.hits > stats.nodes.misses, "{stats:?}");
    // Those read by themselves first may be read once more among their neighbours.
    assert!((size..=size + 6).contains(&stats.entries.misses) && stats.entries.hits >= 2 * size, "{stats:?}");
    assert!(stats.entries.hit_rate() > 0.6 && stats.entries.hit_rate() < 1.0);
    assert!(CacheStats::default().hit_rate().abs() < f64::EPSILON);
    assert_eq!(plain.cache_stats(), LedgerCacheStats::default());
}

#[test]
fn what_is_kept_of_the_end_of_a_log_grows_with_it() {
    let storage = Watched::default();
    let mut writer = filled(storage.clone(), 300, 300);
    let mut reader = Ledger::open(storage.clone()).unwrap().cached(&all_of_it());
    for _ in 0..30 {
        let head = reader.head().head;
        for index in [0, 255, 256, head.size - 1] {
            let proof = reader.prove_inclusion(index, head.size).unwrap();
            assert_eq!(proof.verify_in(&reader.entry(index).unwrap().leaf_hash(), &head), Ok(()));
        }
        storage.read();
        reader.prove_inclusion(head.size - 2, head.size).unwrap();
        assert_eq!(storage.read(), [], "at {}", head.size);
        writer.append_batch(&entries(10)).unwrap();
        reader.catch_up().unwrap();
    }
}

#[test]
fn what_is_kept_stays_within_its_bound() {
    let settings = CacheSettings { entries_bytes: 40_000, nodes_bytes: 40_000 };
    let storage = Watched::default();
    drop(filled(storage.clone(), 3_000, 500));
    let ledger = Ledger::open(storage).unwrap().cached(&settings);
    assert_eq!(all_entries(&ledger).unwrap(), entries(3_000));
    for index in 0..3_000 {
        ledger.prove_inclusion(index, 3_000).unwrap();
    }
    let stats = ledger.cache_stats();
    for (stats, bound) in [(stats.entries, settings.entries_bytes), (stats.nodes, settings.nodes_bytes)] {
        assert!(stats.entries > 0 && stats.bytes > bound / 4, "{stats:?}");
        assert!(stats.bytes <= bound, "{stats:?}");
    }
    let none = ledger.cached(&CacheSettings::NONE);
    assert_eq!(all_entries(&none).unwrap(), entries(3_000));
    assert_eq!(none.cache_stats(), LedgerCacheStats::default());
}

/// A cached reader of a log that it has read, and the log's file open to be changed.
fn read_whole() -> (tempfile::TempDir, Ledger<SqliteStorage>, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    filled(SqliteStorage::create(&path, Durability::Normal).unwrap(), COUNT, 100).into_storage().close().unwrap();
    let ledger = Ledger::open(SqliteStorage::open_read_only(&path).unwrap()).unwrap().cached(&all_of_it());
    let connection = Connection::open(&path).unwrap();
    (folder, ledger, connection)
}

#[test]
fn verification_finds_damage_although_the_cache_holds_the_good_copy() {
    let (_folder, ledger, file) = read_whole();
    all_entries(&ledger).unwrap();
    ledger.prove_inclusion(77, 1_000).unwrap();
    file.execute_batch("UPDATE entries SET bytes = zeroblob(30) WHERE idx = 77").unwrap();
    assert_eq!(ledger.entry(77).unwrap(), entries(78)[77]);
    let damage = ledger.verify(&key().verifier()).unwrap_err();
    assert!(matches!(damage, Damage::EntryAltered { index: 77, .. }), "{damage}");

    let (_folder, ledger, file) = read_whole();
    ledger.prove_inclusion(78, 1_000).unwrap();
    file.execute_batch("UPDATE entries SET leaf = zeroblob(32) WHERE idx = 78").unwrap();
    assert!(ledger.prove_inclusion(78, 1_000).is_ok(), "its nodes were read before");
    let damage = ledger.verify(&key().verifier()).unwrap_err();
    assert!(matches!(damage, Damage::EntryAltered { index: 78, .. }), "{damage}");
}

#[test]
fn a_proof_over_altered_hashes_is_refused_and_nothing_of_it_is_kept() {
    let (_folder, ledger, file) = read_whole();
    let replaced = "UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE idx = 3),
                                       bytes = (SELECT bytes FROM entries WHERE idx = 3)";
    for (change, index) in [("UPDATE entries SET leaf = zeroblob(32)", 300), (replaced, 600), (replaced, 999)] {
        file.execute_batch(&format!("{change} WHERE idx = {index}")).unwrap();
        for _ in 0..2 {
            let refused = ledger.prove_inclusion(index - 1, 1_000).unwrap_err();
            assert!(refused.is_damage(), "{refused}");
            let LedgerError::Damaged(damage) = refused else { panic!("{refused}") };
            assert!(damage.first_index().is_some_and(|first| first <= index && index - first < 256), "{damage}");
        }
        assert_eq!(ledger.cache_stats().nodes.entries, 0);
    }
    assert!(ledger.prove_inclusion(100, 1_000).is_ok(), "what is good can be proven");
    assert!(ledger.closed_by().is_some());
}
