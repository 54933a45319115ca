//! Several labelled tables as one traffic: scaled alike, with shared dictionaries and families.

use std::collections::{BTreeMap, BTreeSet};

use super::{Table, fill_missing};
use crate::{
    Batch, BatchBuilder, Categorical, Endpoint, Endpoints, Family, FamilyId, Label, Numeric, ReadStats, Schema,
    SchemaError, TableSchema, Transform,
};

/// Tables of one layout, scaled to [0, 1] by shared bounds and coded by shared dictionaries.
///
/// Bounds and dictionaries that the layout leaves open are taken from all rows of all tables.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSet {
    schema: Schema,
    families: Vec<Family>,
    files: Vec<Rows>,
}

/// The scaled rows of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    name: String,
    /// By row, so that drawing single rows stays in cache.
    numeric: Vec<f32>,
    codes: Vec<u16>,
    labels: Vec<Label>,
    endpoints: Option<Endpoints>,
    time_s: Option<Vec<f64>>,
    stats: ReadStats,
}

impl Rows {
    /// Name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// What each row is; for evaluation only.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// Start times in seconds, where the layout has them.
    #[must_use]
    pub fn time_s(&self) -> Option<&[f64]> {
        self.time_s.as_deref()
    }

    /// What was read.
    #[must_use]
    pub fn stats(&self) -> &ReadStats {
        &self.stats
    }

    pub(crate) fn endpoint(&self, row: usize) -> Option<Endpoint> {
        self.endpoints.as_ref().map(|all| Endpoint {
            source: all.source[row],
            destination: all.destination[row],
            destination_port: all.destination_port[row],
        })
    }
}

/// Why tables do not make one traffic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableSetError {
    /// There is no table.
    #[error("no table was given")]
    NoTables,
    /// Tables of different layouts.
    #[error("{other} has not the columns and label of {first}: tables of one run need one schema (`--schema`)")]
    SchemaMismatch {
        /// The first file.
        first: String,
        /// The file that differs.
        other: String,
    },
    /// The features are unusable.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl TableSet {
    /// Scales and codes the tables alike, after filling in what is missing ([`fill_missing`]).
    ///
    /// # Errors
    /// Where there is no table, layouts differ, or a dictionary grows beyond 65,535 values.
    pub fn new(mut tables: Vec<Table>) -> Result<Self, TableSetError> {
        check_layouts(&tables)?;
        fill_missing(&mut tables);
        let first = &tables[0];
        let schema = Schema {
            name: first.schema.name.clone(),
            numeric: (0..first.schema.numeric.len()).map(|k| bounded(&tables, k)).collect(),
            categorical: (0..first.schema.categorical.len()).map(|k| dictionary(&tables, k)).collect(),
        };
        schema.check()?;
        let names: BTreeSet<&str> = tables.iter().flat_map(|table| &table.families).map(|f| f.name.as_str()).collect();
        let families: Vec<Family> = names.into_iter().map(Family::named).collect();
        let files = tables.into_iter().map(|table| scaled(table, &schema, &families)).collect();
        Ok(Self { schema, families, files })
    }

    /// The features.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// All families of all files, sorted by name.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The rows of each file, in the order the tables were given.
    #[must_use]
    pub fn files(&self) -> &[Rows] {
        &self.files
    }

    /// A batch of the given rows of a file, in the given order.
    ///
    /// # Panics
    /// If there is no such file or row.
    #[must_use]
    pub fn batch(&self, file: usize, rows: impl ExactSizeIterator<Item = usize>) -> Batch {
        let mut builder = BatchBuilder::new(&self.schema, rows.len());
        for row in rows {
            self.push(file, row, &mut builder);
        }
        builder.finish()
    }

    pub(crate) fn push(&self, file: usize, row: usize, builder: &mut BatchBuilder) {
        let (numeric, codes) = self.values(file, row);
        let rows = &self.files[file];
        builder.push(numeric, codes, rows.endpoint(row), rows.time_s.as_ref().map(|times| times[row]));
    }

    /// Scaled values and codes of one row.
    pub(crate) fn values(&self, file: usize, row: usize) -> (&[f32], &[u16]) {
        let (numbers, kinds) = (self.schema.numeric.len(), self.schema.categorical.len());
        let rows = &self.files[file];
        (&rows.numeric[row * numbers..(row + 1) * numbers], &rows.codes[row * kinds..(row + 1) * kinds])
    }
}

