//! Going through an export entry by entry, with the memory of one bundle and one tile of each level.

use std::collections::VecDeque;

use super::bundle::{self, ENTRY_ITEM_BYTES_MAX, HASH_BYTES, HEAD_BYTES};
use super::fault::TileFault;
use super::folder::{Folder, Found};
use super::layout::{CHECKPOINT, Column, LEVELS, Tile, WIDTH};
use crate::checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, CheckpointError};
use crate::digest::Digest;
use crate::entry::Entry;
use crate::head::{HeadVerifier, SignedHead};
use crate::origin::Origin;
use crate::tree::{Frontier, leaf_hash};

/// What is come by, in the order of the log; a head after the last entry it covers.
pub(super) enum Item {
    Entry(Entry),
    Head(SignedHead),
}

/// What was gone through.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) checkpoint: Checkpoint,
    pub(super) signed: SignedHead,
    pub(super) heads: u64,
    /// Bytes in the files that the checkpoint covers.
    pub(super) bytes: u64,
}

/// Reads the checkpoint of an export and checks whose it is.
pub(super) fn read_checkpoint(
    folder: &Folder,
    origin: &Origin,
    verifier: &HeadVerifier,
) -> Result<(Checkpoint, SignedHead), TileFault> {
    let bytes = match folder.read(CHECKPOINT, CHECKPOINT_BYTES_MAX as u64)? {
        Found::Bytes(bytes) => bytes,
        Found::TooLong(found) => return Err(CheckpointError::TooLong { found: found as usize }.into()),
        Found::Nothing => return Err(TileFault::Missing { path: CHECKPOINT.to_owned() }),
        Found::Other => return Err(TileFault::NotAFile { path: CHECKPOINT.to_owned() }),
    };
    let checkpoint = Checkpoint::from_bytes(&bytes)?;
    if checkpoint.origin() != origin {
        return Err(TileFault::ForeignLog { found: checkpoint.origin().clone(), expected: origin.clone() });
    }
    let signed = checkpoint.signed_by(verifier)?;
    Ok((checkpoint, signed))
}

/// Reads a file that must be there.
pub(super) fn read_tile(folder: &Folder, tile: &Tile) -> Result<Vec<u8>, TileFault> {
    let (path, width) = (tile.path(), tile.width);
    let (expected, exact) = match tile.column {
        Column::Hashes(_) => (width * HASH_BYTES, true),
        Column::Heads => (width * HEAD_BYTES, true),
        Column::Entries => (width * ENTRY_ITEM_BYTES_MAX, false),
    };
    match folder.read(&path, expected)? {
        Found::Bytes(bytes) if exact && bytes.len() as u64 != expected => {
            Err(TileFault::Length { path, found: bytes.len() as u64, expected })
        }
        Found::Bytes(bytes) => Ok(bytes),
        Found::TooLong(found) => Err(TileFault::Length { path, found, expected }),
        Found::Nothing => Err(TileFault::Missing { path }),
        Found::Other => Err(TileFault::NotAFile { path }),
    }
}

/// Checks everything the checkpoint covers and shows it to `visit`.
pub(super) fn walk<E: From<TileFault>>(
    folder: &Folder,
    origin: &Origin,
    verifier: &HeadVerifier,
    visit: &mut dyn FnMut(Item) -> Result<(), E>,
) -> Result<Walked, E> {
    let (checkpoint, signed) = read_checkpoint(folder, origin, verifier)?;
    let size = signed.head.size;
    let heads = Heads::new(folder);
    let mut walk = Walk {
        folder,
        origin,
        verifier,
        size,
        tree: Frontier::default(),
        upper: Default::default(),
        heads,
        sealed: None,
        bytes: 0,
    };
    walk.heads_at_this_size(visit)?;
    while walk.tree.size() < size {
        walk.bundle(Tile::holding(Column::Entries, walk.tree.size(), size), visit)?;
    }
    walk.close_upper()?;
    walk.end_of_heads(&signed)?;
    let computed = walk.tree.root();
    if computed != signed.head.root {
        let first = walk.good_before();
        return Err(TileFault::RootMismatch { first, size, sealed: signed.head.root, computed }.into());
    }
    Ok(Walked { checkpoint, signed, heads: walk.heads.read, bytes: walk.bytes + walk.heads.read * HEAD_BYTES })
}

struct Walk<'a> {
    folder: &'a Folder,
    origin: &'a Origin,
    verifier: &'a HeadVerifier,
    /// Entries in the log.
    size: u64,
    tree: Frontier,
    /// For each level above the leaves, the hashes of the tile that is not full yet.
    upper: [Vec<Digest>; LEVELS as usize - 1],
    heads: Heads<'a>,
    /// The last head whose root was right.
    sealed: Option<SignedHead>,
    bytes: u64,
}

