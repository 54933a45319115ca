//! Every path that the documents name exists.

use std::path::{Component, Path};

use crate::tree::{self, TextFile};

/// Documents the project cannot be without.
const REQUIRED: [&str; 8] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
    "docs/SUMMARY.md",
    "docs/glossary.md",
];

/// What the first part of a path in this repository can be. Rooms that do not exist yet are here too: a document may
/// name them only when they do.
const ROOMS: [&str; 13] = [
    ".cargo/",
    ".ci/",
    "bench/",
    "config/",
    "crates/",
    "deploy/",
    "docs/",
    "fuzz/",
    "node/",
    "python/",
    "scenarios/",
    "ui/",
    "xtask/",
];

/// A document's text, cut at every fence: `(is inside a fenced block, line)`.
fn lines(document: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut fenced = false;
    document.lines().filter_map(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!is_fence).then_some((fenced, line))
    })
}

/// Paths of this repository named in backticks, or as a word inside a fenced block.
fn named_paths(document: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    for (fenced, line) in lines(document) {
        if fenced {
            paths.extend(line.split_whitespace().filter_map(as_path));
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            paths.extend(spans.flat_map(str::split_whitespace).filter_map(as_path));
        }
    }
    paths
}

/// `word` as a path from the root, up to its first part with a wildcard or placeholder; `None` for other words.
fn as_path(word: &str) -> Option<&str> {
    let word = word.trim_start_matches("./").trim_matches(|c| "\"'(),;".contains(c));
    if !ROOMS.iter().any(|room| word.starts_with(room)) {
        return None;
    }
    let word = word.split(['#', ':']).next().unwrap_or(word);
    let literal = word.find(|c| "*<>{}[]…$|".contains(c)).map_or(word, |wild| {
        let folder_end = word[..wild].rfind('/').unwrap_or(0);
        &word[..folder_end]
    });
    Some(literal.trim_end_matches(['.', '/']))
}

/// Targets of inline Markdown links that are files, without their anchors.
fn link_targets(document: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    for (fenced, line) in lines(document) {
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let target = line[at + 2..].split([')', ' ', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                targets.push(target);
            }
        }
    }
    targets
}

/// `target` as seen from the folder of `document`, from the root; `None` when it leaves the repository.
fn resolved(document: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in Path::new(target).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

fn dangling(documents: &[TextFile], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut violations = Vec::new();
    for document in documents {
        for path in named_paths(&document.text).into_iter().filter(|path| !exists(path)) {
            violations.push(format!("{} names `{path}`, which does not exist", document.path));
        }
        for target in link_targets(&document.text) {
            if !resolved(&document.path, target).is_some_and(|path| exists(&path)) {
                violations.push(format!("{} links to {target}, which does not exist", document.path));
            }
        }
    }
    violations
}

/// Pages of the book that its table of contents does not lead to.
fn unlisted<'a>(pages: impl Iterator<Item = &'a str>, summary: &str) -> Vec<String> {
    let listed: Vec<_> =
        link_targets(summary).into_iter().filter_map(|target| resolved("docs/SUMMARY.md", target)).collect();
    pages
        .filter(|page| *page != "docs/SUMMARY.md" && !listed.iter().any(|path| path == page))
        .map(|page| format!("{page} is not in docs/SUMMARY.md"))
        .collect()
}

fn documents() -> Vec<TextFile> {
    let files = tree::text_files().into_iter();
    files.filter(|file| file.is("md") && (file.path.starts_with("docs/") || !file.path.contains('/'))).collect()
}

fn exists(path: &str) -> bool {
    tree::root().join(path).exists()
}

#[test]
fn the_documents_every_project_needs_are_there() {
    let missing = REQUIRED.iter().filter(|path| !exists(path)).map(|path| format!("{path} is missing"));
    crate::assert_kept("required documents", REQUIRED.len(), &missing.collect::<Vec<_>>());
}

#[test]
fn every_path_named_in_a_document_exists() {
    let documents = documents();
    let named: usize = documents.iter().map(|one| named_paths(&one.text).len() + link_targets(&one.text).len()).sum();
    crate::assert_kept("paths in documents", named, &dangling(&documents, exists));
}

#[test]
fn the_book_lists_every_page() {
    let documents = documents();
    let pages: Vec<_> =
        documents.iter().map(|page| page.path.as_str()).filter(|path| path.starts_with("docs/")).collect();
    let summary = documents.iter().find(|page| page.path == "docs/SUMMARY.md").expect("docs/SUMMARY.md exists");
    crate::assert_kept("pages of the book", pages.len(), &unlisted(pages.iter().copied(), &summary.text));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    #[test]
    fn paths_are_found_in_backticks_and_in_fenced_blocks() {
        let text = "See `crates/a/src/lib.rs:12` and `cargo run scenarios/b.yaml`, not crates/plain.\n\
                    ```console\n$ dais run ./scenarios/c.yaml\n```\n\
                    Globs: `crates/*/Cargo.toml`, `docs/<page>.md`, and `serde/json`.\n";
        let expected = ["crates/a/src/lib.rs", "scenarios/b.yaml", "scenarios/c.yaml", "crates", "docs"];
        assert_eq!(named_paths(text), expected);
    }

    #[test]
    fn a_path_or_link_that_does_not_exist_is_reported() {
        let page =
            TextFile::sample("docs/a.md", "`crates/gone` [b](b.md#x) [up](../README.md) [web](https://example.org)\n");
        let files = ["docs/b.md"];
        let bad = dangling(&[page], |path| files.contains(&path));
        let expected = [
            "docs/a.md names `crates/gone`, which does not exist",
            "docs/a.md links to ../README.md, which does not exist",
        ];
        assert_eq!(bad, expected);
    }

    #[test]
    fn a_link_that_leaves_the_repository_is_reported() {
        assert_eq!(resolved("docs/reference/a.md", "../b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(resolved("README.md", "../outside.md"), None);
        assert_eq!(resolved("README.md", "/etc/hosts"), None);
    }

    #[test]
    fn a_page_outside_of_the_table_of_contents_is_reported() {
        let summary = "- [A](a.md)\n  - [B](reference/b.md)\n";
        let pages = ["docs/SUMMARY.md", "docs/a.md", "docs/reference/b.md", "docs/lost.md"];
        assert_eq!(unlisted(pages.into_iter(), summary), ["docs/lost.md is not in docs/SUMMARY.md"]);
    }
}