/// That there is a table, and that all have the same columns.
fn check_layouts(tables: &[Table]) -> Result<(), TableSetError> {
    let first = tables.first().ok_or(TableSetError::NoTables)?;
    let layout = |table: &Table| {
        let TableSchema { name, numeric, categorical, label, .. } = TableSchema::clone(&table.schema);
        (name, numeric, categorical, label, table.time_s.is_some(), table.endpoints.is_some())
    };
    let expected = layout(first);
    match tables.iter().find(|table| layout(table) != expected) {
        Some(other) => Err(TableSetError::SchemaMismatch { first: first.name.clone(), other: other.name.clone() }),
        None => Ok(()),
    }
}

/// Numeric feature `k` with the bounds of the layout or, where it has none, of the data.
fn bounded(tables: &[Table], k: usize) -> Numeric {
    let column = &tables[0].schema.numeric[k];
    let values = tables.iter().flat_map(|table| table.numeric[k].iter());
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)));
    let natural = match column.transform {
        Transform::Identity if least.is_finite() => least,
        Transform::Identity | Transform::Log1p => 0.0,
    };
    let low = column.low.unwrap_or_else(|| column.high.map_or(natural, |high| natural.min(high - 1.0)));
    let high = column.high.unwrap_or(most);
    // A column without any variation scales to 0.
    let high = if high > low { high } else { low + low.abs().max(1.0) };
    Numeric { name: column.name.clone(), unit: column.unit.clone(), transform: column.transform, low, high }
}

/// Categorical feature `k` with the values of the layout or, where it has none, all of the data, sorted.
fn dictionary(tables: &[Table], k: usize) -> Categorical {
    let column = &tables[0].schema.categorical[k];
    let found = || -> Vec<String> {
        let values: BTreeSet<&String> = tables.iter().flat_map(|table| &table.values[k]).collect();
        values.into_iter().cloned().collect()
    };
    Categorical { name: column.name.clone(), values: column.values.clone().unwrap_or_else(found) }
}

fn scaled(table: Table, schema: &Schema, families: &[Family]) -> Rows {
    let rows = table.rows();
    let mut numeric = vec![0.0; rows * schema.numeric.len()];
    for (k, (feature, column)) in schema.numeric.iter().zip(&table.numeric).enumerate() {
        for (row, value) in column.iter().enumerate() {
            let share = (value - feature.low) / (feature.high - feature.low);
            numeric[row * schema.numeric.len() + k] = share.clamp(0.0, 1.0) as f32;
        }
    }
    let mut codes = vec![0; rows * schema.categorical.len()];
    for (k, (feature, column)) in schema.categorical.iter().zip(&table.codes).enumerate() {
        let known: BTreeMap<&str, u16> =
            feature.values.iter().zip(1..).map(|(value, code)| (value.as_str(), code)).collect();
        let renumbered: Vec<u16> =
            table.values[k].iter().map(|value| known.get(value.as_str()).copied().unwrap_or(0)).collect();
        for (row, code) in column.iter().enumerate() {
            let place = usize::from(*code).checked_sub(1);
            codes[row * schema.categorical.len() + k] = place.map_or(0, |place| renumbered[place]);
        }
    }
    let labels = renumbered(table.labels, &table.families, families);
    let Table { name, endpoints, time_s, stats, .. } = table;
    Rows { name, numeric, codes, labels, endpoints, time_s, stats }
}

