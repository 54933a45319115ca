//! A first schema for a labelled table, guessed from its header and first rows.

use super::{CategoricalColumn, Missing, NumericColumn, Sample, TableSchema, is_again, label};
use crate::Transform;
use crate::reader::is_missing;

/// Columns that identify a row, or leak its label, in lower case without blanks and underscores.
const USELESS: [&str; 15] = [
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
    "idorigp",
    "l4srcport",
    "rowid",
];

/// Start times, the best first.
const TIMES: [&str; 11] = [
    "ts",
    "time",
    "timestamp",
    "starttime",
    "stime",
    "timestart",
    "flowstart",
    "firstseen",
    "datefirstseen",
    "flowstartmilliseconds",
    "begintime",
];
/// Other times, which are no features.
const ENDS: [&str; 9] =
    ["ltime", "lasttime", "endtime", "timeend", "etime", "flowend", "lastseen", "flowendmilliseconds", "finishtime"];
const SOURCES: [&str; 11] = [
    "source",
    "sourceip",
    "srcip",
    "src",
    "saddr",
    "srcaddr",
    "id.origh",
    "ipv4srcaddr",
    "ipsrc",
    "sourceaddress",
    "idorigh",
];
const DESTINATIONS: [&str; 12] = [
    "destination",
    "destinationip",
    "dstip",
    "dst",
    "daddr",
    "dstaddr",
    "destip",
    "id.resph",
    "ipv4dstaddr",
    "ipdst",
    "destinationaddress",
    "idresph",
];
const PORTS: [&str; 8] =
    ["destinationport", "dstport", "dport", "dsport", "destport", "id.respp", "l4dstport", "idrespp"];

/// Non-negative numbers beyond this are taken as amounts with a heavy tail.
const HEAVY_TAIL: f64 = 100.0;

/// Amounts of which the largest is less than this many times the smallest have no tail: they lie far from zero.
const FAR_FROM_ZERO: f64 = 2.0;

