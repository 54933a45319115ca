//! Proofs in words.

use dais_lab::Proven;
use dais_ledger::Head;

use crate::screen::figure::{count, plural};
use crate::screen::output::Ink;

/// An entry and the proof that the head covers it, in words.
pub(super) fn proven(entry: &Proven) -> String {
    let result = if entry.verified { "verified" } else { "NOT VERIFIED" };
    let hashes = match entry.proof.path.len() {
        1 => "1 hash".to_owned(),
        hashes => format!("{hashes} hashes"),
    };
    format!("entry {} of {}, {hashes} to the head, {result}", count(entry.index), count(entry.proof.size))
}

/// The head that the proofs lead to.
pub(super) fn head_line(head: &Head, ink: Ink) -> String {
    ink.faint(&format!("  head {} over {}", head.root, plural(head.size, "entry")))
}
