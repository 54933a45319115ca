//! Looking for files that do not belong to an export.

use std::fs;

use super::fault::TileFault;
use super::folder::Folder;
use super::layout::{CHECKPOINT, Column, Tile};
use super::walk::read_tile;

/// Most names that a folder of an export has: 1,000 files, 1,000 folders of parts, 1,000 folders below.
const NAMES_MAX: usize = 3_000;
/// Most folders above a file: `tile`, level, seven elements of a number, the folder of parts.
const DEPTH_MAX: usize = 10;

/// Goes through the folders, and finds the first file that neither the log's size nor its number of heads explains.
pub(super) struct Surplus<'a> {
    pub(super) folder: &'a Folder,
    /// Entries in the log.
    pub(super) size: u64,
    /// Heads in the export.
    pub(super) heads: u64,
    /// The last file that was compared with parts of it, to read it once only.
    pub(super) whole: Option<(Tile, Vec<u8>)>,
    /// Files found.
    pub(super) files: u64,
}

impl Surplus<'_> {
    pub(super) fn look(&mut self) -> Result<(), TileFault> {
        self.look_into("", 0)
    }

    fn look_into(&mut self, path: &str, depth: usize) -> Result<(), TileFault> {
        let surplus = |path: String| Err(TileFault::Surplus { path });
        for name in self.names(path)? {
            let Some(name) = name else { return surplus(format!("{path} (a name that is not UTF-8)")) };
            let inner = if path.is_empty() { name } else { format!("{path}/{name}") };
            let metadata =
                fs::symlink_metadata(self.folder.place(&inner)).map_err(|error| self.folder.error(&inner, &error))?;
            if metadata.is_dir() && depth < DEPTH_MAX {
                self.look_into(&inner, depth + 1)?;
            } else if metadata.is_file() && self.belongs(&inner)? {
                self.files += 1;
            } else {
                return surplus(inner);
            }
        }
        Ok(())
    }

    /// The names in a folder, sorted; `None` for one that is not UTF-8.
    fn names(&self, path: &str) -> Result<Vec<Option<String>>, TileFault> {
        let failed = |error| self.folder.error(path, &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(self.folder.place(path)).map_err(failed)? {
            if names.len() == NAMES_MAX {
                return Err(TileFault::Surplus { path: format!("{path} (more than {NAMES_MAX} names)") });
            }
            names.push(entry.map_err(failed)?.file_name().into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn belongs(&mut self, path: &str) -> Result<bool, TileFault> {
        if path == CHECKPOINT {
            return Ok(true);
        }
        let Some(tile) = Tile::of_path(path) else { return Ok(false) };
        let items = tile.column.items(self.size).unwrap_or(self.heads);
        if tile.first() >= items {
            return Ok(false);
        }
        let whole = Tile::holding(tile.column, tile.first(), items);
        if tile.width < whole.width {
            self.check_part(&tile, whole)?;
        }
        Ok(tile.width <= whole.width)
    }

    /// A part kept for readers of an earlier checkpoint must be the beginning of what has taken its place.
    fn check_part(&mut self, part: &Tile, whole: Tile) -> Result<(), TileFault> {
        let bytes = read_tile(self.folder, part)?;
        if self.whole.as_ref().is_none_or(|(read, _)| *read != whole) {
            self.whole = Some((whole, read_tile(self.folder, &whole)?));
        }
        let whole_bytes = self.whole.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        let expected = match part.column {
            Column::Entries => beginning(whole_bytes, part.width),
            Column::Hashes(_) | Column::Heads => whole_bytes.get(..bytes.len()),
        };
        if expected == Some(&bytes[..]) {
            return Ok(());
        }
        Err(TileFault::Outdated { path: part.path(), whole: whole.path() })
    }
}

/// The first entries of a bundle, with their lengths.
fn beginning(bundle: &[u8], entries: u64) -> Option<&[u8]> {
    let mut rest = bundle;
    for _ in 0..entries {
        super::bundle::take_entry(&mut rest)?;
    }
    bundle.get(..bundle.len() - rest.len())
}
