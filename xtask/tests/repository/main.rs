//! The rules of the repository, checked like any other promise.
//!
//! Every rule is a plain function from what it reads to the list of its violations, so that each can be shown failing
//! on a small bad sample; the test of the repository itself also asserts that the rule looked at something.

#![forbid(unsafe_code)]

mod ci;
mod circle;
mod concept;
mod dependency;
mod function;
mod manifest;
mod module;
mod name;
mod path;
mod room;
mod source;
mod text;
mod tree;

/// Fails with one line per violation, or when nothing was looked at.
#[track_caller]
fn assert_kept(rule: &str, looked_at: usize, violations: &[String]) {
    assert!(looked_at > 0, "{rule}: nothing was looked at, so nothing was checked");
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}

#[test]
#[should_panic(expected = "nothing was looked at")]
fn a_guard_that_looks_at_nothing_fails() {
    assert_kept("sample", 0, &[]);
}

#[test]
#[should_panic(expected = "second")]
fn a_guard_lists_every_violation() {
    assert_kept("sample", 1, &["first".to_owned(), "second".to_owned()]);
}
