//! Which files an export consists of, and what they are called.

/// Items in a full file: hashes in a tile, entries or heads in a bundle.
pub(super) const WIDTH: u64 = 256;
/// Levels of tiles that a log of 2^64 entries has.
pub(super) const LEVELS: u32 = 8;
/// The file with the newest sealed head.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// Where a file is written before it gets its name; only there during an export.
pub(super) const UNFINISHED: &str = ".export.tmp";

/// What a file holds items of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Hashes of the tree over 256^level entries each.
    Hashes(u32),
    /// Entries.
    Entries,
    /// Sealed heads.
    Heads,
}

impl Column {
    fn folder(self) -> String {
        match self {
            Self::Hashes(level) => format!("tile/{level}"),
            Self::Entries => "tile/entries".to_owned(),
            Self::Heads => "heads".to_owned(),
        }
    }

    /// Splits a path into the column and what follows.
    fn of_path(path: &str) -> Option<(Self, &str)> {
        if let Some(rest) = path.strip_prefix("heads/") {
            return Some((Self::Heads, rest));
        }
        let (name, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        if name == "entries" {
            return Some((Self::Entries, rest));
        }
        let level = (0..LEVELS).find(|level| level.to_string() == name)?;
        Some((Self::Hashes(level), rest))
    }

    /// Items of this column in a log of `size` entries; of heads nobody can know.
    pub(super) fn items(self, size: u64) -> Option<u64> {
        match self {
            Self::Hashes(level) => Some(size >> (8 * level)),
            Self::Entries => Some(size),
            Self::Heads => None,
        }
    }
}

/// One file of up to 256 items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) column: Column,
    /// Which of the column's files; its first item is `index * 256`.
    pub(super) index: u64,
    /// Items in it, 1 to 256.
    pub(super) width: u64,
}

impl Tile {
    /// The file with an item, if the column ends after `items`; `item < items`.
    pub(super) fn holding(column: Column, item: u64, items: u64) -> Self {
        let index = item / WIDTH;
        Self { column, index, width: (items - index * WIDTH).min(WIDTH) }
    }

    pub(super) fn first(&self) -> u64 {
        self.index * WIDTH
    }

    /// The path below the export's folder, with `/`.
    pub(super) fn path(&self) -> String {
        let full = self.full_path();
        if self.width == WIDTH { full } else { format!("{full}.p/{}", self.width) }
    }

    /// The folder in which the file lies while it is not full.
    pub(super) fn partial_folder(&self) -> String {
        format!("{}.p", self.full_path())
    }

    fn full_path(&self) -> String {
        let mut elements = format!("{:03}", self.index % 1_000);
        let mut rest = self.index / 1_000;
        while rest > 0 {
            elements = format!("x{:03}/{elements}", rest % 1_000);
            rest /= 1_000;
        }
        format!("{}/{elements}", self.column.folder())
    }

    /// The file with this path, if it is one that [`Tile::path`] gives.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let (column, rest) = Column::of_path(path)?;
        let (elements, width) = match rest.split_once(".p/") {
            Some((elements, width)) => (elements, width.parse().ok()?),
            None => (rest, WIDTH),
        };
        let mut index = 0_u64;
        for element in elements.split('/') {
            let digits: u64 = element.strip_prefix('x').unwrap_or(element).parse().ok()?;
            index = index.checked_mul(1_000)?.checked_add(digits)?;
        }
        let tile = Self { column, index, width };
        let possible = (1..=WIDTH).contains(&width) && index <= u64::MAX / WIDTH;
        (possible && tile.path() == path).then_some(tile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_standard() {
        let path = |column, index, width| Tile { column, index, width }.path();
        assert_eq!(path(Column::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Column::Hashes(2), 0, 1), "tile/2/000.p/1");
        assert_eq!(path(Column::Entries, 1_000, 255), "tile/entries/x001/000.p/255");
        assert_eq!(path(Column::Heads, 7, 256), "heads/007");
    }

    #[test]
    fn other_paths_are_no_tiles() {
        for path in [
            "tile/0/67",
            "tile/0/x000/067",
            "tile/00/067",
            "tile/8/000",
            "tile/0/067.p/0",
            "tile/0/067.p/256",
            "tile/0/067.p/07",
            "tile/0/+67",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/0/",
            "tile/0",
            "heads",
            "",
        ] {
            assert_eq!(Tile::of_path(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn every_path_is_read_back(index in 0..=u64::MAX / WIDTH, few in 0..3_000_000u64, width in 1..=WIDTH, level in 0..LEVELS) {
            for column in [Column::Hashes(level), Column::Entries, Column::Heads] {
                for index in [index, few] {
                    let tile = Tile { column, index, width };
                    prop_assert_eq!(Tile::of_path(&tile.path()), Some(tile));
                }
            }
        }

        #[test]
        fn an_accepted_path_is_its_own(path in "(tile/[0-9a-z]{1,3}|heads)/(x?[0-9]{1,4}/){0,3}[0-9]{1,4}(.p/[0-9]{1,3})?") {
            if let Some(tile) = Tile::of_path(&path) {
                prop_assert_eq!(tile.path(), path);
            }
        }
    }
}
