//! `dais ledger backup`.

use std::process::ExitCode;

use dais_ledger::backup::{BackupParams, Encryption, Lock, Made, Timestamp, back_up};
use serde_json::json;

use super::backup_place::{backup_place, leave_nothing_unfinished};
use super::source::{locate, passphrase};
use crate::args::ledger::BackupArgs;
use crate::screen::figure::{bytes, plural};
use crate::screen::meter::Meter;
use crate::screen::output;

pub(super) fn backup(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let ledger = locate(&args.ledger)?;
    let place = backup_place(&args.to)?;
    let lock = match &args.passphrase_file {
        Some(path) => Some(Lock::passphrase(&passphrase(path)?)?),
        None if args.recipient.is_empty() => None,
        None => Some(Lock::recipients(&args.recipient)?),
    };
    let created = Timestamp::new(&jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())?;
    let params = BackupParams { created, lock, keep: args.keep, public_key: args.public_key };
    leave_nothing_unfinished()?;
    let mut meter = Meter::new();
    let made = back_up(&ledger, &place, &params, &mut |progress| meter.show(progress))?;
    drop(meter);
    let text = if args.json {
        let removed: Vec<String> = made.removed.iter().map(|path| path.display().to_string()).collect();
        let object = json!({ "backup": made.backup.path.display().to_string(), "manifest": made.backup.manifest, "removed": removed });
        format!("{object}\n")
    } else {
        words(&made)
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn words(made: &Made) -> String {
    let manifest = &made.backup.manifest;
    let encrypted = match manifest.encryption {
        Encryption::None => "",
        Encryption::Age => ", encrypted",
    };
    let mut lines = vec![
        made.backup.path.display().to_string(),
        format!(
            "  {} of {} verified, {} in {}{encrypted}",
            plural(manifest.size, "entry"),
            manifest.origin,
            bytes(manifest.plain_bytes),
            bytes(manifest.file_bytes)
        ),
        format!("  head {}", manifest.root),
    ];
    if !made.removed.is_empty() {
        lines.push(format!("  {} removed", plural(made.removed.len() as u64, "older backup")));
    }
    lines.join("\n") + "\n"
}
