//! Header and first rows of a table, cut into fields.

use crate::reader::{self, Fields};

/// Rows that guesses look at.
const ROWS_MAX: usize = 1_000;

/// The beginning of a table.
pub(crate) struct Sample {
    pub(crate) delimiter: char,
    /// Names of the columns, no two of them the same.
    pub(crate) header: Vec<String>,
    /// The first line as it is.
    pub(crate) first: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sample {
    /// Cuts the beginning of a file; `None` where it does not look like a table with a header.
    pub(crate) fn cut(head: &[u8]) -> Option<Self> {
        let complete = memchr::memrchr(b'\n', head).map_or(head, |last| &head[..last]);
        let mut lines = complete.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let first = lines.next()?;
        let occurrences = |delimiter: &char| first.iter().filter(|byte| char::from(**byte) == *delimiter).count();
        // The first of equals wins, so commas come last for `max_by_key`.
        let delimiter = ['|', '\t', ';', ','].into_iter().max_by_key(occurrences).filter(|d| occurrences(d) > 0)?;
        let mut fields = Fields::new(delimiter as u8);
        // A line whose quotes are broken is the reader's to report.
        let mut cut = |line| fields.cut(line).is_ok().then(|| texts(&fields));
        let first = cut(first)?;
        let rows = lines.take(ROWS_MAX).filter_map(cut).filter(|row| *row != first && !is_blank(row)).collect();
        Some(Self { delimiter, header: told_apart(first.clone()), first, rows })
    }

    /// A sample that is cut already.
    pub(crate) fn new(header: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        Self { delimiter: ',', header: told_apart(header.clone()), first: header, rows }
    }

    /// Whether the first line names columns: no numbers in it, and rows with as many fields follow.
    pub(crate) fn has_header(&self) -> bool {
        let named = self.first.iter().all(|field| field.parse::<f64>().is_err());
        named && (self.rows.is_empty() || self.rows.iter().any(|row| row.len() == self.header.len()))
    }

    /// The values of a column in the rows that have it.
    pub(crate) fn column(&self, at: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| row.get(at)).map(String::as_str)
    }
}

fn texts(fields: &Fields) -> Vec<String> {
    (0..fields.len()).map(|at| reader::decoded(fields.get(at)).trim().to_owned()).collect()
}

fn is_blank(row: &[String]) -> bool {
    row.iter().all(String::is_empty)
}

/// Names of which no two are the same: the second of a name gets ` (2)` behind it, and so on.
pub(crate) fn told_apart(names: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let mut free = name.clone();
        for number in 2.. {
            if !all.contains(&free) {
                break;
            }
            free = format!("{name} ({number})");
        }
        all.push(free);
    }
    all
}

/// Whether [`told_apart`] made a name of one that came before it.
pub(crate) fn is_again(name: &str, header: &[String]) -> bool {
    let parts = name.strip_suffix(')').and_then(|start| start.rsplit_once(" ("));
    parts.is_some_and(|(name, number)| number.parse::<u32>().is_ok() && header.iter().any(|other| other == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_come_again_get_a_number() {
        let names = ["a", "b", "a", "a", "a (2)"].map(str::to_owned).to_vec();
        assert_eq!(told_apart(names), ["a", "b", "a (2)", "a (3)", "a (2) (2)"]);
    }

    #[test]
    fn quotes_foreign_letters_blank_rows_and_a_header_again_are_no_obstacle() {
        let head = b" A ,\"b, c\",label\r\n1,\"x, y\",Web \x96 XSS\r\n,,\r\nA,\"b, c\",label\n2,z,ok\n3,cut";
        let sample = Sample::cut(head).expect("a table");
        assert_eq!(sample.header, ["A", "b, c", "label"]);
        assert_eq!(sample.column(1).collect::<Vec<_>>(), ["x, y", "z"]);
        assert_eq!(sample.column(2).next(), Some("Web \u{2013} XSS"));
        assert!(sample.has_header());
    }
}
