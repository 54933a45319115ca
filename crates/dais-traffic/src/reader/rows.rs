//! Reading labelled tables of text, line by line.

use std::io::Read;

use crate::{Table, TableSchema};

use super::columns::{Cell, Columns, Row, check_names};
use super::fields::Fields;
use super::lines::{Line, Lines};
use super::tally::Tally;
use super::{ReadError, ReadOptions, too_long};

impl Row for Fields {
    fn width(&self) -> usize {
        self.len()
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        Cell::Text(self.get(at))
    }
}

/// Reads a table by its schema; `header_line` says whether the first line is a header to be skipped or matched.
pub(crate) fn read_table<R: Read>(
    mut lines: Lines<R>,
    schema: TableSchema,
    header_line: bool,
    options: &ReadOptions,
) -> Result<Table, ReadError> {
    let names = if schema.header { matched_header(&mut lines, &schema)? } else { schema.columns.clone() };
    if header_line && !schema.header {
        skip_header(&mut lines)?;
    }
    let mut tally = Tally::new(lines.file(), options.bad_rows_max.unwrap_or(0.0));
    let mut columns = Columns::new(&schema, &names);
    let mut fields = Fields::new(schema.delimiter as u8);
    loop {
        let number = lines.number() + 1;
        let Some(line) = lines.next_line()? else { break };
        let row = match line {
            Line::Text(text) if text.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Text(text) => fields.cut(text).and_then(|()| columns.row(&fields)),
            Line::TooLong => Err(too_long()),
        };
        match row {
            Ok(()) => tally.good(),
            Err(flaw) => tally.bad(number, flaw)?,
        }
    }
    columns.into_table(schema, tally)
}

fn skip_header<R: Read>(lines: &mut Lines<R>) -> Result<(), ReadError> {
    while let Some(Line::Text(text)) = lines.next_line()? {
        if !text.trim_ascii().is_empty() {
            break;
        }
    }
    Ok(())
}

/// The names in the header line, each of which the schema must know.
fn matched_header<R: Read>(lines: &mut Lines<R>, schema: &TableSchema) -> Result<Vec<String>, ReadError> {
    let file = lines.file().to_owned();
    let mut fields = Fields::new(schema.delimiter as u8);
    let header: Vec<String> = loop {
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
                let name = |field: &[u8]| String::from_utf8_lossy(field).trim().to_owned();
                break (0..fields.len()).map(|at| name(fields.get(at))).collect();
            }
        }
    };
    check_names(&file, lines.number(), &header, schema)?;
    Ok(header)
}
