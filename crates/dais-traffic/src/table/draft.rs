//! A first schema for a labelled table, guessed from its header and first rows.

use std::collections::BTreeSet;

use super::{CategoricalColumn, LabelColumn, NumericColumn, TableSchema};
use crate::Transform;

/// Names of label columns, in lower case; text labels are preferred, then the order here.
const LABELS: [&str; 9] =
    ["label", "class", "labels", "attack", "target", "attack_cat", "attack_type", "category", "detailedlabel"];

/// Values that mean benign wherever they appear in a label column.
const BENIGN: [&str; 6] = ["normal", "benign", "legitimate", "0", "0.0", "false"];

/// Values that mean that nobody decided.
const UNDECIDED: [&str; 2] = ["background", "unknown"];

/// Columns that identify a row, or leak its label, in lower case without blanks and underscores.
const USELESS: [&str; 12] = [
    "",
    "id",
    "uid",
    "flowid",
    "index",
    "unnamed:0",
    "difficulty",
    "difficultylevel",
    "srcport",
    "sourceport",
    "sport",
    "id.origp",
];

const TIMES: [&str; 6] = ["ts", "time", "timestamp", "starttime", "stime", "flowstart"];
const SOURCES: [&str; 8] = ["source", "sourceip", "srcip", "src", "saddr", "srcaddr", "id.origh", "ipv4srcaddr"];
const DESTINATIONS: [&str; 9] =
    ["destination", "destinationip", "dstip", "dst", "daddr", "dstaddr", "destip", "id.resph", "ipv4dstaddr"];
const PORTS: [&str; 7] = ["destinationport", "dstport", "dport", "dsport", "destport", "id.respp", "l4dstport"];

/// Rows that the guess looks at.
const ROWS_MAX: usize = 1_000;

/// Non-negative numbers beyond this are taken as amounts with a heavy tail.
const HEAVY_TAIL: f64 = 100.0;

/// More distinct words than this among the rows looked at are names, not kinds.
const KINDS_MAX: usize = 200;

/// Header and first rows of a table, cut into fields.
pub(crate) struct Sample<'a> {
    pub(crate) delimiter: char,
    pub(crate) header: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

impl<'a> Sample<'a> {
    /// Cuts the beginning of a file; `None` where it does not look like a table with a header.
    pub(crate) fn cut(head: &'a [u8]) -> Option<Self> {
        let complete = memchr::memrchr(b'\n', head).map_or(head, |last| &head[..last]);
        // A line that is not text is the reader's to report.
        let texts = complete.split(|byte| *byte == b'\n').map(|line| std::str::from_utf8(line));
        let mut lines = texts.filter(|line| line.is_ok_and(|line| !line.trim().is_empty()) || line.is_err());
        let first = lines.next()?.ok()?;
        let occurrences = |delimiter: &char| first.matches(*delimiter).count();
        // The first of equals wins, so commas come last for `max_by_key`.
        let delimiter = ['|', '\t', ';', ','].into_iter().max_by_key(occurrences).filter(|d| occurrences(d) > 0)?;
        let fields = |line: &'a str| -> Vec<&'a str> {
            line.trim_end_matches('\r').split(delimiter).map(|field| field.trim().trim_matches('"').trim()).collect()
        };
        Some(Self { delimiter, header: fields(first), rows: lines.flatten().take(ROWS_MAX).map(fields).collect() })
    }

    /// A sample that is cut already.
    #[cfg(feature = "parquet")]
    pub(crate) fn new(header: Vec<&'a str>, rows: Vec<Vec<&'a str>>) -> Self {
        Self { delimiter: ',', header, rows }
    }

    /// Whether the first line names columns: no numbers in it, and rows with as many fields follow.
    pub(crate) fn has_header(&self) -> bool {
        let named = self.header.iter().all(|field| field.parse::<f64>().is_err());
        named && (self.rows.is_empty() || self.rows.iter().any(|row| row.len() == self.header.len()))
    }

    fn column(&self, at: usize) -> impl Iterator<Item = &'a str> {
        self.rows.iter().filter_map(move |row| row.get(at).copied())
    }
}

enum Role {
    Numeric(Transform),
    Categorical,
    Ignored,
    Time,
    Source,
    Destination,
    DestinationPort,
}

impl TableSchema {
    /// A schema for a table whose first line names its columns, guessed from the beginning of the file; `None`
    /// where there is no header or no column that looks like a label. A guess to be read before it is trusted.
    #[must_use]
    pub fn draft(name: &str, head: &[u8]) -> Option<Self> {
        Self::draft_of(name, &Sample::cut(head).filter(Sample::has_header)?)
    }

    /// The schema that a sample suggests.
    pub(crate) fn draft_of(name: &str, sample: &Sample<'_>) -> Option<Self> {
        let labels = label_columns(sample);
        let label = *labels.first()?;
        let mut schema = Self {
            name: name.to_owned(),
            delimiter: sample.delimiter,
            header: true,
            columns: Vec::new(),
            numeric: Vec::new(),
            categorical: Vec::new(),
            label: draft_label(sample, label),
            ignored: Vec::new(),
            time: None,
            source: None,
            destination: None,
            destination_port: None,
        };
        for at in (0..sample.header.len()).filter(|at| *at != label) {
            let name = sample.header[at].to_owned();
            // Other label columns would give the label away.
            let role = if labels.contains(&at) { Role::Ignored } else { role(sample, at) };
            match role {
                Role::Numeric(transform) => {
                    let unit = String::new();
                    schema.numeric.push(NumericColumn { name, unit, transform, low: None, high: None });
                }
                Role::Categorical => schema.categorical.push(CategoricalColumn { name, values: None }),
                Role::Time if schema.time.is_none() => schema.time = Some(name),
                Role::Source if schema.source.is_none() => schema.source = Some(name),
                Role::Destination if schema.destination.is_none() => schema.destination = Some(name),
                Role::DestinationPort if schema.destination_port.is_none() => schema.destination_port = Some(name),
                Role::Ignored | Role::Time | Role::Source | Role::Destination | Role::DestinationPort => {
                    schema.ignored.push(name);
                }
            }
        }
        schema.pair_endpoints();
        schema.check().is_ok().then_some(schema)
    }

