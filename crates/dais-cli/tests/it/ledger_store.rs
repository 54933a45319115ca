//! Backups in an object store.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use assert_cmd::Command;
use dais_ledger::{Durability, Entry, Kind, Ledger, SqliteStorage};
use serde_json::Value;
use tempfile::TempDir;

use crate::ledger::{a_ledger, key, outcome, votes};
use crate::store_server::{KEY_ID, SECRET, Store, breaking_proxy, dais_at};
use crate::{dais, json, printed, refusal, text};

const PLACE: &str = "s3://bucket/ledgers/mine";
const PREFIX: &str = "ledgers/mine";

/// A folder with a closed ledger `l.db` of 95 entries in it.
fn place() -> TempDir {
    let folder = TempDir::new().unwrap();
    a_ledger(&folder.path().join("l.db"), 95).into_storage().close().unwrap();
    folder
}

/// A folder with a ledger of some 20 MB that cannot be compressed, more than a store takes in one part.
fn large_place() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut ledger = a_ledger(&folder.path().join("l.db"), 0);
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    for author in 0..20 {
        let body = |_| (0..50_000).map(|_| random()).collect();
        let bodies: Vec<Vec<u8>> = (0..20).map(body).collect();
        let entries = bodies.into_iter().map(|body| Entry { kind: Kind::Seal, step: 1, author, body });
        ledger.append_batch(&entries.collect::<Vec<_>>()).unwrap();
    }
    ledger.into_storage().close().unwrap();
    folder
}

fn backup(command: &mut Command, flags: &[&str]) -> Value {
    json(command.args(["ledger", "backup", "l.db", "--to", PLACE, "--json"]).args(flags))
}

fn check(command: &mut Command, flags: &[&str]) -> (Option<i32>, Value) {
    outcome(command.args(["ledger", "check-backup", PLACE, "--json"]).args(flags))
}

fn address(made: &Value) -> &str {
    made["backup"].as_str().unwrap()
}

fn unfinished(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains("unfinished")).count()
}

#[test]
fn a_ledger_goes_to_a_store_and_comes_back_the_same_or_as_it_was_earlier() {
    let (store, folder) = (Store::start(), place());
    let said = printed(store.dais(folder.path()).args(["ledger", "backup", "l.db", "--to", PLACE]));
    assert!(said.starts_with("s3://bucket/ledgers/mine/dais-operated-95-") && said.contains("verified"), "{said}");
    assert_eq!(store.names(PREFIX).len(), 2, "the packed file and its manifest");
    let said = printed(store.dais(folder.path()).args(["ledger", "check-backup", PLACE, "--max-age-hours", "1"]));
    assert!(said.contains("checksum, 95 entries and 11 heads"), "{said}");
    let restore = |place: &str, to: &str, flags: &[&str]| {
        printed(store.dais(folder.path()).args(["ledger", "restore", place, "--to", to]).args(flags))
    };
    let one = format!("{PLACE}/{}", store.names(PREFIX)[0]);
    for (at, from) in [PLACE.to_owned(), format!("{PLACE}/"), one.clone(), one + ".json"].iter().enumerate() {
        let said = restore(from, &format!("r{at}.db"), &[]);
        assert!(said.contains(", from s3://bucket/ledgers/mine/dais-operated-95-"), "{said}");
    }
    let said = printed(store.dais(folder.path()).args(["ledger", "restore", PLACE, "--to", "cut.db", "--until", "37"]));
    assert!(said.contains("the last head of at most 37 entries has 30, of 95 saved"), "{said}");
    let open = |name: &str| SqliteStorage::open(folder.path().join(name), Durability::Normal).unwrap();
    let (whole, cut) = (Ledger::resume(open("r0.db"), key()).unwrap(), Ledger::resume(open("cut.db"), key()).unwrap());
    assert_eq!((whole.head().head.size, cut.head().head.size), (95, 30));
    assert_eq!(whole.root_at(30).unwrap(), cut.head().head.root);
    assert_eq!(unfinished(folder.path()), 0);
}

#[test]
fn a_large_ledger_goes_in_parts_while_another_process_appends() {
    let (store, folder) = (Store::start(), large_place());
    let mut ledger =
        Ledger::resume(SqliteStorage::open(folder.path().join("l.db"), Durability::Normal).unwrap(), key()).unwrap();
    let made = std::thread::scope(|scope| {
        let making = scope.spawn(|| backup(&mut store.dais(folder.path()), &[]));
        while !making.is_finished() {
            ledger.append_batch(&votes(10)).unwrap();
        }
        making.join().unwrap()
    });
    assert!(made["manifest"]["file_bytes"].as_u64().unwrap() > 2 * (8 << 20), "{made}");
    let saved = made["manifest"]["size"].as_u64().unwrap();
    assert!((400..=ledger.head().head.size).contains(&saved));
    assert_eq!(made["manifest"]["root"], ledger.root_at(saved).unwrap().to_string());
    let (code, found) = check(&mut store.dais(folder.path()), &[]);
    assert_eq!((code, &found["log_verified"]), (Some(0), &true.into()));
}

