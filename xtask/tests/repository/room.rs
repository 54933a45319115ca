//! No folder has so many source files beside one another that a newcomer cannot guess which to open.

use std::collections::BTreeMap;

use crate::tree::{self, TextFile};

/// The most source files directly in a folder.
const FILES_MAX: usize = 20;

/// Folders that are still larger. An entry that is not needed any more has to go.
const KNOWN: [&str; 5] = [
    "crates/dais-cli/src/args",
    "crates/dais-cli/tests/it",
    "crates/dais-ledger/src",
    "crates/dais-protocol/src",
    "crates/dais-traffic/src/reader",
];

fn crowded(files: &[TextFile], known: &[&str]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        let (folder, _) = file.path.rsplit_once('/').unwrap_or_default();
        *counts.entry(folder).or_default() += 1;
    }
    let crowded = || counts.iter().filter(|(_, count)| **count > FILES_MAX);
    let new = crowded().filter(|(folder, _)| !known.contains(folder));
    let new =
        new.map(|(folder, count)| format!("{folder} has {count} source files, the most is {FILES_MAX}: make rooms"));
    let gone = known.iter().filter(|folder| !crowded().any(|(one, _)| one == *folder));
    new.chain(gone.map(|folder| format!("{folder} is not crowded any more: take the entry out"))).collect()
}

#[test]
fn no_folder_has_more_source_files_than_a_newcomer_can_choose_from() {
    let files = tree::rust_files();
    crate::assert_kept("files in folders", files.len(), &crowded(&files, &KNOWN));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    fn files(count: usize) -> Vec<TextFile> {
        let beside = (0..count).map(|index| TextFile::sample(&format!("a/src/f{index}.rs"), ""));
        beside.chain([TextFile::sample("a/src/room/other.rs", "")]).collect()
    }

    #[test]
    fn a_folder_with_too_many_files_is_reported_and_files_in_rooms_do_not_count() {
        assert!(crowded(&files(FILES_MAX), &[]).is_empty());
        let bad = crowded(&files(FILES_MAX + 1), &[]);
        assert_eq!(bad, ["a/src has 21 source files, the most is 20: make rooms"]);
        assert!(crowded(&files(FILES_MAX + 1), &["a/src"]).is_empty());
        assert_eq!(crowded(&files(FILES_MAX), &["a/src"]), ["a/src is not crowded any more: take the entry out"]);
    }
}
