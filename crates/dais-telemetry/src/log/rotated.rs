//! The files that a log was rotated to: their names, their compression, and how long they stay.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};

/// How a rotated file is called after the name of the log, in UTC: file names sort by it.
const STAMP: &str = "%Y%m%dT%H%M%S.%6fZ";
/// Ending of compressed files.
const PACKED: &str = ".gz";
/// Ending of files that are being compressed.
const PART: &str = ".gz.part";

/// A file that a log was rotated to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rotated {
    /// When.
    pub(crate) at: Timestamp,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// The path that `log` is rotated to at `now`: one that does not exist, nor exists compressed.
pub(crate) fn free_path(log: &Path, mut now: Timestamp) -> PathBuf {
    loop {
        let path = with_ending(log, &format!(".{}", now.strftime(STAMP)));
        if !path.exists() && !with_ending(&path, PACKED).exists() {
            return path;
        }
        now = now.saturating_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::MIN);
    }
}

/// The files that `log` was rotated to, the oldest first. Other files beside it are not looked at.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn rotated(log: &Path) -> io::Result<Vec<Rotated>> {
    let mut files: Vec<Rotated> = beside(log)?
        .filter_map(|(ending, path)| {
            let stamp = ending.strip_suffix(PACKED).unwrap_or(&ending);
            Some(Rotated { at: stamped(stamp)?, path })
        })
        .collect();
    files.sort();
    Ok(files)
}

/// The time in a name; `None` where it is no name of ours.
pub(crate) fn stamped(stamp: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime(STAMP, stamp).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Removes the oldest files beyond `count`, and those rotated more than `days` ago where that is not 0.
///
/// # Errors
/// The first failure; the other files are removed all the same.
pub(crate) fn retire(log: &Path, count: u32, days: u32, now: Timestamp) -> io::Result<()> {
    let files = rotated(log)?;
    let surplus = files.len().saturating_sub(count as usize);
    let age_max = SignedDuration::from_hours(i64::from(days) * 24);
    let is_old = |file: &Rotated| days > 0 && now.duration_since(file.at) > age_max;
    let mut outcome = Ok(());
    for (at, file) in files.iter().enumerate() {
        if at < surplus || is_old(file) {
            outcome = outcome.and(absent_is_fine(fs::remove_file(&file.path)));
        }
    }
    outcome
}

/// Compresses every rotated file that is not, and clears away what an earlier attempt left unfinished.
///
/// # Errors
/// The first failure; that file stays as it was.
pub(crate) fn pack(log: &Path) -> io::Result<()> {
    for (ending, path) in beside(log)? {
        if ending.strip_suffix(PART).is_some_and(|stamp| stamped(stamp).is_some()) {
            absent_is_fine(fs::remove_file(path))?;
        }
    }
    for Rotated { path, .. } in rotated(log)? {
        if !path.to_string_lossy().ends_with(PACKED) {
            let part = with_ending(&path, PART);
            if let Err(error) = pack_file(&path, &part) {
                drop(fs::remove_file(&part));
                // It may have been removed in the meantime, being old.
                absent_is_fine(Err(error))?;
            }
        }
    }
    Ok(())
}

fn pack_file(path: &Path, part: &Path) -> io::Result<()> {
    let mut from = File::open(path)?;
    let mut to = GzEncoder::new(File::create(part)?, Compression::default());
    io::copy(&mut from, &mut to)?;
    to.finish()?.sync_all()?;
    fs::rename(part, with_ending(path, PACKED))?;
    fs::remove_file(path)
}

/// Files in the folder of `log` whose names continue its own and a dot: what follows the dot, and the path.
pub(crate) fn beside(log: &Path) -> io::Result<impl Iterator<Item = (String, PathBuf)>> {
    let name = log.file_name().map(|name| format!("{}.", name.to_string_lossy())).unwrap_or_default();
    let entries: Vec<_> = fs::read_dir(folder(log))?.collect::<Result<_, _>>()?;
    Ok(entries.into_iter().filter_map(move |entry| {
        let ending = entry.file_name().to_string_lossy().strip_prefix(&name)?.to_owned();
        Some((ending, entry.path()))
    }))
}

/// The folder that a log is in.
pub(crate) fn folder(log: &Path) -> &Path {
    log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(ending);
    PathBuf::from(whole)
}

fn absent_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files_tell_when_and_sort_by_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        let now: Timestamp = "2026-11-21T23:10:05.000001Z".parse().unwrap();
        let first = free_path(&log, now);
        assert!(first.ends_with("a.log.20261121T231005.000001Z"), "{first:?}");
        fs::write(&first, "x").unwrap();
        let second = free_path(&log, now);
        assert_ne!(first, second, "a file is never replaced");
        fs::write(with_ending(&second, PACKED), "x").unwrap();
        for other in ["a.log", "a.log.1", "a.log.old.gz", "b.log.20261121T231005.000001Z"] {
            fs::write(folder.path().join(other), "x").unwrap();
        }
        let found = rotated(&log).unwrap();
        assert_eq!(
            found.iter().map(|file| file.at).collect::<Vec<_>>(),
            [now, "2026-11-21T23:10:05.000002Z".parse().unwrap()]
        );
    }

    #[test]
    fn the_oldest_files_go_by_count_and_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        let day = |day: i8| -> Timestamp { format!("2026-11-{day:02}T00:00:00Z").parse().unwrap() };
        for at in 1..=9 {
            fs::write(free_path(&log, day(at)), "x").unwrap();
        }
        retire(&log, 5, 0, day(10)).unwrap();
        assert_eq!(rotated(&log).unwrap().iter().map(|file| file.at).collect::<Vec<_>>(), [5, 6, 7, 8, 9].map(day));
        retire(&log, 5, 3, day(10)).unwrap();
        assert_eq!(rotated(&log).unwrap().iter().map(|file| file.at).collect::<Vec<_>>(), [7, 8, 9].map(day));
    }

    #[test]
    fn an_unfinished_compression_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        let path = free_path(&log, Timestamp::UNIX_EPOCH);
        fs::write(&path, "a line\n").unwrap();
        fs::write(with_ending(&path, PART), [0x1f, 0x8b, 0]).unwrap();
        pack(&log).unwrap();
        assert!(!path.exists() && !with_ending(&path, PART).exists());
        let mut text = String::new();
        let packed = File::open(with_ending(&path, PACKED)).unwrap();
        io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut text).unwrap();
        assert_eq!(text, "a line\n");
    }
}
