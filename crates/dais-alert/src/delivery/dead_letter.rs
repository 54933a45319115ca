use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Notification, file};

/// A message that could not be delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// What tells it from others.
    pub id: String,
    /// When it was given up.
    pub at: Timestamp,
    /// The channel it was for.
    pub channel: String,
    /// Why.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The message.
    pub notification: Notification,
}

/// The file of messages that could not be delivered: JSON lines, the oldest first, so many at most. Several processes
/// may use it at once.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    path: PathBuf,
    most: usize,
}

impl DeadLetters {
    /// The file at `path`, which is made when the first letter comes.
    pub fn new(path: &Path, most: u32) -> Self {
        Self { path: path.to_owned(), most: most as usize }
    }

    /// All letters, the oldest first. A line that is broken, such as the last one after a power cut, is left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> io::Result<Vec<DeadLetter>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Adds a letter; forgets the oldest where there are too many.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn add(&self, letter: &DeadLetter) -> io::Result<()> {
        let _lock = file::lock(&self.path)?;
        let mut letters = self.read()?;
        if letters.len() >= self.most {
            letters.push(letter.clone());
            let first = letters.len().saturating_sub(self.most);
            return self.write(letters.get(first..).unwrap_or_default());
        }
        let mut line = serde_json::to_vec(letter)?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        // A line that was cut off must not swallow this one.
        if !ends_line(&self.path)? {
            line.insert(0, b'\n');
        }
        file.write_all(&line)
    }

    /// Removes the letters with these ids.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn remove(&self, ids: &[String]) -> io::Result<()> {
        let _lock = file::lock(&self.path)?;
        let mut letters = self.read()?;
        letters.retain(|letter| !ids.contains(&letter.id));
        self.write(&letters)
    }

    fn write(&self, letters: &[DeadLetter]) -> io::Result<()> {
        let mut lines = Vec::new();
        for letter in letters {
            serde_json::to_writer(&mut lines, letter)?;
            lines.push(b'\n');
        }
        file::replace(&self.path, &lines)
    }
}

fn ends_line(path: &Path) -> io::Result<bool> {
    Ok(fs::read(path)?.last().is_none_or(|byte| *byte == b'\n'))
}
