//! Writing a ledger as static files.

use std::fs::{self, OpenOptions, TryLockError};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use super::bundle;
use super::fault::TileFault;
use super::folder::{FileError, Folder};
use super::layout::{CHECKPOINT, Column, LEVELS, Tile, UNFINISHED, WIDTH};
use super::walk::read_checkpoint;
use crate::audit::{Damage, read_row};
use crate::checkpoint::Checkpoint;
use crate::error::LedgerError;
use crate::head::{Head, HeadVerifier, SignedHead};
use crate::ledger::Ledger;
use crate::note::NoteSignature;
use crate::origin::Origin;
use crate::storage::Storage;
use crate::tree::Frontier;

/// What an export has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The head of the checkpoint.
    pub head: SignedHead,
    /// Entries that were not in the export before.
    pub entries_added: u64,
    /// Files written, the checkpoint included.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// Why nothing, or not everything, was exported. The checkpoint is then the one from before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The ledger cannot be read or is damaged.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder holds something else than an export.
    #[error("{} is not an export, it holds `{name}`: choose an empty folder", folder.display())]
    NotAnExport {
        /// The folder.
        folder: PathBuf,
        /// The first name in it that does not belong to an export.
        name: String,
    },
    /// What was exported before is not of this log, or damaged.
    #[error("the export that is there cannot be added to: {0}")]
    Before(#[from] TileFault),
    /// What was exported before is not the beginning of this ledger: one of the two was replaced.
    #[error("the export has a head of size {} that is none of this ledger's", .0.head.size)]
    Forked(SignedHead),
    /// The export is of a newer ledger.
    #[error("the export has {exported} entries, this ledger only {size}")]
    Older {
        /// Entries in the export.
        exported: u64,
        /// Entries in the ledger.
        size: u64,
    },
    /// Another export into the folder is going on.
    #[error("another export into {} is going on", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
}

/// Writes a ledger into a folder in the layout of C2SP `tlog-tiles`, or adds to it what is new.
///
/// Full tiles and bundles are written once and never again; parts of them are kept until the whole is there. Each file
/// appears whole or not at all, and the checkpoint last: who reads meanwhile finds everything that the checkpoint
/// covers. An export that did not end is completed by the next one. If nothing is new, nothing is written, and
/// cosignatures in the checkpoint stay.
///
/// The memory needed is that of one bundle, at most 17 MB. Heads and their seals are copied, not checked: verify the
/// ledger before, or the export afterwards.
///
/// # Errors
///
/// [`ExportError`]; it is safe to try again.
pub fn export_tiles<S: Storage>(ledger: &Ledger<S>, folder: &Path) -> Result<Exported, ExportError> {
    fs::create_dir_all(folder).map_err(|error| FileError { path: folder.into(), detail: error.to_string() })?;
    locked(folder, |folder| {
        let verifier = HeadVerifier::from_bytes(*ledger.public_key())
            .map_err(|_| LedgerError::from(Damage::Headless { what: "public key" }))?;
        let before = exported_before(ledger, folder, &verifier)?;
        let head = *ledger.head();
        let exported = before.map_or(0, |head| head.size);
        let mut export = Export { ledger, folder, fresh: before.is_none(), before: exported, files: 0, bytes: 0 };
        if before != Some(head.head) {
            export.entries()?;
            for level in 1..LEVELS {
                export.hashes(level)?;
            }
            let heads = export.heads()?;
            export.sync(&heads)?;
            let checkpoint = Checkpoint::new(ledger.origin().clone(), &head, &verifier).to_string();
            folder.write_durably(CHECKPOINT, checkpoint.as_bytes())?;
            export.files += 1;
            export.bytes += checkpoint.len() as u64;
            export.remove_parts(&heads)?;
        }
        let entries_added = head.head.size - export.before;
        Ok(Exported { head, entries_added, files: export.files, bytes: export.bytes })
    })
}

