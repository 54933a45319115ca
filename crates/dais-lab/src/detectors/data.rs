//! What detectors are compared on: labelled files, and which of their rows are learned and which are scored.

use std::path::{Path, PathBuf};

use dais_detect::Columns;
use dais_traffic::{
    Context, FLOW_CATEGORICAL, FLOW_NUMERIC, FlowLog, Input, Label, ReadOptions, Table, TableSchema, fill_missing,
    flow_schema,
};
use rand_philox::Philox;
use serde::{Deserialize, Serialize};

use crate::load::{LoadError, leaks, notes, open, schema_of};
use crate::name::{STANDARD_INPUT, stem};

/// Stream of the draws that halve a table.
const HALVES: u64 = 0x6861_6c76;

/// Which rows a detector learns and which it scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// All rows are learned, without their labels; those of the file to test are scored or, without one, the same rows.
    Unsupervised,
    /// Benign rows are learned; those of the file to test are scored or, without one, of each file the earlier half is
    /// learned and the later one scored. Rows without times are halved by lot, by the seed.
    Novelty,
}

impl Protocol {
    /// The name, as files and the command line have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsupervised => "unsupervised",
            Self::Novelty => "novelty",
        }
    }
}

/// Files that are compared on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EvalFiles {
    /// Labelled files. Two whose names differ in `train` and `test` alone are one data set, as is each other one.
    pub data: Vec<PathBuf>,
    /// Where given, the files of `data` are learned and these are scored, all together as one data set.
    pub test: Vec<PathBuf>,
    /// Schema of tables that are not recognised by content.
    pub schema: Option<PathBuf>,
    /// Largest share of broken rows; see [`ReadOptions`].
    pub max_bad_rows: Option<f64>,
    /// Which rows are learned; where not given, novelty for a pair of files and for flow logs, else unsupervised.
    pub protocol: Option<Protocol>,
}

/// Why files cannot be compared on.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file cannot be opened or read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is nothing to learn from.
    #[error("{0} has no numeric column: detectors learn from numbers")]
    NoNumbers(String),
    /// Files that are one data set have other columns.
    #[error(
        "{other} has not the numeric columns of {first}, with which it makes one data set: give a schema, or evaluate them apart"
    )]
    OtherColumns {
        /// The first file.
        first: String,
        /// The file that differs.
        other: String,
    },
    /// Nobody said what the rows are.
    #[error(
        "{0}: no row is labelled as an attack or as benign: how well detectors rank them cannot be measured without"
    )]
    NoLabels(String),
    /// The scored rows are of one kind only.
    #[error(
        "{file}: of the rows that would be scored, {attacks} are labelled as attacks and {benign} as benign: a curve needs both. {hint}"
    )]
    OneKind {
        /// The file.
        file: String,
        /// Scored rows labelled as attacks.
        attacks: usize,
        /// Scored rows labelled as benign.
        benign: usize,
        /// The way out.
        hint: &'static str,
    },
    /// No benign row to learn from.
    #[error("{0}: none of the rows that would be learned is labelled as benign: choose --protocol unsupervised")]
    NoBenign(String),
}

/// Rows by column with what they are.
#[derive(Clone, Debug, Default)]
struct Rows {
    columns: Vec<Vec<f32>>,
    labels: Vec<Label>,
}

impl Rows {
    fn append(&mut self, other: Self) {
        if self.columns.is_empty() {
            *self = other;
            return;
        }
        self.columns.iter_mut().zip(other.columns).for_each(|(column, more)| column.extend(more));
        self.labels.extend(other.labels);
    }

    /// The given rows as one column-major matrix.
    fn matrix(&self, rows: &[usize]) -> Vec<f32> {
        self.columns.iter().flat_map(|column| rows.iter().map(|&row| column[row])).collect()
    }
}

/// One data set.
#[derive(Clone, Debug)]
pub struct DataSet {
    name: String,
    files: Vec<String>,
    notes: Vec<String>,
    protocol: Protocol,
    features: Vec<String>,
    learned: Rows,
    /// Rows of their own to be scored; without them they come from `learned`.
    scored: Option<Rows>,
    ordered: bool,
}

