//! The figures at the top of a report.

use dais_sim::Mode;
use serde::Serialize;

use super::words;
use crate::summary::{Detection, Summary};

/// One figure with its name and a remark.
#[derive(Debug, Serialize)]
pub(super) struct Card {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) detail: String,
}

/// The world whose figures stand first: the collaborative one, or the first there is.
pub(super) fn main_world(summary: &Summary) -> Option<Mode> {
    let worlds = &summary.detection;
    worlds.contains_key(&Mode::Collaborative).then_some(Mode::Collaborative).or_else(|| worlds.keys().next().copied())
}

/// The cards in the order in which they are read.
pub(super) fn cards(summary: &Summary) -> Vec<Card> {
    vec![
        of_worlds(summary, "Macro recall", |detection| words::share(detection.macro_recall)),
        of_worlds(summary, "False positive rate", |detection| words::share(detection.fpr)),
        gap_closed(summary),
        of_worlds(summary, "Median delay", |detection| words::steps(detection.delay_steps_median)),
        signatures(summary),
        ledger(summary),
    ]
}

fn of_worlds(summary: &Summary, label: &'static str, figure: fn(&Detection) -> String) -> Card {
    let Some(main) = main_world(summary) else {
        return Card { label, value: words::NOTHING.to_owned(), detail: "no world was run".to_owned() };
    };
    let value = summary.detection.get(&main).map_or_else(|| words::NOTHING.to_owned(), figure);
    let others: Vec<String> = summary
        .detection
        .iter()
        .filter(|(mode, _)| **mode != main)
        .map(|(mode, detection)| format!("{} {}", mode.name(), figure(detection)))
        .collect();
    let detail = if others.is_empty() { format!("{} world", main.name()) } else { others.join(" · ") };
    Card { label, value, detail }
}

fn gap_closed(summary: &Summary) -> Card {
    let value = summary.gap_closed.filter(|gap| gap.is_finite());
    let value = value.map_or_else(|| words::NOTHING.to_owned(), |gap| format!("{:.0}\u{202f}%", gap * 100.0));
    let detail = if summary.gap_closed.is_some() {
        "of the way from isolated to perfect votes"
    } else {
        "needs labels and three worlds that differ"
    };
    Card { label: "Gap closed", value, detail: detail.to_owned() }
}

fn signatures(summary: &Summary) -> Card {
    let (value, detail) = if has_collaboration(summary) {
        let signatures = summary.signatures;
        let value = format!("{} / {}", words::count(signatures.accepted), words::count(signatures.rejected));
        (value, format!("of {} published", words::count(signatures.published)))
    } else {
        (words::NOTHING.to_owned(), "no collaborative world".to_owned())
    };
    Card { label: "Signatures accepted / rejected", value, detail }
}

fn ledger(summary: &Summary) -> Card {
    let (value, detail) = match &summary.ledger.head {
        Some(head) => {
            let cosigned = match summary.ledger.witnesses {
                0 => String::new(),
                witnesses => format!(" · cosigned by {} of {witnesses}", summary.ledger.cosigned),
            };
            let head: String = head.chars().take(12).collect();
            (words::count(summary.ledger.entries), format!("head {head}…{cosigned}"))
        }
        None => (words::NOTHING.to_owned(), "no collaborative world".to_owned()),
    };
    Card { label: "Ledger entries", value, detail }
}

/// Whether agents shared signatures in this run at all.
pub(super) fn has_collaboration(summary: &Summary) -> bool {
    summary.detection.contains_key(&Mode::Collaborative) || summary.ledger.head.is_some()
}
