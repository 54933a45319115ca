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
mod source;
mod stats;
mod tail;
mod tiles;
mod upkeep;
mod verify;

use std::process::ExitCode;

use dais_ledger::backup::BackupError;
use dais_ledger::{LedgerError, StorageError};

use crate::args::ledger::LedgerCommand;
use crate::place::unread;
use crate::screen::output;

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
