//! `dais ledger restore`.

use std::process::ExitCode;

use anyhow::bail;
use dais_ledger::Location;
use dais_ledger::backup::{BackupError, Existing, RestoreParams, Restored, restore as restore_backup};
use serde_json::json;

use super::backup_place::{backup_place, leave_nothing_unfinished};
use super::source::unlock;
use crate::args::ledger::RestoreArgs;
use crate::screen::figure::{count, plural};
use crate::screen::meter::Meter;
use crate::screen::output;
use dais_runs::LEDGER;

pub(super) fn restore(args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    if let Some(Ok(Location::Server(url))) = args.to.to_str().map(str::parse) {
        bail!(
            "{url} is on a server, a backup is restored to a file: `dais ledger import` brings an export to a server"
        );
    }
    let place = backup_place(&args.place)?;
    let target = if args.to.is_dir() { args.to.join(LEDGER) } else { args.to.clone() };
    let params = RestoreParams {
        unlock: unlock(&args.open)?,
        until: args.until,
        existing: if args.force { Existing::SetAside } else { Existing::Refuse },
        public_key: args.open.public_key,
    };
    leave_nothing_unfinished()?;
    let mut meter = Meter::new();
    let restored = restore_backup(&place, &target, &params, &mut |progress| meter.show(progress));
    drop(meter);
    let restored = match restored {
        Err(error @ BackupError::Exists { .. }) if !args.force => {
            bail!("{error}: --force takes its place and keeps it under another name");
        }
        restored => restored?,
    };
    let text = if args.open.json {
        let object = json!({
            "backup": restored.backup.path.display().to_string(), "target": target.display().to_string(),
            "origin": restored.verified.origin, "saved_entries": restored.backup.manifest.size,
            "entries": restored.verified.entries, "heads": restored.verified.heads, "head": restored.verified.head,
            "set_aside": restored.set_aside.as_ref().map(|path| path.display().to_string()),
        });
        format!("{object}\n")
    } else {
        words(&restored, args.until, &target.display().to_string())
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn words(restored: &Restored, until: Option<u64>, target: &str) -> String {
    let Restored { backup, verified, set_aside } = restored;
    let saved = backup.manifest.size;
    let mut lines = vec![
        format!("{target}, from {}", backup.path.display()),
        format!(
            "  {} and {} of {} verified",
            plural(verified.entries, "entry"),
            plural(verified.heads, "head"),
            verified.origin
        ),
    ];
    if let Some(until) = until {
        let of = if verified.entries == saved { "all of" } else { "of" };
        lines.push(format!(
            "  the last head of at most {} has {}, {of} {} saved",
            plural(until, "entry"),
            count(verified.entries),
            count(saved)
        ));
    }
    lines.push(format!("  head {}", verified.head.head.root));
    if let Some(path) = set_aside {
        lines.push(format!("  the file that was there is now {}", path.display()));
    }
    lines.join("\n") + "\n"
}
