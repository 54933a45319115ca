//! What became of an address, for people.

use dais_lab::{AddressExplanation, BlockSpan, Naming, SightingView};
use dais_protocol::Outcome;

use super::proof::{head_line, proven};
use crate::screen::figure::{NOTHING, count, plural};
use crate::screen::output::Ink;
use crate::screen::table::Table;

/// Rows of a list shown unless all are asked for.
const ROWS_MAX: usize = 20;

pub(super) fn text(explanation: &AddressExplanation, all: bool, ink: Ink) -> String {
    let address = ink.strong(&explanation.address.to_string());
    let mut lines = vec![format!("{} {address}", ink.heading("Address"))];
    if explanation.named_by.is_empty() && explanation.sightings.is_empty() {
        lines.push("  nothing here blocks it: no signature and no sighting in the ledger names it".to_owned());
        if !explanation.near.is_empty() {
            let near: Vec<String> = explanation.near.iter().map(ToString::to_string).collect();
            lines.push(format!("  named addresses near it: {}", near.join(", ")));
        }
        lines.push(head_line(&explanation.head, ink));
        return lines.join("\n") + "\n";
    }
    lines.push(match (explanation.blocked, explanation.blocks.last()) {
        (true, Some(span)) => {
            format!("  blocked since step {}, as the run ended after {}", span.since_step, steps(explanation))
        }
        (_, Some(_)) => format!("  not blocked any more when the run ended after {}", steps(explanation)),
        (_, None) => "  named, but never blocked".to_owned(),
    });
    let limit = if all { usize::MAX } else { ROWS_MAX };
    section(&mut lines, ink, "Blocks", list(&explanation.blocks, limit, block));
    section(&mut lines, ink, "Signatures that name it as a source", list(&explanation.named_by, limit, naming));
    section(&mut lines, ink, "Sightings", sightings(&explanation.sightings, explanation.sighting_trust, limit));
    lines.push(head_line(&explanation.head, ink));
    lines.join("\n") + "\n"
}

fn steps(explanation: &AddressExplanation) -> String {
    plural(explanation.steps.into(), "step")
}

fn section(lines: &mut Vec<String>, ink: Ink, title: &str, content: Vec<String>) {
    lines.push(String::new());
    lines.push(ink.heading(title));
    lines.extend(if content.is_empty() { vec!["  none".to_owned()] } else { content });
}

fn list<T>(items: &[T], limit: usize, write: impl Fn(&T) -> Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = items.iter().take(limit).flat_map(write).collect();
    if items.len() > limit {
        lines.push(format!("  and {} more (--all)", items.len() - limit));
    }
    lines
}

fn block(span: &BlockSpan) -> Vec<String> {
    let until = span.until_step.map_or_else(|| "to the end of the run".to_owned(), |step| format!("until step {step}"));
    let agents: Vec<String> = span.caused_by.iter().map(ToString::to_string).collect();
    let agents = if agents.is_empty() { NOTHING.to_owned() } else { agents.join(", ") };
    let why = if span.named {
        format!("named by {agents} in the signature")
    } else {
        format!("sighted by {agents} matching it")
    };
    vec![format!("  from step {} {until}: signature {}, {why}", span.since_step, span.signature.short())]
}

fn naming(naming: &Naming) -> Vec<String> {
    let outcome = match naming.outcome {
        Some((Outcome::Accepted, step)) => format!("accepted in step {step}"),
        Some((Outcome::Rejected, step)) => format!("rejected in step {step}"),
        Some((Outcome::Disputed, step)) => format!("disputed in step {step}"),
        Some((Outcome::Expired, step)) => format!("expired in step {step}"),
        None => "ballot still open".to_owned(),
    };
    vec![
        format!(
            "  {} {} by {} in step {}: {outcome}",
            naming.signature.short(),
            naming.class,
            naming.author,
            naming.step
        ),
        format!("    {}", proven(&naming.entry)),
    ]
}

fn sightings(views: &[SightingView], trust: f32, limit: usize) -> Vec<String> {
    if views.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(2);
    table.row(["agent", "signature", "step", "trust", "entry"]);
    for view in views.iter().take(limit) {
        let (agent, signature) = (view.agent.to_string(), view.signature.short());
        table.row([agent, signature, view.step.to_string(), format!("{:.2}", view.trust), count(view.index)]);
    }
    let mut lines =
        vec![format!("  an address is blocked once those who sighted it have a trust of {trust:.2} together")];
    lines.extend(table.lines());
    if views.len() > limit {
        lines.push(format!("  and {} more (--all)", views.len() - limit));
    }
    lines
}
