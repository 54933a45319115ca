//! Rows of labelled tables by column, whatever kind of file they come from.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use crate::table::is_again;
use crate::{
    Endpoint, Endpoints, Label, LabelColumn, Missing, Numbers, Table, TableSchema, Transform, leave_out_leaks,
};

use super::ReadError;
use super::error::Flaw;
use super::tally::Tally;
use super::value;
use super::verdict::{Families, Said};

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Text, or a number written as text; empty where there is no value.
    Text(&'a [u8]),
    /// A number of a file with types.
    Number(f64),
    /// A whole number of a file with types.
    Integer(i64),
}

impl<'a> Cell<'a> {
    /// A finite number.
    fn number(self, column: &str) -> Result<f64, Flaw> {
        match self {
            Self::Text(field) => value::number(column, field),
            Self::Integer(value) => Ok(value as f64),
            Self::Number(value) if value.is_finite() => Ok(value),
            Self::Number(value) => Err(Flaw::field(column, "a finite number", value.to_string().as_bytes())),
        }
    }

    /// Whether it says that there is no value.
    fn is_missing(self) -> bool {
        match self {
            Self::Text(field) => value::is_missing(field),
            Self::Number(value) => !value.is_finite(),
            Self::Integer(_) => false,
        }
    }

    /// A time in seconds.
    fn time(self, column: &str) -> Result<f64, Flaw> {
        match self {
            Self::Text(field) => value::time(column, field),
            Self::Number(_) | Self::Integer(_) => value::known_seconds(column, self.number(column)?),
        }
    }

    /// The value as text, for which numbers need `room`.
    pub(crate) fn text<'b>(self, room: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        room.clear();
        // Memory takes all that is written to it.
        let _ = match self {
            Self::Text(field) => return field,
            Self::Number(value) => write!(room, "{value}"),
            Self::Integer(value) => write!(room, "{value}"),
        };
        room
    }
}

/// The cells of one row.
pub(crate) trait Row {
    /// How many cells there are.
    fn width(&self) -> usize;
    /// The cell in column `at`, which is less than the width.
    fn cell(&self, at: usize) -> Cell<'_>;
}

/// What a column of the file is for.
#[derive(Clone, Copy, Debug)]
enum Role {
    Numeric(usize),
    Categorical(usize),
    Label,
    Verdict,
    Time,
    Source,
    Destination,
    DestinationPort,
}

/// Checks that a file's columns are those of the schema; `line` is where they are named.
pub(crate) fn check_names(file: &str, line: u64, header: &[String], schema: &TableSchema) -> Result<(), ReadError> {
    let file = file.to_owned();
    let needed = schema.roles().filter(|role| !schema.ignored.iter().any(|ignored| ignored == role));
    if let Some(missing) = needed.into_iter().find(|role| !header.iter().any(|name| name == role)) {
        return Err(ReadError::MissingColumn { file, line, column: missing.to_owned(), header: header.to_vec() });
    }
    if let Some(column) =
        header.iter().find(|name| !schema.roles().any(|role| role == *name) && !is_again(name, header))
    {
        return Err(ReadError::UndescribedColumn { file, line, column: column.clone(), schema: schema.name.clone() });
    }
    Ok(())
}

/// Values of a text column in the order of their first appearance.
#[derive(Default)]
struct Dictionary {
    values: Vec<String>,
    codes: BTreeMap<String, u16>,
    last: Option<u16>,
    /// Whether values beyond those that codes can tell apart are taken as unseen rather than refused.
    lenient: bool,
}

impl Dictionary {
    fn code(&mut self, name: &str, field: &[u8]) -> Result<u16, Flaw> {
        let text = value::decoded(field);
        let text = text.trim();
        // Neighbouring rows mostly agree.
        if let Some(code) = self.last.filter(|code| self.values[usize::from(*code) - 1] == text) {
            return Ok(code);
        }
        let code = if let Some(code) = self.codes.get(text) {
            *code
        } else {
            let Ok(next) = u16::try_from(self.values.len() + 1) else {
                let refused = || Err(Flaw::field(name, "at most 65,535 distinct values", field));
                return if self.lenient { Ok(0) } else { refused() };
            };
            self.values.push(text.to_owned());
            self.codes.insert(text.to_owned(), next);
            next
        };
        self.last = Some(code);
        Ok(code)
    }
}

