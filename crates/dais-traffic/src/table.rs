//! Labelled tables: how a file describes its columns, and its rows by column.

mod draft;
mod kdd;
mod label;
mod leak;
mod missing;
mod numbers;
mod sample;
mod set;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Endpoints, Family, Label, ReadStats, Transform};

pub(crate) use draft::transform_for;
pub(crate) use kdd::{Line as KddLine, recognises};
pub use leak::{Leak, LeftOut, leave_out_leaks, suspects};
pub use missing::{Missing, fill_missing};
pub use numbers::Numbers;
pub(crate) use sample::{Sample, is_again, told_apart};
pub use set::{Rows, TableSet, TableSetError};
pub(crate) use set::{renumbered, renumbered_by_place};

/// How the columns of a labelled table are to be read; written as YAML.
///
/// Every column of a file has one of the roles numeric, categorical, label, ignored, time or address.
///
/// ```
/// let schema = dais_traffic::TableSchema::from_yaml("
/// name: office
/// numeric:
///   - { name: seconds, unit: s, transform: log1p }
///   - { name: failed_share, low: 0, high: 1 }
/// categorical:
///   - { name: service }
/// label: { column: verdict, benign: [ok], undecided: [unclear] }
/// ignored: [id]
/// ").unwrap();
/// assert_eq!(schema.label.benign, ["ok"]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// Name of the layout.
    pub name: String,
    /// Character between fields: one byte of ASCII, a comma where not given.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Whether the first line names the columns; yes where not given.
    #[serde(default = "yes")]
    pub header: bool,
    /// Names of the columns in order, for files without a header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Columns that become numeric features.
    #[serde(default)]
    pub numeric: Vec<NumericColumn>,
    /// Columns that become categorical features.
    #[serde(default)]
    pub categorical: Vec<CategoricalColumn>,
    /// The column that says what a row is.
    pub label: LabelColumn,
    /// Columns that are left out.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// What becomes of values that are not there; they are filled in where not given.
    #[serde(default)]
    pub missing: Missing,
    /// Column with the start time: seconds, or a time by RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Column with the address of the originator; given together with `destination`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Column with the address of the responder; given together with `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Column with the port of the responder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_port: Option<String>,
}

/// A column that becomes a numeric feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericColumn {
    /// Name of the column and of the feature.
    pub name: String,
    /// Unit of the values, such as `s` or `bytes`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Transform before scaling; none where not given.
    #[serde(default = "identity")]
    pub transform: Transform,
    /// Transformed value that scales to 0; where not given 0 for `log1p`, else the smallest in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Transformed value that scales to 1; where not given the largest in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// A column that becomes a categorical feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalColumn {
    /// Name of the column and of the feature.
    pub name: String,
    /// Known values; others count as unseen. Where not given, all values in the data, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// The column that says what a row is.
///
/// Values are compared without regard to case, surrounding blanks and a full stop at the end. What is neither
/// benign nor undecided is an attack of the family of that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelColumn {
    /// Name of the column.
    pub column: String,
    /// Column that says whether a row is an attack, in which case `column` only names the family and may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Values that mean ordinary traffic; at least one.
    pub benign: Vec<String>,
    /// Values that mean that nobody decided.
    #[serde(default)]
    pub undecided: Vec<String>,
    /// Other names for values, to rename or to group families.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub families: BTreeMap<String, String>,
}

fn comma() -> char {
    ','
}

fn yes() -> bool {
    true
}

fn identity() -> Transform {
    Transform::Identity
}

/// What is wrong with a table schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableSchemaError {
    /// The text is no schema.
    #[error("the schema file does not fit: {0}")]
    Yaml(String),
    /// A column has two roles.
    #[error("schema `{schema}` gives column `{column}` two roles: each column has one")]
    Duplicate {
        /// Name of the schema.
        schema: String,
        /// The column.
        column: String,
    },
    /// There is nothing to learn from.
    #[error("schema `{0}` names no numeric and no categorical column")]
    NoFeatures(String),
    /// No value of the label means benign.
    #[error("schema `{0}`: `label.benign` is empty: name at least one value that means ordinary traffic")]
    NoBenign(String),
    /// Bounds that span nothing.
    #[error("schema `{schema}`: column `{column}` has bounds that are not numbers with low below high")]
    Bounds {
        /// Name of the schema.
        schema: String,
        /// The column.
        column: String,
    },
    /// A delimiter that is not one byte, or that cannot be told from values.
    #[error(
        "schema `{schema}`: delimiter {delimiter:?} is not a single ASCII character other than a quote, a line end or a letter or digit"
    )]
    Delimiter {
        /// Name of the schema.
        schema: String,
        /// The delimiter.
        delimiter: char,
    },
    /// A file without a header needs names for its columns.
    #[error("schema `{0}` has `header: false`: list the names of all columns in order under `columns`")]
    NoColumns(String),
    /// Addresses come in pairs.
    #[error("schema `{0}` needs both `source` and `destination`, or neither, and `destination_port` only with them")]
    HalfEndpoint(String),
    /// A dictionary that codes cannot hold, or that repeats a value.
    #[error("schema `{schema}`: the values of column `{column}` repeat or are more than 65,535")]
    Values {
        /// Name of the schema.
        schema: String,
        /// The column.
        column: String,
    },
}

impl TableSchema {
    /// Reads and checks a schema file.
    ///
    /// # Errors
    /// Where the text is not YAML of this shape, or [`TableSchema::check`] refuses it.
    pub fn from_yaml(text: &str) -> Result<Self, TableSchemaError> {
        let schema: Self = serde_saphyr::from_str(text).map_err(|error| TableSchemaError::Yaml(error.to_string()))?;
        schema.check()?;
        Ok(schema)
    }