/// Labels of families `own`, in terms of the sorted list `all` that contains them.
pub(crate) fn renumbered(labels: Vec<Label>, own: &[Family], all: &[Family]) -> Vec<Label> {
    let place = |family: &Family| all.partition_point(|other| other.name < family.name);
    moved(labels, &own.iter().map(place).collect::<Vec<_>>())
}

/// Labels of families `own`, in terms of the list `all` in any order that contains them.
pub(crate) fn renumbered_by_place(labels: Vec<Label>, own: &[Family], all: &[Family]) -> Vec<Label> {
    let place = |family: &Family| all.iter().position(|other| other == family).unwrap_or(0);
    moved(labels, &own.iter().map(place).collect::<Vec<_>>())
}

/// Labels whose families have moved to these places.
fn moved(labels: Vec<Label>, places: &[usize]) -> Vec<Label> {
    let moved = |label| match label {
        Label::Attack(FamilyId(id)) => Label::Attack(FamilyId(places[usize::from(id)] as u16)),
        Label::Benign | Label::Undecided => label,
    };
    labels.into_iter().map(moved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, ReadOptions, read};

    fn table(name: &str, text: &str) -> Table {
        let schema = TableSchema::from_yaml(
            "{name: t, numeric: [{name: a, transform: log1p}, {name: b}, {name: c, low: 0, high: 2}], categorical: [{name: d}], label: {column: y, benign: [normal]}}",
        )
        .expect("a sound schema");
        match read(name, text.as_bytes(), &ReadOptions { schema: Some(schema), ..ReadOptions::default() }) {
            Ok(Input::Table(table)) => table,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bounds_dictionaries_and_families_are_those_of_all_tables() {
        let set = TableSet::new(vec![
            table("one", "a,b,c,d,y\n0,5,1,udp,zeta\n9,6,9,tcp,normal\n"),
            table("two", "a,b,c,d,y\n99,7,0,icmp,alpha\n"),
        ])
        .expect("two tables of one layout");
        assert_eq!(set.schema().categorical[0].values, ["icmp", "tcp", "udp"]);
        let names: Vec<&str> = set.families().iter().map(|family| family.name.as_str()).collect();
        assert_eq!(names, ["alpha", "zeta"]);
        assert_eq!(set.files()[0].labels(), [Label::Attack(FamilyId(1)), Label::Benign]);
        assert_eq!(set.files()[1].labels(), [Label::Attack(FamilyId(0))]);
        let batch = set.batch(0, 0..2);
        assert_eq!((batch.numeric_column(1), batch.numeric_column(2)), (&[0.0, 0.5][..], &[0.5, 1.0][..]));
        assert!((batch.numeric_column(0)[1] - 0.5).abs() < 1e-6, "ln 10 is half of ln 100");
        assert_eq!(batch.code_column(0), [3, 2]);
    }

    #[test]
    fn a_column_without_variation_scales_to_zero() {
        let set = TableSet::new(vec![table("one", "a,b,c,d,y\n0,5,1,udp,normal\n")]).expect("a table");
        assert_eq!(set.batch(0, 0..1).numeric(), [0.0, 0.0, 0.5]);
    }

    #[test]
    fn what_tells_large_numbers_apart_survives_scaling() {
        let text: String = (0..64).map(|row| format!("1,{},1,x,normal\n", 1.6e9 + f64::from(row) / 64.0)).collect();
        let set = TableSet::new(vec![table("one", &format!("a,b,c,d,y\n{text}"))]).expect("a table");
        let scaled = set.batch(0, 0..64).numeric_column(1).to_vec();
        assert!(scaled.is_sorted_by(|a, b| a < b), "{scaled:?}");
    }

    #[test]
    fn tables_of_other_layouts_are_refused() {
        let mut other = table("two", "a,b,c,d,y\n0,5,1,udp,normal\n");
        std::sync::Arc::make_mut(&mut other.schema).name = "u".into();
        let refused = TableSet::new(vec![table("one", "a,b,c,d,y\n0,5,1,udp,normal\n"), other]);
        assert!(matches!(refused, Err(TableSetError::SchemaMismatch { other, .. }) if other == "two"));
    }
}
