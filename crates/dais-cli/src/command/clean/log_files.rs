//! Log files: the one that is written to, and those that were rotated away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use dais_runs::folder_of;

use super::item::{Found, Kind, Survey};

/// `current_too`: also the file itself, when it is old enough that nobody writes to it any more.
pub(super) fn look(log_file: &Path, current_too: bool, survey: &mut Survey) -> anyhow::Result<()> {
    let Some(name) = log_file.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    let folder = folder_of(log_file);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for file in paths.iter().filter_map(|path| Found::at(path)) {
        let is_wanted = is_rotated(&file.name, name) || (current_too && file.name == name);
        if is_wanted && survey.is_old(file.modified) {
            survey.add(Kind::Log, &file.path, &[&file], None);
        } else if file.name == name && !current_too {
            survey.leave(&file.path, "it may be open; --older-than removes it when nobody wrote to it for so long");
        }
    }
    Ok(())
}

/// `dais.log.1`, `dais.log.2.gz`, `dais.log.2026-11-21.gz`: the name, a number or time, maybe packed.
fn is_rotated(name: &str, log: &str) -> bool {
    let Some(rest) = name.strip_prefix(log).and_then(|rest| rest.strip_prefix('.')) else { return false };
    let rest = rest.strip_suffix(".gz").unwrap_or(rest);
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | 'T' | 'Z');
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(is_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_told_from_others_beside_them() {
        for rotated in ["dais.log.1", "dais.log.12.gz", "dais.log.2026-11-21", "dais.log.2026-11-21T08-30-00Z.gz"] {
            assert!(is_rotated(rotated, "dais.log"), "{rotated}");
        }
        for other in
            ["dais.log", "dais.log.", "dais.log.gz", "dais.log.bak", "dais.log.1.txt", "other.log.1", "dais.log1"]
        {
            assert!(!is_rotated(other, "dais.log"), "{other}");
        }
    }
}
