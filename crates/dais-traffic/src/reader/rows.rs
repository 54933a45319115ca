//! Reading labelled tables, row by row into columns.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use crate::{Endpoint, Endpoints, Label, LabelColumn, Table, TableSchema, Transform};

use super::error::Flaw;
use super::fields::Fields;
use super::lines::{Line, Lines};
use super::tally::Tally;
use super::value;
use super::verdict::{Families, Said};
use super::{ReadError, ReadOptions, too_long};

/// What a column of the file is for.
#[derive(Clone, Copy, Debug)]
enum Role {
    Numeric(usize),
    Categorical(usize),
    Label,
    Time,
    Source,
    Destination,
    DestinationPort,
}

/// Reads a table by its schema; `header_line` says whether the first line is a header to be skipped or matched.
pub(crate) fn read_table<R: Read>(
    mut lines: Lines<R>,
    schema: TableSchema,
    header_line: bool,
    options: &ReadOptions,
) -> Result<Table, ReadError> {
    let names = if schema.header { matched_header(&mut lines, &schema)? } else { schema.columns.clone() };
    if header_line && !schema.header {
        skip_header(&mut lines)?;
    }
    let mut tally = Tally::new(lines.file(), options.bad_rows_max.unwrap_or(0.0));
    let mut columns = Columns::new(&schema, &names);
    let mut fields = Fields::new(schema.delimiter as u8);
    loop {
        let number = lines.number() + 1;
        let Some(line) = lines.next_line()? else { break };
        let row = match line {
            Line::Text(text) if text.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Text(text) => fields.cut(text).and_then(|()| columns.row(&fields)),
            Line::TooLong => Err(too_long()),
        };
        match row {
            Ok(()) => tally.good(),
            Err(flaw) => tally.bad(number, flaw)?,
        }
    }
    tally.check()?;
    let file = lines.file().to_owned();
    if columns.labels.is_empty() {
        let what = if tally.stats.bad_rows == 0 { "a header only" } else { "broken rows only" };
        return Err(ReadError::NoRows { file, what: what.to_owned() });
    }
    Ok(columns.into_table(file, schema, tally))
}

fn skip_header<R: Read>(lines: &mut Lines<R>) -> Result<(), ReadError> {
    while let Some(Line::Text(text)) = lines.next_line()? {
        if !text.trim_ascii().is_empty() {
            break;
        }
    }
    Ok(())
}

/// The names in the header line, each of which the schema must know.
fn matched_header<R: Read>(lines: &mut Lines<R>, schema: &TableSchema) -> Result<Vec<String>, ReadError> {
    let file = lines.file().to_owned();
    let mut fields = Fields::new(schema.delimiter as u8);
    let header: Vec<String> = loop {
        match lines.next_line()? {
            None => return Err(ReadError::Empty { file }),
            Some(Line::TooLong) => {
                let why = "has a first line beyond the bound".to_owned();
                return Err(ReadError::Unknown { file, why });
            }
            Some(Line::Text(text)) if text.trim_ascii().is_empty() => {}
            Some(Line::Text(text)) => {
                // A quote left open shows in names that no schema knows.
                let _ = fields.cut(text);
                let name = |field: &[u8]| String::from_utf8_lossy(field).trim().to_owned();
                break (0..fields.len()).map(|at| name(fields.get(at))).collect();
            }
        }
    };
    let line = lines.number();
    let mut sorted: Vec<&String> = header.iter().collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1] && !schema.ignored.contains(pair[0])) {
        return Err(ReadError::DuplicateColumn { file, line, column: pair[0].clone() });
    }
    let needed = schema.roles().filter(|role| !schema.ignored.iter().any(|ignored| ignored == role));
    if let Some(missing) = needed.into_iter().find(|role| !header.iter().any(|name| name == role)) {
        return Err(ReadError::MissingColumn { file, line, column: missing.to_owned(), header });
    }
    if let Some(column) = header.iter().find(|name| !schema.roles().any(|role| role == *name)) {
        return Err(ReadError::UndescribedColumn { file, line, column: column.clone(), schema: schema.name.clone() });
    }
    Ok(header)
}

/// Values of a text column in the order of their first appearance.
#[derive(Default)]
struct Dictionary {
    values: Vec<String>,
    codes: BTreeMap<String, u16>,
    last: Option<u16>,
}

