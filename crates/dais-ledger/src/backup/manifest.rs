//! What is known of a backup without unpacking it.

use std::fmt;
use std::io::{Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::BackupError;
use super::file;
use super::scratch::Scratch;
use super::store::{Object, Place, Store, StoreFault};
use crate::digest::Digest;
use crate::head::{Head, HeadSeal, HeadVerifier, SignedHead};
use crate::origin::Origin;

/// The format of manifests and packed files.
pub(super) const FORMAT: u32 = 1;
/// Longest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 16;
/// Longest part of a file's name that comes from the name of the log.
const SLUG_CHARS_MAX: usize = 80;
/// Endings of packed files.
pub(super) const PACKED: [&str; 2] = [".db.zst", ".db.zst.age"];
/// What the name of a manifest adds to that of its packed file.
pub(super) const SUFFIX: &str = ".json";

/// A moment in UTC, `2026-10-30T12:00:00.000Z`: always 24 characters, so that the order of the texts is that of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(String);

/// A text that is not a moment as [`Timestamp`] writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time like 2026-10-30T12:00:00.000Z, found `{found}`")]
pub struct TimestampError {
    /// The text, cut after 80 characters.
    pub found: String,
}

impl Timestamp {
    const SHAPE: &str = "dddd-dd-ddTdd:dd:dd.dddZ";

    /// Reads a moment; whether there is such a day is not checked.
    ///
    /// # Errors
    ///
    /// [`TimestampError`] for a text of another shape.
    pub fn new(text: &str) -> Result<Self, TimestampError> {
        let fits = |(shape, found): (u8, u8)| if shape == b'd' { found.is_ascii_digit() } else { found == shape };
        if text.len() == Self::SHAPE.len() && Self::SHAPE.bytes().zip(text.bytes()).all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TimestampError { found: text.chars().take(80).collect() })
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        Self::new(&text)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

/// How a packed file is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Not at all.
    None,
    /// As an age file.
    Age,
}

/// What is known of a backup without unpacking it: JSON beside the packed file, named like it with `.json` added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of manifest and packed file, 1.
    pub format: u32,
    /// Name of the packed file, at the same place.
    pub file: String,
    /// Name of the log.
    pub origin: Origin,
    /// Public key of its heads.
    pub public_key: HeadVerifier,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// Seal of that head.
    pub seal: HeadSeal,
    /// The head as a C2SP `signed-note`, for other tools.
    pub checkpoint: String,
    /// Format of the ledger file.
    pub ledger_format: u32,
    /// When it was made, as told by the maker's clock.
    pub created: Timestamp,
    /// How the packed file is encrypted.
    pub encryption: Encryption,
    /// Length of the packed file.
    pub file_bytes: u64,
    /// SHA-256 of the packed file.
    pub file_sha256: Digest,
    /// Length of the ledger file.
    pub plain_bytes: u64,
    /// SHA-256 of the ledger file.
    pub plain_sha256: Digest,
}

impl Manifest {
    /// The head up to which the log was saved.
    pub fn head(&self) -> SignedHead {
        SignedHead { head: Head { size: self.size, root: self.root }, seal: self.seal }
    }

    /// The name that a packed file of this log, size and time gets.
    pub(super) fn file_name(origin: &Origin, size: u64, created: &Timestamp, encryption: Encryption) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' };
        let slug: String = origin.as_str().chars().take(SLUG_CHARS_MAX).map(plain).collect();
        let slug = slug.trim_start_matches(['.', '-']);
        let time: String = created.as_str().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        let ending = match encryption {
            Encryption::None => PACKED[0],
            Encryption::Age => PACKED[1],
        };
        format!("{slug}-{size}-{time}{ending}")
    }
}

/// A backup: a packed file with its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The packed file: its path, or its address in a store.
    pub path: PathBuf,
    /// What is known of it.
    pub manifest: Manifest,
}

/// The backups at a place.
#[derive(Debug, Default)]
pub struct Listing {
    /// Those whose manifest can be read, the oldest first. Whether their files are whole is not looked at.
    pub backups: Vec<Backup>,
    /// Manifests that cannot be read, and why.
    pub unreadable: Vec<BackupError>,
}

impl Backup {
    /// The backup at a place, of several the newest.
    ///
    /// # Errors
    ///
    /// [`BackupError::NoBackup`], [`BackupError::Manifest`], [`BackupError::NewerFormat`], a place that cannot be read.
    pub fn find(place: impl Into<Place>) -> Result<Self, BackupError> {
        let place = place.into();
        let none = || BackupError::NoBackup { path: place.address() };
        let store = &*place.store;
        let objects = store.list()?.ok_or_else(none)?;
        let Some(name) = &place.name else {
            let listing = Self::read_all(store, &objects);
            let unreadable = listing.unreadable.into_iter().next();
            return listing.backups.into_iter().next_back().ok_or_else(|| unreadable.unwrap_or_else(none));
        };
        let packed = name.strip_suffix(SUFFIX).unwrap_or(name);
        let manifest = format!("{packed}{SUFFIX}");
        if !objects.iter().any(|object| object.name == packed || object.name == manifest) {
            return Err(none());
        }
        Self::read(store, &manifest)
    }

