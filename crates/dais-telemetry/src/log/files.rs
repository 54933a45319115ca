//! The files that a log consists of, for those who read it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;

use super::analysis::Entry;
use super::rotated::beside;

/// Lines that are looked at for the time of a file.
const LOOK_LINES: usize = 50;
/// Bytes that are looked at for the time of a file.
const LOOK_BYTES: u64 = 256 * 1024;

/// The log at `path` and what it was rotated to, by whatever program: `path.1`, `path.2.gz`, dated ones. In the order of
/// their first lines.
///
/// # Errors
/// When neither the log nor any rotated file is there, or the folder cannot be read.
pub fn family(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = BTreeSet::new();
    // What is neither a file nor there may still have been rotated.
    if path.exists() {
        paths.insert(path.to_owned());
    }
    for (ending, other) in beside(path)? {
        let stamp = ending.strip_suffix(".gz").unwrap_or(&ending);
        let is_stamp = |c: char| c.is_ascii_digit() || "TZ._:-".contains(c);
        if stamp.starts_with(|c: char| c.is_ascii_digit()) && stamp.chars().all(is_stamp) {
            paths.insert(other);
        }
    }
    if paths.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    // A file that is just being compressed is there twice for a moment.
    let is_twice = |path: &PathBuf| {
        let mut packed = path.as_os_str().to_owned();
        packed.push(".gz");
        paths.contains(Path::new(&packed))
    };
    let mut dated: Vec<_> =
        paths.iter().filter(|path| !is_twice(path)).map(|path| (first_time(path), path.clone())).collect();
    dated.sort();
    Ok(dated.into_iter().map(|(_, path)| path).collect())
}

/// Opens a log, plain or gzip by its content.
///
/// # Errors
/// Those of the file system.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let is_packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// The time of the first line that can be read, else that of the file's last change.
fn first_time(path: &Path) -> Timestamp {
    let changed = || Timestamp::try_from(std::fs::metadata(path).ok()?.modified().ok()?).ok();
    let found = open(path).ok().and_then(|file| {
        let lines = file.take(LOOK_BYTES).split(b'\n').take(LOOK_LINES).map_while(Result::ok);
        lines.filter_map(|line| Entry::parse(&String::from_utf8_lossy(&line))).map(|entry| entry.at).next()
    });
    found.or_else(changed).unwrap_or(Timestamp::MAX)
}
