//! Backups of a ledger file: made under load, damaged, encrypted, thinned, restored.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use age::secrecy::ExposeSecret;
use age::x25519;
use dais_ledger::backup::{
    Backup, BackupError, BackupParams, Encryption, Existing, Lock, Made, RestoreParams, Timestamp, Unlock, back_up,
    check, restore,
};
use dais_ledger::{
    Damage, Durability, Entry, HeadKey, Ledger, MemoryStorage, SqliteStorage, Storage, StorageError, verify,
};
use tempfile::TempDir;

use super::{all_entries, entries, filled, key, origin};

/// A folder with `ledger.db` in it, of `count` entries in batches of 10.
fn place(count: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    filled(SqliteStorage::create(&path, Durability::Normal).unwrap(), count, 10).into_storage().close().unwrap();
    (folder, path)
}

fn params(second: u32) -> BackupParams {
    let created = Timestamp::new(&format!("2026-10-30T12:00:{second:02}.000Z")).unwrap();
    BackupParams { created, lock: None, keep: None, public_key: Some(key().verifier()) }
}

fn save(ledger: &Path, folder: &Path, params: &BackupParams) -> Made {
    back_up(ledger, folder, params, &mut |_| ()).unwrap()
}

fn contents(path: &Path) -> Vec<Entry> {
    all_entries(&Ledger::open(SqliteStorage::open_read_only(path).unwrap()).unwrap()).unwrap()
}

/// What lies in a folder, without what belongs to an opened SQLite file.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_backup_is_restored_to_the_same_log() {
    let (folder, ledger) = place(95);
    let backups = folder.path().join("backups");
    let mut tasks = Vec::new();
    let made = back_up(&ledger, &backups, &params(1), &mut |progress| tasks.push(progress.task)).unwrap();
    assert_eq!(made.verified.entries, 95);
    tasks.dedup();
    assert_eq!(tasks.len(), 4, "{tasks:?}");
    let name = "dais-test-95-20261030T120001.000Z.db.zst";
    assert_eq!(names(&backups), [name.to_owned(), format!("{name}.json")]);
    assert_eq!(names(folder.path()), ["backups", "ledger.db"], "nothing unfinished is left");
    assert_eq!(Backup::find(&backups).unwrap(), made.backup);

    let target = folder.path().join("restored.db");
    for from in [backups.clone(), backups.join(name), backups.join(format!("{name}.json"))] {
        let restored = restore(&from, &target, &RestoreParams::default(), &mut |_| ()).unwrap();
        assert_eq!((restored.verified.entries, restored.set_aside), (95, None));
        assert_eq!(contents(&target), entries(95));
        fs::remove_file(&target).unwrap();
    }
    assert_eq!(names(folder.path()), ["backups", "ledger.db"]);
}

#[test]
fn backups_made_while_another_connection_appends_are_each_a_sealed_state() {
    let (folder, path) = place(2_000);
    let backups = folder.path().join("backups");
    let stop = AtomicBool::new(false);
    let (made, appended) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let storage = SqliteStorage::open(&path, Durability::Normal).unwrap();
            let mut ledger = Ledger::resume(storage, key()).unwrap();
            while !stop.load(Ordering::Relaxed) {
                ledger.append_batch(&entries(5)).unwrap();
            }
            ledger.head().head.size
        });
        let mut made = Vec::new();
        let mut grown_while_copied = false;
        let size = || SqliteStorage::open_read_only(&path).unwrap().len().unwrap();
        for second in 0.. {
            let before = size();
            let mut during = before;
            let copied = back_up(&path, &backups, &params(second), &mut |_| during = size()).unwrap();
            grown_while_copied |= during > copied.verified.entries && copied.verified.entries >= before;
            made.push(copied);
            if grown_while_copied && made.len() >= 3 || made.len() > 50 {
                break;
            }
        }
        assert!(grown_while_copied, "the log grew while a backup was made");
        stop.store(true, Ordering::Relaxed);
        (made, writer.join().unwrap())
    });
    for Made { backup, verified, .. } in &made {
        assert!(verified.entries <= appended && verified.entries >= 2_000);
        let checked = check(&backup.path, None, Some(key().verifier()), folder.path(), &mut |_| ()).unwrap();
        assert_eq!(checked.verified.as_ref(), Some(verified));
    }
    let sizes: Vec<u64> = made.iter().map(|made| made.verified.entries).collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
}

