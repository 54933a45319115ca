//! The ledger that a command works on, and what opens its backups.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use dais_ledger::backup::Unlock;
use dais_ledger::{Storage, System};

use crate::args::group::server::ServerArgs;
use crate::args::ledger::OpenArgs;
use crate::place;

/// The ledger file that a run's folder or a path stands for; what only works on files refuses a server.
pub(super) fn locate(path: &Path) -> anyhow::Result<PathBuf> {
    place::file(place::of(path)?, &|system| match system {
        System::Postgres => "use pg_dump, VACUUM and the like there, or `dais ledger export`",
        System::Mysql => "use mariadb-dump, OPTIMIZE TABLE and the like there, or `dais ledger export`",
    })
}

pub(super) fn open(ledger: &Path, server: &ServerArgs) -> anyhow::Result<Box<dyn Storage>> {
    place::open(&place::of(ledger)?, server)
}

/// What decrypts a backup, read from the files that were named.
pub(super) fn unlock(args: &OpenArgs) -> anyhow::Result<Option<Unlock>> {
    if let Some(path) = &args.identity {
        let identities = Unlock::identities(&read(path)?);
        return Ok(Some(identities.with_context(|| path.display().to_string())?));
    }
    let passphrase = args.passphrase_file.as_deref().map(passphrase).transpose()?;
    Ok(passphrase.map(|text| Unlock::passphrase(&text)).transpose()?)
}

/// The first line of a file.
pub(super) fn passphrase(path: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(read(path)?);
    let Ok(text) = text else { bail!("{}: a passphrase is text", path.display()) };
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}