/// Rows to learn and rows to score.
pub(super) struct Draw {
    pub(super) learned: Vec<f32>,
    pub(super) learned_rows: usize,
    pub(super) scored: Vec<f32>,
    pub(super) attack: Vec<bool>,
}

impl Draw {
    pub(super) fn learned(&self) -> Columns<'_> {
        Columns::new(&self.learned, self.learned_rows, self.learned.len() / self.learned_rows)
    }

    pub(super) fn scored(&self) -> Columns<'_> {
        Columns::new(&self.scored, self.attack.len(), self.scored.len() / self.attack.len())
    }
}

impl DataSet {
    /// Reads the files and groups them into data sets, in the order of the files.
    ///
    /// # Errors
    /// Files that cannot be read, without numeric columns, or without rows of both kinds.
    pub fn read(files: &EvalFiles) -> Result<Vec<Self>, DataError> {
        let mut options = ReadOptions { bad_rows_max: files.max_bad_rows, ..ReadOptions::default() };
        if let Some(path) = &files.schema {
            options.schema = Some(schema_of(path)?);
        }
        if files.data.is_empty() {
            return Err(LoadError::NoFiles.into());
        }
        if !files.test.is_empty() {
            return Ok(vec![Self::from_files(&files.data, &files.test, &options, files.protocol)?]);
        }
        let groups = pairs(&files.data).into_iter();
        groups.map(|(data, test)| Self::from_files(&data, &test, &options, files.protocol)).collect()
    }

    fn from_files(
        data: &[PathBuf],
        test: &[PathBuf],
        options: &ReadOptions,
        protocol: Option<Protocol>,
    ) -> Result<Self, DataError> {
        let mut reading = Reading::default();
        let mut inputs = reading.inputs(data.iter().chain(test), options.clone())?;
        reading.prepare(&mut inputs, options.schema.is_some());
        let scored = inputs.split_off(data.len());
        let learned = reading.rows(inputs)?;
        let scored = if test.is_empty() { None } else { Some(reading.rows(scored)?) };
        let protocol = protocol.unwrap_or(match (&scored, reading.ordered) {
            (None, false) => Protocol::Unsupervised,
            _ => Protocol::Novelty,
        });
        let name = [data, test].map(|paths| paths.iter().map(|path| stem(path)).collect::<Vec<_>>().join("+"));
        let name = if test.is_empty() { name[0].clone() } else { name.join(" → ") };
        let Reading { files, notes, features, ordered, .. } = reading;
        let set = Self { name, files, notes, protocol, features, learned, scored, ordered };
        set.check()?;
        Ok(set)
    }

    /// That there is something to learn and to measure.
    fn check(&self) -> Result<(), DataError> {
        let file = || self.files.last().cloned().unwrap_or_default();
        let labels = self.scored.as_ref().map_or(&self.learned.labels, |rows| &rows.labels);
        if labels.iter().all(|label| *label == Label::Undecided) {
            return Err(DataError::NoLabels(file()));
        }
        let (learned, scored) = self.rows(0);
        if learned.is_empty() {
            return Err(DataError::NoBenign(self.files[0].clone()));
        }
        let attacks = scored.iter().filter(|&&row| matches!(labels[row], Label::Attack(_))).count();
        let benign = scored.len() - attacks;
        if attacks > 0 && benign > 0 {
            return Ok(());
        }
        let hint = if self.protocol == Protocol::Novelty && self.scored.is_none() {
            "One half of the file is scored: --protocol unsupervised scores all of it."
        } else {
            "Check which values mean benign: `dais schema` drafts a schema to correct."
        };
        Err(DataError::OneKind { file: file(), attacks, benign, hint })
    }

    /// Its name: that of the file, or of both files of a pair.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The files it was read from.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// What there was to say about reading them.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Which rows are learned and which are scored.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Names of the features.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Whether the rows that are learned differ between seeds.
    pub(super) fn drawn_by_seed(&self) -> bool {
        self.protocol == Protocol::Novelty && self.scored.is_none() && !self.ordered
    }