/// What the values of the label column mean.
struct Meanings {
    column: LabelColumn,
    /// Labels of the values seen so far.
    known: BTreeMap<Vec<u8>, Label>,
    families: Families,
}

impl Meanings {
    fn label(&mut self, name: &str, field: &[u8]) -> Result<Label, Flaw> {
        if let Some(label) = self.known.get(field) {
            return Ok(*label);
        }
        let label = {
            let text = value::decoded(field);
            self.families.label(name, said(&self.column, &text)?)?
        };
        self.known.insert(field.to_vec(), label);
        Ok(label)
    }

    /// The label of a row of which one column says whether it is an attack and another which one.
    fn label_by_verdict(&mut self, verdict: &str, row: &Verdict) -> Result<Label, Flaw> {
        let key = [row.verdict.as_slice(), b"\n", &row.name].concat();
        if let Some(label) = self.known.get(&key) {
            return Ok(*label);
        }
        let found = value::decoded(&row.verdict);
        let name = value::decoded(&row.name);
        let name = name.trim();
        let is_benign = self.column.benign.iter().any(|benign| benign.eq_ignore_ascii_case(name));
        let said = match said(&self.column, &found).map_err(|flaw| Flaw { column: Some(verdict.to_owned()), ..flaw })? {
            Said::Attack(_) if !value::is_missing(name.as_bytes()) && !is_benign => said(&self.column, name)?,
            said @ (Said::Benign | Said::Attack(_) | Said::Undecided) => said,
        };
        let label = self.families.label(&self.column.column, said)?;
        self.known.insert(key, label);
        Ok(label)
    }
}

/// What two columns say of a row.
#[derive(Default)]
struct Verdict {
    verdict: Vec<u8>,
    name: Vec<u8>,
}

/// Logarithms taken lately, for the same few counts and rates come again and again.
struct Logarithms {
    /// Raw values and their logarithms, each at the place that its bits hash to.
    places: Vec<(f64, f32)>,
}

impl Default for Logarithms {
    fn default() -> Self {
        Self { places: vec![(0.0, 0.0); 1 << Self::BITS] }
    }
}

impl Logarithms {
    const BITS: u32 = 10;

    /// The transformed value of a cell; not a number where it is missing and may be.
    fn transformed(&mut self, name: &str, transform: Transform, missing: Missing, cell: Cell<'_>) -> Result<f64, Flaw> {
        if cell == Cell::Text(b"") && missing == Missing::Fill {
            return Ok(f64::NAN);
        }
        let raw = match cell.number(name) {
            Ok(raw) => raw,
            Err(_) if missing == Missing::Fill && cell.is_missing() => return Ok(f64::NAN),
            Err(flaw) => return Err(flaw),
        };
        let value = match transform {
            Transform::Identity => raw,
            Transform::Log1p => f64::from(self.log1p(raw)),
        };
        if (value as f32).is_finite() {
            return Ok(value);
        }
        Err(Flaw::field(name, "a number of at most 3.4e38", cell.text(&mut Vec::new())))
    }

    fn log1p(&mut self, raw: f64) -> f32 {
        let hash = raw.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - Self::BITS);
        let place = &mut self.places[hash as usize];
        if place.0.to_bits() != raw.to_bits() {
            *place = (raw, Transform::Log1p.apply(raw) as f32);
        }
        place.1
    }
}