    /// All backups at a place, by time.
    ///
    /// # Errors
    ///
    /// A place that cannot be read.
    pub fn list(place: impl Into<Place>) -> Result<Listing, BackupError> {
        let place = place.into();
        let objects = place.store.list()?.ok_or_else(|| BackupError::NoBackup { path: place.address() })?;
        Ok(Self::read_all(&*place.store, &objects))
    }

    /// The backups whose manifests are among the objects of a store.
    pub(super) fn read_all(store: &dyn Store, objects: &[Object]) -> Listing {
        let mut listing = Listing::default();
        for Object { name, .. } in objects {
            let packed = name.strip_suffix(SUFFIX).unwrap_or_default();
            if PACKED.iter().any(|ending| packed.ends_with(ending)) {
                match Self::read(store, name) {
                    Ok(backup) => listing.backups.push(backup),
                    Err(error) => listing.unreadable.push(error),
                }
            }
        }
        let order = |backup: &Self| (backup.manifest.created.clone(), backup.manifest.size, backup.path.clone());
        listing.backups.sort_by_cached_key(order);
        listing
    }

    /// The manifest's place.
    pub fn manifest_path(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(SUFFIX);
        PathBuf::from(name)
    }

    fn read(store: &dyn Store, name: &str) -> Result<Self, BackupError> {
        let path = store.address(name);
        let wrong = |detail: String| BackupError::Manifest { path: path.clone(), detail };
        let mut text = String::new();
        let opened = match store.get(name) {
            Err(BackupError::Io { source, .. }) => return Err(wrong(format!("the manifest cannot be read: {source}"))),
            Err(BackupError::Store { fault: StoreFault::NoObject, .. }) => {
                return Err(wrong("the manifest is missing".to_owned()));
            }
            opened => opened?,
        };
        let read = opened.take(MANIFEST_BYTES_MAX + 1).read_to_string(&mut text);
        match read.map_err(BackupError::at(&path)) {
            Err(BackupError::Io { source, .. }) => return Err(wrong(format!("the manifest cannot be read: {source}"))),
            read => read?,
        };
        if text.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(wrong(format!("a manifest has at most {MANIFEST_BYTES_MAX} bytes")));
        }
        let unread = |error: serde_json::Error| wrong(format!("this is no manifest of a backup: {error}"));
        let FormatOnly { format } = serde_json::from_str(&text).map_err(unread)?;
        if format > FORMAT {
            return Err(BackupError::NewerFormat { path, found: format, supported: FORMAT });
        }
        let manifest: Manifest = serde_json::from_str(&text).map_err(unread)?;
        if name.strip_suffix(SUFFIX) != Some(&*manifest.file) {
            return Err(wrong(format!("it belongs to `{}`, which is not the file beside it", manifest.file)));
        }
        Ok(Self { path: store.address(&manifest.file), manifest })
    }

    /// Stores the manifest, after which the backup counts.
    pub(super) fn write_manifest(&self, store: &dyn Store, scratch: &Scratch) -> Result<(), BackupError> {
        let place = self.manifest_path();
        let finished = scratch.file("manifest");
        let mut text = serde_json::to_string_pretty(&self.manifest)
            .map_err(|error| BackupError::Manifest { path: place.clone(), detail: error.to_string() })?;
        text.push('\n');
        let mut file = file::create(&finished)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(BackupError::at(&place))?;
        store.put(&finished, &format!("{}{SUFFIX}", self.manifest.file), &mut |_| ())
    }

    /// Removes the packed file, then the manifest; a packed file that is not there is no obstacle.
    pub(super) fn remove(&self, store: &dyn Store) -> Result<(), BackupError> {
        store.delete(&self.manifest.file)?;
        store.delete(&format!("{}{SUFFIX}", self.manifest.file))
    }
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_shape_only() {
        assert!(Timestamp::new("2026-10-30T12:00:00.000Z").is_ok());
        for text in ["", "2026-10-30", "2026-10-30T12:00:00Z", "2026-10-30T12:00:00.000+", "2026-10-30 12:00:00.000Z"] {
            assert!(Timestamp::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_name_of_a_log_becomes_a_name_for_files() {
        let created = Timestamp::new("2026-10-30T12:00:00.123Z").unwrap();
        let name =
            |origin: &str, encryption| Manifest::file_name(&Origin::new(origin).unwrap(), 12, &created, encryption);
        assert_eq!(name("dais/run/a-7", Encryption::None), "dais-run-a-7-12-20261030T120000.123Z.db.zst");
        assert_eq!(name("../é", Encryption::Age), "-12-20261030T120000.123Z.db.zst.age");
        assert!(name(&"x".repeat(200), Encryption::None).len() < 130);
    }
}
