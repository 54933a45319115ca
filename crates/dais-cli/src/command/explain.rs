//! `dais explain`.

mod address;
mod signature;

use std::process::ExitCode;

use dais_lab::{ExplainError, Explanation, Proven, explain as explain_subject};
use dais_ledger::{Head, LedgerError};

use crate::args::ExplainArgs;
use crate::figures::{count, plural};
use crate::output::{self, Ink};
use crate::place::{self, Place};

pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let place = Place::of_run(&args.run, args.ledger.as_deref())?;
    let archive = place.archive(&args.server).map_err(|error| place.unopened(error))?;
    let explanation = match explain_subject(archive, &args.subject) {
        Ok(explanation) => explanation,
        Err(error) if is_finding(&error) => {
            output::complain(&anyhow::Error::new(error));
            output::say(&format!("what exactly is wrong: dais verify {}", place::shown(&args.run)));
            return Ok(ExitCode::FAILURE);
        }
        Err(error @ (ExplainError::Fault(_) | ExplainError::Ledger(_))) => {
            return Err(anyhow::Error::from(error).context(place.to_string()));
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

/// Whether the ledger does not hold, as opposed to one that cannot be read and a subject that is none.
fn is_finding(error: &ExplainError) -> bool {
    match error {
        ExplainError::Fault(fault) => place::unread_in(fault).is_none(),
        ExplainError::Ledger(LedgerError::Damaged(damage)) => place::unread(damage).is_none(),
        ExplainError::Ledger(_)
        | ExplainError::Subject(_)
        | ExplainError::NoSignature(_)
        | ExplainError::Ambiguous { .. } => false,
    }
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
