//! Where backups lie: in a folder, or under a prefix of an object store.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::BackupError;
use super::manifest::{PACKED, SUFFIX};

mod fault;
mod folder;
#[cfg(feature = "s3")]
mod s3;

pub use fault::StoreFault;
use folder::Folder;

/// What is stored under a name.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// Whole files under plain names: what backups need of the place they lie at.
pub(super) trait Store: Send + Sync {
    /// Where an object is, or would be, for those who look for it.
    fn address(&self, name: &str) -> PathBuf;

    /// The folder, where this is one: what is to be put there is best finished there.
    fn folder(&self) -> Option<&Path>;

    /// Makes the place ready for objects.
    fn prepare(&self) -> Result<(), BackupError>;

    /// Takes a finished file under a name that is free. It is there whole, for good, or not at all; `watch` is told how
    /// many bytes were sent.
    fn put(&self, finished: &Path, name: &str, watch: &mut dyn FnMut(u64)) -> Result<(), BackupError>;

    /// Reads an object from its beginning. Errors while it is read turn into [`BackupError`] by [`BackupError::at`].
    fn get(&self, name: &str) -> Result<Box<dyn Read + '_>, BackupError>;

    /// All objects; those that are being put are not among them. `None`: there is no such place.
    fn list(&self) -> Result<Option<Vec<Object>>, BackupError>;

    /// Removes an object; one that is not there is no obstacle.
    fn delete(&self, name: &str) -> Result<(), BackupError>;
}

/// A place for backups, or one backup there.
#[derive(Clone)]
pub struct Place {
    pub(super) store: Arc<dyn Store>,
    /// Name of the one backup that is meant: of its packed file or its manifest.
    pub(super) name: Option<String>,
}

impl Place {
    /// A folder of backups, or a packed file or manifest in one, told by its name. It need not exist.
    pub fn local(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_of_backup(name) && !path.is_dir());
        let folder = if name.is_some() { super::file::folder_of(path) } else { path };
        Self { store: Arc::new(Folder::new(folder)), name: name.map(str::to_owned) }
    }

    /// A prefix of a bucket, or one backup there: `s3://BUCKET/PREFIX`, `s3://BUCKET/PREFIX/NAME.db.zst`.
    ///
    /// `settings` are environment variables as AWS names them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL` for other stores than that of AWS, `AWS_ALLOW_HTTP` for one
    /// without encryption. Others are ignored. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`BackupError::Store`] with [`StoreFault::Settings`] for an address or settings that cannot be used.
    #[cfg(feature = "s3")]
    pub fn s3(url: &str, settings: impl IntoIterator<Item = (String, String)>) -> Result<Self, BackupError> {
        let trimmed = url.trim_end_matches('/');
        let (prefix, name) = match trimmed.rsplit_once('/') {
            Some((prefix, name)) if is_of_backup(name) => (prefix, Some(name.to_owned())),
            _ => (trimmed, None),
        };
        Ok(Self { store: Arc::new(s3::Bucket::new(prefix, settings)?), name })
    }

    /// Its path or address.
    pub(super) fn address(&self) -> PathBuf {
        self.store.address(self.name.as_deref().unwrap_or_default())
    }
}

fn is_of_backup(name: &str) -> bool {
    PACKED.iter().any(|ending| name.strip_suffix(SUFFIX).unwrap_or(name).ends_with(ending))
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({})", self.address().display())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address().display())
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::local(path)
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::local(path)
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}
