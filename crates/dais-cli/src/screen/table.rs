//! Text in columns: the first ones to the left, figures to the right.

/// Rows of cells that are aligned when they are written.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    left: usize,
    /// Blanks between columns.
    gap: &'static str,
}

/// Blanks before each row.
const INDENT: &str = "  ";
/// Blanks between columns, and between those of a table of many columns.
const GAP: &str = "   ";
const CLOSE_GAP: &str = "  ";

impl Table {
    /// A table of which the first `left` columns hold words, the others figures.
    pub(crate) fn new(left: usize) -> Self {
        Self { rows: Vec::new(), left, gap: GAP }
    }

    /// The same table with its columns closer to one another.
    pub(crate) fn close(mut self) -> Self {
        self.gap = CLOSE_GAP;
        self
    }

    /// Adds a row.
    pub(crate) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The rows as lines without line ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column < self.left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let cells: Vec<String> = cells.collect();
            format!("{INDENT}{}", cells.join(self.gap)).trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_to_the_left_and_figures_to_the_right() {
        let mut table = Table::new(1);
        table.row(["", "a", "bb"]);
        table.row(["größe", "100", "–"]);
        assert_eq!(table.lines(), ["            a   bb", "  größe   100    –"]);
    }
}