/// Adds the lines of witnesses to the checkpoint of an export, and returns it.
///
/// The cosignatures are not checked: whoever reads the checkpoint does, with the keys of the witnesses.
///
/// # Errors
///
/// [`ExportError`], also when the checkpoint there is not one of this log and key, or is not over `head` any more,
/// and when the lines would make it unreadable.
pub fn add_cosignatures(
    folder: &Path,
    origin: &Origin,
    verifier: &HeadVerifier,
    head: &Head,
    cosignatures: &[NoteSignature],
) -> Result<Checkpoint, ExportError> {
    locked(folder, |folder| {
        let (mut checkpoint, signed) = read_checkpoint(folder, origin, verifier)?;
        if signed.head != *head {
            return Err(ExportError::Forked(signed));
        }
        for line in cosignatures {
            checkpoint.add(line.clone());
        }
        let text = checkpoint.to_string();
        let readable = Checkpoint::from_bytes(text.as_bytes()).map_err(TileFault::from)?;
        readable.signed_by(verifier).map_err(TileFault::from)?;
        folder.write_durably(CHECKPOINT, text.as_bytes())?;
        Ok(checkpoint)
    })
}

/// Works in a folder that nobody else exports to at the same time.
fn locked<T>(path: &Path, work: impl FnOnce(&Folder) -> Result<T, ExportError>) -> Result<T, ExportError> {
    let failed = |error: std::io::Error| FileError { path: path.into(), detail: error.to_string() };
    // The lock is on the folder itself, so that no file has to lie in the export for it.
    let lock = OpenOptions::new().read(true).open(path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => work(&Folder::new(path)),
        Err(TryLockError::WouldBlock) => Err(ExportError::Busy { folder: path.into() }),
        Err(TryLockError::Error(error)) => Err(failed(error).into()),
    }
}

/// The head of what is in the folder already, after making sure that it is an export of this ledger.
fn exported_before<S: Storage>(
    ledger: &Ledger<S>,
    folder: &Folder,
    verifier: &HeadVerifier,
) -> Result<Option<Head>, ExportError> {
    let failed = |error: std::io::Error| folder.error("", &error);
    for entry in fs::read_dir(folder.root()).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !["tile", "heads", CHECKPOINT, UNFINISHED].iter().any(|known| name == *known) {
            let name = name.to_string_lossy().into_owned();
            return Err(ExportError::NotAnExport { folder: folder.root().into(), name });
        }
    }
    let signed = match read_checkpoint(folder, ledger.origin(), verifier) {
        Ok((_, signed)) => signed,
        Err(TileFault::Missing { .. }) => return Ok(None),
        Err(fault) => return Err(fault.into()),
    };
    let (exported, size) = (signed.head.size, ledger.head().head.size);
    if exported > size {
        return Err(ExportError::Older { exported, size });
    }
    if ledger.root_at(exported)? != signed.head.root {
        return Err(ExportError::Forked(signed));
    }
    Ok(Some(signed.head))
}

struct Export<'a, S: Storage> {
    ledger: &'a Ledger<S>,
    folder: &'a Folder,
    /// Whether there was nothing, not even the empty log.
    fresh: bool,
    /// Entries in the export when it began.
    before: u64,
    files: u64,
    bytes: u64,
}