#[test]
fn a_flipped_byte_is_refused_and_nothing_is_replaced() {
    let (folder, ledger) = place(40);
    let backups = folder.path().join("backups");
    let made = save(&ledger, &backups, &params(1));
    let packed = fs::read(&made.backup.path).unwrap();
    let before = fs::read(&ledger).unwrap();
    let force = RestoreParams { existing: Existing::SetAside, ..RestoreParams::default() };
    for at in (0..packed.len()).step_by(packed.len() / 40) {
        let mut damaged = packed.clone();
        damaged[at] ^= 1;
        fs::write(&made.backup.path, damaged).unwrap();
        let refused = restore(&backups, &ledger, &force, &mut |_| ()).unwrap_err();
        assert!(matches!(refused, BackupError::Checksum { .. }) && refused.is_finding(), "{refused}");
    }
    fs::write(&made.backup.path, &packed[..packed.len() - 1]).unwrap();
    assert!(check(&backups, None, None, folder.path(), &mut |_| ()).unwrap_err().is_finding());
    assert_eq!(fs::read(&ledger).unwrap(), before);
    assert_eq!(names(folder.path()), ["backups", "ledger.db"]);
}

/// Rewrites a manifest, as one would who wants to hide what was done to the packed file.
fn forge(backup: &Backup, change: impl FnOnce(&mut dais_ledger::backup::Manifest)) {
    let mut manifest = backup.manifest.clone();
    change(&mut manifest);
    fs::write(backup.manifest_path(), serde_json::to_string(&manifest).unwrap()).unwrap();
}

#[test]
fn a_manifest_that_does_not_fit_its_file_is_refused() {
    let (folder, ledger) = place(40);
    let made = save(&ledger, folder.path(), &params(1));
    let refusal = |change: &dyn Fn(&mut dais_ledger::backup::Manifest)| {
        forge(&made.backup, change);
        check(&made.backup.path, None, None, folder.path(), &mut |_| ()).unwrap_err()
    };
    let content = |error: &BackupError| matches!(error, BackupError::Content { .. });
    let error = refusal(&|manifest| manifest.plain_bytes -= 1);
    assert!(content(&error) && error.to_string().contains("more than"), "{error}");
    assert!(content(&refusal(&|manifest| manifest.plain_bytes += 1)));
    assert!(content(&refusal(&|manifest| manifest.plain_bytes = u64::MAX)));
    assert!(content(&refusal(&|manifest| manifest.size += 1)));
    assert!(content(&refusal(&|manifest| manifest.plain_sha256 = manifest.root)));
    let error = refusal(&|manifest| manifest.public_key = HeadKey::from_seed([1; 32]).verifier());
    assert!(matches!(error, BackupError::Damaged(Damage::ForeignKey { .. })), "{error}");
    let error = refusal(&|manifest| manifest.format = 2);
    assert!(matches!(error, BackupError::NewerFormat { found: 2, .. }) && !error.is_finding(), "{error}");
    let error = refusal(&|manifest| manifest.file = "../ledger.db.zst".to_owned());
    assert!(matches!(error, BackupError::Manifest { .. }), "{error}");
    fs::write(made.backup.manifest_path(), "{").unwrap();
    let error = check(folder.path(), None, None, folder.path(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::Manifest { .. }) && error.is_finding(), "{error}");
}

#[test]
fn a_backup_of_another_log_is_noticed_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let storage = SqliteStorage::create(&path, Durability::Normal).unwrap();
    Ledger::create(storage, origin(), HeadKey::from_seed([1; 32])).unwrap();
    let error = back_up(&path, folder.path(), &params(1), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::Damaged(Damage::ForeignKey { .. })), "{error}");
    let made = save(&path, folder.path(), &BackupParams { public_key: None, ..params(1) });
    let expected = RestoreParams { public_key: Some(key().verifier()), ..RestoreParams::default() };
    let error = restore(&made.backup.path, &folder.path().join("r.db"), &expected, &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::Damaged(Damage::ForeignKey { .. })), "{error}");
}

#[test]
fn a_damaged_ledger_is_not_saved() {
    let (folder, ledger) = place(40);
    let backups = folder.path().join("backups");
    let params = |second| BackupParams { keep: NonZeroUsize::new(1), ..params(second) };
    let good = save(&ledger, &backups, &params(1));
    let bytes = entries(40)[20].encode();
    let mut file = fs::read(&ledger).unwrap();
    let at = file.windows(bytes.len()).rposition(|window| window == bytes).unwrap();
    file[at + 15] ^= 1;
    fs::write(&ledger, file).unwrap();
    let error = back_up(&ledger, &backups, &params(2), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::Damaged(Damage::EntryAltered { index: 20, .. })), "{error}");
    assert_eq!(Backup::find(&backups).unwrap(), good.backup);
    assert_eq!(names(&backups).len(), 2);
}

