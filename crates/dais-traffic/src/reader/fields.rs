//! Cutting one line of a table into fields.

use super::error::Flaw;

/// The fields of one line; its memory is used again for the next.
pub(crate) struct Fields {
    delimiter: u8,
    quote: u8,
    text: Vec<u8>,
    /// Where each field ends in `text`.
    ends: Vec<usize>,
    /// Bytes between two fields in `text`.
    gap: usize,
    quoted: csv_core::Reader,
}

impl Fields {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self::with_quotes(delimiter, b'"')
    }

    /// Fields whose quotes are of another kind.
    pub(crate) fn with_quotes(delimiter: u8, quote: u8) -> Self {
        let quoted = csv_core::ReaderBuilder::new().delimiter(delimiter).quote(quote).build();
        Self { delimiter, quote, text: Vec::new(), ends: Vec::new(), gap: 1, quoted }
    }

    /// Cuts a line, undoing quotes where there are any.
    pub(crate) fn cut(&mut self, line: &[u8]) -> Result<(), Flaw> {
        self.ends.clear();
        if memchr::memchr(self.quote, line).is_some() {
            return self.cut_quoted(line);
        }
        self.gap = 1;
        self.text.clear();
        self.text.extend_from_slice(line);
        self.ends.extend(memchr::memchr_iter(self.delimiter, line));
        self.ends.push(line.len());
        Ok(())
    }

    fn cut_quoted(&mut self, line: &[u8]) -> Result<(), Flaw> {
        self.gap = 0;
        self.quoted.reset();
        self.text.clear();
        self.text.resize(line.len() + 1, 0);
        self.ends.resize(memchr::memchr_iter(self.delimiter, line).count() + 2, 0);
        let (result, used, written, fields) = self.quoted.read_record(line, &mut self.text, &mut self.ends);
        let open = used < line.len() || result != csv_core::ReadRecordResult::InputEmpty;
        // The end of the line ends the record; within an open quote it would be part of the value.
        let (result, _, more, last) =
            self.quoted.read_record(b"\n", &mut self.text[written..], &mut self.ends[fields..]);
        self.text.truncate(written + more);
        self.ends.truncate(fields + last);
        if open || result != csv_core::ReadRecordResult::Record {
            return Err(Flaw::row("a closing quote before the end of the line", super::error::quoted(line)));
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of field `at`.
    pub(crate) fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] + self.gap);
        &self.text[start..self.ends[at]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(line: &str) -> Option<Vec<String>> {
        let mut fields = Fields::new(b',');
        fields.cut(line.as_bytes()).ok()?;
        Some((0..fields.len()).map(|at| String::from_utf8_lossy(fields.get(at)).into_owned()).collect())
    }

    #[test]
    fn plain_and_quoted_lines_are_cut_alike() {
        let expected = Some(vec!["a".to_owned(), String::new(), "c d".to_owned()]);
        assert_eq!(cut("a,,c d"), expected);
        assert_eq!(cut("\"a\",,\"c d\""), expected);
        assert_eq!(cut("\"a,b\",\"say \"\"hi\"\"\",3"), Some(vec!["a,b".into(), "say \"hi\"".into(), "3".into()]));
        assert_eq!(cut("\"a\",\"b\","), Some(vec!["a".into(), "b".into(), String::new()]));
    }

    #[test]
    fn a_quote_left_open_is_an_error() {
        assert_eq!(cut("\"a,b"), None);
        assert_eq!(cut("a,\"b"), None);
    }
}
