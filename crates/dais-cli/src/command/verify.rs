//! `dais verify`.

use std::process::ExitCode;
use std::time::Instant;

use dais_lab::{Archive, ArchiveError, LedgerSummary};
use dais_ledger::{COORDINATOR, Durability, Head, Kind, Storage, StorageError};
use dais_sim::{Audit, Fault, audit};
use serde_json::{Value, json};

use crate::args::verify::VerifyArgs;
use crate::place;
use crate::screen::figure::{count, plural, seconds};
use crate::screen::output::{self, Ink};
use crate::screen::table::Table;
use crate::screen::witness::Beside;

pub(crate) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let place = place::of_run(&args.run, args.ledger.as_deref())?;
    let (verdict, beside) = match place.archive(&args.server.options(Durability::default())) {
        Ok(archive) => (check(&archive), Beside::look(&place, &*archive.storage)?),
        Err(ArchiveError::Ledger(StorageError::Corrupt { detail })) => (Verdict::Unopened(detail), Beside::default()),
        Err(error) => return Err(place::unopened(&place, error)),
    };
    if let Some(unread) = verdict.unread() {
        return Err(place::failed(&place.location, unread.clone()));
    }
    let wall_s = began.elapsed().as_secs_f64();
    let holds = verdict.holds() && beside.holds();
    let text = if args.json {
        let mut object = verdict.json();
        object["ok"] = json!(holds);
        (object["witnesses"], object["split_view"]) = beside.json();
        object["run"] = json!(place::shown(&args.run));
        object["wall_s"] = json!(wall_s);
        format!("{object}\n")
    } else {
        let ink = Ink::of_stdout();
        let result = if holds { "verified" } else { "checked" };
        let mut lines = verdict.lines(ink);
        lines.extend(beside.lines(ink));
        lines.push(format!("{} in {}", ink.heading(result), seconds(wall_s)));
        lines.join("\n") + "\n"
    };
    output::print(&text)?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the ledger compares with what the summary beside it says.
#[derive(Debug, PartialEq, Eq)]
enum Comparison {
    /// There is no summary, or none of a ledger.
    Absent,
    Same,
    /// Entries and head of the summary, of the ledger.
    Differs(LedgerSummary, LedgerSummary),
}

#[derive(Debug)]
enum Verdict {
    /// Everything in the ledger fits together.
    Whole(Audit, Comparison),
    Faulty(Fault, Comparison),
    /// The file is damaged so that it cannot be opened.
    Unopened(String),
}

fn check(archive: &Archive) -> Verdict {
    let expected = archive.summary.as_ref().map(|summary| &summary.ledger);
    match audit(&archive.storage) {
        Ok(audit) => {
            let comparison = compare(expected, Some(audit.head));
            Verdict::Whole(audit, comparison)
        }
        Err(fault) => {
            let head = archive.storage.latest_head().ok().flatten().map(|signed| signed.head);
            Verdict::Faulty(fault, compare(expected, head))
        }
    }
}

fn compare(expected: Option<&LedgerSummary>, head: Option<Head>) -> Comparison {
    let (Some(expected), Some(head)) = (expected.filter(|ledger| ledger.head.is_some()), head) else {
        return Comparison::Absent;
    };
    let found = LedgerSummary { entries: head.size, head: Some(head.root.to_string()), ..expected.clone() };
    if *expected == found { Comparison::Same } else { Comparison::Differs(expected.clone(), found) }
}

impl Verdict {
    fn holds(&self) -> bool {
        matches!(self, Self::Whole(_, Comparison::Absent | Comparison::Same))
    }

    /// Why the ledger could not be read to its end, which says nothing about what is in it.
    fn unread(&self) -> Option<&StorageError> {
        match self {
            Self::Faulty(fault, _) => place::unread_in(fault),
            Self::Whole(..) | Self::Unopened(_) => None,
        }
    }

