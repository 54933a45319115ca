//! `dais ledger vacuum` and `dais ledger migrate`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use dais_ledger::{Durability, Ledger, Location, SqliteStorage};

use super::source::locate;
use crate::args::ledger::{MigrateArgs, VacuumArgs};
use crate::place;
use crate::screen::figure::{bytes, plural};
use crate::screen::meter::Meter;
use crate::screen::output;

pub(super) fn vacuum(args: &VacuumArgs) -> anyhow::Result<ExitCode> {
    let path = locate(&args.ledger)?;
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let meter = Meter::working("writing the file anew");
    let before = length(&path);
    let ledger = Ledger::open(SqliteStorage::open(&path, Durability::Full)?)?;
    let head = *ledger.head();
    ledger.storage().vacuum()?;
    ledger.into_storage().close()?;
    let ledger = Ledger::open(SqliteStorage::open_read_only(&path)?)?;
    drop(meter);
    // Another process may have appended meanwhile.
    if ledger.root_at(head.head.size)? != head.head.root {
        bail!("{} holds another log than before: restore it from a backup", path.display());
    }
    output::print(&format!(
        "{}\n  {} before, {} now; {} and the head are the same\n",
        path.display(),
        bytes(before),
        bytes(length(&path)),
        plural(head.head.size, "entry")
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn migrate(args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let place = place::of(&args.ledger)?;
    let text = match &place.location {
        Location::Server(url) => {
            // Tables of an earlier version are brought to the newest when they are opened to be written.
            let opened = place.location.open(&args.server.options(Durability::Full));
            drop(opened.map_err(|error| place::failed(&place.location, error))?);
            format!("{url} has the newest format\n")
        }
        Location::Sqlite(_) | Location::Memory => {
            drop(place::open(&place, &args.server)?);
            let format = SqliteStorage::FORMAT;
            format!("{} has ledger format {format}, the newest: nothing to do\n", args.ledger.display())
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