#[test]
fn an_encrypted_backup_opens_with_its_identity_and_with_no_other() {
    let (folder, ledger) = place(60);
    let backups = folder.path().join("backups");
    let (mine, other) = (x25519::Identity::generate(), x25519::Identity::generate());
    let lock = Lock::recipients([mine.to_public().to_string()]).unwrap();
    let made = save(&ledger, &backups, &BackupParams { lock: Some(lock), ..params(1) });
    assert_eq!(made.backup.manifest.encryption, Encryption::Age);
    assert!(fs::read(&made.backup.path).unwrap().starts_with(b"age-encryption.org/v1"));
    let target = folder.path().join("r.db");
    let unlock = |identity: &x25519::Identity| {
        let file = format!("# created: today\n{}\n", identity.to_string().expose_secret());
        Some(Unlock::identities(file.as_bytes()).unwrap())
    };
    let opened = |unlock| {
        let params = RestoreParams { unlock, ..RestoreParams::default() };
        restore(&backups, &target, &params, &mut |_| ())
    };
    assert!(matches!(opened(None), Err(BackupError::Locked { .. })));
    assert!(matches!(opened(unlock(&other)), Err(BackupError::NotUnlocked { .. })));
    assert_eq!(check(&backups, None, None, folder.path(), &mut |_| ()).unwrap().verified, None);
    assert!(!target.exists());
    assert_eq!(opened(unlock(&mine)).unwrap().verified.entries, 60);
    assert_eq!(contents(&target), entries(60));
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let (folder, ledger) = place(10);
    let lock = Lock::passphrase("correct horse").unwrap();
    let made = save(&ledger, folder.path(), &BackupParams { lock: Some(lock), ..params(1) });
    let opened = |text: &str| {
        let unlock = Unlock::passphrase(text).unwrap();
        check(&made.backup.path, Some(&unlock), None, folder.path(), &mut |_| ())
    };
    assert_eq!(opened("correct horse").unwrap().verified.unwrap().entries, 10);
    assert!(matches!(opened("battery staple"), Err(BackupError::NotUnlocked { .. })));
}

#[test]
fn keys_that_are_none_are_refused() {
    let refused = |lock: Result<Lock, BackupError>| matches!(lock, Err(BackupError::Key(_)));
    assert!(refused(Lock::recipients(["age1nothing"])) && refused(Lock::recipients::<&str>([])));
    assert!(refused(Lock::passphrase("")));
    assert!(Unlock::identities(b"# nothing\n").is_err() && Unlock::identities(b"age1public\n").is_err());
}

#[test]
fn the_newest_backups_of_the_log_stay_and_what_is_foreign_too() {
    let (folder, ledger) = place(30);
    let backups = folder.path().join("backups");
    let other = folder.path().join("other.db");
    let storage = SqliteStorage::create(&other, Durability::Normal).unwrap();
    Ledger::create(storage, dais_ledger::Origin::new("dais/other").unwrap(), key()).unwrap();
    let foreign = save(&other, &backups, &params(0));
    let keep = |second| BackupParams { keep: NonZeroUsize::new(2), ..params(second) };
    let mut all = Vec::new();
    for second in 1..=4 {
        all.push(save(&ledger, &backups, &keep(second)));
    }
    let removed: Vec<_> = all.iter().flat_map(|made| made.removed.clone()).collect();
    assert_eq!(removed, [all[0].backup.path.clone(), all[1].backup.path.clone()]);
    let left = |paths: &[&Backup]| {
        let found = Backup::list(&backups).unwrap().backups;
        assert_eq!(found.iter().collect::<Vec<_>>(), paths);
    };
    left(&[&foreign.backup, &all[2].backup, &all[3].backup]);
    // A backup that was cut does not count as one that stays; a clock set back does not cost the new one.
    fs::write(&all[3].backup.path, "cut").unwrap();
    let early = save(&ledger, &backups, &keep(0));
    assert!(early.removed.is_empty());
    left(&[&foreign.backup, &early.backup, &all[2].backup, &all[3].backup]);
}

#[test]
fn a_second_backup_of_the_same_moment_replaces_nothing() {
    let (folder, ledger) = place(30);
    let made = save(&ledger, &folder.path().join("b"), &params(1));
    let before = fs::read(&made.backup.path).unwrap();
    let error = back_up(&ledger, &folder.path().join("b"), &params(1), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&made.backup.path).unwrap(), before);
    assert_eq!(Backup::find(folder.path().join("b").as_path()).unwrap(), made.backup);
}

