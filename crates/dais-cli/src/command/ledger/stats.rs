//! `dais ledger stats`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use dais_ledger::{COORDINATOR, Kind, Location, SignedHead, Storage};
use serde_json::{Map, Value, json};

use super::reader;
use crate::args::ledger::StatsArgs;
use crate::place;
use crate::screen::figure::{bytes, count, percent, plural};
use crate::screen::meter::Meter;
use crate::screen::output::{self, Ink};
use crate::screen::table::Table;

/// What is counted of a ledger.
#[derive(Default)]
struct Stats {
    /// Entries and bytes of bodies by kind, in the order of [`Kind::ALL`].
    kinds: [(u64, u64); Kind::ALL.len()],
    heads: u64,
    authors: BTreeSet<u32>,
    steps: Option<(u32, u32)>,
    head: Option<SignedHead>,
    location: String,
    /// Bytes of the file and of its write-ahead log, where the ledger is one.
    file: Option<(u64, u64)>,
}

pub(super) fn stats(args: &StatsArgs) -> anyhow::Result<ExitCode> {
    let place = place::of(&args.ledger)?;
    let storage = place::open(&place, &args.server)?;
    let origin = storage.identity()?.map(|identity| identity.origin.to_string()).unwrap_or_default();
    let meter = Meter::working("counting");
    let stats = gather(&*storage, &place.location)?;
    drop(meter);
    let text = if args.json { format!("{}\n", stats.json(&origin)) } else { stats.text(&origin, Ink::of_stdout()) };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn gather(storage: &dyn Storage, location: &Location) -> anyhow::Result<Stats> {
    let mut stats = Stats::default();
    let size = reader::size(storage)?;
    let _ = reader::entries(storage, 0..size, &mut |_, entry| {
        let (entries, bytes) = &mut stats.kinds[usize::from(entry.kind.code()) - 1];
        *entries += 1;
        *bytes += entry.body.len() as u64;
        stats.authors.insert(entry.author);
        let (first, last) = stats.steps.unwrap_or((entry.step, entry.step));
        stats.steps = Some((first.min(entry.step), last.max(entry.step)));
        Ok(ControlFlow::Continue(()))
    })?;
    while let Some(head) = storage.next_head(stats.head.map(|head| head.head.size))?.filter(|h| h.head.size <= size) {
        stats.heads += 1;
        stats.head = Some(head);
    }
    if let Location::Sqlite(path) = location {
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        stats.file = Some((length(path), length(Path::new(&log))));
    }
    stats.location = place::shown_location(location);
    Ok(stats)
}

impl Stats {
    fn entries(&self) -> u64 {
        self.kinds.iter().map(|(entries, _)| entries).sum()
    }

    fn body_bytes(&self) -> u64 {
        self.kinds.iter().map(|(_, bytes)| bytes).sum()
    }

    fn agents(&self) -> u64 {
        self.authors.iter().filter(|&&author| author != COORDINATOR).count() as u64
    }

    fn json(&self, origin: &str) -> Value {
        let kinds: Map<String, Value> = Kind::ALL
            .into_iter()
            .zip(self.kinds)
            .map(|(kind, (entries, bytes))| {
                (kind.name().to_owned(), json!({ "entries": entries, "body_bytes": bytes }))
            })
            .collect();
        json!({
            "origin": origin, "entries": self.entries(), "body_bytes": self.body_bytes(), "kinds": kinds,
            "heads": self.heads, "head": self.head, "agents": self.agents(),
            "first_step": self.steps.map(|(first, _)| first), "last_step": self.steps.map(|(_, last)| last),
            "location": self.location,
            "file_bytes": self.file.map(|(bytes, _)| bytes), "wal_bytes": self.file.map(|(_, log)| log),
        })
    }

    fn text(&self, origin: &str, ink: Ink) -> String {
        let mut table = Table::new(1);
        table.row(["kind", "entries", "share", "bodies", "mean"]);
        let total = self.entries();
        let row = |name: &str, entries: u64, body_bytes: u64| {
            let share = percent((total > 0).then(|| entries as f64 / total as f64));
            let mean = body_bytes.checked_div(entries).map_or_else(|| crate::screen::figure::NOTHING.to_owned(), bytes);
            [name.to_owned(), count(entries), share, bytes(body_bytes), mean]
        };
        for (kind, (entries, body_bytes)) in Kind::ALL.into_iter().zip(self.kinds) {
            table.row(row(kind.name(), entries, body_bytes));
        }
        table.row(row("all", total, self.body_bytes()));
        let mut facts = Table::new(2);
        if let Some((first, last)) = self.steps {
            facts.row(["steps".to_owned(), format!("{} to {}", count(first.into()), count(last.into()))]);
        }
        facts.row(["authors".to_owned(), format!("{} and the coordinator", plural(self.agents(), "agent"))]);
        facts.row(["heads".to_owned(), count(self.heads)]);
        if let Some(head) = &self.head {
            facts.row(["head".to_owned(), head.head.root.to_string()]);
        }
        facts.row(match self.file {
            Some((file, 0)) => ["file".to_owned(), bytes(file)],
            Some((file, log)) => ["file".to_owned(), format!("{} and {} of write-ahead log", bytes(file), bytes(log))],
            None => ["server".to_owned(), self.location.clone()],
        });
        let mut lines = vec![ink.heading(origin)];
        lines.extend(table.lines());
        lines.extend(facts.lines());
        lines.join("\n") + "\n"
    }
}
