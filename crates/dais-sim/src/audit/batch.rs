//! The entries of one step, read from a ledger.

use std::ops::ControlFlow;

use dais_ledger::{Damage, Entry, Storage, StorageError, leaf_hash};

use crate::audit::fault::Fault;
use crate::audit::step_entries::Line;

pub(super) fn unreadable(entries_read: u64, source: StorageError) -> Fault {
    let damage = Damage::Unreadable { entries_read, source };
    Fault::damage(damage)
}

/// The entries from `first` up to `size`; stops after the first entry of a further step.
pub(super) fn lines(storage: &dyn Storage, first: u64, size: u64) -> Result<Vec<Line>, Fault> {
    let mut lines: Vec<Line> = Vec::new();
    let mut damage = None;
    storage
        .scan(first..size, &mut |row| {
            let index = first + lines.len() as u64;
            let leaf = leaf_hash(row.bytes);
            let entry = Entry::decode(row.bytes).map_err(|source| Damage::EntryMalformed { index, source });
            let entry = match entry {
                _ if row.index != index => Err(Damage::EntryMissing { index }),
                _ if leaf != row.leaf => Err(Damage::EntryAltered { index, stored: row.leaf, computed: leaf }),
                entry => entry,
            };
            match entry {
                Ok(entry) => {
                    let same = lines.first().is_none_or(|line| line.entry.step == entry.step);
                    lines.push(Line { index, entry, leaf });
                    if same { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                }
                Err(found) => {
                    damage = Some(found);
                    ControlFlow::Break(())
                }
            }
        })
        .map_err(|error| unreadable(first, error))?;
    let read = lines.len() as u64;
    let whole = read == size - first || lines.last().is_some_and(|last| last.entry.step != lines[0].entry.step);
    match damage.or((!whole).then_some(Damage::EntryMissing { index: first + read })) {
        Some(damage) => Err(Fault::damage(damage)),
        None => Ok(lines),
    }
}
