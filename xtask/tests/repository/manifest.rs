//! Rules about what surrounds the sources: lints, clippy limits, licence.

use std::collections::BTreeSet;

use crate::dependency::{self, PURE};
use crate::tree::{self, TextFile};

const LICENCE: &str = "MIT";

/// Lines of one section of a manifest, without blank ones and comments.
fn section<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    let header = format!("[{name}]");
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != header).skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn without_workspace_lints(manifests: &[TextFile]) -> Vec<String> {
    let own = |file: &&TextFile| section(&file.text, "lints") != ["workspace = true"];
    manifests.iter().filter(own).map(|file| format!("{} does not inherit the workspace's lints", file.path)).collect()
}

/// `limits` are the files of the pure crates, `general` is the file of the workspace that they replace.
fn diverging_limits(limits: &[TextFile], general: &TextFile) -> Vec<String> {
    let mut violations = Vec::new();
    for name in PURE {
        let path = format!("crates/{name}/clippy.toml");
        if limits.iter().all(|file| file.path != path) {
            violations.push(format!("{path} is missing"));
        }
    }
    let Some(first) = limits.first() else { return violations };
    for file in limits {
        if file.text != first.text {
            violations.push(format!("{} differs from {}", file.path, first.path));
        }
        let repeated: BTreeSet<&str> = file.text.lines().collect();
        let lost = general.text.lines().filter(|line| !line.is_empty() && !repeated.contains(line));
        violations.extend(lost.map(|line| format!("{} does not repeat `{line}` of {}", file.path, general.path)));
    }
    violations
}

fn without_licence(packages: &[dependency::Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages {
        if package.license.as_deref() != Some(LICENCE) {
            violations.push(format!("{} has the licence {:?}, not {LICENCE}", package.name, package.license));
        }
        if package.publish.as_ref().is_none_or(|registries| !registries.is_empty()) {
            violations.push(format!("{} could be published by accident", package.name));
        }
    }
    violations
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    let files = tree::text_files();
    let member = |path: &str| {
        let is_member = path.starts_with("crates/") || path.starts_with("experiments/");
        path == "xtask/Cargo.toml" || (is_member && path.ends_with("/Cargo.toml"))
    };
    let manifests: Vec<_> = files.into_iter().filter(|file| member(&file.path)).collect();
    assert_eq!(manifests.len(), dependency::packages().len(), "one manifest per crate");
    crate::assert_kept("workspace lints", manifests.len(), &without_workspace_lints(&manifests));
}

#[test]
fn pure_crates_have_the_same_clippy_limits() {
    let (general, limits): (Vec<_>, Vec<_>) = tree::text_files()
        .into_iter()
        .filter(|file| file.path.ends_with("clippy.toml"))
        .partition(|file| file.path == "clippy.toml");
    let general = general.first().expect("the workspace has a clippy.toml");
    crate::assert_kept("clippy limits", limits.len(), &diverging_limits(&limits, general));
}

#[test]
fn every_crate_names_the_licence_and_the_licence_is_there() {
    let packages = dependency::packages();
    crate::assert_kept("licence", packages.len(), &without_licence(&packages));
    let text = std::fs::read_to_string(tree::root().join("LICENSE")).expect("LICENSE exists");
    assert!(text.starts_with("MIT License\n\nCopyright (c) "), "LICENSE is the text of {LICENCE}");
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    #[test]
    fn a_manifest_with_lints_of_its_own_is_reported() {
        let good = TextFile::sample("good", "[lints]\nworkspace = true\n\n[[bin]]\nname = \"x\"\n");
        let own = TextFile::sample("own", "[lints.clippy]\npedantic = \"allow\"\n");
        let none = TextFile::sample("none", "[dependencies]\nserde.workspace = true\n");
        assert_eq!(without_workspace_lints(&[good, own, none]).len(), 2);
    }

    #[test]
    fn limits_that_are_missing_or_differ_are_reported() {
        let general = TextFile::sample("clippy.toml", "too-many-lines-threshold = 70\n");
        let of = |text: &str| PURE.map(|name| TextFile::sample(&format!("crates/{name}/clippy.toml"), text));
        let mut files = of("too-many-lines-threshold = 70\nmore = []\n");
        assert!(diverging_limits(&files, &general).is_empty());
        assert_eq!(diverging_limits(&files[1..], &general).len(), 1, "one is missing");
        files[2].text.push_str("other = true\n");
        assert_eq!(diverging_limits(&files, &general).len(), 1, "one differs");
        assert_eq!(diverging_limits(&of("more = []\n"), &general).len(), PURE.len(), "none repeats the limit");
    }

    #[test]
    fn another_licence_and_a_publishable_crate_are_reported() {
        let package = |licence: &str, publish: &str| {
            let json = format!(r#"{{"name": "a", "license": {licence}, "publish": {publish}, "dependencies": []}}"#);
            serde_json::from_str::<dependency::Package>(&json).unwrap()
        };
        assert!(without_licence(&[package("\"MIT\"", "[]")]).is_empty());
        assert_eq!(without_licence(&[package("null", "[]"), package("\"GPL-2.0-only\"", "[]")]).len(), 2);
        assert_eq!(without_licence(&[package("\"MIT\"", "null")]).len(), 1);
    }
}
