use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// The folder of a file, which is made where it is not there.
pub(crate) fn folder(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map(|()| folder)
}

/// The right to change the file, held until it is dropped; others who change it wait. It is a file beside it, since
/// the file itself is replaced.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    folder(path)?;
    let lock = File::create(path.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Replaces the file as a whole: who reads it sees the old or the new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = draft(folder(path)?)?;
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    draft.persist(path).map(drop).map_err(|error| error.error)
}

/// A file that others may read: who makes a silence by hand may be another user than who runs dais.
#[cfg(unix)]
fn draft(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;

    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o644)).tempfile_in(folder)
}

#[cfg(not(unix))]
fn draft(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(folder)
}