    /// The rows to learn and those to score.
    pub(super) fn draw(&self, seed: u64) -> Draw {
        let (learned, scored) = self.rows(seed);
        let from = self.scored.as_ref().unwrap_or(&self.learned);
        Draw {
            learned: self.learned.matrix(&learned),
            learned_rows: learned.len(),
            scored: from.matrix(&scored),
            attack: scored.iter().map(|&row| matches!(from.labels[row], Label::Attack(_))).collect(),
        }
    }

    /// Places of the rows to learn and, among the labelled rows, of those to score.
    fn rows(&self, seed: u64) -> (Vec<usize>, Vec<usize>) {
        let count = self.learned.labels.len();
        let benign = |row: &usize| self.learned.labels[*row] == Label::Benign;
        let decided = |rows: Vec<usize>, labels: &[Label]| -> Vec<usize> {
            rows.into_iter().filter(|&row| labels[row] != Label::Undecided).collect()
        };
        let scored = self.scored.as_ref().map(|rows| decided((0..rows.labels.len()).collect(), &rows.labels));
        match (self.protocol, scored) {
            (Protocol::Unsupervised, scored) => {
                let all = || (0..count).collect();
                (all(), scored.unwrap_or_else(|| decided(all(), &self.learned.labels)))
            }
            (Protocol::Novelty, Some(scored)) => ((0..count).filter(benign).collect(), scored),
            (Protocol::Novelty, None) => {
                let mut order: Vec<usize> = (0..count).collect();
                if !self.ordered {
                    let mut random = Philox::from_u64_seed_stream(seed, HALVES);
                    order.sort_by_cached_key(|_| random.next_u64());
                }
                let later = order.split_off(count / 2);
                order.retain(benign);
                (order, decided(later, &self.learned.labels))
            }
        }
    }
}

/// What is known of the files of one data set so far.
#[derive(Default)]
struct Reading {
    files: Vec<String>,
    notes: Vec<String>,
    features: Vec<String>,
    ordered: bool,
    /// What is taken off each column of a table before its numbers are shortened.
    offsets: Vec<f64>,
}

impl Reading {
    /// The content of the files; a guess from the rows of the first table holds for all.
    fn inputs<'a>(
        &mut self,
        paths: impl Iterator<Item = &'a PathBuf>,
        mut options: ReadOptions,
    ) -> Result<Vec<(String, Input)>, DataError> {
        let mut inputs = Vec::new();
        for path in paths {
            let (input, _) = open(path, &options)?;
            if let Input::Table(Table { schema, .. }) = &input
                && schema.header
            {
                options.schema.get_or_insert_with(|| TableSchema::clone(schema));
            }
            let file = path.display().to_string();
            self.notes.extend(notes(
                &file,
                match &input {
                    Input::Flows(log) => &log.stats,
                    Input::Table(table) => &table.stats,
                },
            ));
            inputs.push((file, input));
        }
        Ok(inputs)
    }

    /// Makes tables alike: without columns that give the label away, with something in place of what is missing.
    fn prepare(&mut self, inputs: &mut Vec<(String, Input)>, given: bool) {
        if !inputs.iter().all(|(_, input)| matches!(input, Input::Table(_))) {
            return;
        }
        let table = |(file, input): (String, Input)| match input {
            Input::Table(table) => Some((file, table)),
            Input::Flows(_) => None,
        };
        let (files, mut tables): (Vec<String>, Vec<Table>) = inputs.drain(..).filter_map(table).unzip();
        let alike = tables.iter().all(|table| table.schema.numeric == tables[0].schema.numeric);
        if alike {
            self.notes.extend(leaks(&mut tables, given));
            fill_missing(&mut tables);
            self.offsets = (0..tables[0].numeric.len()).map(|k| offset(&tables, k)).collect();
        }
        inputs.extend(files.into_iter().zip(tables.into_iter().map(Input::Table)));
    }

    /// The rows of files, one after the other; flow logs each with a context of their own.
    fn rows(&mut self, inputs: Vec<(String, Input)>) -> Result<Rows, DataError> {
        let mut rows = Rows::default();
        for (file, input) in inputs {
            let (more, features) = match input {
                Input::Flows(log) => {
                    self.ordered = true;
                    let names = flow_schema().numeric.into_iter().map(|feature| feature.name).collect();
                    (of_log(log), names)
                }
                Input::Table(table) => {
                    self.ordered |= table.time_s.is_some();
                    let names = table.schema.numeric.iter().map(|column| column.name.clone()).collect();
                    (of_table(table, &self.offsets), names)
                }
            };
            self.take_features(&file, features)?;
            self.files.push(file);
            rows.append(more);
        }
        Ok(rows)
    }

    fn take_features(&mut self, file: &str, features: Vec<String>) -> Result<(), DataError> {
        if features.is_empty() {
            return Err(DataError::NoNumbers(file.to_owned()));
        }
        match self.files.first() {
            None => self.features = features,
            Some(first) if self.features != features => {
                return Err(DataError::OtherColumns { first: first.clone(), other: file.to_owned() });
            }
            Some(_) => {}
        }
        Ok(())
    }
}

