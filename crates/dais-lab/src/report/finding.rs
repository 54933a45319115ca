//! What was found, as a table of a report.

use serde::Serialize;

use super::words;
use crate::found::Found;
use crate::summary::Summary;

/// Signatures with a row of their own.
const ROWS_MAX: usize = 50;
/// Addresses and ports that a row names.
const NAMES_MAX: usize = 4;
/// Digits of an id that name a signature on a page.
const ID_CHARS: usize = 12;

/// What was found: its rows, and how many more there are.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    rows: Vec<FoundRow>,
    left_out: usize,
    /// Whether a column says what the labels say.
    has_truth: bool,
    alerts: String,
}

/// One signature.
#[derive(Debug, Serialize)]
struct FoundRow {
    id: String,
    class: String,
    technique: String,
    when: String,
    site: String,
    sources: String,
    ports: String,
    flows: String,
    standing: &'static str,
    pen: &'static str,
    votes: String,
    truth: String,
}

/// The signatures of a run, the worst first, and what agents did with flows.
pub(super) fn findings(summary: &Summary) -> Findings {
    let rows: Vec<FoundRow> = summary.found.iter().take(ROWS_MAX).map(row).collect();
    let alerts = summary.alerts;
    Findings {
        left_out: summary.found.len() - rows.len(),
        rows,
        has_truth: summary.found.iter().any(|found| found.truth.is_some()),
        alerts: format!(
            "{} alerted on, {} matched by an adopted signature, {} from blocked addresses",
            words::counted(alerts.alerted, "flow", "flows"),
            words::count(alerts.matched),
            words::count(alerts.blocked)
        ),
    }
}

fn row(found: &Found) -> FoundRow {
    let id = found.id.to_string();
    let votes = found.votes;
    FoundRow {
        id: id[..ID_CHARS].to_owned(),
        class: found.class.clone(),
        technique: found.technique.clone().unwrap_or_default(),
        when: found.time.as_deref().map_or_else(|| format!("step\u{a0}{}", found.step), clock),
        site: found.site.clone(),
        sources: named(&found.sources),
        ports: named(&found.ports),
        flows: words::count(found.flows.into()),
        standing: found.standing(),
        pen: if found.stands() { "stands" } else { "passed" },
        votes: format!("{} / {} / {}", votes.confirm, votes.refute, votes.abstain),
        truth: found.truth.clone().unwrap_or_else(|| words::NOTHING.to_owned()),
    }
}

/// `2017-07-05T09:03:00Z` as `2017-07-05 09:03`.
fn clock(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', "\u{a0}")
}

/// The first few names, and how many more there are.
fn named(names: &[impl ToString]) -> String {
    if names.is_empty() {
        return words::NOTHING.to_owned();
    }
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(ToString::to_string).collect();
    let more = names.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_name_the_first_and_count_the_others() {
        assert_eq!(named(&[1, 2, 3, 4, 5, 6]), "1, 2, 3, 4 and 2 more");
        assert_eq!((named(&[22]), named(&[0_u16; 0])), ("22".to_owned(), "–".to_owned()));
        assert_eq!(clock("2017-07-05T09:03:00Z"), "2017-07-05\u{a0}09:03");
    }
}