/// The rows so far, by column, and room for one more.
pub(crate) struct Columns {
    names: Vec<String>,
    roles: Vec<(usize, Role)>,
    transforms: Vec<Transform>,
    logarithms: Logarithms,
    meanings: Meanings,
    dictionaries: Vec<Dictionary>,
    missing: Missing,
    /// Whether the schema is a guess that is looked over once all rows are there; until then numbers stay as they are.
    drafted: bool,
    /// Room for a number as text.
    room: Vec<u8>,
    verdict: Verdict,
    numbers: Vec<f64>,
    kinds: Vec<u16>,
    numeric: Vec<Numbers>,
    codes: Vec<Vec<u16>>,
    labels: Vec<Label>,
    endpoints: Option<Endpoints>,
    time_s: Option<Vec<f64>>,
}

impl Columns {
    /// No rows yet, of a file whose columns have these names in this order; `drafted` where the schema is a guess.
    pub(crate) fn new(schema: &TableSchema, names: &[String], drafted: bool) -> Self {
        let role = |name: &String| {
            let is = |column: &Option<String>| column.as_ref() == Some(name);
            match () {
                () if *name == schema.label.column => Some(Role::Label),
                () if is(&schema.label.verdict) => Some(Role::Verdict),
                () if is(&schema.time) => Some(Role::Time),
                () if is(&schema.source) => Some(Role::Source),
                () if is(&schema.destination) => Some(Role::Destination),
                () if is(&schema.destination_port) => Some(Role::DestinationPort),
                () => {
                    let numeric = schema.numeric.iter().position(|column| column.name == *name);
                    let text = || schema.categorical.iter().position(|column| column.name == *name);
                    numeric.map(Role::Numeric).or_else(|| text().map(Role::Categorical))
                }
            }
        };
        let (numbers, kinds) = (schema.numeric.len(), schema.categorical.len());
        Self {
            names: names.to_vec(),
            roles: names.iter().enumerate().filter_map(|(at, name)| role(name).map(|role| (at, role))).collect(),
            transforms: schema
                .numeric
                .iter()
                .map(|column| if drafted { Transform::Identity } else { column.transform })
                .collect(),
            logarithms: Logarithms::default(),
            meanings: Meanings { column: schema.label.clone(), known: BTreeMap::new(), families: Families::default() },
            dictionaries: (0..kinds).map(|_| Dictionary { lenient: drafted, ..Dictionary::default() }).collect(),
            missing: schema.missing,
            drafted,
            room: Vec::new(),
            verdict: Verdict::default(),
            numbers: vec![0.0; numbers],
            kinds: vec![0; kinds],
            numeric: vec![Numbers::default(); numbers],
            codes: vec![Vec::new(); kinds],
            labels: Vec::new(),
            endpoints: schema.source.is_some().then(Endpoints::default),
            time_s: schema.time.is_some().then(Vec::new),
        }
    }

    /// Adds a row, or nothing where a field is wrong.
    pub(crate) fn row(&mut self, row: &impl Row) -> Result<(), Flaw> {
        if row.width() != self.names.len() {
            return Err(Flaw::row(format!("{} columns", self.names.len()), row.width().to_string()));
        }
        let unspecified = std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        let mut endpoint = Endpoint { source: unspecified, destination: unspecified, destination_port: 0 };
        let (mut time_s, mut label) = (0.0, Label::Undecided);
        let by_verdict = self.meanings.column.verdict.is_some();
        let (room, verdict) = (&mut self.room, &mut self.verdict);
        let keep = |kept: &mut Vec<u8>, text: &[u8]| {
            kept.clear();
            kept.extend_from_slice(text);
        };
        for &(at, role) in &self.roles {
            let (name, cell) = (self.names[at].as_str(), row.cell(at));
            match role {
                Role::Numeric(k) => {
                    let transform = self.transforms[k];
                    self.numbers[k] = self.logarithms.transformed(name, transform, self.missing, cell)?;
                }
                Role::Categorical(k) => self.kinds[k] = self.dictionaries[k].code(name, cell.text(room))?,
                Role::Time => time_s = cell.time(name)?,
                Role::Source => endpoint.source = value::address(name, cell.text(room))?,
                Role::Destination => endpoint.destination = value::address(name, cell.text(room))?,
                Role::DestinationPort if cell.is_missing() => endpoint.destination_port = 0,
                Role::DestinationPort => endpoint.destination_port = value::port(name, cell.text(room))?,
                Role::Verdict => keep(&mut verdict.verdict, cell.text(room)),
                Role::Label if by_verdict => keep(&mut verdict.name, cell.text(room)),
                Role::Label => label = self.meanings.label(name, cell.text(room))?,
            }
        }
        if let Some(column) = self.meanings.column.verdict.clone() {
            label = self.meanings.label_by_verdict(&column, &self.verdict)?;
        }
        self.labels.push(label);
        self.numeric.iter_mut().zip(&self.numbers).for_each(|(column, value)| column.push(*value));
        self.codes.iter_mut().zip(&self.kinds).for_each(|(column, code)| column.push(*code));
        if let Some(endpoints) = &mut self.endpoints {
            endpoints.source.push(endpoint.source);
            endpoints.destination.push(endpoint.destination);
            endpoints.destination_port.push(endpoint.destination_port);
        }
        if let Some(times) = &mut self.time_s {
            times.push(time_s);
        }
        Ok(())
    }

