//! Counting good and bad rows, and when there are too many bad ones.

use serde::{Deserialize, Serialize};

use super::error::{Flaw, ReadError, RowError};

/// Broken rows kept for the report.
const ERRORS_KEPT: usize = 5;

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
    /// Records of other kinds, which were skipped.
    pub other_records: u64,
    /// Flows of a capture that were ended early because too many were open at once.
    #[serde(default)]
    pub crowded_out: u64,
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
    fn what_is_excused_is_counted_but_needs_no_allowance() {
        let mut tally = Tally::new("f", 0.0);
        tally.excuse(1, flaw());
        assert!(tally.check().is_ok());
        assert_eq!((tally.stats.rows, tally.stats.bad_rows, tally.stats.first_errors.len()), (1, 1, 1));
        let refused = tally.bad(2, flaw()).expect_err("no broken row is allowed");
        assert!(refused.to_string().starts_with("f:2: "), "the first row that is not excused is named: {refused}");
    }
}
