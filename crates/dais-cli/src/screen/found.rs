//! What a run found, on one screen.

use dais_lab::{Found, Summary};
use dais_sim::Mode;

use crate::screen::figure::{NOTHING, count, plural};
use crate::screen::output::Ink;
use crate::screen::table::Table;

/// Signatures with a line of their own; the others are in the report.
const ROWS_MAX: usize = 6;
/// Digits of an id that name a signature.
const ID_CHARS: usize = 8;
/// Longest cells, so that a line has at most 100 characters.
const CLASS_CHARS: usize = 15;
const SOURCES_CHARS: usize = 16;
const PORTS_CHARS: usize = 9;

/// The section of the screen: signatures, the worst first, or why there are none.
pub(crate) fn section(summary: &Summary, ink: Ink) -> Vec<String> {
    let mut lines = vec![ink.heading("What was found")];
    if summary.found.is_empty() {
        lines.push(format!("  {}", nothing(summary)));
    } else {
        lines.extend(table(summary, ink));
    }
    let alerts = summary.alerts;
    lines.push(format!(
        "  {} alerted on · {} matched by an adopted signature · {} from blocked addresses",
        plural(alerts.alerted, "flow"),
        count(alerts.matched),
        count(alerts.blocked)
    ));
    lines.extend(summary.advice.iter().flat_map(|sentence| wrapped(&format!("→ {sentence}"))));
    lines
}

fn nothing(summary: &Summary) -> &'static str {
    match (summary.detection.contains_key(&Mode::Collaborative), summary.signatures.offered) {
        (false, _) => "nothing was shared: the collaborative world was left out",
        (true, 0) => "no agent saw flows enough alike for a signature",
        (true, _) => "no signature was put to the vote",
    }
}

fn table(summary: &Summary, ink: Ink) -> Vec<String> {
    let mut table = Table::new(6).close();
    let year = summary.found.iter().find_map(|found| found.time.as_deref()?.get(..4));
    let when = year.map_or_else(|| "when".to_owned(), |year| format!("UTC {year}"));
    table.row(["id", "class", &when, "outcome", "sources", "ports", "flows", "for:against"]);
    for found in summary.found.iter().take(ROWS_MAX) {
        let votes = found.votes;
        table.row([
            found.id.to_string()[..ID_CHARS].to_owned(),
            shortened(&found.class, CLASS_CHARS),
            found.time.as_deref().map_or_else(|| format!("step {}", found.step), clock),
            found.standing().to_owned(),
            sources(found),
            ports(found),
            count(found.flows.into()),
            format!("{}:{}", votes.confirm, votes.refute),
        ]);
    }
    let mut lines = table.lines();
    if let Some(head) = lines.first_mut() {
        *head = ink.faint(head);
    }
    let more = summary.signatures.published.saturating_sub(ROWS_MAX as u64);
    if more > 0 {
        lines.push(ink.faint(&format!("  …and {} more in {}", count(more), dais_runs::REPORT)));
    }
    lines
}

/// `2017-07-05T09:03:00Z` as `07-05 09:03`.
fn clock(time: &str) -> String {
    time.get(5..16).unwrap_or(time).replace('T', " ")
}

fn sources(found: &Found) -> String {
    let Some((first, others)) = found.sources.split_first() else { return NOTHING.to_owned() };
    let more = if others.is_empty() { String::new() } else { format!(" +{}", others.len()) };
    format!("{}{more}", shortened(&first.to_string(), SOURCES_CHARS - more.len()))
}

fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max - 1).chain(std::iter::once('…')).collect()
}

/// As many ports as there is room for.
fn ports(found: &Found) -> String {
    let mut text = String::new();
    for (place, port) in found.ports.iter().enumerate() {
        let next = if text.is_empty() { port.to_string() } else { format!("{text},{port}") };
        if next.len() > PORTS_CHARS - 3 && place > 0 {
            return format!("{text} +{}", found.ports.len() - place);
        }
        text = next;
    }
    if text.is_empty() { NOTHING.to_owned() } else { text }
}

/// Lines of at most 98 characters, indented by two.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 98 => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("    {word}")),
            None => lines.push(format!("  {word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_between_words() {
        let lines = wrapped(&"word ".repeat(60));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= 100), "{lines:?}");
        assert_eq!(wrapped("a b"), ["  a b"]);
    }
}
