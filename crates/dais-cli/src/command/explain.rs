//! `dais explain`.

mod address;
mod signature;

use std::process::ExitCode;

use anyhow::Context;
use dais_lab::{Archive, ExplainError, Explanation, Proven, explain as explain_subject};
use dais_ledger::{Head, LedgerError};

use crate::args::ExplainArgs;
use crate::figures::{count, plural};
use crate::output::{self, Ink};

pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let archive = Archive::open(&args.run).with_context(|| args.run.display().to_string())?;
    let explanation = match explain_subject(archive, &args.subject) {
        Ok(explanation) => explanation,
        Err(error @ (ExplainError::Fault(_) | ExplainError::Ledger(LedgerError::Damaged(_)))) => {
            output::complain(&anyhow::Error::new(error));
            output::say(&format!("what exactly is wrong: dais verify {}", args.run.display()));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    let known = match &explanation {
        Explanation::Signature(_) => true,
        Explanation::Address(found) => !(found.named_by.is_empty() && found.sightings.is_empty()),
    };
    let text = if args.json {
        format!("{}\n", serde_json::to_string(&explanation)?)
    } else {
        let ink = Ink::of_stdout();
        match &explanation {
            Explanation::Signature(explanation) => signature::text(explanation, args.all, ink),
            Explanation::Address(explanation) => address::text(explanation, args.all, ink),
        }
    };
    output::print(&text)?;
    Ok(if known { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An entry and the proof that the head covers it, in words.
fn proven(entry: &Proven) -> String {
    let result = if entry.verified { "verified" } else { "NOT VERIFIED" };
    let hashes = match entry.proof.path.len() {
        1 => "1 hash".to_owned(),
        hashes => format!("{hashes} hashes"),
    };
    format!("entry {} of {}, {hashes} to the head, {result}", count(entry.index), count(entry.proof.size))
}

/// The head that the proofs lead to.
fn head_line(head: &Head, ink: Ink) -> String {
    ink.faint(&format!("  head {} over {}", head.root, plural(head.size, "entry")))
}
