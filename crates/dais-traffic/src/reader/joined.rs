//! Several logs of one site as one.

use crate::table::renumbered_by_place;
use crate::{Family, Flow, Label};

use super::flows::FlowLog;
use super::tally::ReadStats;

/// Broken rows kept for the report.
const ERRORS_KEPT: usize = 5;

impl FlowLog {
    /// Logs of one site, such as those of its hours, as one log in order of time; `None` where there is none.
    #[must_use]
    pub fn joined(name: &str, logs: Vec<Self>) -> Option<Self> {
        let format = logs.first()?.format;
        let (mut families, mut stats) = (Vec::<Family>::new(), ReadStats::default());
        let mut labelled: Vec<(Flow, Label)> = Vec::with_capacity(logs.iter().map(|log| log.flows.len()).sum());
        for log in logs {
            for family in &log.families {
                if !families.contains(family) {
                    families.push(family.clone());
                }
            }
            let labels = renumbered_by_place(log.labels, &log.families, &families);
            labelled.extend(log.flows.into_iter().zip(labels));
            stats.add(log.stats);
        }
        labelled.sort_by(|a, b| a.0.time_s.total_cmp(&b.0.time_s));
        let (flows, labels) = labelled.into_iter().unzip();
        Some(Self { name: name.to_owned(), format, flows, labels, families, stats })
    }
}

impl ReadStats {
    /// Adds what was read from another file.
    fn add(&mut self, more: Self) {
        self.rows += more.rows;
        self.bad_rows += more.bad_rows;
        self.out_of_order += more.out_of_order;
        self.alerts += more.alerts;
        self.alerted_flows += more.alerted_flows;
        self.flows += more.flows;
        self.packets = self.packets.saturating_add(more.packets);
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.crowded_out += more.crowded_out;
        let room = ERRORS_KEPT.saturating_sub(self.first_errors.len());
        self.first_errors.extend(more.first_errors.into_iter().take(room));
        for (kind, records) in more.other {
            *self.other.entry(kind).or_default() += records;
        }
        for hint in more.hints {
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, ReadOptions, read};

    fn log(times: &[f64], family: &str) -> FlowLog {
        let row = |time| format!("{time}\t10.0.0.1\t10.0.0.2\ttcp\tSF\tMalicious\t{family}\n");
        let rows: String = times.iter().map(row).collect();
        let text = format!("#fields\tts\tid.orig_h\tid.resp_h\tproto\tconn_state\tlabel\tdetailedlabel\n{rows}");
        match read("f", text.as_bytes(), &ReadOptions::default()) {
            Ok(Input::Flows(log)) => log,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flows_of_all_logs_are_in_order_with_their_own_families_and_counted() {
        let logs = vec![log(&[5.0, 7.0], "scan"), log(&[1.0, 6.0], "worm"), log(&[2.0], "scan")];
        let joined = FlowLog::joined("site", logs).expect("three logs");
        let name = |label: &Label| match label {
            Label::Attack(id) => joined.families[usize::from(id.0)].name.clone(),
            Label::Benign | Label::Undecided => String::new(),
        };
        let all: Vec<(f64, String)> =
            joined.flows.iter().zip(&joined.labels).map(|(flow, label)| (flow.time_s, name(label))).collect();
        let expected = [(1.0, "worm"), (2.0, "scan"), (5.0, "scan"), (6.0, "worm"), (7.0, "scan")];
        assert_eq!(all, expected.map(|(time, family)| (time, family.to_owned())));
        assert_eq!((joined.name.as_str(), joined.stats.rows, joined.stats.flows), ("site", 5, 5));
        assert_eq!(FlowLog::joined("none", Vec::new()), None);
    }
}
