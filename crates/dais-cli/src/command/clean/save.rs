//! The backup of a ledger before it goes.

use std::path::Path;

use anyhow::bail;
use dais_ledger::backup::{BackupParams, Place, Timestamp, back_up, check};

use super::item::Item;
use crate::screen::figure::plural;
use dais_runs::LEDGER;

/// Backs the ledger up and reads the backup back as a whole; says where it is.
///
/// # Errors
/// A ledger that does not hold, a place that cannot be written, a backup with another head than the ledger's.
pub(super) fn save(item: &Item, to: &Path) -> anyhow::Result<String> {
    let ledger = item.files.iter().find(|file| file.ends_with(LEDGER)).unwrap_or(&item.path);
    let created = Timestamp::new(&jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())?;
    let params = BackupParams { created, lock: None, keep: None, public_key: None };
    let made = back_up(ledger, Place::local(to), &params, &mut |_| {})?;
    let path = made.backup.path;
    let checked = check(Place::local(&path), None, Some(made.backup.manifest.public_key), to, &mut |_| {})?;
    let same = checked.backup.manifest.root == made.backup.manifest.root;
    if checked.verified.is_none() || !same {
        bail!("the backup {} is not the ledger that was saved", path.display());
    }
    let entries = plural(made.backup.manifest.size, "entry");
    Ok(format!("{}: {entries} saved and verified in {}", item.path.display(), path.display()))
}