#[test]
fn a_log_is_restored_as_of_the_last_head_before_a_size() {
    let (folder, ledger) = place(95);
    let made = save(&ledger, folder.path(), &params(1));
    for (until, size) in [(200, 95), (95, 95), (94, 90), (50, 50), (59, 50), (9, 0), (0, 0)] {
        let target = folder.path().join(format!("until-{until}.db"));
        let params = RestoreParams { until: Some(until), ..RestoreParams::default() };
        let restored = restore(&made.backup.path, &target, &params, &mut |_| ()).unwrap();
        assert_eq!(restored.verified.entries, size, "until {until}");
        assert_eq!(contents(&target), entries(u32::try_from(size).unwrap()));
        let storage = SqliteStorage::open_read_only(&target).unwrap();
        let verified = verify(&storage, &key().verifier()).unwrap();
        let memory = filled(MemoryStorage::new(), u32::try_from(size).unwrap(), 10);
        assert_eq!((verified.head, verified.heads), (*memory.head(), size.div_ceil(10) + 1));
    }
    let mut resumed =
        Ledger::resume(SqliteStorage::open(folder.path().join("until-50.db"), Durability::Normal).unwrap(), key())
            .unwrap();
    assert_eq!(resumed.append_batch(&entries(5)), Ok(50..55));
}

#[test]
fn an_existing_file_is_set_aside_only_when_asked_and_not_in_use() {
    let (folder, ledger) = place(30);
    let backups = folder.path().join("backups");
    save(&ledger, &backups, &params(1));
    let mut open = Ledger::resume(SqliteStorage::open(&ledger, Durability::Normal).unwrap(), key()).unwrap();
    open.append_batch(&entries(7)).unwrap();
    let force = RestoreParams { existing: Existing::SetAside, ..RestoreParams::default() };
    let error = restore(&backups, &ledger, &RestoreParams::default(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::Exists { .. }), "{error}");
    let error = restore(&backups, &ledger, &force, &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::InUse { .. }), "{error}");
    open.append_batch(&entries(1)).unwrap();
    drop(open);

    let restored = restore(&backups, &ledger, &force, &mut |_| ()).unwrap();
    assert_eq!(restored.set_aside, Some(folder.path().join("ledger.db.before-restore")));
    assert_eq!(contents(&ledger).len(), 30);
    assert_eq!(contents(&folder.path().join("ledger.db.before-restore")).len(), 38);
    let again = restore(&backups, &ledger, &force, &mut |_| ()).unwrap();
    assert_eq!(again.set_aside, Some(folder.path().join("ledger.db.before-restore-2")));
}

#[test]
fn a_file_that_is_damaged_beyond_opening_is_replaced_and_kept_with_its_log() {
    let (folder, ledger) = place(30);
    let backups = folder.path().join("backups");
    save(&ledger, &backups, &params(1));
    fs::write(&ledger, "rubbish").unwrap();
    fs::write(folder.path().join("ledger.db-wal"), "remains").unwrap();
    let force = RestoreParams { existing: Existing::SetAside, ..RestoreParams::default() };
    restore(&backups, &ledger, &force, &mut |_| ()).unwrap();
    assert_eq!(contents(&ledger).len(), 30);
    let kept =
        |ending: &str| fs::read_to_string(folder.path().join(format!("ledger.db.before-restore{ending}"))).unwrap();
    assert_eq!((kept("").as_str(), kept("-wal").as_str()), ("rubbish", "remains"));
}

#[test]
fn what_is_no_ledger_and_no_backup_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.db");
    let error = back_up(&missing, folder.path(), &params(1), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::Storage(StorageError::NotFound { .. })), "{error}");
    for path in [folder.path().to_owned(), missing, folder.path().join("x.db.zst")] {
        assert!(matches!(Backup::find(&path), Err(BackupError::NoBackup { .. })));
    }
    fs::write(folder.path().join("x.db.zst"), "packed").unwrap();
    let error = Backup::find(&folder.path().join("x.db.zst")).unwrap_err();
    assert!(matches!(error, BackupError::Manifest { .. }), "{error}");
}

#[test]
fn vacuuming_changes_the_file_and_not_the_log() {
    let (_folder, ledger) = place(2_000);
    let storage = SqliteStorage::open(&ledger, Durability::Normal).unwrap();
    let before = verify(&storage, &key().verifier()).unwrap();
    storage.vacuum().unwrap();
    assert_eq!(verify(&storage, &key().verifier()).unwrap(), before);
    drop(storage);
    assert_eq!(contents(&ledger), entries(2_000));
}
