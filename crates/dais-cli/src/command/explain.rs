//! `dais explain`.

mod address;
mod proof;
mod signature;

use std::process::ExitCode;

use dais_lab::{ExplainError, Explanation, explain as explain_subject};
use dais_ledger::{Durability, LedgerError};

use crate::args::explain::ExplainArgs;
use crate::place;
use crate::screen::output::{self, Ink};

pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let place = place::of_run(&args.run, args.ledger.as_deref())?;
    let archive =
        place.archive(&args.server.options(Durability::default())).map_err(|error| place::unopened(&place, error))?;
    let explanation = match explain_subject(archive, &args.subject) {
        Ok(explanation) => explanation,
        Err(error) if is_finding(&error) => {
            output::complain(&anyhow::Error::new(error));
            output::say(&format!("what exactly is wrong: dais verify {}", place::shown(&args.run)));
            return Ok(ExitCode::FAILURE);
        }
        Err(error @ (ExplainError::Fault(_) | ExplainError::Ledger(_))) => {
            return Err(anyhow::Error::from(error).context(place::shown_location(&place.location)));
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
