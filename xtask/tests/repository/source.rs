//! Rules about sources: size and unsafe code of Rust, unfinished places of every language.

use crate::tree::{self, TextFile};

/// No file is longer, whatever the reason.
const LINES_MAX: usize = 800;
/// A longer file is split by concept, or stands in [`LONG_FOR_A_REASON`].
const LINES_QUESTIONED: usize = 500;
/// Files over [`LINES_QUESTIONED`] lines and why each is better whole.
const LONG_FOR_A_REASON: [(&str, &str); 0] = [];

/// The crate whose vector instructions need unsafe code; the workspace lint still denies it outside of the places that
/// say why.
const MAY_BE_UNSAFE: &str = "dais-detect";

/// What an unfinished place looks like. Each is put together here so that this file does not contain it.
const UNFINISHED: [&str; 6] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("not yet ", "implemented"),
];

fn oversized(files: &[TextFile], reasons: &[(&str, &str)]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        let lines = file.text.lines().count();
        let has_reason = reasons.iter().any(|(path, _)| *path == file.path);
        if lines > LINES_MAX {
            violations.push(format!("{} has {lines} lines, the most is {LINES_MAX}", file.path));
        } else if lines > LINES_QUESTIONED && !has_reason {
            violations.push(format!("{} has {lines} lines: split it by concept at {LINES_QUESTIONED}", file.path));
        } else if lines <= LINES_QUESTIONED && has_reason {
            violations.push(format!("{} has only {lines} lines and needs no reason any more", file.path));
        }
    }
    violations
}

/// The root files of crates: of the library and of each binary.
fn is_crate_root(path: &str) -> bool {
    path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs") || path.contains("/src/bin/")
}

fn may_be_unsafe(roots: &[TextFile]) -> Vec<String> {
    let exempt = format!("crates/{MAY_BE_UNSAFE}/");
    let safe = |file: &&TextFile| {
        !file.path.starts_with(&exempt) && !file.text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]")
    };
    roots.iter().filter(safe).map(|file| format!("{} does not forbid unsafe code", file.path)).collect()
}

fn unfinished(files: &[TextFile]) -> Vec<String> {
    let places =
        files.iter().flat_map(|file| file.text.lines().enumerate().map(move |(at, line)| (file, at + 1, line)));
    places
        .filter_map(|(file, at, line)| {
            let found = UNFINISHED.iter().find(|mark| line.contains(*mark))?;
            Some(format!("{}:{at} contains `{found}`", file.path))
        })
        .collect()
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    let files = tree::rust_files();
    crate::assert_kept("file sizes", files.len(), &oversized(&files, &LONG_FOR_A_REASON));
    let gone = LONG_FOR_A_REASON.iter().filter(|(path, _)| files.iter().all(|file| file.path != *path)).count();
    assert_eq!(gone, 0, "LONG_FOR_A_REASON names a file that does not exist");
}

#[test]
fn every_crate_but_one_forbids_unsafe_code() {
    let roots: Vec<_> = tree::rust_files().into_iter().filter(|file| is_crate_root(&file.path)).collect();
    crate::assert_kept("unsafe code", roots.len(), &may_be_unsafe(&roots));
}

#[test]
fn nothing_is_left_unfinished() {
    let code = |file: &TextFile| ["rs", "py", "sh", "js"].iter().any(|extension| file.is(extension));
    let files: Vec<_> = tree::text_files().into_iter().filter(code).collect();
    crate::assert_kept("unfinished places", files.len(), &unfinished(&files));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    fn of_lines(count: usize) -> [TextFile; 1] {
        [TextFile::sample("crates/a/src/long.rs", &"// line\n".repeat(count))]
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_very_long_one_has_none() {
        let reasons = [("crates/a/src/long.rs", "a table")];
        assert!(oversized(&of_lines(500), &[]).is_empty());
        assert_eq!(oversized(&of_lines(501), &[]).len(), 1);
        assert!(oversized(&of_lines(800), &reasons).is_empty());
        assert_eq!(oversized(&of_lines(801), &reasons).len(), 1);
        assert_eq!(oversized(&of_lines(10), &reasons).len(), 1, "a reason that is no longer needed");
    }

    #[test]
    fn a_crate_root_without_the_attribute_is_reported() {
        let safe = "//! Docs.\n\n#![forbid(unsafe_code)]\n";
        assert!(may_be_unsafe(&[TextFile::sample("crates/dais-sim/src/lib.rs", safe)]).is_empty());
        assert!(may_be_unsafe(&[TextFile::sample("crates/dais-detect/src/lib.rs", "")]).is_empty());
        let commented = "// #![forbid(unsafe_code)]\n";
        assert_eq!(may_be_unsafe(&[TextFile::sample("crates/dais-sim/src/lib.rs", commented)]).len(), 1);
        assert!(is_crate_root("crates/dais-cli/src/bin/other.rs") && !is_crate_root("crates/dais-cli/src/run.rs"));
    }

    #[test]
    fn every_mark_of_an_unfinished_place_is_found() {
        for mark in UNFINISHED {
            let file = TextFile::sample("a.rs", &format!("fn a() {{\n    {mark} \n}}\n"));
            assert_eq!(unfinished(&[file]), [format!("a.rs:2 contains `{mark}`")]);
        }
        assert!(unfinished(&[TextFile::sample("a.rs", "fn todos() {}\n")]).is_empty());
    }
}