    /// The schema as a file that [`TableSchema::from_yaml`] reads.
    ///
    /// # Errors
    /// Where the YAML writer refuses, which no checked schema makes it do.
    pub fn to_yaml(&self) -> Result<String, TableSchemaError> {
        serde_saphyr::to_string(self).map_err(|error| TableSchemaError::Yaml(error.to_string()))
    }

    /// Checks that roles are unique and bounds, dictionaries, delimiter and label make sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), TableSchemaError> {
        let schema = || self.name.clone();
        let mut roles: Vec<&str> = self.roles().collect();
        roles.sort_unstable();
        if let Some(pair) = roles.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TableSchemaError::Duplicate { schema: schema(), column: pair[0].to_owned() });
        }
        if self.numeric.is_empty() && self.categorical.is_empty() {
            return Err(TableSchemaError::NoFeatures(schema()));
        }
        if self.label.benign.is_empty() {
            return Err(TableSchemaError::NoBenign(schema()));
        }
        let delimiter = self.delimiter;
        if !delimiter.is_ascii() || delimiter.is_ascii_alphanumeric() || matches!(delimiter, '"' | '\n' | '\r' | '\0') {
            return Err(TableSchemaError::Delimiter { schema: schema(), delimiter });
        }
        if !self.header && self.columns.is_empty() {
            return Err(TableSchemaError::NoColumns(schema()));
        }
        if self.source.is_some() != self.destination.is_some()
            || (self.destination_port.is_some() && self.source.is_none())
        {
            return Err(TableSchemaError::HalfEndpoint(schema()));
        }
        for column in &self.numeric {
            let (low, high) = (column.low.unwrap_or(f64::MIN), column.high.unwrap_or(f64::MAX));
            if !(low.is_finite() && high.is_finite() && low < high) {
                return Err(TableSchemaError::Bounds { schema: schema(), column: column.name.clone() });
            }
        }
        for column in &self.categorical {
            let mut values: Vec<&String> = column.values.iter().flatten().collect();
            values.sort_unstable();
            if values.len() > usize::from(u16::MAX) || values.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(TableSchemaError::Values { schema: schema(), column: column.name.clone() });
            }
        }
        Ok(())
    }

    /// Names of all columns that have a role.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &str> {
        let optional = [&self.time, &self.source, &self.destination, &self.destination_port, &self.label.verdict];
        let features = self.numeric.iter().map(|column| &column.name);
        let features = features.chain(self.categorical.iter().map(|column| &column.name));
        let others = std::iter::once(&self.label.column).chain(&self.ignored);
        features.chain(others).chain(optional.into_iter().flatten()).map(String::as_str)
    }
}

/// One labelled file by column: numeric values transformed but not yet scaled, codes by the file's own dictionaries.
///
/// Several files become one traffic by [`TableSet::new`], which scales and renumbers them alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Name of the file.
    pub name: String,
    /// How its columns were read.
    pub schema: Arc<TableSchema>,
    /// Values of each numeric column, transformed; not a number where one is missing.
    pub numeric: Vec<Numbers>,
    /// Codes of each categorical column, by `values`.
    pub codes: Vec<Vec<u16>>,
    /// Values of each categorical column; the first has code 1.
    pub values: Vec<Vec<String>>,
    /// What each row is.
    pub labels: Vec<Label>,
    /// Families of the file, in the order of their first appearance.
    pub families: Vec<Family>,
    /// Addresses and ports, where the schema names their columns.
    pub endpoints: Option<Endpoints>,
    /// Start times in seconds, where the schema names their column.
    pub time_s: Option<Vec<f64>>,
    /// Rows read and broken.
    pub stats: ReadStats,
    /// Whether the schema was drafted from the file itself, rather than given or built in.
    pub drafted: bool,
    /// Columns that a draft would use and that are left out for what their values are.
    pub left_out: Vec<LeftOut>,
}

impl Table {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.labels.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> TableSchema {
        TableSchema::from_yaml("{name: t, numeric: [{name: a, transform: log1p}], categorical: [{name: b}], label: {column: y, benign: [normal]}}")
            .expect("a sound schema")
    }

    #[test]
    fn a_schema_survives_yaml() {
        let schemas = [schema(), TableSchema::nsl_kdd()];
        for schema in schemas {
            let text = schema.to_yaml().expect("a schema is YAML");
            assert_eq!(TableSchema::from_yaml(&text), Ok(schema), "{text}");
        }
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let refused = TableSchema::from_yaml("{name: t, numerics: [], label: {column: y, benign: [a]}}");
        assert!(matches!(refused, Err(TableSchemaError::Yaml(text)) if text.contains("numerics")));
    }

    #[test]
    fn contradictions_are_refused() {
        let broken = |change: &dyn Fn(&mut TableSchema)| {
            let mut schema = schema();
            change(&mut schema);
            schema.check().expect_err("a contradiction")
        };
        let is = |error: TableSchemaError, part: &str| assert!(error.to_string().contains(part), "{error}");
        is(broken(&|s| s.ignored.push("a".into())), "two roles");
        is(broken(&|s| s.label.benign.clear()), "label.benign");
        is(broken(&|s| s.header = false), "columns");
        is(broken(&|s| s.delimiter = '"'), "delimiter");
        is(broken(&|s| s.source = Some("x".into())), "destination");
        is(broken(&|s| (s.numeric[0].low, s.numeric[0].high) = (Some(2.0), Some(1.0))), "low below high");
        is(broken(&|s| s.numeric[0].low = Some(f64::NAN)), "low below high");
        is(broken(&|s| s.categorical[0].values = Some(vec!["v".into(), "v".into()])), "repeat");
        is(broken(&|s| (s.numeric.clear(), s.categorical.clear()).0), "no numeric");
    }
}
