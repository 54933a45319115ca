//! Which crate may depend on which: the picture of the house as a table.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use crate::tree;

const LEAVES: [&str; 4] = ["dais-detect", "dais-ledger", "dais-protocol", "dais-traffic"];

/// Every crate of the workspace and the crates of ours it may depend on. A crate that is not here may not exist.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("dais-traffic", &[]),
    ("dais-detect", &[]),
    ("dais-protocol", &[]),
    ("dais-ledger", &[]),
    ("dais-sim", &LEAVES),
    ("dais-lab", &["dais-detect", "dais-ledger", "dais-protocol", "dais-sim", "dais-traffic"]),
    ("dais-runs", &["dais-lab", "dais-ledger", "dais-protocol", "dais-sim"]),
    ("dais-resilience", &[]),
    ("dais-telemetry", &[]),
    ("dais-alert", &["dais-resilience"]),
    ("dais-config", &["dais-alert", "dais-resilience", "dais-telemetry"]),
    (
        "dais-cli",
        &[
            "dais-alert",
            "dais-config",
            "dais-detect",
            "dais-lab",
            "dais-ledger",
            "dais-protocol",
            "dais-resilience",
            "dais-runs",
            "dais-sim",
            "dais-telemetry",
            "dais-traffic",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that compute and do nothing else.
pub(crate) const PURE: [&str; 5] = ["dais-detect", "dais-ledger", "dais-protocol", "dais-sim", "dais-traffic"];

/// What brings sockets, clocks, terminals, threads or unordered randomness into a crate, and the pure crate that may
/// have it all the same.
const IMPURE: [(&str, Option<&str>); 34] = [
    ("anyhow", None),
    ("async-std", None),
    ("axum", None),
    ("chrono", None),
    ("clap", None),
    ("console", None),
    ("crossbeam", None),
    ("crossterm", None),
    ("ctrlc", None),
    ("env_logger", None),
    ("fastrand", None),
    ("getrandom", None),
    ("hyper", None),
    ("indicatif", None),
    // Reads times in logs; built without its clock and time zones.
    ("jiff", Some("dais-traffic")),
    ("libp2p", None),
    ("mio", None),
    ("mysql", Some("dais-ledger")),
    ("object_store", Some("dais-ledger")),
    ("postgres", Some("dais-ledger")),
    ("quinn", None),
    ("rayon", Some("dais-sim")),
    ("reqwest", None),
    ("rusqlite", Some("dais-ledger")),
    ("rustls", Some("dais-ledger")),
    ("smol", None),
    ("socket2", None),
    ("sqlx", None),
    ("tempfile", None),
    ("time", None),
    // Drives the requests to an object store, on the thread that makes them.
    ("tokio", Some("dais-ledger")),
    ("tracing-subscriber", None),
    ("ureq", None),
    ("walkdir", None),
];

/// A crate of the workspace as `cargo metadata` prints it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its SPDX licence expression.
    pub(crate) license: Option<String>,
    /// The registries it may be published to; an empty list is `publish = false`.
    pub(crate) publish: Option<Vec<String>>,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None` is a normal dependency; others are `build` and `dev`.
    kind: Option<String>,
}

impl Package {
    /// Names of what the crate needs to be built, without what only its tests need.
    fn needs(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().filter(|one| one.kind.as_deref() != Some("dev")).map(|one| one.name.as_str())
    }
}

/// The crates of the workspace.
pub(crate) fn packages() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Metadata>(&output.stdout).expect("cargo metadata prints its format 1").packages
}

/// What a target without threads and files can do without: found in the tree of a crate built without its features.
const NATIVE: [&str; 8] =
    ["crossbeam-utils", "libsqlite3-sys", "mysql", "postgres", "rayon", "rayon-core", "rusqlite", "tokio"];

/// Names of all crates that `package` is built of without its default features, itself included.
fn bare_tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--no-default-features", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo tree prints text");
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn native(tree: &[String]) -> Vec<String> {
    let native = tree.iter().filter(|name| NATIVE.contains(&name.as_str()));
    native.map(|name| format!("{name} is in the tree of dais-sim without features")).collect()
}

fn against_the_table(packages: &[Package]) -> Vec<String> {
    let table: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut violations = Vec::new();
    for package in packages {
        let Some(allowed) = table.get(package.name.as_str()) else {
            violations.push(format!("{} is not in the dependency table", package.name));
            continue;
        };
        let ours = package.needs().filter(|name| name.starts_with("dais-") || *name == "xtask");
        violations.extend(
            ours.filter(|name| !allowed.contains(name))
                .map(|name| format!("{} may not depend on {name} (allowed: {allowed:?})", package.name)),
        );
    }
    violations
}

fn without_purity(packages: &[Package]) -> Vec<String> {
    let pure = packages.iter().filter(|package| PURE.contains(&package.name.as_str()));
    pure.flat_map(|package| {
        let forbidden = |name: &&str| {
            IMPURE.iter().any(|(impure, exception)| impure == name && *exception != Some(package.name.as_str()))
        };
        package.needs().filter(forbidden).map(|name| format!("{} is pure and may not need {name}", package.name))
    })
    .collect()
}

#[test]
fn every_crate_keeps_to_the_dependency_table() {
    let packages = packages();
    crate::assert_kept("dependency table", packages.len(), &against_the_table(&packages));
    let missing = ALLOWED.iter().filter(|(name, _)| packages.iter().all(|package| package.name != *name));
    let missing: Vec<_> = missing.map(|(name, _)| format!("{name} is in the table, not in the workspace")).collect();
    crate::assert_kept("dependency table", ALLOWED.len(), &missing);
}

#[test]
fn pure_crates_need_no_sockets_clocks_terminals_or_threads() {
    let packages = packages();
    let pure = packages.iter().filter(|package| PURE.contains(&package.name.as_str())).count();
    assert_eq!(pure, PURE.len(), "every pure crate is in the workspace");
    crate::assert_kept("purity", pure, &without_purity(&packages));
}

#[test]
fn the_simulation_without_features_needs_neither_threads_nor_sqlite() {
    let tree = bare_tree("dais-sim");
    for needed in ["dais-sim", "dais-ledger", "dais-detect", "postcard"] {
        assert!(tree.iter().any(|name| name == needed), "{needed} is missing: the tree was not read");
    }
    crate::assert_kept("tree without features", tree.len(), &native(&tree));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|&(name, kind)| Dependency { name: name.to_owned(), kind: kind.map(str::to_owned) })
            .collect();
        Package { name: name.to_owned(), license: None, publish: None, dependencies }
    }

    #[test]
    fn a_thread_pool_in_a_tree_is_reported() {
        let tree = ["dais-sim", "rayon", "serde"].map(str::to_owned);
        assert_eq!(native(&tree), ["rayon is in the tree of dais-sim without features"]);
    }

    #[test]
    fn a_leaf_that_knows_another_leaf_is_reported() {
        let bad = against_the_table(&[package("dais-detect", &[("dais-traffic", None), ("serde", None)])]);
        assert_eq!(bad, ["dais-detect may not depend on dais-traffic (allowed: [])"]);
        let build = against_the_table(&[package("dais-detect", &[("dais-traffic", Some("build"))])]);
        assert_eq!(build.len(), 1, "a build dependency counts");
        assert!(against_the_table(&[package("dais-sim", &[("dais-traffic", None)])]).is_empty());
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_reported() {
        assert_eq!(against_the_table(&[package("dais-utils", &[])]), ["dais-utils is not in the dependency table"]);
    }

    #[test]
    fn a_socket_in_a_pure_crate_is_reported_and_the_exceptions_are_not() {
        let bad =
            without_purity(&[package("dais-traffic", &[("hyper", None), ("rayon", None), ("tempfile", Some("dev"))])]);
        assert_eq!(bad, ["dais-traffic is pure and may not need hyper", "dais-traffic is pure and may not need rayon"]);
        let good = [
            package("dais-sim", &[("rayon", None)]),
            package("dais-ledger", &[("rusqlite", None)]),
            package("dais-cli", &[("clap", None)]),
        ];
        assert!(without_purity(&good).is_empty());
    }
}
