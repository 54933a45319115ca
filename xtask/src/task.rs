//! What each command consists of.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::plan::Plan;
use crate::step::Step;

const BOOK_TOOL: &str = "mdbook";
/// The workspace is built with everything; this is the smallest `dais` that can be built.
const CLIPPY_SMALLEST: &str = "clippy --package dais-cli --no-default-features --all-targets -- -D warnings";
/// Debian's packages of the programs that tests start: database servers, what reads packet captures besides us, and what
/// scrapes metrics.
const PROGRAMS: [&str; 4] = ["postgresql", "mariadb-server", "tshark", "prometheus"];
const BOOK_INSTALL: &str = "cargo install mdbook --locked";

/// Formatting, clippy, documentation, the rules of the repository, then (unless `no_test`) every test.
pub(crate) fn check(no_test: bool) -> Plan {
    let plan = Plan::default()
        .then(Step::cargo("fmt", "fmt --all --check"))
        .then(Step::cargo("clippy", "clippy --workspace --all-targets -- -D warnings"))
        .then(Step::cargo("clippy, smallest", CLIPPY_SMALLEST))
        .then(Step::cargo("doc", "doc --no-deps --workspace").environment("RUSTDOCFLAGS", "-D warnings"))
        .then(Step::cargo("repository", "test --package xtask --test repository"));
    if no_test { plan.without("the tests of the crates, as asked with --no-test".to_owned()) } else { with_tests(plan) }
}

/// Every test there is; with `passed_on` only the tests of the workspace that cargo selects by it.
pub(crate) fn test(passed_on: &[String]) -> Plan {
    if passed_on.is_empty() {
        with_tests(Plan::default())
    } else {
        Plan::default().then(Step::cargo("tests", "test --workspace --no-fail-fast").arguments(passed_on))
    }
}

/// The criterion benches; with `smoke` each runs once in the development profile, whose build the tests share.
///
/// Only bench targets are named, so that the harness of the unit tests never sees criterion's arguments.
pub(crate) fn bench(smoke: bool, passed_on: &[String]) -> Plan {
    let step = Step::cargo("benches", "bench --workspace --bench *");
    let step = if smoke { step.arguments(["--profile", "dev", "--", "--test"]) } else { step.arguments(["--"]) };
    Plan::default().then(step.arguments(passed_on))
}

/// Formats all Rust sources.
pub(crate) fn fmt() -> Plan {
    Plan::default().then(Step::cargo("fmt", "fmt --all"))
}

/// Builds the book.
///
/// # Errors
/// When mdBook is not installed; the message says how to install it.
pub(crate) fn book() -> anyhow::Result<Plan> {
    if !is_installed(BOOK_TOOL) {
        bail!("the book needs {BOOK_TOOL}, which is not installed; install it with `{BOOK_INSTALL}`");
    }
    Ok(Plan::default().then(book_step()))
}

/// One line that says where the tests on real traffic will look, by the rule the tests themselves follow.
pub(crate) fn real_data_notice(root: &Path) -> String {
    let place = std::env::var_os("DAIS_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    if place.is_dir() {
        format!("real traffic: {}", place.display())
    } else {
        format!("real traffic: none at {} (set DAIS_DATA); tests on it are skipped and say so", place.display())
    }
}

/// `plan`, then every suite of tests. A suite in another language is added here: its step prepares its own tools
/// under `target/`, or is left out with a line that says what is missing.
fn with_tests(plan: Plan) -> Plan {
    let plan = if has_programs() || !is_installed("apt-get") { plan } else { install_programs(plan) };
    let plan = plan.then(Step::cargo("tests", "test --workspace --no-fail-fast"));
    if is_installed(BOOK_TOOL) {
        plan.then(book_step())
    } else {
        plan.without(format!("building the book, {BOOK_TOOL} is not installed (`{BOOK_INSTALL}`)"))
    }
}

/// Whether the programs that tests start are installed, as Debian does it.
fn has_programs() -> bool {
    let postgres = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    postgres.map(|version| version.path().join("bin/pg_ctl")).any(|program| program.is_file())
        && is_installed("mariadbd")
        && is_installed("tshark")
        && is_installed("promtool")
}

/// Installs the programs that tests start; a developer who is not root repeats the printed lines with `sudo`.
fn install_programs(plan: Plan) -> Plan {
    let apt = |name, arguments: &[&str]| {
        Step::new(name, "apt-get").arguments(arguments.iter().copied()).environment("DEBIAN_FRONTEND", "noninteractive")
    };
    plan.then(apt("packages", &["update"]))
        .then(apt("install", &["install", "-y", "--no-install-recommends"]).arguments(PROGRAMS))
}

fn book_step() -> Step {
    Step::new("book", BOOK_TOOL).arguments(["build", "docs"])
}

/// Whether `program --version` can be run.
fn is_installed(program: &str) -> bool {
    let quiet = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_ends_with_the_tests_unless_told_not_to() {
        let all = check(false).command_lines();
        let quick = check(true).command_lines();
        assert!(all.contains(&"cargo test --workspace --no-fail-fast".to_owned()), "{all:?}");
        assert_eq!(quick, all[..quick.len()], "both begin with the same steps");
        assert_eq!(quick.last().map(String::as_str), Some("cargo test --package xtask --test repository"));
    }

    #[test]
    fn test_passes_arguments_on_to_cargo() {
        let lines = test(&["ballot".to_owned(), "--".to_owned(), "--nocapture".to_owned()]).command_lines();
        assert_eq!(lines, ["cargo test --workspace --no-fail-fast ballot -- --nocapture"]);
    }

    #[test]
    fn a_smoke_run_of_the_benches_measures_nothing() {
        let smoke = bench(true, &["fit".to_owned()]).command_lines();
        assert_eq!(smoke, ["cargo bench --workspace --bench '*' --profile dev -- --test fit"]);
        assert_eq!(bench(false, &[]).command_lines(), ["cargo bench --workspace --bench '*' --"]);
    }

    #[test]
    fn a_missing_program_is_not_installed_and_cargo_is() {
        assert!(is_installed("cargo"));
        assert!(!is_installed("a-program-that-does-not-exist"));
    }
}
