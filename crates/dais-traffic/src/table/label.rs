//! Which columns of a table say what a row is, guessed from their names and values.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{is_number, plain};
use super::{LabelColumn, Sample};
use crate::reader::is_missing;

/// Names of label columns, in lower case without blanks, underscores and hyphens; text labels are preferred, then the order
/// here.
const LABELS: [&str; 13] = [
    "label",
    "class",
    "labels",
    "attack",
    "target",
    "attackcat",
    "attacktype",
    "category",
    "detailedlabel",
    "attackname",
    "attacklabel",
    "attackcategory",
    "isattack",
];

/// Values that mean benign wherever they appear in a label column.
const BENIGN: [&str; 6] = ["normal", "benign", "legitimate", "0", "0.0", "false"];

/// Values that mean that nobody decided.
const UNDECIDED: [&str; 3] = ["background", "unknown", "outlier"];

/// Label columns, the best first.
pub(super) fn columns(sample: &Sample) -> Vec<usize> {
    let rank = |name: &str| LABELS.iter().position(|label| plain(name) == *label);
    let mut columns: Vec<(bool, usize, usize)> = (0..sample.header.len())
        .filter_map(|at| rank(&sample.header[at]).map(|rank| (!has_words(sample, at), rank, at)))
        .collect();
    columns.sort_unstable();
    columns.into_iter().map(|(_, _, at)| at).collect()
}

fn has_words(sample: &Sample, at: usize) -> bool {
    sample.column(at).any(|value| !is_number(value) && !is_missing(value.as_bytes()))
}

fn is_blank(sample: &Sample, at: usize) -> bool {
    sample.column(at).all(|value| is_missing(value.as_bytes()))
}

/// Whether a column says of each row whether it is an attack.
fn is_verdict(sample: &Sample, at: usize) -> bool {
    let said =
        |value: &str| matches!(value.to_ascii_lowercase().as_str(), "0" | "1" | "0.0" | "1.0" | "true" | "false");
    sample.column(at).next().is_some() && sample.column(at).all(said)
}

/// The label by the best of the label columns: where one says whether a row is an attack and another names the attack, both
/// together, for names are often missing in ordinary rows.
pub(super) fn draft(sample: &Sample, labels: &[usize]) -> Option<LabelColumn> {
    let verdict = labels.iter().copied().find(|at| is_verdict(sample, *at));
    let names = labels.iter().copied().find(|at| has_words(sample, *at) || is_blank(sample, *at));
    if let (Some(verdict), Some(names)) = (verdict, names)
        && agree(sample, verdict, names)
    {
        let (column, benign) = (sample.header[names].clone(), BENIGN.map(str::to_owned).to_vec());
        let label = one(sample, verdict);
        return Some(LabelColumn { column, verdict: Some(label.column.clone()), benign, ..label });
    }
    labels.first().map(|at| one(sample, *at))
}

/// Whether no row that a name calls benign is an attack by the verdict.
fn agree(sample: &Sample, verdict: usize, names: usize) -> bool {
    let is_benign = |value: &str| BENIGN.iter().any(|benign| benign.eq_ignore_ascii_case(value));
    let mut rows = sample.column(verdict).zip(sample.column(names));
    rows.all(|(verdict, name)| is_benign(verdict) || !is_benign(name))
}

/// The label by one column.
fn one(sample: &Sample, at: usize) -> LabelColumn {
    let values: BTreeSet<&str> = sample.column(at).collect();
    let binary = values.iter().all(|value| matches!(*value, "0" | "1"));
    let attack = if binary || is_verdict(sample, at) {
        [("1", "attack"), ("1.0", "attack"), ("true", "attack"), ("True", "attack")]
            .into_iter()
            .filter(|(value, _)| *value == "1" || values.contains(value))
            .map(|(value, family)| (value.to_owned(), family.to_owned()))
            .collect()
    } else {
        BTreeMap::new()
    };
    let zero = binary || values.iter().any(|value| is_number(value));
    let known = |benign: &&str| values.iter().any(|value| value.eq_ignore_ascii_case(benign));
    // A column that names attacks and nothing else leaves ordinary rows empty.
    let blank = (values.contains("") && !BENIGN.iter().any(|benign| known(benign))).then_some("");
    let benign = BENIGN.into_iter().filter(|value| zero || !is_number(value)).chain(blank);
    LabelColumn {
        column: sample.header[at].clone(),
        verdict: None,
        benign: benign.map(str::to_owned).collect(),
        undecided: UNDECIDED.map(str::to_owned).to_vec(),
        families: attack,
    }
}
