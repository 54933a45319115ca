use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::rotated::{Rotated, folder, free_path, pack, retire, rotated};
use super::{LogParams, Rotation};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 * 1024;
/// Longest that the end of a program waits for the compression of a file. What is not finished is done at the next start.
const PACKING_MAX: Duration = Duration::from_secs(10);

/// A log file that is rotated by size and age.
///
/// Lines are gathered, and never torn: where writing fails in the middle of one, the next begins in a line of its own.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    /// Bytes in the file, without those gathered.
    bytes: u64,
    period: i64,
    /// Pipes and devices are written to, but not renamed.
    is_regular: bool,
    is_torn: bool,
    gathered: Vec<u8>,
    lines: u64,
    /// Size at which the file is rotated: more than asked for after a rotation that failed.
    bytes_max: u64,
    params: LogParams,
    packing: Option<JoinHandle<io::Result<()>>>,
}

/// Why lines were lost.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) lines: u64,
    pub(crate) error: io::Error,
}

impl LogFile {
    /// Opens the file for appending, and makes its folder where it is missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn open(path: PathBuf, params: &LogParams, now: Timestamp) -> io::Result<Self> {
        fs::create_dir_all(folder(&path))?;
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let metadata = file.metadata()?;
        let bytes = metadata.len();
        let written = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(now);
        // Where it may be written but not read, a line that was cut is left as it is.
        let is_torn = metadata.is_file() && bytes > 0 && last_byte(&path).is_ok_and(|last| last != b'\n');
        let since = if bytes > 0 { written } else { now };
        let mut log = Self {
            path,
            file,
            bytes,
            period: period(params.rotate, since),
            is_regular: metadata.is_file(),
            is_torn,
            gathered: Vec::with_capacity(BUFFER_BYTES),
            lines: 0,
            bytes_max: params.max_bytes,
            params: params.clone(),
            packing: None,
        };
        if log.is_regular {
            log.tidy(now)?;
        }
        Ok(log)
    }

    /// Takes a line; it is written when enough are gathered, or with [`LogFile::flush`]. Tells how many lines were written.
    ///
    /// # Errors
    /// How many lines were lost, and why; later ones may fare better.
    pub(crate) fn push(&mut self, line: &str, now: Timestamp) -> Result<u64, Lost> {
        let whole = self.bytes + (self.gathered.len() + line.len()) as u64;
        let is_over = period(self.params.rotate, now) != self.period;
        let mut written = 0;
        if self.is_regular && (whole > self.bytes_max || is_over) && (self.bytes > 0 || !self.gathered.is_empty()) {
            written = self.flush()?;
            self.rotate(now).map_err(|error| Lost { lines: 0, error })?;
        }
        self.period = period(self.params.rotate, now);
        self.gathered.extend_from_slice(line.as_bytes());
        self.lines += 1;
        if self.gathered.len() >= BUFFER_BYTES {
            written += self.flush()?;
        }
        Ok(written)
    }

    /// Writes what is gathered; tells how many lines those were.
    ///
    /// # Errors
    /// How many lines were lost, and why.
    pub(crate) fn flush(&mut self) -> Result<u64, Lost> {
        let lines = std::mem::take(&mut self.lines);
        let gathered = std::mem::take(&mut self.gathered);
        let outcome = self.write(&gathered);
        self.gathered = gathered;
        self.gathered.clear();
        match outcome {
            Ok(()) => Ok(lines),
            Err((error, whole_lines)) => Err(Lost { lines: lines.saturating_sub(whole_lines), error }),
        }
    }

    /// Writes all or tells why not, and how many lines were written whole.
    fn write(&mut self, bytes: &[u8]) -> Result<(), (io::Error, u64)> {
        if self.is_torn && !bytes.is_empty() {
            self.file.write_all(b"\n").map_err(|error| (error, 0))?;
            self.bytes += 1;
            self.is_torn = false;
        }
        let mut done = 0;
        while done < bytes.len() {
            let error = match self.file.write(&bytes[done..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(written) => {
                    done += written;
                    self.bytes += written as u64;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            self.is_torn = done > 0 && bytes[done - 1] != b'\n';
            let whole = bytes[..done].split(|byte| *byte == b'\n').count() - 1;
            return Err((error, whole as u64));
        }
        Ok(())
    }

    fn rotate(&mut self, now: Timestamp) -> io::Result<()> {
        let renamed = if self.params.backup_count == 0 { self.file.set_len(0) } else { self.renew(now) };
        if let Err(error) = renamed {
            // Lines matter more than the bound: the file is written on, and rotated at twice its size.
            self.bytes_max = self.bytes.saturating_add(self.params.max_bytes);
            return Err(error);
        }
        (self.bytes, self.bytes_max, self.is_torn) = (0, self.params.max_bytes, false);
        self.tidy(now)
    }

    fn renew(&mut self, now: Timestamp) -> io::Result<()> {
        let aside = free_path(&self.path, now);
        fs::rename(&self.path, &aside)?;
        match OpenOptions::new().create(true).append(true).open(&self.path) {
            Ok(file) => {
                self.file = file;
                Ok(())
            }
            // The old file goes on under its old name.
            Err(error) => fs::rename(&aside, &self.path).and(Err(error)),
        }
    }

    /// Removes what is to be kept no longer, and has the rest compressed on a thread.
    fn tidy(&mut self, now: Timestamp) -> io::Result<()> {
        retire(&self.path, self.params.backup_count, self.params.retention_days, now)?;
        // Where the last compression is not finished the next one takes these files, too.
        if !self.params.compress || self.packing.as_ref().is_some_and(|packing| !packing.is_finished()) {
            return Ok(());
        }
        let finished = self.packing.take().and_then(|packing| packing.join().ok());
        let path = self.path.clone();
        self.packing = Some(std::thread::Builder::new().name("log-gzip".to_owned()).spawn(move || pack(&path))?);
        finished.unwrap_or(Ok(()))
    }
}

impl LogFile {
    fn wait_for_packing(&self, deadline: Instant) {
        while Instant::now() < deadline && self.packing.as_ref().is_some_and(|packing| !packing.is_finished()) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for LogFile {
    /// Waits a little for what is being compressed, and compresses what was rotated meanwhile.
    fn drop(&mut self) {
        let deadline = Instant::now() + PACKING_MAX;
        self.wait_for_packing(deadline);
        let is_plain = |file: &Rotated| file.path.extension().is_none_or(|ending| ending != "gz");
        let is_left = || rotated(&self.path).is_ok_and(|files| files.iter().any(is_plain));
        if self.is_regular && self.params.compress && is_left() && self.tidy(Timestamp::now()).is_ok() {
            self.wait_for_packing(deadline);
        }
    }
}

fn last_byte(path: &Path) -> io::Result<u8> {
    let mut file = File::open(path)?;
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last[0])
}

/// The hour or day that a time is in, counted from 1970.
fn period(rotation: Rotation, at: Timestamp) -> i64 {
    match rotation {
        Rotation::Never => 0,
        Rotation::Hourly => at.as_second().div_euclid(3600),
        Rotation::Daily => at.as_second().div_euclid(86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn plain() -> LogParams {
        LogParams { max_bytes: 4096, compress: false, backup_count: 3, ..LogParams::default() }
    }

    #[test]
    fn a_file_is_rotated_before_it_outgrows_its_size_and_loses_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/a.log");
        let params = LogParams { backup_count: 100, ..plain() };
        let mut log = LogFile::open(path.clone(), &params, at("2026-01-01T00:00:00Z")).unwrap();
        let mut written = 0;
        for n in 0..1000 {
            written += log.push(&format!("line {n:04} {}\n", "x".repeat(90)), at("2026-01-01T00:00:01Z")).unwrap();
        }
        written += log.flush().unwrap();
        assert_eq!(written, 1000);
        let mut text = String::new();
        for file in rotated(&path).unwrap() {
            let one = fs::read_to_string(&file.path).unwrap();
            assert!(one.len() <= 4096 && one.ends_with('\n'), "{} bytes", one.len());
            text.push_str(&one);
        }
        text.push_str(&fs::read_to_string(&path).unwrap());
        let numbers: Vec<usize> = text.lines().map(|line| line[5..9].parse().unwrap()).collect();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_file_is_rotated_by_the_hour_even_when_it_was_begun_by_an_earlier_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let params = LogParams { rotate: Rotation::Hourly, ..plain() };
        fs::write(&path, "from an earlier process\n").unwrap();
        let now = Timestamp::now() + SignedHour::ONE;
        let mut log = LogFile::open(path.clone(), &params, now).unwrap();
        log.push("one\n", now).unwrap();
        log.push("two\n", now).unwrap();
        log.push("three\n", now + SignedHour::ONE).unwrap();
        log.flush().unwrap();
        let texts: Vec<_> =
            rotated(&path).unwrap().iter().map(|file| fs::read_to_string(&file.path).unwrap()).collect();
        assert_eq!(texts, ["from an earlier process\n", "one\ntwo\n"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    }

    struct SignedHour;

    impl SignedHour {
        const ONE: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
    }

    #[test]
    fn a_line_cut_by_a_crash_is_ended_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, "whole\nhal").unwrap();
        let mut log = LogFile::open(path.clone(), &plain(), Timestamp::now()).unwrap();
        log.push("next\n", Timestamp::now()).unwrap();
        log.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nhal\nnext\n");
    }

    #[test]
    fn rotated_files_are_compressed_and_stay_within_their_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let params = LogParams { compress: true, ..plain() };
        let now = Timestamp::now();
        let mut log = LogFile::open(path.clone(), &params, now).unwrap();
        for _ in 0..500 {
            log.push(&format!("{}\n", "x".repeat(99)), now).unwrap();
        }
        log.flush().unwrap();
        drop(log);
        let files = rotated(&path).unwrap();
        assert_eq!(files.len(), 3);
        assert!(files.iter().all(|file| file.path.extension().is_some_and(|ending| ending == "gz")), "{files:?}");
    }

    #[test]
    fn with_no_backups_the_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let params = LogParams { backup_count: 0, ..plain() };
        let mut log = LogFile::open(path.clone(), &params, Timestamp::now()).unwrap();
        for n in 0..100 {
            log.push(&format!("{n:03}{}\n", "x".repeat(96)), Timestamp::now()).unwrap();
        }
        log.flush().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() <= 4096 && text.lines().last().unwrap().starts_with("099"));
    }
}