enum Role {
    Numeric(Transform),
    Categorical,
    Ignored,
    /// The place among [`TIMES`].
    Time(usize),
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
    pub(crate) fn draft_of(name: &str, sample: &Sample) -> Option<Self> {
        let labels = label::columns(sample);
        let mut schema = Self {
            name: name.to_owned(),
            delimiter: sample.delimiter,
            header: true,
            columns: Vec::new(),
            numeric: Vec::new(),
            categorical: Vec::new(),
            label: label::draft(sample, &labels)?,
            ignored: Vec::new(),
            missing: Missing::default(),
            time: None,
            source: None,
            destination: None,
            destination_port: None,
        };
        let is_label = |name: &String| *name == schema.label.column || schema.label.verdict.as_ref() == Some(name);
        let others: Vec<usize> = (0..sample.header.len()).filter(|at| !is_label(&sample.header[*at])).collect();
        let mut best_time = usize::MAX;
        for at in others {
            let name = sample.header[at].clone();
            // Other label columns would give the label away; of two columns of one name the first counts.
            let no_feature = labels.contains(&at) || is_again(&name, &sample.header);
            let role = if no_feature { Role::Ignored } else { role(sample, at) };
            match role {
                Role::Numeric(transform) => {
                    let unit = String::new();
                    schema.numeric.push(NumericColumn { name, unit, transform, low: None, high: None });
                }
                Role::Categorical => schema.categorical.push(CategoricalColumn { name, values: None }),
                Role::Time(rank) if rank < best_time => {
                    best_time = rank;
                    schema.ignored.extend(schema.time.replace(name));
                }
                Role::Source if schema.source.is_none() => schema.source = Some(name),
                Role::Destination if schema.destination.is_none() => schema.destination = Some(name),
                Role::DestinationPort if schema.destination_port.is_none() => schema.destination_port = Some(name),
                Role::Ignored | Role::Time(_) | Role::Source | Role::Destination | Role::DestinationPort => {
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

/// A name in lower case, without what differs between those who write it.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect::<String>().to_ascii_lowercase()
}

/// Whether the reader takes a text for a number.
pub(super) fn is_number(text: &str) -> bool {
    crate::reader::number(text.as_bytes()).is_some()
}

fn role(sample: &Sample, at: usize) -> Role {
    let name = plain(&sample.header[at]);
    let one_of = |names: &[&str]| names.contains(&name.as_str());
    if one_of(&USELESS) {
        return Role::Ignored;
    }
    let there = || sample.column(at).filter(|value| !is_missing(value.as_bytes()));
    let (count, words_count) = (there().count(), there().filter(|value| !is_number(value)).count());
    let addresses = count > 0 && there().all(|value| value.parse::<std::net::IpAddr>().is_ok());
    let time = TIMES.iter().position(|time| *time == name);
    if one_of(&ENDS) {
        return Role::Ignored;
    }
    // A broken cell among numbers makes no kind; a column that is empty so far may hold anything.
    if 2 * words_count > count || count == 0 {
        return match time {
            Some(rank) if readable_times(sample, at) => Role::Time(rank),
            None if one_of(&SOURCES) && addresses => Role::Source,
            None if one_of(&DESTINATIONS) && addresses => Role::Destination,
            None if one_of(&PORTS) => Role::DestinationPort,
            None if !addresses => Role::Categorical,
            Some(_) | None => Role::Ignored,
        };
    }
    match time {
        Some(rank) => Role::Time(rank),
        None if one_of(&PORTS) => Role::DestinationPort,
        // Addresses by another name, such as the number of a network, say who somebody is and not what it does.
        None if one_of(&SOURCES) || one_of(&DESTINATIONS) => Role::Ignored,
        None => Role::Numeric(transform_for(there().filter_map(|value| crate::reader::number(value.as_bytes())))),
    }
}

/// The transform that a column of these numbers asks for.
pub(crate) fn transform_for(numbers: impl Iterator<Item = f64>) -> Transform {
    let (low, high) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let tailed = low >= 0.0 && high > HEAVY_TAIL && high > FAR_FROM_ZERO * low;
    if tailed { Transform::Log1p } else { Transform::Identity }
}

fn readable_times(sample: &Sample, at: usize) -> bool {
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
        assert_eq!((schema.label.column.as_str(), schema.ignored.join(" ")), ("attack_cat", "id src_port".into()));
        assert_eq!(schema.label.verdict.as_deref(), Some("label"));
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
    fn names_of_attacks_that_ordinary_rows_lack_are_read_together_with_the_verdict() {
        for head in ["a,attack_cat,label\n1,,0\n2,,0\n", "a,category,attack\n1,DoS,1\n2,Normal,0\n"] {
            let label = TableSchema::draft("t", head.as_bytes()).expect("a table with labels").label;
            let expected = if head.contains("cat,") { ("attack_cat", "label") } else { ("category", "attack") };
            assert_eq!((label.column.as_str(), label.verdict.as_deref()), (expected.0, Some(expected.1)));
        }
        let turned = TableSchema::draft("t", b"a,category,attack\n1,DoS,0\n2,Normal,1\n").expect("a table").label;
        assert_eq!((turned.column.as_str(), turned.verdict), ("category", None), "here 1 does not mean an attack");
        let alone = TableSchema::draft("t", b"a,attack_cat\n1,DoS\n2,\n").expect("a table").label;
        assert!(alone.benign.contains(&String::new()), "nothing but an empty name can mean benign");
        let both = TableSchema::draft("t", b"a,label\n1,normal\n2,\n").expect("a table").label;
        assert!(!both.benign.contains(&String::new()));
    }

    #[test]
    fn the_best_time_counts_ends_do_not_and_numbers_of_networks_are_no_feature() {
        let head = b"time_end,time_start,src_ip,dest_ip,bytes,bytes,label\n5,4,786,99,1,1,a\n9,8,786,4,2,2,a\n";
        let schema = TableSchema::draft("t", head).expect("a table with labels");
        assert_eq!(schema.time.as_deref(), Some("time_start"));
        assert_eq!(schema.ignored, ["time_end", "src_ip", "dest_ip", "bytes (2)"]);
    }

    #[test]
    fn numbers_far_from_zero_are_scaled_as_they_are() {
        let transform = |numbers: &[f64]| transform_for(numbers.iter().copied());
        assert_eq!(transform(&[0.0, 5_000.0]), Transform::Log1p);
        for numbers in [&[1.6e9, 1.6e9 + 5.0][..], &[0.0, 1.0], &[-1.0, 500.0], &[]] {
            assert_eq!(transform(numbers), Transform::Identity, "{numbers:?}");
        }
    }

    #[test]
    fn without_header_or_label_there_is_no_draft() {
        assert_eq!(TableSchema::draft("t", b"1,2\n3,4\n"), None);
        assert_eq!(TableSchema::draft("t", b"a,b\n3,4\n"), None);
        assert_eq!(TableSchema::draft("t", b"\xff\xfe"), None);
    }
}