    fn json(&self) -> Value {
        let mut object = json!({ "fault": null, "audit": null, "summary": null });
        let comparison = match self {
            Self::Whole(audit, comparison) => {
                object["audit"] = json!(audit);
                Some(comparison)
            }
            Self::Faulty(fault, comparison) => {
                object["fault"] = fault_json(fault);
                Some(comparison)
            }
            Self::Unopened(detail) => {
                object["fault"] = json!({ "check": "log", "entry": null, "message": detail });
                None
            }
        };
        object["summary"] = match comparison {
            None | Some(Comparison::Absent) => Value::Null,
            Some(Comparison::Same) => json!({ "same": true }),
            Some(Comparison::Differs(expected, found)) => {
                json!({ "same": false, "summary": expected, "ledger": found })
            }
        };
        object
    }

    fn lines(&self, ink: Ink) -> Vec<String> {
        let (mut lines, comparison) = match self {
            Self::Whole(audit, comparison) => (checks(audit), Some(comparison)),
            Self::Faulty(fault, comparison) => {
                (vec![ink.strong("The ledger does not hold."), format!("  {fault}")], Some(comparison))
            }
            Self::Unopened(detail) => (vec![ink.strong("The ledger cannot be opened."), format!("  {detail}")], None),
        };
        match comparison {
            None => {}
            Some(Comparison::Absent) => lines.push(ink.faint(
                "  no summary.json beside the ledger to compare with: whoever can replace the whole file can replace its head",
            )),
            Some(Comparison::Same) => lines.push("  entries and head are those of summary.json".to_owned()),
            Some(Comparison::Differs(expected, found)) => {
                lines.push(ink.strong("The ledger is not the one that summary.json speaks of."));
                lines.push(format!("  summary.json: {}", ledger_in_words(expected)));
                lines.push(format!("  ledger:       {}", ledger_in_words(found)));
            }
        }
        lines
    }
}

fn fault_json(fault: &Fault) -> Value {
    let entry = fault.place.map(|place| {
        let author = if place.author == COORDINATOR { json!("coordinator") } else { json!(place.author) };
        json!({ "index": place.index, "step": place.step, "author": author, "kind": place.kind })
    });
    json!({ "check": fault.check, "entry": entry, "message": fault.wrong.to_string() })
}

fn ledger_in_words(ledger: &LedgerSummary) -> String {
    let head = ledger.head.as_deref().unwrap_or("none");
    format!(
        "{}, head {head}",
        if ledger.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", count(ledger.entries)) }
    )
}

/// What was checked, a line for each check.
fn checks(audit: &Audit) -> Vec<String> {
    let of = |kind: Kind| audit.entries.get(&kind).copied().unwrap_or(0);
    let words = of(Kind::Signature) + of(Kind::Sighting) + of(Kind::Challenge) + of(Kind::Vote);
    let mut table = Table::new(2);
    table.row([
        "log".to_owned(),
        format!(
            "{} and {} in {}: every hash, root and seal of a head fits",
            plural(audit.head.size, "entry"),
            plural(audit.heads, "head"),
            audit.origin
        ),
    ]);
    table.row([
        "record".to_owned(),
        format!(
            "{}, {}: order and content of every entry fit",
            plural(audit.agents.into(), "agent"),
            plural(audit.steps.into(), "step")
        ),
    ]);
    table.row([
        "seals".to_owned(),
        format!(
            "{} cover {} ({}, {}, {}, {})",
            plural(audit.seals, "seal"),
            plural(words, "statement"),
            plural(of(Kind::Signature), "signature"),
            plural(of(Kind::Sighting), "sighting"),
            plural(of(Kind::Challenge), "challenge"),
            plural(of(Kind::Vote), "vote")
        ),
    ]);
    table.row(["lifecycle".to_owned(), format!("{} follow the table", plural(of(Kind::Lifecycle), "entry"))]);
    let refused = match audit.votes_refused {
        0 => String::new(),
        refused => format!(", {} did not count", count(refused)),
    };
    table.row([
        "decisions".to_owned(),
        format!(
            "{} recomputed from {}{refused}: all as recorded",
            plural(audit.decisions, "outcome"),
            plural(of(Kind::Vote), "vote")
        ),
    ]);
    table.row(["key".to_owned(), "the heads are sealed with the key of the run".to_owned()]);
    table.row(["head".to_owned(), audit.head.root.to_string()]);
    table.lines()
}
