//! Arrays as `NumPy` writes them: a short header in Python's notation, then the values.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. The header is read strictly, in the
//! one form that `NumPy` writes, for libraries that read any Python literal can be made to recurse without end.

use super::columns::Cell;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header: those of arrays without named fields have 128 bytes or little more.
const HEADER_BYTES_MAX: usize = 4_096;

/// What the values of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

/// An array of one or two dimensions.
#[derive(Debug)]
pub(crate) struct Array {
    kind: Kind,
    /// Bytes of one value: 1, 2, 4 or 8.
    size: usize,
    big_endian: bool,
    /// Whether columns come one after the other, rather than rows.
    fortran: bool,
    rows: usize,
    columns: usize,
    bytes: Vec<u8>,
    /// Where the first value is in `bytes`.
    first: usize,
}

impl Array {
    /// The array in the bytes of a `.npy` file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self, String> {
        let (text, first) = header(&bytes).ok_or("is no array of NumPy")?;
        let fields = Fields::parse(text).ok_or_else(|| format!("has a header that NumPy does not write: {text:?}"))?;
        let (kind, size, big_endian) = data_type(fields.descr)
            .ok_or_else(|| format!("has values of type {:?}: expected integers, floats or booleans", fields.descr))?;
        let (rows, columns) = match fields.shape[..] {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => return Err(format!("has {} dimensions: expected 1 or 2", fields.shape.len())),
        };
        let claimed = rows.checked_mul(columns).and_then(|values| values.checked_mul(size));
        let found = bytes.len() - first;
        if claimed != Some(found) {
            return Err(format!("holds {found} bytes of values where its header says {rows} × {columns} × {size}"));
        }
        Ok(Self { kind, size, big_endian, fortran: fields.fortran, rows, columns, bytes, first })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The value in a row and column that exist.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cell<'static> {
        let at = if self.fortran { column * self.rows + row } else { row * self.columns + column };
        let mut word = [0; 8];
        let value = &self.bytes[self.first + at * self.size..][..self.size];
        // Into the low end of a little-endian word.
        word[..self.size].copy_from_slice(value);
        if self.big_endian {
            word[..self.size].reverse();
        }
        let bits = u64::from_le_bytes(word);
        let unused = u64::BITS - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Float, 4) => Cell::Number(f64::from(f32::from_bits(bits as u32))),
            (Kind::Float, _) => Cell::Number(f64::from_bits(bits)),
            (Kind::Signed, _) => Cell::Integer((bits << unused) as i64 >> unused),
            (Kind::Unsigned, _) => i64::try_from(bits).map_or(Cell::Number(bits as f64), Cell::Integer),
        }
    }
}

/// The text of the header and where the values begin.
fn header(bytes: &[u8]) -> Option<(&str, usize)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = if version[0] == 1 {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let text = rest.get(..length).filter(|text| text.len() <= HEADER_BYTES_MAX)?;
    Some((std::str::from_utf8(text).ok()?.trim(), bytes.len() - rest.len() + length))
}

/// The entries of a header such as `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }`.
struct Fields<'a> {
    descr: &'a str,
    fortran: bool,
    shape: Vec<usize>,
}

impl<'a> Fields<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let value = |key: &str| text.split_once(key).map(|(_, rest)| rest.trim_start());
        let descr = value("'descr':")?.strip_prefix('\'')?.split_once('\'')?.0;
        let order = value("'fortran_order':")?;
        let fortran = order.starts_with("True");
        if !fortran && !order.starts_with("False") {
            return None;
        }
        let shape = value("'shape':")?.strip_prefix('(')?.split_once(')')?.0;
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        Some(Self { descr, fortran, shape: lengths.map(|length| length.parse().ok()).collect::<Option<_>>()? })
    }
}

/// Kind, size and byte order by `NumPy`'s name, such as `<f8`.
fn data_type(descr: &str) -> Option<(Kind, usize, bool)> {
    let mut letters = descr.chars();
    let big_endian = match letters.next()? {
        '<' | '|' | '=' => false,
        '>' => true,
        _ => return None,
    };
    let kind = match letters.next()? {
        'f' => Kind::Float,
        'i' => Kind::Signed,
        'u' | 'b' => Kind::Unsigned,
        _ => return None,
    };
    let size = letters.as_str().parse().ok()?;
    let known = if kind == Kind::Float { matches!(size, 4 | 8) } else { matches!(size, 1 | 2 | 4 | 8) };
    known.then_some((kind, size, big_endian))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(header: &str, values: &[u8]) -> Result<Array, String> {
        let length = u16::try_from(header.len()).expect("a short header").to_le_bytes();
        Array::new([MAGIC, &[1, 0], &length, header.as_bytes(), values].concat())
    }

    fn header(descr: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}  \n")
    }

    #[test]
    fn every_kind_of_number_is_read_in_both_byte_orders() {
        for (descr, bytes, cell) in [
            ("<f8", &(-2.5_f64).to_le_bytes()[..], Cell::Number(-2.5)),
            (">f4", &2.5_f32.to_be_bytes(), Cell::Number(2.5)),
            ("|i1", &[0xff], Cell::Integer(-1)),
            (">i2", &(-300_i16).to_be_bytes(), Cell::Integer(-300)),
            ("<i8", &i64::MIN.to_le_bytes(), Cell::Integer(i64::MIN)),
            ("<u4", &u32::MAX.to_le_bytes(), Cell::Integer(0xffff_ffff)),
            ("<u8", &u64::MAX.to_le_bytes(), Cell::Number(u64::MAX as f64)),
            ("|b1", &[1], Cell::Integer(1)),
        ] {
            let array = array(&header(descr, "False", "(1,)"), bytes).expect(descr);
            assert_eq!(array.cell(0, 0), cell, "{descr}");
        }
    }

    #[test]
    fn rows_first_and_columns_first_are_told_apart() {
        let read = |fortran| {
            let array = array(&header("|u1", fortran, "(2, 3)"), &[1, 2, 3, 4, 5, 6]).expect("six values");
            [(0, 0), (0, 1), (1, 0), (1, 2)].map(|(row, column)| array.cell(row, column))
        };
        assert_eq!(read("False"), [1, 2, 4, 6].map(Cell::Integer));
        assert_eq!(read("True"), [1, 3, 2, 6].map(Cell::Integer));
    }

    #[test]
    fn headers_that_lie_are_refused() {
        for (header, part) in [
            (header("<f8", "False", "(2,)"), "holds 8 bytes"),
            (header("<f8", "False", "(18446744073709551615, 18446744073709551615)"), "holds 8 bytes"),
            (header("<f8", "False", "(184467440737095516160,)"), "NumPy does not write"),
            (header("<f8", "False", "(1, 1, 1)"), "3 dimensions"),
            (header("|O", "False", "(1,)"), "\"|O\""),
            (header("<U2", "False", "(1,)"), "\"<U2\""),
            (header("<f2", "False", "(4,)"), "\"<f2\""),
            (header("<f8", "Maybe", "(1,)"), "NumPy does not write"),
            (header("<f8", "False", &"(".repeat(1_000)), "NumPy does not write"),
            (header("<f8", "False", &" ".repeat(5_000)), "no array"),
        ] {
            let refused = array(&header, &[0; 8]).expect_err(part);
            assert!(refused.contains(part), "{refused}");
        }
        assert!(Array::new(b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec()).is_err());
    }
}
