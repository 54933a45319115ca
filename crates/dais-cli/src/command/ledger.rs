//! `dais ledger`: looking into a ledger and operating it.

mod backup;
mod backup_place;
mod check_backup;
mod check_proof;
mod content;
mod prove;
mod reader;
mod restore;
mod salvage;
mod show;
mod stats;
mod tail;
mod tiles;
mod upkeep;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_ledger::backup::{BackupError, Unlock};
use dais_ledger::{LedgerError, Storage, StorageError, System};

use crate::ledger_args::{LedgerCommand, OpenArgs};
use crate::output;
use crate::place::{Place, unread};
use crate::server_args::ServerArgs;

/// Name of the ledger in the folder of a run.
const LEDGER: &str = crate::run_folder::LEDGER;

pub(crate) fn ledger(command: &LedgerCommand) -> anyhow::Result<ExitCode> {
    let outcome = match command {
        LedgerCommand::Show(args) => show::show(args),
        LedgerCommand::Tail(args) => tail::tail(args),
        LedgerCommand::Prove(args) => prove::prove(args),
        LedgerCommand::CheckProof(args) => check_proof::check_proof(args),
        LedgerCommand::Verify(args) => verify::verify(args),
        LedgerCommand::Stats(args) => stats::stats(args),
        LedgerCommand::Backup(args) => backup::backup(args),
        LedgerCommand::Restore(args) => restore::restore(args),
        LedgerCommand::CheckBackup(args) => check_backup::check_backup(args),
        LedgerCommand::Export(args) => tiles::export(args),
        LedgerCommand::VerifyExport(args) => tiles::verify_export(args),
        LedgerCommand::Import(args) => tiles::import(args),
        LedgerCommand::Salvage(args) => salvage::salvage(args),
        LedgerCommand::Vacuum(args) => upkeep::vacuum(args),
        LedgerCommand::Migrate(args) => upkeep::migrate(args),
    };
    match outcome {
        Err(error) if is_finding(&error) => {
            output::complain(&error);
            Ok(ExitCode::FAILURE)
        }
        outcome => outcome,
    }
}

/// Whether what was read does not hold, as opposed to wrong usage or input.
fn is_finding(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let damaged = matches!(cause.downcast_ref(), Some(LedgerError::Damaged(damage)) if unread(damage).is_none());
        let corrupt = matches!(cause.downcast_ref(), Some(StorageError::Corrupt { .. }));
        damaged || corrupt || cause.downcast_ref().is_some_and(BackupError::is_finding)
    })
}

/// The ledger file that a run's folder or a path stands for; what only works on files refuses a server.
fn locate(path: &Path) -> anyhow::Result<PathBuf> {
    Place::of(path)?.file(&|system| match system {
        System::Postgres => "use pg_dump, VACUUM and the like there, or `dais ledger export`",
        System::Mysql => "use mariadb-dump, OPTIMIZE TABLE and the like there, or `dais ledger export`",
    })
}

fn open(ledger: &Path, server: &ServerArgs) -> anyhow::Result<Box<dyn Storage>> {
    Place::of(ledger)?.open(server)
}

/// What decrypts a backup, read from the files that were named.
fn unlock(args: &OpenArgs) -> anyhow::Result<Option<Unlock>> {
    if let Some(path) = &args.identity {
        let identities = Unlock::identities(&read(path)?);
        return Ok(Some(identities.with_context(|| path.display().to_string())?));
    }
    let passphrase = args.passphrase_file.as_deref().map(passphrase).transpose()?;
    Ok(passphrase.map(|text| Unlock::passphrase(&text)).transpose()?)
}

/// The first line of a file.
fn passphrase(path: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(read(path)?);
    let Ok(text) = text else { bail!("{}: a passphrase is text", path.display()) };
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}