    /// Leaves half an endpoint out: an address without its counterpart says nothing here.
    fn pair_endpoints(&mut self) {
        if self.source.is_some() && self.destination.is_some() {
            return;
        }
        let halves = [self.source.take(), self.destination.take(), self.destination_port.take()];
        self.ignored.extend(halves.into_iter().flatten());
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect::<String>().to_ascii_lowercase()
}

/// Label columns, the best first.
fn label_columns(sample: &Sample<'_>) -> Vec<usize> {
    let rank = |name: &str| LABELS.iter().position(|label| name.eq_ignore_ascii_case(label));
    let words = |at: usize| sample.column(at).any(|value| value.parse::<f64>().is_err());
    let mut columns: Vec<(bool, usize, usize)> =
        (0..sample.header.len()).filter_map(|at| rank(sample.header[at]).map(|rank| (!words(at), rank, at))).collect();
    columns.sort_unstable();
    columns.into_iter().map(|(_, _, at)| at).collect()
}

fn draft_label(sample: &Sample<'_>, at: usize) -> LabelColumn {
    let values: BTreeSet<&str> = sample.column(at).collect();
    let binary = values.iter().all(|value| matches!(*value, "0" | "1"));
    let attack = binary.then(|| ("1".to_owned(), "attack".to_owned()));
    let number = |value: &&str| value.parse::<f64>().is_ok();
    let zero = binary || values.iter().any(number);
    LabelColumn {
        column: sample.header[at].to_owned(),
        benign: BENIGN.into_iter().filter(|value| zero || !number(value)).map(str::to_owned).collect(),
        undecided: UNDECIDED.map(str::to_owned).to_vec(),
        families: attack.into_iter().collect(),
    }
}

fn role(sample: &Sample<'_>, at: usize) -> Role {
    let name = plain(sample.header[at]);
    let one_of = |names: &[&str]| names.contains(&name.as_str());
    if one_of(&USELESS) {
        return Role::Ignored;
    }
    let word = |value: &&str| value.parse::<f64>().is_err();
    let words: BTreeSet<&str> = sample.column(at).filter(word).collect();
    let (count, words_count) = (sample.column(at).count(), sample.column(at).filter(word).count());
    let addresses = sample.column(at).all(|value| value.parse::<std::net::IpAddr>().is_ok());
    // A broken cell among numbers makes no kind.
    if 2 * words_count > count {
        return match () {
            () if one_of(&TIMES) && readable_times(sample, at) => Role::Time,
            () if one_of(&SOURCES) && addresses => Role::Source,
            () if one_of(&DESTINATIONS) && addresses => Role::Destination,
            () if addresses || one_of(&TIMES) || words.len() > KINDS_MAX => Role::Ignored,
            () => Role::Categorical,
        };
    }
    if one_of(&TIMES) {
        return Role::Time;
    }
    if one_of(&PORTS) {
        return Role::DestinationPort;
    }
    Role::Numeric(transform_for(sample.column(at).filter_map(|value| value.parse::<f64>().ok())))
}

/// The transform that a column of these numbers asks for.
pub(crate) fn transform_for(numbers: impl Iterator<Item = f64>) -> Transform {
    let (low, high) = numbers.fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    if low >= 0.0 && high > HEAVY_TAIL { Transform::Log1p } else { Transform::Identity }
}

fn readable_times(sample: &Sample<'_>, at: usize) -> bool {
    sample.column(at).all(crate::reader::is_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_the_roles_that_names_and_values_suggest() {
        let head = b"id,ts,src_ip,dst_ip,dst_port,src_port,proto,bytes,share,attack_cat,label\n\
            1,2021-06-06T15:57:37Z,10.0.0.1,10.0.0.2,80,4000,tcp,50000,0.5,Normal,0\n\
            2,2021-06-06T15:57:38Z,10.0.0.1,10.0.0.3,80,4001,udp,10,0.1,Fuzzers,1\n3,20";
        let schema = TableSchema::draft("t", head).expect("a table with labels");
        assert_eq!(
            (schema.label.column.as_str(), schema.ignored.join(" ")),
            ("attack_cat", "id src_port label".into())
        );
        assert_eq!(schema.time.as_deref(), Some("ts"));
        assert_eq!([&schema.source, &schema.destination_port], [&Some("src_ip".into()), &Some("dst_port".into())]);
        let numeric: Vec<_> = schema.numeric.iter().map(|column| (column.name.as_str(), column.transform)).collect();
        assert_eq!(numeric, [("bytes", Transform::Log1p), ("share", Transform::Identity)]);
        assert_eq!(schema.categorical[0].name, "proto");
    }

    #[test]
    fn a_binary_label_names_its_family_attack() {
        let schema = TableSchema::draft("t", b"a,label\n1,0\n2,1\n").expect("a table with labels");
        assert_eq!(schema.label.families.get("1").map(String::as_str), Some("attack"));
        assert!(schema.label.benign.contains(&"0".to_owned()));
    }

    #[test]
    fn without_header_or_label_there_is_no_draft() {
        assert_eq!(TableSchema::draft("t", b"1,2\n3,4\n"), None);
        assert_eq!(TableSchema::draft("t", b"a,b\n3,4\n"), None);
        assert_eq!(TableSchema::draft("t", b"\xff\xfe"), None);
    }
}