#[test]
fn a_flipped_byte_in_the_store_is_found_and_not_restored() {
    let (store, folder) = (Store::start(), place());
    let made = backup(&mut store.dais(folder.path()), &[]);
    let packed = store.file(address(&made));
    let good = fs::read(&packed).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    for damaged in [&bad[..], &good[..good.len() - 1]] {
        fs::write(&packed, damaged).unwrap();
        let (code, found) = check(&mut store.dais(folder.path()), &[]);
        assert!(code == Some(1) && found["message"].as_str().unwrap().contains("was altered or cut"), "{found}");
    }
    let before = fs::read(folder.path().join("l.db")).unwrap();
    let mut restore = store.dais(folder.path());
    let output = restore.args(["ledger", "restore", PLACE, "--to", "l.db", "--force"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(fs::read(folder.path().join("l.db")).unwrap(), before);
    fs::remove_file(&packed).unwrap();
    let (code, found) = check(&mut store.dais(folder.path()), &[]);
    assert!(code == Some(1) && found["message"].as_str().unwrap().contains("no such object"), "{found}");
}

#[test]
fn an_encrypted_backup_in_a_store_needs_its_identity() {
    let (store, folder) = (Store::start(), place());
    let identity = Identity::generate();
    fs::write(folder.path().join("key.txt"), identity.to_string().expose_secret()).unwrap();
    let made = backup(&mut store.dais(folder.path()), &["--recipient", &identity.to_public().to_string()]);
    assert!(address(&made).ends_with(".db.zst.age"));
    assert!(fs::read(store.file(address(&made))).unwrap().starts_with(b"age-encryption.org/v1"));
    let (code, found) = check(&mut store.dais(folder.path()), &[]);
    assert_eq!((code, &found["log_verified"]), (Some(0), &false.into()));
    let (code, found) = check(&mut store.dais(folder.path()), &["--identity", "key.txt"]);
    assert_eq!((code, &found["log_verified"]), (Some(0), &true.into()));
    assert!(
        refusal(store.dais(folder.path()).args(["ledger", "restore", PLACE, "--to", "r.db"])).contains("is encrypted")
    );
}

#[test]
fn the_newest_in_a_store_are_kept_and_what_was_cut_does_not_count() {
    let (store, folder) = (Store::start(), place());
    let made: Vec<Value> = (0..4).map(|_| backup(&mut store.dais(folder.path()), &["--keep", "2"])).collect();
    let there: Vec<bool> = made.iter().map(|made| store.file(address(made)).exists()).collect();
    assert_eq!(there, [false, false, true, true]);
    assert_eq!(made[3]["removed"], Value::from(vec![made[1]["backup"].clone()]));
    assert_eq!(store.names(PREFIX).len(), 4);
    fs::write(store.file(address(&made[3])), "cut").unwrap();
    let last = backup(&mut store.dais(folder.path()), &["--keep", "2"]);
    assert_eq!(last["removed"], Value::from(Vec::<Value>::new()), "the third is the older of two good ones");
}

#[test]
fn a_store_that_goes_away_while_it_is_sent_to_shows_no_half_backup() {
    let (store, folder) = (Store::start(), large_place());
    let port = breaking_proxy(store.port, 12 << 20);
    let message = refusal(dais_at(folder.path(), port).args(["ledger", "backup", "l.db", "--to", PLACE]));
    assert!(message.contains("s3://bucket/ledgers/mine/dais-operated-400-"), "{message}");
    assert!(message.contains("cannot be reached") && message.contains("AWS_ENDPOINT_URL"), "{message}");
    assert_eq!(store.names(PREFIX), [""; 0]);
    let (code, found) = check(&mut store.dais(folder.path()), &[]);
    assert!(code == Some(1) && found["message"].as_str().unwrap().contains("no backup"), "{found}");
    assert_eq!(unfinished(folder.path()), 0);
    backup(&mut store.dais(folder.path()), &[]);
    assert_eq!(check(&mut store.dais(folder.path()), &[]).0, Some(0));
}

#[test]
fn what_is_wrong_with_a_store_is_said_and_no_key_is() {
    let (store, folder) = (Store::start(), place());
    let refused = |command: &mut Command, place: &str| {
        let message = refusal(command.args(["ledger", "backup", "l.db", "--to", place]));
        assert!(!message.contains(SECRET) && !message.contains(KEY_ID), "{message}");
        message
    };
    let message = refused(&mut store.dais(folder.path()), "s3://nowhere/p");
    assert!(message.contains("s3://nowhere/p: there is no such bucket"), "{message}");
    let message = refused(store.dais(folder.path()).env("AWS_SECRET_ACCESS_KEY", "another"), PLACE);
    assert!(message.contains("access is denied") && message.contains("AWS_SECRET_ACCESS_KEY"), "{message}");
    let message = refused(store.dais(folder.path()).env("AWS_ACCESS_KEY_ID", "somebody"), PLACE);
    assert!(message.contains("access is denied"), "{message}");
    let message = refused(store.dais(folder.path()).env_remove("AWS_ALLOW_HTTP"), PLACE);
    assert!(message.contains("AWS_ALLOW_HTTP=true"), "{message}");
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let message = refused(&mut dais_at(folder.path(), free), PLACE);
    assert!(message.contains("s3://bucket/ledgers/mine: the store cannot be reached"), "{message}");
    let message = refused(&mut store.dais(folder.path()), &format!("s3://{KEY_ID}:{SECRET}@bucket/p"));
    assert!(message.contains("s3://BUCKET"), "{message}");
    assert!(refused(&mut dais(folder.path()), "gs://bucket/p").contains("no place for backups"));
    let name = format!("{PLACE}/x.db.zst");
    assert!(refused(&mut store.dais(folder.path()), &name).contains("is the name of a backup"));
    let (code, found) = check(&mut store.dais(folder.path()), &[]);
    assert!(code == Some(1) && found["message"].as_str().unwrap().contains("no backup"), "{found}");
}
