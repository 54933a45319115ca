//! What was read: flows, other records, broken ones, labels, times.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use dais_traffic::{Account, Family, Label};
use jiff::Timestamp;
use serde::Serialize;

use super::input::{Came, Ended};
use crate::screen::figure::{bytes, count, plural};
use crate::screen::output;

/// What several files held together.
#[derive(Serialize)]
pub(super) struct Summary {
    #[serde(flatten)]
    account: Account,
    /// Flows by what they are said to be.
    labels: BTreeMap<String, u64>,
    /// Start of the first flow, seconds since 1970 or since the start of a capture.
    first_s: Option<f64>,
    /// Start of the last flow.
    last_s: Option<f64>,
    files: Vec<File>,
    /// Whether all flows count, rather than those that a filter takes.
    #[serde(skip)]
    all: bool,
    #[serde(skip)]
    matched: Account,
    #[serde(skip)]
    shown: Option<u64>,
}

/// One file.
#[derive(Serialize)]
struct File {
    file: String,
    format: String,
    #[serde(flatten)]
    account: Account,
    /// The first broken rows, and columns that were left out.
    notes: Vec<String>,
}

/// What a flow is said to be.
pub(super) fn label_name(label: Label, families: &[Family]) -> &str {
    match label {
        Label::Benign => "benign",
        Label::Undecided => "undecided",
        Label::Attack(id) => families.get(usize::from(id.0)).map_or("attack", |family| family.name.as_str()),
    }
}

impl Summary {
    pub(super) fn new(all: bool) -> Self {
        let (account, matched) = (Account::default(), Account::default());
        Self {
            account,
            labels: BTreeMap::new(),
            first_s: None,
            last_s: None,
            files: Vec::new(),
            all,
            matched,
            shown: None,
        }
    }

    /// Counts a flow that is taken.
    pub(super) fn count(&mut self, came: &Came<'_>) {
        let (label, families) = came.label();
        let name = label_name(label, families);
        match self.labels.get_mut(name) {
            Some(flows) => *flows += 1,
            None => drop(self.labels.insert(name.to_owned(), 1)),
        }
        let time = match came {
            Came::Flow { flow, .. } => {
                let packets = flow.packets_out.saturating_add(flow.packets_in);
                self.matched.packets = self.matched.packets.saturating_add(packets);
                let bytes = flow.bytes_out.saturating_add(flow.bytes_in);
                self.matched.bytes = self.matched.bytes.saturating_add(bytes);
                Some(flow.time_s)
            }
            Came::Row(row) => row.time_s(),
        };
        self.matched.flows += 1;
        if let Some(time) = time {
            self.first_s = Some(self.first_s.map_or(time, |first| first.min(time)));
            self.last_s = Some(self.last_s.map_or(time, |last| last.max(time)));
        }
    }

    /// Takes in what is known at the end of a file.
    pub(super) fn end(&mut self, file: &Path, ended: Ended) {
        let account = Account::of(&ended.stats);
        let notes = ended.stats.first_errors.into_iter().chain(ended.notes).collect();
        self.account.add(account.clone());
        self.files.push(File { file: file.display().to_string(), format: ended.format, account, notes });
    }

    /// Says how many flows were shown.
    pub(super) fn shown(&mut self, shown: u64) {
        self.shown = Some(shown);
    }

    /// Flows, packets and bytes are those that the filter takes.
    fn matching(&self) -> Account {
        let Account { flows, packets, bytes, .. } = if self.all { self.account.clone() } else { self.matched.clone() };
        Account { flows, packets, bytes, ..self.account.clone() }
    }

    pub(super) fn json(&mut self) -> anyhow::Result<String> {
        self.account = self.matching();
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail, here and below.
        for File { file, format, account, notes } in &self.files {
            let _ = writeln!(text, "{file}: {format}\n  {account}");
            for line in notes.iter().chain(&account.hints) {
                let _ = writeln!(text, "  {line}");
            }
        }
        let Account { flows, packets, bytes: payload, .. } = self.matching();
        let of = if self.all { String::new() } else { format!(" of {}", count(self.account.flows)) };
        let _ = writeln!(text, "{}{of}, {}, {}", plural(flows, "flow"), plural(packets, "packet"), bytes(payload));
        if let (Some(first), Some(last)) = (self.first_s, self.last_s) {
            let _ = writeln!(text, "from {} to {}", time(first), time(last));
        }
        if self.labels.keys().any(|label| label != "undecided") {
            let mut order: Vec<_> = self.labels.iter().collect();
            order.sort_by_key(|&(name, flows)| (std::cmp::Reverse(*flows), name));
            let shown: Vec<String> =
                order.iter().map(|(name, flows)| format!("{} {}", name.escape_debug(), count(**flows))).collect();
            let _ = writeln!(text, "labels: {}", shown.join(", "));
        }
        text
    }

    /// Says on standard error what there is to say beside the flows themselves.
    pub(super) fn say(&self) {
        for File { file, account, notes, .. } in &self.files {
            if account.broken > 0 || !account.other.is_empty() {
                output::say(&format!("{file}: {account}"));
            }
            for line in notes.iter().chain(&account.hints) {
                output::say(&format!("{file}: {line}"));
            }
        }
        let more = self.shown.map_or(0, |shown| self.matched.flows.saturating_sub(shown));
        if more > 0 {
            output::say(&format!("{} more: --limit shows others", plural(more, "flow")));
        }
    }
}

/// A time of the calendar, or seconds since the start of a capture.
pub(super) fn time(seconds: f64) -> String {
    const YEAR_S: f64 = 31_536_000.0;
    let stamp = (seconds > YEAR_S).then(|| Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()).flatten();
    stamp.map_or_else(|| format!("{seconds:.6}"), |stamp| format!("{stamp:.6}"))
}
