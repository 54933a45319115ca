//! Counting what a file holds: flows, other records by kind, broken rows, and when there are too many of these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Flow;

use super::error::{Flaw, ReadError, RowError};

/// Broken rows kept for the report.
const ERRORS_KEPT: usize = 5;
/// Most kinds of other records that are told apart; the rest share one name.
const KINDS_MAX: usize = 64;
/// The name of records whose kind is one too many.
const REST: &str = "of more kinds";
/// Most hints that are kept.
const HINTS_MAX: usize = 16;

/// What was read from one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadStats {
    /// Rows or records that hold a flow, or packets of a capture; the broken ones included.
    pub rows: u64,
    /// Rows left out because they are broken.
    pub bad_rows: u64,
    /// The first few broken rows, as text.
    pub first_errors: Vec<String>,
    /// Flows that began earlier than the flow before them in the file; not counted where flows are made of packets, for
    /// those come in the order of their ends.
    pub out_of_order: u64,
    /// Alert records (Suricata): what its rules said, not what happened.
    pub alerts: u64,
    /// Flows that the log marks as alerted (Suricata).
    pub alerted_flows: u64,
    /// Flows handed out.
    #[serde(default)]
    pub flows: u64,
    /// Packets of all flows, both directions together.
    #[serde(default)]
    pub packets: u64,
    /// Payload bytes of all flows, both directions together.
    #[serde(default)]
    pub bytes: u64,
    /// Records of other kinds, which were skipped, by kind, such as `arp` or `dns`; alerts are not among them.
    #[serde(default)]
    pub other: BTreeMap<String, u64>,
    /// What the reader has to say about the file as a whole, in sentences that also say what to do.
    #[serde(default)]
    pub hints: Vec<String>,
    /// Flows of a capture that were ended early because too many were open at once.
    #[serde(default)]
    pub crowded_out: u64,
}

impl ReadStats {
    /// Records of other kinds, all together.
    #[must_use]
    pub fn other_records(&self) -> u64 {
        self.other.values().sum()
    }

    /// Takes a flow into the sums.
    pub(crate) fn count(&mut self, flow: &Flow) {
        self.flows += 1;
        self.packets = self.packets.saturating_add(flow.packets_out).saturating_add(flow.packets_in);
        self.bytes = self.bytes.saturating_add(flow.bytes_out).saturating_add(flow.bytes_in);
    }
}

/// Counts rows of one file and refuses the file when too many are broken.
#[derive(Debug)]
pub(crate) struct Tally {
    file: String,
    allowed: f64,
    first: Option<RowError>,
    /// Broken rows that no allowance is needed for.
    excused: u64,
    pub(crate) stats: ReadStats,
}

impl Tally {
    /// `allowed` is the largest share of broken rows, in [0, 1].
    pub(crate) fn new(file: &str, allowed: f64) -> Self {
        Self { file: file.to_owned(), allowed, first: None, excused: 0, stats: ReadStats::default() }
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn good(&mut self) {
        self.stats.rows += 1;
    }

    /// Counts a broken row; refuses at once where none is allowed.
    pub(crate) fn bad(&mut self, line: u64, flaw: Flaw) -> Result<(), ReadError> {
        let error = self.note(line, flaw);
        self.first.get_or_insert(error);
        if self.allowed > 0.0 { Ok(()) } else { self.check() }
    }

    /// Counts what the way of recording makes unavoidable, such as the record in which a capture was cut off: no reason
    /// to refuse the rest.
    pub(crate) fn excuse(&mut self, line: u64, flaw: Flaw) {
        self.excused += 1;
        self.note(line, flaw);
    }

    /// Counts a record of another kind; for the kinds beyond 64 there is one name.
    pub(crate) fn other(&mut self, kind: &str) {
        self.others(kind, 1);
    }

    /// Counts several records of another kind.
    pub(crate) fn others(&mut self, kind: &str, records: u64) {
        let other = &mut self.stats.other;
        if let Some(count) = other.get_mut(kind) {
            *count += records;
        } else if records > 0 {
            let kind = if other.len() < KINDS_MAX { kind } else { REST };
            *other.entry(kind.to_owned()).or_default() += records;
        }
    }

    /// Keeps a sentence about the file as a whole, once.
    pub(crate) fn hint(&mut self, sentence: impl Into<String>) {
        let (hints, sentence) = (&mut self.stats.hints, sentence.into());
        if hints.len() < HINTS_MAX && !hints.contains(&sentence) {
            hints.push(sentence);
        }
    }

    fn note(&mut self, line: u64, flaw: Flaw) -> RowError {
        self.stats.rows += 1;
        self.stats.bad_rows += 1;
        let Flaw { column, expected, found } = flaw;
        let error = RowError { file: self.file.clone(), line, column, expected, found };
        if self.stats.first_errors.len() < ERRORS_KEPT {
            self.stats.first_errors.push(error.to_string());
        }
        error
    }

    /// Refuses the file if the share of broken rows is beyond what is allowed.
    pub(crate) fn check(&self) -> Result<(), ReadError> {
        let ReadStats { rows, bad_rows: bad, .. } = self.stats;
        match &self.first {
            Some(first) if (bad - self.excused) as f64 > self.allowed * rows as f64 => {
                Err(ReadError::TooManyBadRows { first: Box::new(first.clone()), bad, rows, allowed: self.allowed })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw() -> Flaw {
        Flaw::field("a", "a number", b"x")
    }

    #[test]
    fn without_allowance_the_first_broken_row_ends_it() {
        let mut tally = Tally::new("f", 0.0);
        tally.good();
        let refused = tally.bad(2, flaw()).expect_err("no broken row is allowed");
        assert!(refused.to_string().contains("f:2: column `a`") && refused.to_string().contains("--max-bad-rows"));
    }

    #[test]
    fn within_the_allowance_broken_rows_are_counted_and_the_first_few_kept() {
        let mut tally = Tally::new("f", 0.5);
        for line in 0..10 {
            tally.good();
            tally.bad(line, flaw()).expect("half of the rows may be broken");
        }
        assert!(tally.check().is_ok());
        assert_eq!((tally.stats.bad_rows, tally.stats.first_errors.len()), (10, 5));
        tally.bad(11, flaw()).expect("judged at the end");
        assert!(tally.check().is_err());
    }

    #[test]
    fn other_records_are_counted_by_kind_and_kinds_are_bounded() {
        let mut tally = Tally::new("f", 0.0);
        for kind in 0..100 {
            tally.other(&format!("kind {kind}"));
        }
        tally.others("kind 3", 2);
        tally.others("nothing of it", 0);
        assert_eq!((tally.stats.other.len(), tally.stats.other_records()), (KINDS_MAX + 1, 102));
        assert_eq!((tally.stats.other["kind 3"], tally.stats.other[REST]), (3, 36));
    }

    #[test]
    fn a_hint_is_kept_once() {
        let mut tally = Tally::new("f", 0.0);
        tally.hint("look there");
        tally.hint("look there");
        assert_eq!(tally.stats.hints, ["look there"]);
    }

    #[test]
    fn what_is_excused_is_counted_but_needs_no_allowance() {
        let mut tally = Tally::new("f", 0.0);
        tally.excuse(1, flaw());
        assert!(tally.check().is_ok());
        assert_eq!((tally.stats.rows, tally.stats.bad_rows, tally.stats.first_errors.len()), (1, 1, 1));
        let refused = tally.bad(2, flaw()).expect_err("no broken row is allowed");
        assert!(refused.to_string().starts_with("f:2: "), "the first row that is not excused is named: {refused}");
    }
}
