//! Templates: how the records of a set are laid out, and cutting a set into its records by one.

use super::super::window::ByteOrder;
use super::element::{Meaning, Rare};

/// The length that says that each value carries its own (RFC 7011, section 7).
const VARIABLE: u16 = u16::MAX;
/// The bit that says that the number of an enterprise follows.
const ENTERPRISE: u16 = 0x8000;

/// One field, or several that say nothing, of which one is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    meaning: Meaning,
    /// `None` where each value carries its own.
    length: Option<usize>,
}

/// What the records of a template are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    /// About the exporter itself.
    Options,
}

/// How records are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) kind: Kind,
    fields: Vec<Field>,
    /// Bytes that a record has at least.
    record_bytes_min: usize,
}

/// What became of the bytes of a set of data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) records: u64,
    pub(super) record_bytes: usize,
    /// Too few for another record.
    pub(super) padding_bytes: usize,
    /// Of a record that runs beyond the set, or of none at all.
    pub(super) lost_bytes: usize,
}

/// A template as it was announced, or its withdrawal.
pub(super) struct Announced {
    pub(super) id: u16,
    /// `None` where it is not in use any more.
    pub(super) template: Option<Template>,
}

/// A form in which templates are announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Of data in version 9, where no number is an enterprise's.
    Data9,
    /// Of options in version 9, whose scope has numbers of its own.
    Options9,
    DataIpfix,
    OptionsIpfix,
}

impl Template {
    fn new(kind: Kind, fields: impl Iterator<Item = Field>) -> Self {
        let mut merged: Vec<Field> = Vec::new();
        let mut record_bytes_min = 0;
        for field in fields {
            record_bytes_min += field.length.unwrap_or(1);
            match (merged.last_mut(), field) {
                (
                    Some(Field { meaning: Meaning::Nothing, length: Some(before) }),
                    Field { meaning: Meaning::Nothing, length: Some(length) },
                ) => *before += length,
                _ => merged.push(field),
            }
        }
        Self { kind, fields: merged, record_bytes_min }
    }

    /// Fields for which memory is needed.
    pub(super) fn size(&self) -> usize {
        self.fields.len()
    }

    /// Cuts a set into records: `begin` is called before each, then `take` with the meaning and the bytes of each field,
    /// and `end`.
    pub(super) fn cut<D>(
        &self,
        set: &[u8],
        begin: impl Fn() -> D,
        take: impl Fn(&mut D, Meaning, &[u8]),
        mut end: impl FnMut(D),
    ) -> Cut {
        let mut cut = Cut::default();
        let mut rest = set;
        if self.record_bytes_min == 0 {
            return Cut { lost_bytes: set.len(), ..cut };
        }
        while rest.len() >= self.record_bytes_min {
            let mut draft = begin();
            let Some(behind) = self.record(rest, |meaning, value| take(&mut draft, meaning, value)) else {
                cut.lost_bytes = rest.len();
                return cut;
            };
            end(draft);
            cut.records += 1;
            cut.record_bytes += rest.len() - behind.len();
            rest = behind;
        }
        cut.padding_bytes = rest.len();
        cut
    }

    /// Takes the fields of one record; what is behind it, or `None` where it runs beyond the set.
    #[inline]
    fn record<'a>(&self, mut rest: &'a [u8], mut take: impl FnMut(Meaning, &'a [u8])) -> Option<&'a [u8]> {
        for field in &self.fields {
            let length = match field.length {
                Some(length) => length,
                None => variable(&mut rest)?,
            };
            let (value, behind) = rest.split_at_checked(length)?;
            if field.meaning != Meaning::Nothing {
                take(field.meaning, value);
            }
            rest = behind;
        }
        Some(rest)
    }
}

/// Length of a value that carries its own: one byte, or 255 and two more.
fn variable(rest: &mut &[u8]) -> Option<usize> {
    let (&short, behind) = rest.split_first()?;
    *rest = behind;
    if short < u8::MAX {
        return Some(usize::from(short));
    }
    let (long, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(usize::from(u16::from_be_bytes(*long)))
}

/// Reads the templates of a set; the bytes that hold none, which may be padding, are handed back.
pub(super) fn announced(mut set: &[u8], form: Form, mut take: impl FnMut(Announced)) -> &[u8] {
    while let Some((one, behind)) = next(set, form) {
        take(one);
        set = behind;
    }
    set
}

fn next(set: &[u8], form: Form) -> Option<(Announced, &[u8])> {
    let word = |at: usize| set.get(at..at + 2).map(|_| ByteOrder::Big.u16(set, at));
    let (id, fields) = (word(0)?, usize::from(word(2)?));
    // All templates of a kind are withdrawn together by the number of their set.
    let ipfix = matches!(form, Form::DataIpfix | Form::OptionsIpfix);
    if ipfix && fields == 0 && (id > 255 || matches!(id, 2 | 3)) {
        return Some((Announced { id, template: None }, &set[4..]));
    }
    if id <= 255 {
        return None;
    }
    let (kind, scope, fields, header) = match form {
        Form::Data9 | Form::DataIpfix => (Kind::Data, 0, fields, 4),
        // Both lengths are in bytes, four of them for each field.
        Form::Options9 => (Kind::Options, fields / 4, fields / 4 + usize::from(word(4)?) / 4, 6),
        Form::OptionsIpfix => (Kind::Options, 0, fields, 6),
    };
    let mut rest = set.get(header..)?;
    let mut list = Vec::with_capacity(fields.min(set.len() / 4));
    for place in 0..fields {
        let (head, behind) = rest.split_first_chunk::<4>()?;
        rest = behind;
        let (number, length) = (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
        let mut enterprise = 0;
        let marked = ipfix && number & ENTERPRISE != 0;
        if marked {
            let (of, behind) = rest.split_first_chunk()?;
            (enterprise, rest) = (u32::from_be_bytes(*of), behind);
        }
        // Of the scopes of version 9 only the interface matters: 2, which elsewhere is a count of packets.
        let meaning = match (place < scope, number) {
            (true, 2) => Meaning::Rare(Rare::Interface),
            (true, _) => Meaning::Nothing,
            (false, number) if marked => Meaning::of(number & !ENTERPRISE, enterprise),
            (false, number) => Meaning::of(number, 0),
        };
        list.push(Field { meaning, length: (length != VARIABLE).then_some(usize::from(length)) });
    }
    let template = Some(Template::new(kind, list.into_iter()));
    Some((Announced { id, template }, rest))
}
