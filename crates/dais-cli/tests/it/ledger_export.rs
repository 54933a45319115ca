//! `dais ledger export`, `verify-export`, `import` and `salvage`.

use std::fs;
use std::path::Path;

use dais_ledger::{HeadVerifier, Ledger, Origin, SqliteStorage, verify};
use tempfile::TempDir;

use crate::dais;
use crate::ledger::{a_ledger, key, outcome};

fn vkey() -> String {
    key().verifier().to_vkey(&Origin::new("dais/operated").unwrap())
}

/// A ledger of 300 entries in `ledger.db`, exported to `tiles`.
fn exported() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(a_ledger(&folder.path().join("ledger.db"), 300));
    let (code, made) = outcome(dais(folder.path()).args(["ledger", "export", "ledger.db", "--to", "tiles", "--json"]));
    assert_eq!((code, made["entries"].as_u64(), made["key"].as_str()), (Some(0), Some(300), Some(vkey().as_str())));
    folder
}

fn verify_export(folder: &Path, key: &str) -> (Option<i32>, serde_json::Value) {
    outcome(dais(folder).args(["ledger", "verify-export", "tiles", "--json", "--key", key]))
}

fn log(path: &Path) -> Ledger<SqliteStorage> {
    Ledger::open(SqliteStorage::open_read_only(path).unwrap()).unwrap()
}

#[test]
fn an_export_is_verified_with_its_key_alone_and_imported_whole() {
    let folder = exported();
    let place = folder.path();
    let (code, verified) = verify_export(place, &vkey());
    assert_eq!((code, verified["ok"].as_bool(), verified["entries"].as_u64()), (Some(0), Some(true), Some(300)));
    dais(place).args(["ledger", "import", "tiles", "--to", "copy.db", "--key", &vkey()]).assert().success();
    let copy = log(&place.join("copy.db"));
    assert_eq!(copy.head(), log(&place.join("ledger.db")).head());
    assert_eq!(verify(copy.storage(), &key().verifier()).unwrap().heads, 31);
}

#[test]
fn a_changed_byte_and_a_foreign_key_are_found_and_nothing_is_imported() {
    let folder = exported();
    let place = folder.path();
    let stranger = HeadVerifier::to_vkey(
        &dais_ledger::HeadKey::from_seed([5; 32]).verifier(),
        &Origin::new("dais/operated").unwrap(),
    );
    assert_eq!(verify_export(place, &stranger).0, Some(1));
    let tile = place.join("tiles/tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[1_000] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let (code, found) = verify_export(place, &vkey());
    assert_eq!((code, found["ok"].as_bool()), (Some(1), Some(false)));
    assert!(found["message"].as_str().unwrap().contains("tile/entries/000"), "{found}");
    dais(place).args(["ledger", "import", "tiles", "--to", "copy.db", "--key", &vkey()]).assert().code(1);
    assert!(!place.join("copy.db").exists());
    dais(place).args(["ledger", "verify-export", "nowhere", "--key", &vkey()]).assert().code(2);
}

#[test]
fn salvage_saves_what_stands_before_the_damage_and_leaves_the_damaged_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let path = place.join("ledger.db");
    drop(a_ledger(&path, 300));
    let mut bytes = fs::read(&path).unwrap();
    // The last of the bodies in the file, as far as pages tell an order.
    let body = bytes.windows(100).rposition(|window| window == [7; 100]).unwrap();
    bytes[body + 50] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let arguments = ["ledger", "salvage", "ledger.db", "--to", "good.db", "--json"];
    let (code, salvaged) = outcome(dais(place).args(arguments));
    let saved = salvaged["entries"].as_u64().unwrap();
    assert_eq!(code, Some(0));
    assert!(saved < 300 && saved.is_multiple_of(10) && salvaged["lost"]["message"].is_string(), "{salvaged}");
    let good = log(&place.join("good.db"));
    assert_eq!(verify(good.storage(), &key().verifier()).unwrap().entries, saved);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    dais(place).args(arguments).assert().code(2);
}