impl Walk<'_> {
    /// Entries that a head was found right for.
    fn good_before(&self) -> u64 {
        self.sealed.map_or(0, |signed| signed.head.size)
    }

    fn bundle<E: From<TileFault>>(
        &mut self,
        tile: Tile,
        visit: &mut dyn FnMut(Item) -> Result<(), E>,
    ) -> Result<(), E> {
        let bytes = read_tile(self.folder, &tile)?;
        let hashes = read_tile(self.folder, &Tile { column: Column::Hashes(0), ..tile })?;
        self.bytes += (bytes.len() + hashes.len()) as u64;
        let mut rest = &bytes[..];
        for (index, stated) in (tile.first()..).zip(bundle::hashes(&hashes)) {
            let path = || tile.path();
            let entry = bundle::take_entry(&mut rest).ok_or_else(|| TileFault::EntryCut { path: path(), index })?;
            let computed = leaf_hash(entry);
            if computed != stated {
                return Err(TileFault::EntryAltered { path: path(), index, stated, computed }.into());
            }
            let entry =
                Entry::decode(entry).map_err(|source| TileFault::EntryMalformed { path: path(), index, source })?;
            visit(Item::Entry(entry))?;
            self.push(computed)?;
            self.heads_at_this_size(visit)?;
        }
        if !rest.is_empty() {
            return Err(TileFault::BundleSurplus { path: tile.path(), bytes: rest.len() as u64 }.into());
        }
        Ok(())
    }

    /// Adds a leaf to the tree, and compares the higher tiles that it fills.
    fn push(&mut self, leaf: Digest) -> Result<(), TileFault> {
        let upper = &mut self.upper;
        self.tree.push(leaf, |level, root| {
            let tile_level = level as usize / 8;
            if level.is_multiple_of(8)
                && let Some(hashes) = upper.get_mut(tile_level - 1)
            {
                hashes.push(root);
            }
        });
        for level in 1..LEVELS {
            if self.upper[level as usize - 1].len() as u64 == WIDTH {
                self.compare_upper(level)?;
            }
        }
        Ok(())
    }

    fn close_upper(&mut self) -> Result<(), TileFault> {
        for level in 1..LEVELS {
            if !self.upper[level as usize - 1].is_empty() {
                self.compare_upper(level)?;
            }
        }
        Ok(())
    }

    /// Compares the hashes gathered for a level with those of its file, and begins the next.
    fn compare_upper(&mut self, level: u32) -> Result<(), TileFault> {
        let column = Column::Hashes(level);
        let hashes = std::mem::take(&mut self.upper[level as usize - 1]);
        let end = self.tree.size() >> (8 * level);
        let tile = Tile { column, index: (end - 1) / WIDTH, width: hashes.len() as u64 };
        let bytes = read_tile(self.folder, &tile)?;
        self.bytes += bytes.len() as u64;
        for (position, (computed, stated)) in (0..).zip(hashes.into_iter().zip(bundle::hashes(&bytes))) {
            if computed != stated {
                let first = (tile.first() + position) << (8 * level);
                return Err(TileFault::HashAltered { path: tile.path(), position, first, stated, computed });
            }
        }
        Ok(())
    }

    /// Checks the heads of the tree as it is now.
    fn heads_at_this_size<E: From<TileFault>>(
        &mut self,
        visit: &mut dyn FnMut(Item) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(signed) = self.heads.peek()? else { return Ok(()) };
        let (size, path) = (signed.head.size, self.heads.path());
        let first_of_all = self.sealed.is_none() && size != 0;
        if first_of_all || size < self.tree.size() || size > self.size {
            return Err(TileFault::HeadOrder { path, size }.into());
        }
        if size > self.tree.size() {
            return Ok(());
        }
        self.verifier.verify(self.origin, &signed).map_err(|source| TileFault::Seal { path, source })?;
        let computed = self.tree.root();
        if computed != signed.head.root {
            let first = self.good_before();
            return Err(TileFault::RootMismatch { first, size, sealed: signed.head.root, computed }.into());
        }
        self.sealed = Some(signed);
        self.heads.next();
        visit(Item::Head(signed))
    }

    /// After the last entry there must be no head left, and the last one must be the checkpoint's.
    fn end_of_heads(&mut self, signed: &SignedHead) -> Result<(), TileFault> {
        if let Some(left) = self.heads.peek()? {
            return Err(TileFault::HeadOrder { path: self.heads.path(), size: left.head.size });
        }
        match self.sealed {
            Some(last) if last.head.size != signed.head.size => {
                Err(TileFault::HeadOrder { path: CHECKPOINT.to_owned(), size: signed.head.size })
            }
            _ => Ok(()),
        }
    }
}

/// The heads of an export, read bundle by bundle.
struct Heads<'a> {
    folder: &'a Folder,
    bundle: Option<Tile>,
    waiting: VecDeque<SignedHead>,
    /// Whether there is no further bundle.
    ended: bool,
    /// Heads given out.
    read: u64,
}

impl<'a> Heads<'a> {
    fn new(folder: &'a Folder) -> Self {
        Self { folder, bundle: None, waiting: VecDeque::new(), ended: false, read: 0 }
    }

    fn path(&self) -> String {
        self.bundle.map_or_else(String::new, |tile| tile.path())
    }

    fn peek(&mut self) -> Result<Option<SignedHead>, TileFault> {
        if self.waiting.is_empty() && !self.ended {
            let next = head_bundle(self.folder, self.read / WIDTH);
            if let Some(tile) = next {
                self.waiting = bundle::heads(&read_tile(self.folder, &tile)?).collect();
                self.bundle = next;
            }
            self.ended = next.is_none_or(|tile| tile.width < WIDTH);
        }
        Ok(self.waiting.front().copied())
    }

    fn next(&mut self) {
        self.waiting.pop_front();
        self.read += 1;
    }
}

/// The bundle of heads at an index: full, or else the widest there is.
fn head_bundle(folder: &Folder, index: u64) -> Option<Tile> {
    let tile = |width| Tile { column: Column::Heads, index, width };
    (1..=WIDTH).rev().map(tile).find(|tile| folder.is_file(&tile.path()))
}
