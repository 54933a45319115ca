//! `dais ledger check-backup`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_ledger::backup::{BackupError, Checked, Manifest, check};
use jiff::Timestamp;
use serde_json::json;

use super::unlock;
use crate::figures::{number, plural};
use crate::ledger_args::CheckBackupArgs;
use crate::meter::Meter;
use crate::output::{self, Ink};

const SECONDS_AN_HOUR: f64 = 3_600.0;

pub(super) fn check_backup(args: &CheckBackupArgs) -> anyhow::Result<ExitCode> {
    if !args.folder.is_dir() {
        bail!("{} is no folder", args.folder.display());
    }
    let unlock = unlock(&args.open)?;
    let mut meter = Meter::new();
    let temporary = std::env::temp_dir();
    let checked =
        check(&args.folder, unlock.as_ref(), args.open.public_key, &temporary, &mut |progress| meter.show(progress));
    drop(meter);
    let finding = match checked {
        Ok(checked) => return tell(&checked, args),
        // A folder without a backup is what this command is there to notice.
        Err(finding) if finding.is_finding() || matches!(finding, BackupError::NoBackup { .. }) => finding,
        Err(error) => return Err(error.into()),
    };
    if args.open.json {
        output::print(&format!("{}\n", json!({ "ok": false, "message": finding.to_string() })))?;
    } else {
        output::complain(&finding.into());
    }
    Ok(ExitCode::FAILURE)
}

fn tell(checked: &Checked, args: &CheckBackupArgs) -> anyhow::Result<ExitCode> {
    let manifest = &checked.backup.manifest;
    let hours = age_hours(manifest)?;
    let old = args.max_age_hours.is_some_and(|most| hours > f64::from(most));
    let text = if args.open.json {
        let object = json!({
            "ok": !old, "backup": checked.backup.path.display().to_string(), "age_hours": hours, "too_old": old,
            "log_verified": checked.verified.is_some(), "manifest": manifest,
        });
        format!("{object}\n")
    } else {
        words(checked, hours, old)
    };
    output::print(&text)?;
    Ok(if old { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn words(checked: &Checked, hours: f64, old: bool) -> String {
    let ink = Ink::of_stdout();
    let manifest = &checked.backup.manifest;
    let result = match &checked.verified {
        Some(verified) => format!(
            "checksum, {} and {} of {} verified",
            plural(verified.entries, "entry"),
            plural(verified.heads, "head"),
            verified.origin
        ),
        None => "checksum compared; the log in it is encrypted: --identity verifies it too".to_owned(),
    };
    let age = format!("made {}, {} hours ago", manifest.created, number(Some((hours * 10.0).round() / 10.0)));
    let age = if old { ink.strong(&format!("too old: {age}")) } else { age };
    format!("{}\n  {result}\n  head {}\n  {age}\n", checked.backup.path.display(), manifest.root)
}

/// How old a backup is by the clock of this machine; 0 for one from the future.
fn age_hours(manifest: &Manifest) -> anyhow::Result<f64> {
    let created: Timestamp =
        manifest.created.as_str().parse().with_context(|| format!("the time {}", manifest.created))?;
    Ok(((Timestamp::now().as_second() - created.as_second()) as f64 / SECONDS_AN_HOUR).max(0.0))
}
