//! A folder of logs as one site: what a sensor writes, hour by hour, into folders of days.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dais_traffic::{FlowLog, Input, ReadError, ReadOptions};
use sha2::{Digest, Sha256};

use crate::load::{LoadError, open_file};

/// Folders within one another that are looked into.
const DEPTH_MAX: usize = 8;
/// Most files of a folder.
const FILES_MAX: usize = 100_000;
/// Kinds of other files that are named.
const KINDS_SHOWN: usize = 6;

/// Reads the flow logs of a folder, and of the folders in it, as one log. Other files, logs of something else than flows
/// among them, are left alone, and what they are is said.
pub(crate) fn read(folder: &Path, options: &ReadOptions) -> Result<(Input, String), LoadError> {
    let mut files = Vec::new();
    walk(folder, DEPTH_MAX, &mut files)?;
    let (mut logs, mut digests, mut others) = (Vec::new(), Sha256::new(), BTreeMap::<String, u64>::new());
    for file in &files {
        match open_file(file, options) {
            Ok((Input::Flows(log), digest)) => {
                logs.push(log);
                digests.update(digest);
            }
            Ok((Input::Table(_), _)) => *others.entry("labelled table".to_owned()).or_default() += 1,
            Err(LoadError::Read(error)) => *others.entry(kind(error)?).or_default() += 1,
            Err(error) => return Err(error),
        }
    }
    let (count, what) = (logs.len(), named(&others));
    let name = folder.display().to_string();
    let Some(mut log) = FlowLog::joined(&name, logs) else {
        let what = if what.is_empty() { what } else { format!(" ({what})") };
        return Err(LoadError::Folder { folder: folder.to_owned(), files: files.len(), what });
    };
    if !others.is_empty() {
        let others: u64 = others.values().sum();
        log.stats
            .hints
            .push(format!("{count} flow logs were read as one site, {others} other files left alone: {what}"));
    }
    Ok((Input::Flows(log), hex::encode(digests.finalize())))
}

/// The files of a folder in the order of their paths, without hidden ones.
fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let error = |source| LoadError::Open { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(error)? {
        entries.push(entry.map_err(error)?);
    }
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let kind = entry.file_type().map_err(error)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') || files.len() >= FILES_MAX {
            continue;
        }
        // A link to a folder, as Zeek has one to the day at hand, would show its files twice.
        if kind.is_dir() && depth > 0 {
            walk(&path, depth - 1, files)?;
        } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
            files.push(path);
        }
    }
    Ok(())
}

/// What a file is that is no flow log; an error where it is one, but cannot be read.
fn kind(error: ReadError) -> Result<String, LoadError> {
    match error {
        ReadError::OtherLog { path, .. } => Ok(format!("Zeek log of {path}")),
        ReadError::Empty { .. } | ReadError::NoRows { .. } => Ok("empty".to_owned()),
        ReadError::Unknown { .. } => Ok("of another format".to_owned()),
        error @ (ReadError::Directory { .. }
        | ReadError::Io { .. }
        | ReadError::TruncatedGzip { .. }
        | ReadError::CorruptGzip { .. }
        | ReadError::Damaged { .. }
        | ReadError::LinkType { .. }
        | ReadError::Unreadable { .. }
        | ReadError::TooLarge { .. }
        | ReadError::MissingColumn { .. }
        | ReadError::UndescribedColumn { .. }
        | ReadError::TooManyBadRows { .. }
        | ReadError::Schema { .. }) => Err(error.into()),
    }
}

fn named(others: &BTreeMap<String, u64>) -> String {
    let mut order: Vec<(&String, &u64)> = others.iter().collect();
    order.sort_by_key(|&(kind, files)| (std::cmp::Reverse(*files), kind));
    let shown = order.iter().take(KINDS_SHOWN).map(|(kind, files)| format!("{files} {kind}"));
    let rest = order.len().saturating_sub(KINDS_SHOWN);
    let more = (rest > 0).then(|| format!("{rest} more kinds"));
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HEADER: &str = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tproto\tconn_state\n";

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("dais-folder-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(place.join("2024-05-06")).expect("room for files");
        place
    }

    #[test]
    fn logs_of_all_hours_are_one_site_and_other_files_are_named() {
        let place = place("hours");
        let row = |time: u32| format!("{time}\t10.0.0.1\t10.0.0.2\ttcp\tSF\n");
        for (name, text) in [
            ("2024-05-06/conn.11:00:00-12:00:00.log", format!("{HEADER}{}", row(3_700))),
            ("2024-05-06/conn.10:00:00-11:00:00.log", format!("{HEADER}{}{}", row(20), row(10))),
            ("2024-05-06/dns.10:00:00-11:00:00.log", "#separator \\x09\n#path\tdns\n#fields\tts\n".to_owned()),
            ("conn.log", HEADER.to_owned()),
            ("README.md", "hello\n".to_owned()),
            (".hidden", row(1)),
        ] {
            fs::write(place.join(name), text).expect("room for files");
        }
        let read = read(&place, &ReadOptions::default());
        let _ = fs::remove_dir_all(&place);
        let Ok((Input::Flows(log), digest)) = read else { panic!("{read:?}") };
        assert_eq!(log.flows.iter().map(|flow| flow.time_s as u32).collect::<Vec<_>>(), [10, 20, 3_700]);
        assert_eq!((log.name, digest.len()), (place.display().to_string(), 64));
        let hint = "2 flow logs were read as one site, 3 other files left alone: 1 Zeek log of dns, 1 empty, 1 of another format";
        assert_eq!(log.stats.hints, [hint]);
    }

    #[test]
    fn a_folder_without_flows_is_refused_with_what_is_in_it() {
        let place = place("none");
        fs::write(place.join("README.md"), "hello\n").expect("room for files");
        let refused = read(&place, &ReadOptions::default()).map(|_| ()).expect_err("no flow log");
        let _ = fs::remove_dir_all(&place);
        assert!(refused.to_string().contains("no flow log among its 1 files (1 of another format)"), "{refused}");
    }
}