impl Dictionary {
    fn code(&mut self, name: &str, field: &[u8]) -> Result<u16, Flaw> {
        let text = value::text(name, field)?.trim();
        // Neighbouring rows mostly agree.
        if let Some(code) = self.last.filter(|code| self.values[usize::from(*code) - 1] == text) {
            return Ok(code);
        }
        let code = if let Some(code) = self.codes.get(text) {
            *code
        } else {
            let next = u16::try_from(self.values.len() + 1)
                .map_err(|_| Flaw::field(name, "at most 65,535 distinct values", field))?;
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
        let label = self.families.label(name, said(&self.column, field)?)?;
        self.known.insert(field.to_vec(), label);
        Ok(label)
    }
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

    fn transformed(&mut self, name: &str, transform: Transform, field: &[u8]) -> Result<f32, Flaw> {
        let raw = value::number(name, field)?;
        let value = match transform {
            Transform::Identity => raw as f32,
            Transform::Log1p => self.log1p(raw),
        };
        if value.is_finite() { Ok(value) } else { Err(Flaw::field(name, "a number of at most 3.4e38", field)) }
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
struct Columns {
    names: Vec<String>,
    roles: Vec<(usize, Role)>,
    transforms: Vec<Transform>,
    logarithms: Logarithms,
    meanings: Meanings,
    dictionaries: Vec<Dictionary>,
    numbers: Vec<f32>,
    kinds: Vec<u16>,
    numeric: Vec<Vec<f32>>,
    codes: Vec<Vec<u16>>,
    labels: Vec<Label>,
    endpoints: Option<Endpoints>,
    time_s: Option<Vec<f64>>,
}

impl Columns {
    fn new(schema: &TableSchema, names: &[String]) -> Self {
        let role = |name: &String| {
            let is = |column: &Option<String>| column.as_ref() == Some(name);
            match () {
                () if *name == schema.label.column => Some(Role::Label),
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
            transforms: schema.numeric.iter().map(|column| column.transform).collect(),
            logarithms: Logarithms::default(),
            meanings: Meanings { column: schema.label.clone(), known: BTreeMap::new(), families: Families::default() },
            dictionaries: (0..kinds).map(|_| Dictionary::default()).collect(),
            numbers: vec![0.0; numbers],
            kinds: vec![0; kinds],
            numeric: vec![Vec::new(); numbers],
            codes: vec![Vec::new(); kinds],
            labels: Vec::new(),
            endpoints: schema.source.is_some().then(Endpoints::default),
            time_s: schema.time.is_some().then(Vec::new),
        }
    }

    /// Adds a row, or nothing where a field is wrong.
    fn row(&mut self, fields: &Fields) -> Result<(), Flaw> {
        if fields.len() != self.names.len() {
            return Err(Flaw::row(format!("{} columns", self.names.len()), fields.len().to_string()));
        }
        let unspecified = std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        let mut endpoint = Endpoint { source: unspecified, destination: unspecified, destination_port: 0 };
        let (mut time_s, mut label) = (0.0, Label::Undecided);
        for &(at, role) in &self.roles {
            let (name, field) = (self.names[at].as_str(), fields.get(at));
            match role {
                Role::Numeric(k) => self.numbers[k] = self.logarithms.transformed(name, self.transforms[k], field)?,
                Role::Categorical(k) => self.kinds[k] = self.dictionaries[k].code(name, field)?,
                Role::Time => time_s = value::time(name, field)?,
                Role::Source => endpoint.source = value::address(name, field)?,
                Role::Destination => endpoint.destination = value::address(name, field)?,
                Role::DestinationPort => endpoint.destination_port = value::port(name, field)?,
                Role::Label => label = self.meanings.label(name, field)?,
            }
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

    fn into_table(self, name: String, schema: TableSchema, tally: Tally) -> Table {
        Table {
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
        }
    }
}

/// What a value of the label column means.
fn said<'a>(column: &LabelColumn, field: &'a [u8]) -> Result<Said<'a>, Flaw> {
    let text = value::text(&column.column, field)?.trim();
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Err(Flaw::field(&column.column, "a label", field));
    }
    let one_of = |values: &[String]| values.iter().any(|value| value.eq_ignore_ascii_case(text));
    if one_of(&column.benign) {
        return Ok(Said::Benign);
    }
    if one_of(&column.undecided) {
        return Ok(Said::Undecided);
    }
    let renamed = column.families.get(text).cloned();
    Ok(Said::Attack(renamed.map_or(text.into(), Into::into)))
}
