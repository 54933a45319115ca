//! `dais clean`.

mod alive;
mod item;
mod log_files;
mod run_files;
mod save;

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, bail};

use self::item::{Found, Item, Kind, Survey};
use crate::args::clean::CleanArgs;
use crate::screen::figure::{bytes, plural, seconds};
use crate::screen::output;
use crate::screen::table::Table;

pub(crate) fn clean(args: &CleanArgs) -> anyhow::Result<ExitCode> {
    let now = SystemTime::now();
    let survey = look(args, now)?;
    output::print(&shown(&survey, now))?;
    if survey.items.is_empty() || args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !args.force && survey.items.iter().any(|item| item.kind == Kind::Ledger) {
        bail!("ledgers are only removed with --force, after a backup of each: nothing was removed");
    }
    if !args.force && !args.yes && !agreed()? {
        output::say("nothing was removed");
        return Ok(ExitCode::SUCCESS);
    }
    for item in survey.items.iter().filter(|item| item.kind == Kind::Ledger) {
        let saved = save::save(item, &args.backup_to)
            .with_context(|| format!("nothing was removed: {} cannot be backed up", item.path.display()))?;
        output::say(&saved);
    }
    let mut freed = 0;
    for item in &survey.items {
        remove(item)?;
        freed += item.bytes;
    }
    output::say(&format!("{} removed, {} freed", plural(survey.items.len() as u64, "item"), bytes(freed)));
    Ok(ExitCode::SUCCESS)
}

fn look(args: &CleanArgs, now: SystemTime) -> anyhow::Result<Survey> {
    let mut survey = Survey::new(args.older_than.and_then(|age| now.checked_sub(age)));
    if args.logs {
        log_files::look(&args.log_file, args.older_than.is_some(), &mut survey)?;
    }
    if args.cache || args.runs || args.database {
        run_files::look(args, &mut survey)?;
    }
    Ok(survey)
}

/// What goes, and what stays for a reason.
fn shown(survey: &Survey, now: SystemTime) -> String {
    let mut lines = Vec::new();
    if survey.items.is_empty() {
        lines.push("Nothing to clean.".to_owned());
    } else {
        let mut table = Table::new(2);
        for Item { kind, path, modified, bytes: size, .. } in &survey.items {
            let age = now.duration_since(*modified).unwrap_or_default().as_secs_f64();
            table.row([kind.name().to_owned(), path.display().to_string(), age_in_words(age), bytes(*size)]);
        }
        let total = survey.items.iter().map(|item| item.bytes).sum();
        table.row(["total".to_owned(), plural(survey.items.len() as u64, "item"), String::new(), bytes(total)]);
        lines.extend(table.lines());
    }
    for (path, why) in &survey.left {
        lines.push(format!("left alone: {}: {why}", path.display()));
    }
    lines.join("\n") + "\n"
}

fn age_in_words(age_s: f64) -> String {
    let days = (age_s / 86_400.0).floor();
    if days >= 1.0 {
        plural(days as u64, "day")
    } else if age_s >= 3600.0 {
        plural((age_s / 3600.0) as u64, "hour")
    } else {
        seconds(age_s)
    }
}

/// Asks; only a person at a terminal can answer.
fn agreed() -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask at: give --yes, or --dry-run to only see; nothing was removed");
    }
    let mut err = io::stderr().lock();
    write!(err, "Remove this? [y/N] ").and_then(|()| err.flush()).context("cannot ask")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Removes the files that were recognised and no others; a folder only when nothing is left in it.
fn remove(item: &Item) -> anyhow::Result<()> {
    for file in item.files.iter().filter(|file| is_as_shown(item, file)) {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", file.display()));
            }
            _ => {}
        }
    }
    match item.folder.as_deref().map(remove_empty) {
        Some(Err(error)) => Err(error).with_context(|| format!("cannot remove {}", item.path.display())),
        _ => Ok(()),
    }
}

/// Whether a file is still what was shown: the answer may have been long in coming, and a run may have taken the place.
/// A ledger is opened for its backup meanwhile, which may touch it.
fn is_as_shown(item: &Item, file: &Path) -> bool {
    item.kind == Kind::Ledger || Found::at(file).is_some_and(|found| found.modified <= item.modified)
}

fn remove_empty(folder: &Path) -> io::Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_written_after_it_was_shown_stays() {
        let place = tempfile::tempdir().unwrap();
        let log_file = place.path().join("dais.log.1");
        fs::write(&log_file, "old").unwrap();
        let mut survey = Survey::new(None);
        log_files::look(&place.path().join("dais.log"), false, &mut survey).unwrap();
        let file = fs::File::options().write(true).open(&log_file).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
        remove(&survey.items[0]).unwrap();
        assert!(log_file.exists());
        file.set_modified(survey.items[0].modified).unwrap();
        remove(&survey.items[0]).unwrap();
        assert!(!log_file.exists());
    }
}
