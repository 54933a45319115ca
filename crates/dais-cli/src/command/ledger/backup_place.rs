//! Where backups lie: a folder, or a prefix of an object store.

use std::path::Path;

use anyhow::bail;
use dais_ledger::backup::{self, Place};

use crate::run::ending;

/// How addresses in object stores begin.
const SCHEME: &str = "s3://";

/// The place that was named on the command line.
pub(super) fn backup_place(path: &Path) -> anyhow::Result<Place> {
    match path.to_str() {
        Some(url) if url.starts_with(SCHEME) => store(url),
        Some(other) if other.contains("://") => {
            let scheme = other.split("://").next().unwrap_or_default();
            bail!("{scheme}:// is no place for backups: expected a folder or {SCHEME}BUCKET/PREFIX")
        }
        _ => Ok(Place::local(path)),
    }
}

/// Whether this is a folder of this machine, which may be missing, and not a store.
pub(super) fn is_local(path: &Path) -> bool {
    !path.to_str().is_some_and(|text| text.starts_with(SCHEME))
}

#[cfg(feature = "s3")]
fn store(url: &str) -> anyhow::Result<Place> {
    let texts =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Place::s3(url, texts)?)
}

#[cfg(not(feature = "s3"))]
fn store(_: &str) -> anyhow::Result<Place> {
    bail!("this dais was built without object stores: build it with `--features s3`, or name a folder")
}

/// Ctrl-C and SIGTERM leave no unfinished files behind from now on.
pub(super) fn leave_nothing_unfinished() -> anyhow::Result<()> {
    ending::clean_on_signal(|| {
        backup::remove_unfinished();
        None
    })
}
