//! The README and the checks cannot say different things about how to test.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::tree;

/// What `.ci/run --test-command README` answers.
fn test_command(readme: &Path) -> Output {
    let script = tree::root().join(".ci/run");
    Command::new(&script)
        .arg("--test-command")
        .arg(readme)
        .output()
        .unwrap_or_else(|error| panic!("{} is not a program: {error}", script.display()))
}

fn test_command_of(text: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let readme = folder.path().join("README.md");
    fs::write(&readme, text).expect("a temporary file");
    test_command(&readme)
}

fn assert_refused(text: &str, because: &str) {
    let output = test_command_of(text);
    assert!(!output.status.success(), "accepted: {text}");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains(because), "{message}");
}

#[test]
fn the_checks_run_the_test_command_of_the_readme() {
    let output = test_command(&tree::root().join("README.md"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let without_comment = printed.split(" #").next().unwrap_or_default();
    assert_eq!(without_comment.trim(), "cargo xtask test");
}

#[test]
fn the_block_below_the_marker_is_the_test_command() {
    let text = "# A\n```console\nnot this\n```\n<!-- test command -->\n```console\n$ first\n$ second --flag\n```\n```\nnor this\n```\n";
    let output = test_command_of(text);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "first\nsecond --flag\n");
}

#[test]
fn a_readme_without_the_marked_block_is_refused() {
    assert_refused("# A\n```console\ncargo test\n```\n", "no line `<!-- test command -->`");
    assert_refused("<!-- test command -->\ntext between\n```console\ncargo test\n```\n", "directly above");
    assert_refused("<!-- test command -->\n```console\n```\n", "is empty");
    assert_refused("<!-- test command -->\n```console\ncargo test\n", "never closed");
}