impl<S: Storage> Export<'_, S> {
    fn size(&self) -> u64 {
        self.ledger.head().head.size
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        self.folder.write(path, bytes)?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// The files of a column that are not full in the export before and hold more now.
    fn new_tiles(&self, column: Column) -> impl Iterator<Item = Tile> + use<S> {
        let items = column.items(self.size()).unwrap_or(0);
        let before = column.items(self.before).unwrap_or(0);
        let files = if items > before { before / WIDTH..items.div_ceil(WIDTH) } else { 0..0 };
        files.map(move |index| Tile::holding(column, index * WIDTH, items))
    }

    /// Writes the bundles and the tiles over them, and checks that they lead to the ledger's root.
    fn entries(&mut self) -> Result<(), ExportError> {
        let mut tree: Option<Frontier> = None;
        for tile in self.new_tiles(Column::Entries) {
            let first = tile.first();
            let tree = match &mut tree {
                Some(tree) => tree,
                None => tree.insert(self.ledger.frontier_at(first)?),
            };
            let (bytes, hashes) = self.read_bundle(first..first + tile.width, tree)?;
            self.write(&tile.path(), &bytes)?;
            self.write(&Tile { column: Column::Hashes(0), ..tile }.path(), &hashes)?;
        }
        let head = self.ledger.head().head;
        match tree.map(|tree| tree.root()) {
            Some(computed) if computed != head.root => {
                let first = self.before;
                let damage = Damage::RootMismatch { first, size: head.size, sealed: head.root, computed };
                Err(LedgerError::from(damage).into())
            }
            _ => Ok(()),
        }
    }

    fn read_bundle(&self, range: Range<u64>, tree: &mut Frontier) -> Result<(Vec<u8>, Vec<u8>), LedgerError> {
        let (mut bytes, mut hashes) = (Vec::new(), Vec::new());
        let mut next = range.start;
        let mut damage = None;
        self.ledger.storage().scan(range.clone(), &mut |row| {
            let checked = match read_row(row) {
                Ok(_) if row.index != next => Err(Damage::EntryMissing { index: next }),
                checked => checked,
            };
            if let Err(found) = checked {
                damage = Some(found);
                return ControlFlow::Break(());
            }
            // What could be decoded is short enough.
            if bundle::push_entry(&mut bytes, row.bytes).is_none() {
                return ControlFlow::Break(());
            }
            hashes.extend_from_slice(row.leaf.as_bytes());
            tree.push(row.leaf, |_, _| ());
            next += 1;
            ControlFlow::Continue(())
        })?;
        match damage {
            Some(damage) => Err(damage.into()),
            None if next < range.end => Err(Damage::EntryMissing { index: next }.into()),
            None => Ok((bytes, hashes)),
        }
    }

    /// Writes the tiles of a level above the leaves, from the roots that the ledger keeps in memory.
    fn hashes(&mut self, level: u32) -> Result<(), ExportError> {
        for tile in self.new_tiles(Column::Hashes(level)) {
            let mut hashes = Vec::new();
            for item in tile.first()..tile.first() + tile.width {
                let root = self.ledger.range_root(item << (8 * level)..(item + 1) << (8 * level))?;
                hashes.extend_from_slice(root.as_bytes());
            }
            self.write(&tile.path(), &hashes)?;
        }
        Ok(())
    }

    /// Writes the bundles of heads that are not full in the export before, and returns which they are.
    fn heads(&mut self) -> Result<Vec<Tile>, ExportError> {
        let mut written = Vec::new();
        let mut bundle = Vec::new();
        let mut last: Option<SignedHead> = None;
        let mut count = 0;
        loop {
            let next = self.ledger.storage().next_head(last.map(|last| last.head.size)).map_err(LedgerError::from)?;
            // Another process may have appended since the ledger was opened.
            let next = next.filter(|signed| signed.head.size <= self.size());
            if count % WIDTH == 0 || next.is_none() {
                if last.is_some_and(|last| self.fresh || last.head.size > self.before) {
                    let tile = Tile::holding(Column::Heads, count - 1, count);
                    self.write(&tile.path(), &bundle)?;
                    written.push(tile);
                }
                bundle.clear();
            }
            let Some(signed) = next else { return Ok(written) };
            bundle::push_head(&mut bundle, &signed);
            count += 1;
            last = Some(signed);
        }
    }

    /// The files that were written, but for the checkpoint.
    fn written(&self, heads: &[Tile]) -> impl Iterator<Item = Tile> {
        let columns = (0..LEVELS).map(Column::Hashes).chain([Column::Entries]);
        columns.flat_map(|column| self.new_tiles(column)).chain(heads.iter().copied())
    }

    /// Waits for the disk once for all files, which takes a third of the time that waiting after each does.
    fn sync(&self, heads: &[Tile]) -> Result<(), ExportError> {
        Ok(self.written(heads).try_for_each(|tile| self.folder.sync(&tile.path()))?)
    }

    /// Removes what was kept of files that are full now.
    fn remove_parts(&self, heads: &[Tile]) -> Result<(), ExportError> {
        let mut full = self.written(heads).filter(|tile| tile.width == WIDTH);
        Ok(full.try_for_each(|tile| self.folder.remove_folder(&tile.partial_folder()))?)
    }
}
