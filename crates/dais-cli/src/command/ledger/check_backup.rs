//! `dais ledger check-backup`.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use dais_ledger::backup::{self, BackupError, Checked, Manifest, Place, Unlock, check};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::backup_place::{backup_place, is_local, leave_nothing_unfinished};
use super::source::unlock;
use crate::args::ledger::CheckBackupArgs;
use crate::run::ending;
use crate::screen::figure::{number, plural};
use crate::screen::meter::Meter;
use crate::screen::output::{self, Ink};

const SECONDS_AN_HOUR: f64 = 3_600.0;
/// Exit code of a check that could not be made.
const UNCHECKED: u8 = 2;

pub(super) fn check_backup(args: &CheckBackupArgs) -> anyhow::Result<ExitCode> {
    let place = backup_place(&args.place)?;
    if is_local(&args.place) && !args.place.is_dir() {
        bail!("{} is no folder", args.place.display());
    }
    let unlock = unlock(&args.open)?;
    match args.every {
        Some(every) => again_and_again(args, &place, unlock.as_ref(), every),
        None => once(args, &place, unlock.as_ref()),
    }
}

fn look(args: &CheckBackupArgs, place: &Place, unlock: Option<&Unlock>) -> Result<Checked, BackupError> {
    let mut meter = Meter::new();
    check(place, unlock, args.open.public_key, &std::env::temp_dir(), &mut |progress| meter.show(progress))
}

/// Whether this is what the command is there to notice: a place without a backup is.
fn is_bad(finding: &BackupError) -> bool {
    finding.is_finding() || matches!(finding, BackupError::NoBackup { .. })
}

fn once(args: &CheckBackupArgs, place: &Place, unlock: Option<&Unlock>) -> anyhow::Result<ExitCode> {
    leave_nothing_unfinished()?;
    match look(args, place, unlock) {
        Ok(checked) => {
            let age = Age::of(&checked.backup.manifest, args)?;
            output::print(&if args.open.json {
                format!("{}\n", object(&checked, &age))
            } else {
                words(&checked, &age)
            })?;
            Ok(age.exit_code().into())
        }
        Err(finding) if is_bad(&finding) => {
            if args.open.json {
                output::print(&format!("{}\n", json!({ "ok": false, "message": finding.to_string() })))?;
            } else {
                output::complain(&finding.into());
            }
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// Prints a line for each check. A check that fails, or cannot be made, does not end it unless that was asked for: what
/// it says of the next one is worth more. The exit code after a signal tells whether one failed.
fn again_and_again(
    args: &CheckBackupArgs,
    place: &Place,
    unlock: Option<&Unlock>,
    every: Duration,
) -> anyhow::Result<ExitCode> {
    let failed = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&failed);
    ending::clean_on_signal(move || {
        backup::remove_unfinished();
        Some(i32::from(heard.load(Ordering::SeqCst)))
    })?;
    loop {
        let begun = Instant::now();
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (code, mut object, line) = match look(args, place, unlock) {
            Ok(checked) => {
                let age = Age::of(&checked.backup.manifest, args)?;
                (age.exit_code(), object(&checked, &age), line(&checked, &age))
            }
            Err(error) => {
                let code = if is_bad(&error) { 1 } else { UNCHECKED };
                let what = if code == 1 { "FAILED" } else { "UNCHECKED" };
                (code, json!({ "ok": false, "message": error.to_string() }), format!("{what}  {error}"))
            }
        };
        object["checked"] = now.clone().into();
        output::print(&if args.open.json { format!("{object}\n") } else { format!("{now}  {line}\n") })?;
        if code != 0 {
            failed.store(true, Ordering::SeqCst);
            if args.until_failure {
                return Ok(code.into());
            }
        }
        std::thread::sleep(every.saturating_sub(begun.elapsed()));
    }
}

/// How old a backup is by the clock of this machine.
struct Age {
    /// 0 for one from the future.
    hours: f64,
    is_too_old: bool,
}

impl Age {
    fn of(manifest: &Manifest, args: &CheckBackupArgs) -> anyhow::Result<Self> {
        let created: Timestamp =
            manifest.created.as_str().parse().with_context(|| format!("the time {}", manifest.created))?;
        let hours = ((Timestamp::now().as_second() - created.as_second()) as f64 / SECONDS_AN_HOUR).max(0.0);
        let is_too_old = args.max_age_hours.is_some_and(|most| hours > f64::from(most));
        Ok(Self { hours, is_too_old })
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.is_too_old)
    }

    fn words(&self) -> String {
        format!("{} hours", number(Some((self.hours * 10.0).round() / 10.0)))
    }
}

fn object(checked: &Checked, age: &Age) -> Value {
    json!({
        "ok": !age.is_too_old, "backup": checked.backup.path.display().to_string(), "age_hours": age.hours,
        "too_old": age.is_too_old, "log_verified": checked.verified.is_some(), "manifest": checked.backup.manifest,
    })
}

fn line(checked: &Checked, age: &Age) -> String {
    let what = if age.is_too_old { "FAILED  too old:" } else { "ok " };
    let result = match &checked.verified {
        Some(verified) => format!("{} verified", plural(verified.entries, "entry")),
        None => "checksum compared".to_owned(),
    };
    format!("{what} {}, {result}, made {} ago", checked.backup.path.display(), age.words())
}

fn words(checked: &Checked, age: &Age) -> String {
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
    let made = format!("made {}, {} ago", manifest.created, age.words());
    let made = if age.is_too_old { Ink::of_stdout().strong(&format!("too old: {made}")) } else { made };
    format!("{}\n  {result}\n  head {}\n  {made}\n", checked.backup.path.display(), manifest.root)
}