fn of_log(log: FlowLog) -> Rows {
    let mut columns = vec![Vec::new(); FLOW_NUMERIC];
    let (mut context, mut numeric, mut codes) = (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
    for flow in &log.flows {
        context.observe(flow, &mut numeric, &mut codes);
        columns.iter_mut().zip(numeric).for_each(|(column, value)| column.push(value));
    }
    Rows { columns, labels: log.labels }
}

/// What is taken off column `k`, so that short numbers still tell its values apart: nothing, but for values that lie far
/// from zero and close together, of which it is the least.
fn offset(tables: &[Table], k: usize) -> f64 {
    const FAR: f64 = 1024.0;
    let values = tables.iter().flat_map(|table| table.numeric[k].iter());
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)));
    if most > least && (most - least) * FAR < least.abs() { least } else { 0.0 }
}

/// Rows in order of time, where they have times.
fn of_table(table: Table, offsets: &[f64]) -> Rows {
    let Table { numeric, mut labels, time_s, .. } = table;
    let order: Option<Vec<usize>> = time_s.map(|times| {
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
        order
    });
    let columns = numeric.iter().enumerate().map(|(k, numbers)| {
        let offset = offsets.get(k).copied().unwrap_or(0.0);
        match &order {
            Some(order) => order.iter().map(|&row| (numbers.get(row) - offset) as f32).collect(),
            None => numbers.iter().map(|value| (value - offset) as f32).collect(),
        }
    });
    let columns = columns.collect();
    if let Some(order) = &order {
        labels = order.iter().map(|&row| labels[row]).collect();
    }
    Rows { columns, labels }
}

/// Files to learn and files to score: pairs whose names say so, and every other file by itself.
fn pairs(paths: &[PathBuf]) -> Vec<(Vec<PathBuf>, Vec<PathBuf>)> {
    let short = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        name.replace("training", "train").replace("testing", "test")
    };
    let is_test_of = |train: &Path, other: &Path| {
        let (name, other) = (short(train), short(other));
        name.contains("train") && name.replace("train", "test") == other
    };
    let test_of = |train: &PathBuf| paths.iter().find(|other| is_test_of(train, other));
    let is_taken = |path: &PathBuf| paths.iter().any(|train| test_of(train) == Some(path));
    let alone = paths.iter().filter(|path| !is_taken(path));
    alone.map(|path| (vec![path.clone()], test_of(path).into_iter().cloned().collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn files_whose_names_differ_in_train_and_test_are_one_data_set() {
        let all = paths(&[
            "a/KDDTest+.csv.gz",
            "http.csv.gz",
            "b/KDDTrain+.csv.gz",
            "x_training-set.csv",
            "x_testing-set.csv",
        ]);
        let groups = pairs(&all);
        let expected = [
            (paths(&["http.csv.gz"]), vec![]),
            (paths(&["b/KDDTrain+.csv.gz"]), paths(&["a/KDDTest+.csv.gz"])),
            (paths(&["x_training-set.csv"]), paths(&["x_testing-set.csv"])),
        ];
        assert_eq!(groups, expected);
        assert_eq!(pairs(&paths(&["train.csv"])), [(paths(&["train.csv"]), vec![])]);
    }
}
