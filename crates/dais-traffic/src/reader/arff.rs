//! Tables in the Attribute-Relation File Format of Weka: the names of the columns one a line, then rows.
//!
//! Format: <https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/>. Types are not heeded: what a column holds
//! shows in its values.

use std::io::Read;

use super::ReadError;
use super::fields::Fields;
use super::lines::{Line, Lines};
use super::value::decoded;
use crate::table::{Sample, told_apart};

/// Between the values of a row.
pub(super) const DELIMITER: u8 = b',';
/// Around a value that has a blank or a comma in it.
pub(super) const QUOTE: u8 = b'\'';

/// Rows that the guess of a schema looks at.
const SAMPLE_ROWS: usize = 1_000;

/// Whether a text begins as such a file.
pub(super) fn recognises(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| !is_remark(line)).is_some_and(|line| keyword(line, b"@relation").is_some())
}

/// Whether a line says nothing: blank, or a comment.
pub(super) fn is_remark(line: &[u8]) -> bool {
    matches!(line.trim_ascii().first(), None | Some(b'%'))
}

/// What follows a keyword at the beginning of a line.
fn keyword<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest.trim_ascii())
}

/// The name that an attribute has, in quotes or up to the first blank.
fn name(rest: &[u8]) -> String {
    let quote = rest.first().copied().filter(|byte| matches!(byte, b'\'' | b'"'));
    let bare = rest.strip_prefix(quote.as_slice()).unwrap_or(rest);
    let end = bare.iter().position(|byte| quote.map_or(byte.is_ascii_whitespace(), |quote| *byte == quote));
    decoded(&bare[..end.unwrap_or(bare.len())]).trim().to_owned()
}

/// What a line before the rows says.
enum Said {
    Attribute(String),
    Rows,
    Nothing,
}

fn said(line: &[u8]) -> Said {
    let line = line.trim_ascii();
    match keyword(line, b"@attribute") {
        Some(rest) => Said::Attribute(name(rest)),
        None if keyword(line, b"@data").is_some() => Said::Rows,
        None => Said::Nothing,
    }
}

/// The names of the columns; after it the lines are rows.
pub(super) fn names<R: Read>(lines: &mut Lines<R>) -> Result<Vec<String>, ReadError> {
    let file = lines.file().to_owned();
    let mut names = Vec::new();
    while let Some(line) = lines.next_line()? {
        if let Line::Text(text) = line {
            match said(text) {
                Said::Attribute(name) => names.push(name),
                Said::Rows => return Ok(told_apart(names)),
                Said::Nothing => {}
            }
        }
    }
    Err(ReadError::NoRows { file, what: "names of columns and no @data".to_owned() })
}

/// The beginning of such a file, to guess a schema from.
pub(super) fn sample(head: &[u8]) -> Sample {
    let complete = memchr::memrchr(b'\n', head).map_or(head, |last| &head[..last]);
    let mut lines = complete.split(|byte| *byte == b'\n');
    let mut names = Vec::new();
    for line in lines.by_ref() {
        match said(line) {
            Said::Attribute(name) => names.push(name),
            Said::Rows => break,
            Said::Nothing => {}
        }
    }
    let mut fields = Fields::with_quotes(DELIMITER, QUOTE);
    let mut row = |line: &[u8]| {
        fields.cut(line.trim_ascii_end()).ok()?;
        Some((0..fields.len()).map(|at| decoded(fields.get(at)).trim().to_owned()).collect())
    };
    let rows = lines.filter(|line| !is_remark(line)).take(SAMPLE_ROWS).filter_map(&mut row).collect();
    Sample::new(names, rows)
}

#[cfg(test)]
mod tests {
    use crate::{Input, Label, ReadOptions, Table, read};

    fn table(text: &str) -> Table {
        match read("t", text.as_bytes(), &ReadOptions::default()) {
            Ok(Input::Table(table)) => table,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn columns_are_named_by_attributes_and_rows_follow() {
        let text = "% KDD\r\n\r\n@relation 'x'\r\n@ATTRIBUTE 'duration of it' REAL\r\n@attribute kind\t{'a b', tcp}\r\n\
            @attribute class {normal, anomaly}\r\n@data\r\n% none\r\n1.5,'a b',normal\r\n?,tcp,anomaly\r\n2,tcp,normal\r\n";
        let table = table(text);
        assert_eq!(table.schema.numeric[0].name, "duration of it");
        assert_eq!(table.values, [["a b", "tcp"]]);
        assert_eq!(table.labels, [Label::Benign, Label::Attack(crate::FamilyId(0)), Label::Benign]);
        assert!(table.numeric[0].get(1).is_nan());
    }

    #[test]
    fn a_file_without_rows_and_rows_that_name_their_columns_are_refused() {
        let header = "@relation x\n@attribute a real\n@attribute class {b,c}\n";
        for (text, part) in [
            (header.to_owned(), "no @data"),
            (format!("{header}@data\n"), "a header only"),
            (format!("{header}@data\n1,b\n{{0 1, 1 c}}\n"), "expected"),
        ] {
            let refused = read("t", text.as_bytes(), &ReadOptions::default()).map(|_| ()).expect_err(&text);
            assert!(refused.to_string().contains(part), "{refused}");
        }
    }
}
