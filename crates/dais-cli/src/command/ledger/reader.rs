//! Reading entries one after the other, each checked against its stored hash.

use std::ops::{ControlFlow, Range};

use dais_ledger::{Damage, Entry, LedgerError, Storage, leaf_hash};

use super::content;
use crate::args::value::author_name;
use crate::screen::output::{Ink, Lines};

/// Shows the entries of a range until `visit` breaks. Missing and altered entries are errors.
pub(super) fn entries(
    storage: &dyn Storage,
    range: Range<u64>,
    visit: &mut dyn FnMut(u64, Entry) -> anyhow::Result<ControlFlow<()>>,
) -> anyhow::Result<ControlFlow<()>> {
    let mut next = range.start;
    let mut outcome = Ok(ControlFlow::Continue(()));
    storage.scan(range.clone(), &mut |row| {
        outcome = (|| {
            let computed = leaf_hash(row.bytes);
            if row.index != next {
                return Err(LedgerError::from(Damage::EntryMissing { index: next }).into());
            }
            if computed != row.leaf {
                let damage = Damage::EntryAltered { index: row.index, stored: row.leaf, computed };
                return Err(LedgerError::from(damage).into());
            }
            let malformed = |source| LedgerError::from(Damage::EntryMalformed { index: row.index, source });
            let entry = Entry::decode(row.bytes).map_err(malformed)?;
            next += 1;
            visit(row.index, entry)
        })();
        if matches!(outcome, Ok(ControlFlow::Continue(()))) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    match outcome {
        Ok(ControlFlow::Continue(())) if next < range.end => {
            Err(LedgerError::from(Damage::EntryMissing { index: next }).into())
        }
        outcome => outcome,
    }
}

/// How many entries are sealed.
pub(super) fn size(storage: &dyn Storage) -> anyhow::Result<u64> {
    let head = storage.latest_head()?.ok_or(LedgerError::from(Damage::Headless { what: "head" }))?;
    Ok(head.head.size)
}

/// Entries on standard output, a line each.
pub(super) struct Listing {
    lines: Lines,
    json: bool,
    index_columns: usize,
}

impl Listing {
    /// A listing of entries of a log of so many.
    pub(super) fn new(size: u64, json: bool) -> Self {
        Self { lines: Lines::new(), json, index_columns: size.to_string().len().max(5) }
    }

    /// Writes what the columns are.
    pub(super) fn heading(&mut self) -> anyhow::Result<ControlFlow<()>> {
        if self.json {
            return Ok(ControlFlow::Continue(()));
        }
        let heading = format!("{:>1$}    step   author        kind        says", "entry", self.index_columns);
        self.lines.line(&Ink::of_stdout().heading(&heading))
    }

    /// Writes an entry.
    pub(super) fn entry(&mut self, index: u64, entry: &Entry) -> anyhow::Result<ControlFlow<()>> {
        if self.json {
            return self.lines.line(&content::object(index, entry).to_string());
        }
        let columns = self.index_columns;
        self.lines.line(&format!(
            "{index:>columns$}  {:>6}   {:<11}   {:<9}   {}",
            entry.step,
            author_name(entry.author),
            entry.kind.name(),
            content::summary(entry)
        ))
    }

    /// Writes a line that is no entry, left out with JSON.
    pub(super) fn note(&mut self, note: &str) -> anyhow::Result<ControlFlow<()>> {
        if self.json { Ok(ControlFlow::Continue(())) } else { self.lines.line(&Ink::of_stdout().faint(note)) }
    }

    /// Hands on what was written so far.
    pub(super) fn flush(&mut self) -> anyhow::Result<ControlFlow<()>> {
        self.lines.flush()
    }
}
