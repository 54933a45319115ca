//! Rows to test with: drawn ones, and real traffic where it is found.

use std::path::{Path, PathBuf};

use dais_detect::Columns;
use rand_philox::{Philox, u32_to_unit_f32};

/// Values column by column, with the truth beside them.
pub(crate) struct Labelled {
    pub(crate) values: Vec<f32>,
    pub(crate) attack: Vec<bool>,
    pub(crate) features: usize,
}

impl Labelled {
    pub(crate) fn view(&self) -> Columns<'_> {
        Columns::new(&self.values, self.attack.len(), self.features)
    }

    /// The rows of one label.
    pub(crate) fn only(&self, attack: bool) -> Self {
        let rows: Vec<usize> = (0..self.attack.len()).filter(|&row| self.attack[row] == attack).collect();
        self.rows(&rows)
    }

    pub(crate) fn rows(&self, rows: &[usize]) -> Self {
        Self {
            values: rows_of(self.view(), rows),
            attack: rows.iter().map(|&row| self.attack[row]).collect(),
            features: self.features,
        }
    }
}

/// Copies rows, column by column.
pub(crate) fn rows_of(view: Columns<'_>, rows: &[usize]) -> Vec<f32> {
    (0..view.features()).flat_map(|k| rows.iter().map(move |&row| view.column(k)[row])).collect()
}

/// Roughly normal values of mean 0 and standard deviation 1.
pub(crate) fn normal(rows: usize, features: usize, seed: u64) -> Vec<f32> {
    let mut words = Philox::from_u64_seed(seed);
    (0..rows * features).map(|_| (0..12).map(|_| u32_to_unit_f32(words.next_u32())).sum::<f32>() - 6.0).collect()
}

/// A file of the development data, or `None` with a notice where there is none; in CI it must be there.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DAIS_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing; set DAIS_DATA to the data folder", path.display());
    eprintln!("SKIPPED: {} is missing; set DAIS_DATA to the data folder", path.display());
    None
}

/// Reads a gzipped csv: `feature(name)` says how a column is transformed, `None` leaves it out; `attack` reads the label.
pub(crate) fn read(
    path: &Path,
    feature: impl Fn(&str) -> Option<fn(f32) -> f32>,
    attack: impl Fn(&str) -> bool,
) -> Labelled {
    let file = std::fs::read(path).unwrap();
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(&file[..]));
    let header = reader.headers().unwrap().clone();
    let transforms: Vec<_> = header.iter().map(&feature).collect();
    let label = header.iter().position(|name| name == "label").unwrap();
    let mut columns = vec![Vec::new(); header.len()];
    let mut attacks = Vec::new();
    for record in reader.records() {
        let record = record.unwrap();
        for ((field, transform), column) in record.iter().zip(&transforms).zip(&mut columns) {
            column.extend(transform.map(|transform| transform(field.parse::<f32>().unwrap())));
        }
        attacks.push(attack(&record[label]));
    }
    columns.retain(|column| !column.is_empty());
    Labelled { values: columns.concat(), attack: attacks, features: columns.len() }
}

/// The numeric features of NSL-KDD as `ln(1 + max(x, 0))`.
pub(crate) fn nsl_kdd(name: &str) -> Option<Labelled> {
    const NOT_NUMERIC: [&str; 5] = ["protocol_type", "service", "flag", "label", "difficulty"];
    let log1p: fn(f32) -> f32 = |x| libm::log1pf(x.max(0.0));
    let path = find(&format!("nsl_kdd/{name}.csv.gz"))?;
    Some(read(&path, |column| (!NOT_NUMERIC.contains(&column)).then_some(log1p), |label| label != "normal"))
}

/// A set of `ADBench`, as it is.
pub(crate) fn adbench(name: &str) -> Option<Labelled> {
    let as_is: fn(f32) -> f32 = |x| x;
    let path = find(&format!("adbench/{name}.csv.gz"))?;
    Some(read(&path, |column| (column != "label").then_some(as_is), |label| label == "1"))
}
