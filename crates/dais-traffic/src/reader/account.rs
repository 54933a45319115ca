//! The closing account of a reader: what a file held, and what became of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::tally::ReadStats;

/// What was read from one file, or from several together: every record is in one of the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Flows.
    pub flows: u64,
    /// Packets of all flows, both directions together.
    pub packets: u64,
    /// Payload bytes of all flows, both directions together.
    pub bytes: u64,
    /// Rows, records or packets that are broken and were left out.
    pub broken: u64,
    /// Records that are no flows, by kind; alerts of Suricata are the kind `alert`.
    pub other: BTreeMap<String, u64>,
    /// What is to be said about the input as a whole, in sentences that also say what to do.
    pub hints: Vec<String>,
}

impl Account {
    /// The account of one file.
    #[must_use]
    pub fn of(stats: &ReadStats) -> Self {
        let mut other = stats.other.clone();
        if stats.alerts > 0 {
            *other.entry("alert".to_owned()).or_default() += stats.alerts;
        }
        let ReadStats { flows, packets, bytes, bad_rows: broken, ref hints, .. } = *stats;
        Self { flows, packets, bytes, broken, other, hints: hints.clone() }
    }

    /// Adds the account of another file.
    pub fn add(&mut self, file: Self) {
        self.flows += file.flows;
        self.packets = self.packets.saturating_add(file.packets);
        self.bytes = self.bytes.saturating_add(file.bytes);
        self.broken += file.broken;
        for (kind, records) in file.other {
            *self.other.entry(kind).or_default() += records;
        }
        for hint in file.hints {
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
    }
}

/// One line without hints, such as `2 flows, 1 broken, 8 other (7 arp, 1 dns)`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flows, broken, other, .. } = self;
        let plural = if *flows == 1 { "" } else { "s" };
        write!(f, "{flows} flow{plural}, {broken} broken, {} other", other.values().sum::<u64>())?;
        let mut kinds: Vec<_> = other.iter().collect();
        kinds.sort_by_key(|&(kind, records)| (u64::MAX - records, kind));
        for (at, (kind, records)) in kinds.iter().enumerate() {
            write!(f, "{}{records} {kind}", if at == 0 { " (" } else { ", " })?;
        }
        if kinds.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats() -> ReadStats {
        let other = BTreeMap::from([("arp".to_owned(), 7), ("dns".to_owned(), 9)]);
        ReadStats { flows: 1, packets: 3, bytes: 90, bad_rows: 2, alerts: 1, other, ..ReadStats::default() }
    }

    #[test]
    fn the_line_names_the_most_common_kind_first() {
        assert_eq!(Account::of(&stats()).to_string(), "1 flow, 2 broken, 17 other (9 dns, 7 arp, 1 alert)");
        assert_eq!(Account::default().to_string(), "0 flows, 0 broken, 0 other");
    }

    #[test]
    fn files_add_up_and_share_their_hints() {
        let file = Account { hints: vec!["look there".to_owned()], ..Account::of(&stats()) };
        let mut all = file.clone();
        all.add(file);
        assert_eq!((all.flows, all.packets, all.bytes, all.broken), (2, 6, 180, 4));
        assert_eq!((all.other["dns"], all.hints.len()), (18, 1));
    }

    #[test]
    fn it_is_one_object_for_programs() {
        let text = serde_json::to_string(&Account::of(&stats())).expect("plain data");
        let expected =
            r#"{"flows":1,"packets":3,"bytes":90,"broken":2,"other":{"alert":1,"arp":7,"dns":9},"hints":[]}"#;
        assert_eq!(text, expected);
    }
}
