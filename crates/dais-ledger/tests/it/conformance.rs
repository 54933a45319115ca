//! What every storage must do, seen through a ledger; each storage runs the same list.

use std::ops::ControlFlow;

use dais_ledger::{
    Batch, Damage, Durability, Entry, Head, HeadKey, Identity, Kind, Ledger, LedgerError, MemoryStorage, SqliteStorage,
    Storage, StorageError,
};

use super::{all_entries, entries, filled, key, origin};

pub(super) type Check = (&'static str, fn(Box<dyn Storage>));

pub(super) const CHECKS: [Check; 11] = [
    ("what is appended is read back", what_is_appended_is_read_back),
    ("indices go up without a gap", indices_go_up_without_a_gap),
    ("an empty batch changes nothing", an_empty_batch_changes_nothing),
    ("the head does not depend on the cut into batches", the_head_does_not_depend_on_the_cut),
    ("a log is created once", a_log_is_created_once),
    ("an empty storage holds no log", an_empty_storage_holds_no_log),
    ("reopened, the log goes on", reopened_the_log_goes_on),
    ("a batch at the wrong place is refused whole", a_batch_at_the_wrong_place_is_refused),
    ("scans give what is there", scans_give_what_is_there),
    ("heads are found in order", heads_are_found_in_order),
    ("refusals leave the log as it was", refusals_leave_the_log_as_it_was),
];

#[test]
fn memory_does_what_a_storage_must() {
    for (name, check) in CHECKS {
        println!("{name}");
        check(Box::new(MemoryStorage::new()));
    }
}

#[test]
fn sqlite_does_what_a_storage_must() {
    for durability in [Durability::Normal, Durability::Full] {
        for (name, check) in CHECKS {
            println!("{name}, {durability:?}");
            let folder = tempfile::tempdir().unwrap();
            let storage = SqliteStorage::create(folder.path().join("ledger.db"), durability).unwrap();
            check(Box::new(storage));
        }
    }
}

fn what_is_appended_is_read_back(storage: Box<dyn Storage>) {
    let ledger = filled(storage, 700, 300);
    let expected = entries(700);
    assert_eq!(all_entries(&ledger).unwrap(), expected);
    assert_eq!(ledger.entry(0).unwrap(), expected[0]);
    assert_eq!(ledger.entry(699).unwrap(), expected[699]);
    assert_eq!(ledger.entry(700), Err(LedgerError::NoSuchEntry { index: 700, size: 700 }));
    let last: Vec<_> = ledger.entries_since(698).map(Result::unwrap).collect();
    assert_eq!(last, [(698, expected[698].clone()), (699, expected[699].clone())]);
    assert_eq!(ledger.entries_since(900).count(), 0);
    let verified = ledger.verify(&key().verifier()).unwrap();
    assert_eq!((verified.entries, verified.heads), (700, 4));
    assert_eq!(verified.head, *ledger.head());
    let foreign = HeadKey::from_seed([1; 32]).verifier();
    assert!(matches!(ledger.verify(&foreign), Err(Damage::ForeignKey { .. })));
}

fn indices_go_up_without_a_gap(storage: Box<dyn Storage>) {
    let mut ledger = Ledger::create(storage, origin(), key()).unwrap();
    assert_eq!(ledger.append_batch(&entries(3)), Ok(0..3));
    assert_eq!(ledger.append_batch(&entries(1)), Ok(3..4));
    assert_eq!(ledger.append_batch(&entries(300)), Ok(4..304));
    assert_eq!(ledger.head().head.size, 304);
}

fn an_empty_batch_changes_nothing(storage: Box<dyn Storage>) {
    let mut ledger = filled(storage, 5, 5);
    let before = *ledger.head();
    assert_eq!(ledger.append_batch(&[]), Ok(5..5));
    assert_eq!(*ledger.head(), before);
    assert_eq!(ledger.verify(&key().verifier()).unwrap().heads, 2);
}

fn the_head_does_not_depend_on_the_cut(storage: Box<dyn Storage>) {
    let one = filled(storage, 600, 1);
    let other = filled(MemoryStorage::new(), 600, 600);
    assert_eq!(one.head(), other.head());
}

fn a_log_is_created_once(storage: Box<dyn Storage>) {
    let storage = filled(storage, 3, 3).into_storage();
    let again = Ledger::create(storage, origin(), key());
    assert_eq!(again.unwrap_err(), LedgerError::Storage(StorageError::AlreadyCreated));
}

fn an_empty_storage_holds_no_log(storage: Box<dyn Storage>) {
    assert!(storage.is_empty().unwrap());
    assert_eq!(storage.identity(), Ok(None));
    assert_eq!(storage.latest_head(), Ok(None));
    assert_eq!(Ledger::open(storage).unwrap_err(), LedgerError::NotCreated);
}

fn reopened_the_log_goes_on(storage: Box<dyn Storage>) {
    let head = *filled(MemoryStorage::new(), 900, 100).head();
    let storage = filled(storage, 600, 100).into_storage();
    let mut reader = Ledger::open(storage).unwrap();
    assert_eq!(reader.append_batch(&entries(1)), Err(LedgerError::NoKey));
    assert_eq!(reader.origin(), &origin());
    let expected = *reader.public_key();
    let wrong = HeadKey::from_seed([9; 32]);
    let mut reader = Ledger::resume(reader.into_storage(), key()).unwrap();
    reader.append_batch(&entries(900)[600..]).unwrap();
    assert_eq!(*reader.head(), head);
    let refused = Ledger::resume(reader.into_storage(), wrong);
    assert_eq!(refused.unwrap_err(), LedgerError::WrongKey { expected });
}

fn a_batch_at_the_wrong_place_is_refused(storage: Box<dyn Storage>) {
    let ledger = filled(storage, 4, 4);
    let head = *ledger.head();
    let mut storage = ledger.into_storage();
    let refused = storage.append_batch(&Batch::default(), &head);
    assert_eq!(refused, Err(StorageError::Conflict { expected: 0, found: 4 }));
    assert_eq!(storage.len(), Ok(4));
    assert_eq!(storage.latest_head(), Ok(Some(head)));
}

fn scans_give_what_is_there(storage: Box<dyn Storage>) {
    let storage = filled(storage, 10, 4).into_storage();
    let seen = |range: std::ops::Range<u64>, most: usize| {
        let (mut rows, mut leaves) = (Vec::new(), Vec::new());
        let more = |count: usize| if count < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        storage
            .scan(range.clone(), &mut |row| {
                assert_eq!(Entry::decode(row.bytes).unwrap().leaf_hash(), row.leaf);
                rows.push((row.index, row.leaf));
                more(rows.len())
            })
            .unwrap();
        storage
            .scan_leaves(range, &mut |index, leaf| {
                leaves.push((index, leaf));
                more(leaves.len())
            })
            .unwrap();
        assert_eq!(rows, leaves);
        rows.into_iter().map(|(index, _)| index).collect::<Vec<_>>()
    };
    assert_eq!(seen(3..6, 9), [3, 4, 5]);
    assert_eq!(seen(8..20, 9), [8, 9]);
    assert_eq!(seen(0..10, 2), [0, 1]);
    assert!(seen(10..20, 9).is_empty());
    assert!(seen(4..4, 9).is_empty());
}

fn heads_are_found_in_order(mut storage: Box<dyn Storage>) {
    let identity = Identity { origin: origin(), public_key: key().verifier().to_bytes() };
    storage.initialise(&identity, &key().seal(&origin(), Head::empty())).unwrap();
    assert_eq!(storage.identity(), Ok(Some(identity)));
    let mut ledger = Ledger::resume(storage, key()).unwrap();
    for count in [5, 1, 7] {
        ledger.append_batch(&entries(count)).unwrap();
    }
    let storage = ledger.into_storage();
    let mut sizes = Vec::new();
    while let Some(signed) = storage.next_head(sizes.last().copied()).unwrap() {
        sizes.push(signed.head.size);
    }
    assert_eq!(sizes, [0, 5, 6, 13]);
    assert_eq!(storage.latest_head().unwrap().unwrap().head.size, 13);
    assert_eq!(storage.next_head(Some(3)).unwrap().unwrap().head.size, 5);
}

fn refusals_leave_the_log_as_it_was(storage: Box<dyn Storage>) {
    let mut ledger = filled(storage, 2, 2);
    let before = *ledger.head();
    let long = Entry { kind: Kind::Vote, step: 0, author: 0, body: vec![0; dais_ledger::BODY_BYTES_MAX + 1] };
    let batch = [entries(1)[0].clone(), long.clone()];
    let refused = LedgerError::BodyTooLong { position: 1, bytes: long.body.len() };
    assert_eq!(ledger.append_batch(&batch), Err(refused));
    assert_eq!(*ledger.head(), before);
    let longest = Entry { body: vec![7; dais_ledger::BODY_BYTES_MAX], ..long };
    ledger.append_batch(std::slice::from_ref(&longest)).unwrap();
    assert_eq!(ledger.entry(2), Ok(longest));
    assert!(ledger.prove_inclusion(3, 3).is_err());
    assert!(ledger.prove_inclusion(0, 4).is_err());
    assert!(ledger.prove_consistency(3, 2).is_err());
    assert!(ledger.root_at(4).is_err());
    ledger.verify(&key().verifier()).unwrap();
}