    /// Bytes that the rows so far take, without endpoints and times.
    #[cfg(feature = "parquet")]
    pub(crate) fn bytes(&self) -> u64 {
        let row = self.codes.len() * size_of::<u16>() + size_of::<Label>();
        let numbers: usize = self.numeric.iter().map(Numbers::bytes).sum();
        (row * self.labels.len() + numbers) as u64
    }

    /// The table of all rows, unless too many were broken or there is none.
    ///
    /// A schema that is a guess is corrected by what the rows are: see [`leave_out_leaks`].
    pub(crate) fn into_table(mut self, schema: TableSchema, mut tally: Tally) -> Result<Table, ReadError> {
        tally.check()?;
        let name = tally.file().to_owned();
        if self.labels.is_empty() {
            let what = if tally.stats.bad_rows == 0 { "a header only" } else { "broken rows only" };
            return Err(ReadError::NoRows { file: name, what: what.to_owned() });
        }
        tally.stats.flows = self.labels.len() as u64;
        let mut logarithms = std::mem::take(&mut self.logarithms);
        let mut table = Table {
            name,
            schema: Arc::new(schema),
            numeric: self.numeric,
            codes: self.codes,
            values: self.dictionaries.into_iter().map(|dictionary| dictionary.values).collect(),
            labels: self.labels,
            families: self.meanings.families.into_list(),
            endpoints: self.endpoints,
            time_s: self.time_s,
            stats: tally.stats,
            drafted: self.drafted,
            left_out: Vec::new(),
        };
        if self.drafted {
            table.left_out = leave_out_leaks(std::slice::from_mut(&mut table));
            for (column, numbers) in table.schema.numeric.iter().zip(&mut table.numeric) {
                if column.transform == Transform::Log1p {
                    let value = |raw: f64| if raw.is_nan() { f32::NAN } else { logarithms.log1p(raw) };
                    *numbers = numbers.iter().map(value).collect::<Vec<f32>>().into();
                }
            }
        }
        Ok(table)
    }
}

/// What a value of a label column means.
fn said<'a>(column: &LabelColumn, text: &'a str) -> Result<Said<'a>, Flaw> {
    let text = text.trim();
    let text = text.strip_suffix('.').unwrap_or(text);
    let one_of = |values: &[String]| values.iter().any(|value| value.eq_ignore_ascii_case(text));
    if one_of(&column.benign) {
        return Ok(Said::Benign);
    }
    if one_of(&column.undecided) {
        return Ok(Said::Undecided);
    }
    if text.is_empty() {
        return Err(Flaw::field(&column.column, "a label", text.as_bytes()));
    }
    let renamed = column.families.get(text).cloned();
    Ok(Said::Attack(renamed.map_or(text.into(), Into::into)))
}
