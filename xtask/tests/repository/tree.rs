//! The files of the repository as the rules read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what was built, fetched or measured, wherever they stand; the same as in `.gitignore`. In a second work
/// tree `.git` is a file.
const NOT_OURS: [&str; 6] = [".git", "target", "runs", "node_modules", ".venv", "__pycache__"];

/// A text file of the repository.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// Path from the root, with `/` between its parts.
    pub(crate) path: String,
    /// Its whole text.
    pub(crate) text: String,
}

impl TextFile {
    /// A sample for a test of a rule.
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether its name ends with `.extension`.
    pub(crate) fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies directly below the workspace")
}

/// Every file of the repository that is UTF-8, ordered by path; binary files are left out.
pub(crate) fn text_files() -> Vec<TextFile> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let text = String::from_utf8(fs::read(&path).ok()?).ok()?;
            let relative = path.strip_prefix(root()).expect("collected below the root");
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            Some(TextFile { path: parts.join("/"), text })
        })
        .collect()
}

/// The Rust sources among [`text_files`].
pub(crate) fn rust_files() -> Vec<TextFile> {
    text_files().into_iter().filter(|file| file.is("rs")).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let kind = entry.file_type().unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_file() {
            paths.push(entry.path());
        } else if kind.is_dir() {
            collect(&entry.path(), paths);
        }
    }
}

#[test]
fn the_walk_finds_this_file_and_nothing_that_was_built() {
    let files = text_files();
    assert!(files.iter().any(|file| file.path == "xtask/tests/repository/tree.rs"));
    assert!(files.iter().all(|file| !file.path.starts_with("target/") && !file.path.starts_with(".git/")));
}
