//! Reading labelled tables of text, line by line.

use std::io::Read;

use crate::table::{is_again, told_apart};
use crate::{Table, TableSchema};

use super::columns::{Cell, Columns, Row, check_names};
use super::fields::Fields;
use super::lines::{Line, Lines};
use super::tally::Tally;
use super::value::decoded;
use super::{ReadError, ReadOptions, arff, too_long};

impl Row for Fields {
    fn width(&self) -> usize {
        self.len()
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        Cell::Text(self.get(at))
    }
}

/// What the first lines of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Rows, or names if the schema says so.
    BySchema,
    /// Names that the schema knows better.
    Passed,
    /// The attributes of ARFF.
    Arff,
}

/// How a table is to be read.
pub(crate) struct Layout {
    pub(crate) schema: TableSchema,
    pub(crate) head: Head,
    /// Whether the schema is a guess.
    pub(crate) drafted: bool,
}

/// Reads a table by its schema.
pub(crate) fn read_table<R: Read>(
    mut lines: Lines<R>,
    layout: Layout,
    options: &ReadOptions,
) -> Result<Table, ReadError> {
    let Layout { schema, head, drafted } = layout;
    let arff = head == Head::Arff;
    let mut fields =
        if arff { Fields::with_quotes(arff::DELIMITER, arff::QUOTE) } else { Fields::new(schema.delimiter as u8) };
    let names = match head {
        Head::Arff => arff::names(&mut lines)?,
        Head::BySchema if schema.header => named(&mut lines, &mut fields)?,
        Head::BySchema | Head::Passed => schema.columns.clone(),
    };
    if head == Head::Passed {
        pass_header(&mut lines)?;
    }
    let columns_named = arff || schema.header;
    if columns_named {
        check_names(lines.file(), lines.number(), &names, &schema)?;
    }
    let mut tally = Tally::new(lines.file(), options.bad_rows_max.unwrap_or(0.0));
    let mut columns = Columns::new(&schema, &names, drafted);
    loop {
        let number = lines.number() + 1;
        let Some(line) = lines.next_line()? else { break };
        let row = match line {
            Line::Text(text) if arff && arff::is_remark(text) => continue,
            Line::Text(text) => match fields.cut(text) {
                Ok(()) if is_blank(&fields) => {
                    // An empty line is no row; one of empty fields was meant to be one.
                    tally.others("blank row", u64::from(fields.len() > 1));
                    continue;
                }
                Ok(()) if columns_named && repeats(&fields, &names) => {
                    tally.other("repeated header");
                    continue;
                }
                Ok(()) => columns.row(&fields),
                Err(flaw) => Err(flaw),
            },
            Line::TooLong => Err(too_long()),
        };
        match row {
            Ok(()) => tally.good(),
            Err(flaw) => tally.bad(number, flaw)?,
        }
    }
    columns.into_table(schema, tally)
}

fn is_blank(fields: &Fields) -> bool {
    (0..fields.len()).all(|at| fields.get(at).trim_ascii().is_empty())
}

/// Whether a row is the header again, as where files were put together.
fn repeats(fields: &Fields, names: &[String]) -> bool {
    let is = |at: usize| {
        let name = names[at].as_str();
        let first = name.rsplit_once(" (").filter(|_| is_again(name, names)).map_or(name, |(first, _)| first);
        decoded(fields.get(at)).trim() == first
    };
    fields.len() == names.len() && (0..names.len()).all(is)
}

fn pass_header<R: Read>(lines: &mut Lines<R>) -> Result<(), ReadError> {
    while let Some(Line::Text(text)) = lines.next_line()? {
        if !text.trim_ascii().is_empty() {
            break;
        }
    }
    Ok(())
}

/// The names in the header line.
fn named<R: Read>(lines: &mut Lines<R>, fields: &mut Fields) -> Result<Vec<String>, ReadError> {
    let file = lines.file().to_owned();
    loop {
        match lines.next_line()? {
            None => return Err(ReadError::Empty { file }),
            Some(Line::TooLong) => {
                let why = "has a first line beyond the bound".to_owned();
                return Err(ReadError::Unknown { file, why });
            }
            Some(Line::Text(text)) if text.trim_ascii().is_empty() => {}
            Some(Line::Text(text)) => {
                // A quote left open shows in names that no schema knows.
                let _ = fields.cut(text);
                let name = |at| decoded(fields.get(at)).trim().to_owned();
                return Ok(told_apart((0..fields.len()).map(name).collect()));
            }
        }
    }
}
