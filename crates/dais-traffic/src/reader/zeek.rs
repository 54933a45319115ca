//! Rows of a Zeek `conn.log` as tab-separated text, with or without labels.
//!
//! Format: <https://docs.zeek.org/en/master/log-formats.html>. Header lines may come again in the middle (rotated
//! logs put together); each block has its own columns.

use crate::{ConnState, Flow, Protocol, Service};

use super::ReadError;
use super::error::Flaw;
use super::value;
use super::verdict::Said;

/// A column that a flow is made of, as a place in [`NAMES`].
#[derive(Clone, Copy)]
enum Field {
    Time,
    Source,
    SourcePort,
    Destination,
    DestinationPort,
    Protocol,
    Service,
    Duration,
    BytesOut,
    BytesIn,
    State,
    PacketsOut,
    PacketsIn,
    Label,
    Details,
}

const NAMES: [&str; 15] = [
    "ts",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "service",
    "duration",
    "orig_bytes",
    "resp_bytes",
    "conn_state",
    "orig_pkts",
    "resp_pkts",
    "label",
    "detailedlabel",
];

/// Columns without which a row is no connection.
const REQUIRED: [Field; 5] = [Field::Time, Field::Source, Field::Destination, Field::Protocol, Field::State];

/// What the line begins with that names the columns.
const FIELDS: &[u8] = b"#fields";

/// Labelled logs of some collections keep the last columns together, apart by three spaces.
const SPACES: &str = "   ";

/// What the header lines said so far.
#[derive(Debug)]
pub(crate) struct Tsv {
    separator: u8,
    /// Between the values of one field, such as several services.
    set_separator: u8,
    unset: Vec<u8>,
    empty: Vec<u8>,
    header: Vec<String>,
    /// Which of [`NAMES`] each column of a row is.
    columns: Vec<Option<usize>>,
    spaced: bool,
}

impl Default for Tsv {
    fn default() -> Self {
        Self {
            separator: b'\t',
            set_separator: b',',
            unset: b"-".to_vec(),
            empty: b"(empty)".to_vec(),
            header: Vec::new(),
            columns: Vec::new(),
            spaced: false,
        }
    }
}

/// Which of [`NAMES`] a column is.
fn known(column: &str) -> Option<usize> {
    let column = match column {
        "detailed-label" | "detailed_label" => NAMES[Field::Details as usize],
        "id_orig_h" => NAMES[Field::Source as usize],
        "id_orig_p" => NAMES[Field::SourcePort as usize],
        "id_resp_h" => NAMES[Field::Destination as usize],
        "id_resp_p" => NAMES[Field::DestinationPort as usize],
        column => column,
    };
    NAMES.iter().position(|name| *name == column)
}

/// Which of the columns of a connection log each of these is, unless one is missing without which a row is none.
pub(super) fn recognised<N: AsRef<str>>(names: &[N]) -> Option<Vec<Option<usize>>> {
    let mut columns: Vec<Option<usize>> = Vec::new();
    for name in names {
        // Of two columns of one name the first counts.
        columns.push(known(name.as_ref()).filter(|known| !columns.contains(&Some(*known))));
    }
    REQUIRED.iter().all(|field| columns.contains(&Some(*field as usize))).then_some(columns)
}

/// Whether a line names the columns of a log.
pub(super) fn is_fields_line(line: &[u8]) -> bool {
    line.strip_prefix(FIELDS).and_then(<[u8]>::first).is_some_and(|next| !next.is_ascii_alphanumeric())
}

/// Nothing where the text is one of the marks that Zeek writes for an unset or an empty field.
pub(super) fn unmarked(text: &[u8]) -> &[u8] {
    if matches!(text, b"-" | b"(empty)") { b"" } else { text }
}

/// The fields of one row, by column of [`NAMES`]; unset ones are empty.
#[derive(Default)]
pub(super) struct Row<'a> {
    pub(super) fields: [&'a [u8]; NAMES.len()],
}

impl<'a> Row<'a> {
    fn get(&self, field: Field) -> (&'static str, &'a [u8]) {
        (NAMES[field as usize], self.fields[field as usize])
    }

    /// The value of a field, or the default where it is unset.
    fn or_default<T: Default>(&self, field: Field, parse: impl Fn(&str, &[u8]) -> Result<T, Flaw>) -> Result<T, Flaw> {
        let (name, value) = self.get(field);
        if value.is_empty() { Ok(T::default()) } else { parse(name, value) }
    }

    fn text(&self, field: Field) -> Result<&'a str, Flaw> {
        let (name, value) = self.get(field);
        if value.is_empty() { Ok("") } else { value::text(name, value) }
    }

    /// The flow in a row, and what its labels say.
    pub(super) fn flow(&self) -> Result<(Flow, Said<'a>), Flaw> {
        let (name, time) = self.get(Field::Time);
        let time_s = value::time(name, time)?;
        let (name, source) = self.get(Field::Source);
        let source = value::address(name, source)?;
        let (name, destination) = self.get(Field::Destination);
        let destination = value::address(name, destination)?;
        let flow = Flow {
            time_s,
            duration_s: self.or_default(Field::Duration, value::amount)?,
            source,
            source_port: self.or_default(Field::SourcePort, value::port)?,
            destination,
            destination_port: self.or_default(Field::DestinationPort, value::port)?,
            protocol: match self.get(Field::Protocol).1 {
                b"tcp" => Protocol::Tcp,
                b"udp" => Protocol::Udp,
                _ => value::protocol(self.text(Field::Protocol)?),
            },
            service: match self.get(Field::Service).1 {
                b"" => Service::None,
                b"dns" => Service::Dns,
                b"ssl" => Service::Tls,
                b"http" => Service::Http,
                _ => service(self.text(Field::Service)?),
            },
            state: match self.get(Field::State).1 {
                b"SF" => ConnState::Sf,
                b"S0" => ConnState::S0,
                _ => self.text(Field::State).and_then(state)?,
            },
            bytes_out: self.or_default(Field::BytesOut, value::count)?,
            bytes_in: self.or_default(Field::BytesIn, value::count)?,
            packets_out: self.or_default(Field::PacketsOut, value::count)?,
            packets_in: self.or_default(Field::PacketsIn, value::count)?,
        };
        let said = Said::zeek(self.text(Field::Label)?.into(), self.text(Field::Details)?.into());
        Ok((without_icmp_ports(flow), said))
    }
}

impl Tsv {
    /// Takes in a line that starts with `#`.
    pub(crate) fn header_line(&mut self, file: &str, line: u64, text: &[u8]) -> Result<(), ReadError> {
        if is_fields_line(text) && self.header.is_empty() {
            self.separator = text[FIELDS.len()];
        }
        let text = String::from_utf8_lossy(text);
        if let Some(separator) = text.strip_prefix("#separator ") {
            self.separator = unescape(separator).unwrap_or(b'\t');
            return Ok(());
        }
        let mut words = text.split(char::from(self.separator));
        let (key, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match key {
            "#set_separator" => self.set_separator = unescape(value).unwrap_or(b','),
            "#unset_field" => self.unset = value.as_bytes().to_vec(),
            "#empty_field" => self.empty = value.as_bytes().to_vec(),
            "#path" if !value.starts_with("conn") => {
                return Err(ReadError::OtherLog { file: file.to_owned(), line, path: value.to_owned() });
            }
            "#fields" => return self.fields(file, line, &text),
            _ => {}
        }
        Ok(())
    }

    fn fields(&mut self, file: &str, line: u64, text: &str) -> Result<(), ReadError> {
        let columns = text.split(char::from(self.separator)).skip(1);
        self.spaced = text.contains(SPACES);
        self.header = columns.flat_map(|column| column.split(SPACES)).map(|name| name.trim().to_owned()).collect();
        self.columns = self.header.iter().map(|name| known(name)).collect();
        let missing = REQUIRED.iter().find(|field| !self.columns.contains(&Some(**field as usize)));
        missing.map_or(Ok(()), |field| {
            Err(ReadError::MissingColumn {
                file: file.to_owned(),
                line,
                column: NAMES[*field as usize].to_owned(),
                header: self.header.clone(),
            })
        })
    }

    fn row<'a>(&self, line: &'a [u8]) -> Result<Row<'a>, Flaw> {
        if self.header.is_empty() {
            return Err(Flaw::row("a `#fields` line before the first flow", super::error::quoted(line)));
        }
        let mut row = Row::default();
        let mut width = 0;
        let mut take = |field: &'a [u8]| {
            if let Some(Some(column)) = self.columns.get(width)
                && !is(field, &self.unset)
                && !is(field, &self.empty)
            {
                row.fields[*column] = field;
            }
            width += 1;
        };
        // Fields are so short that looking at each byte is faster than searching for the next separator.
        for field in line.split(|byte| *byte == self.separator) {
            if self.spaced {
                split_spaces(field, &mut take);
            } else {
                take(field);
            }
        }
        if width == self.header.len() {
            return Ok(row);
        }
        Err(Flaw::row(format!("{} columns", self.header.len()), width.to_string()))
    }

    /// The flow in a line, and what its labels say.
    pub(crate) fn flow<'a>(&self, line: &'a [u8]) -> Result<(Flow, Said<'a>), Flaw> {
        let row = self.row(line)?;
        let services = row.fields[Field::Service as usize];
        if self.set_separator == b',' || !services.contains(&self.set_separator) {
            return row.flow();
        }
        let mut list = services.to_vec();
        list.iter_mut().filter(|byte| **byte == self.set_separator).for_each(|byte| *byte = b',');
        let service = service(value::text(NAMES[Field::Service as usize], &list)?);
        row.flow().map(|(flow, said)| (Flow { service, ..flow }, said))
    }
}

/// Whether a field is a mark; told by length and first byte where it is not, as nearly always.
fn is(field: &[u8], mark: &[u8]) -> bool {
    field.len() == mark.len() && field.first() == mark.first() && field == mark
}

fn split_spaces<'a>(field: &'a [u8], take: &mut impl FnMut(&'a [u8])) {
    let mut rest = field;
    while let Some(at) = memchr::memmem::find(rest, SPACES.as_bytes()) {
        take(&rest[..at]);
        rest = rest[at..].trim_ascii_start();
    }
    take(rest);
}

/// The character that `\x09` means, or the one that is there itself, if it is of ASCII.
fn unescape(text: &str) -> Option<u8> {
    let hex = text.trim().strip_prefix("\\x").and_then(|hex| u8::from_str_radix(hex, 16).ok());
    hex.or_else(|| text.bytes().next()).filter(u8::is_ascii)
}

/// Service by Zeek's name; empty where none was recognised.
pub(super) fn service(names: &str) -> Service {
    value::service(names)
}

/// Connection state by Zeek's name; midstream where it is unset.
pub(super) fn state(name: &str) -> Result<ConnState, Flaw> {
    if name.is_empty() || name == "-" {
        return Ok(ConnState::Oth);
    }
    let known = ConnState::ALL.into_iter().find(|state| state.name() == name);
    known.ok_or_else(|| Flaw::field("conn_state", "a connection state such as SF or S0", name.as_bytes()))
}

/// Zeek keeps type and code of ICMP where others have ports.
pub(super) fn without_icmp_ports(flow: Flow) -> Flow {
    if flow.protocol == Protocol::Icmp { Flow { source_port: 0, destination_port: 0, ..flow } } else { flow }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts\tlabel\tdetailedlabel";
    const ROW: &str = "1655071198.444458\tC1\t147.32.81.167\t62771\t40.74.108.123\t443\ttcp\tssl\t1.5\t1596\t4039\tSF\t14\t16\tMalicious\tCC";

    fn tsv(header: &[&str]) -> Tsv {
        let mut tsv = Tsv::default();
        for line in header {
            tsv.header_line("f", 1, line.as_bytes()).expect("a sound header");
        }
        tsv
    }

    #[test]
    fn a_row_becomes_a_flow_with_what_its_label_says() {
        let (flow, said) = tsv(&[FIELDS]).flow(ROW.as_bytes()).expect("a sound row");
        assert_eq!((flow.destination_port, flow.bytes_in, flow.packets_out), (443, 4039, 14));
        assert_eq!((flow.service, flow.state, said), (Service::Tls, ConnState::Sf, Said::Attack("CC".into())));
    }

    #[test]
    fn unset_fields_are_zero_and_other_marks_are_taken_from_the_header() {
        let header = ["#separator \\x2c", "#unset_field,NIL", &FIELDS.replace('\t', ",")];
        let row = ROW.replace('\t', ",").replace("1.5,1596,4039", "NIL,NIL,NIL");
        let (flow, _) = tsv(&header).flow(row.as_bytes()).expect("a sound row");
        assert_eq!((flow.duration_s.to_bits(), flow.bytes_out, flow.bytes_in), (0, 0, 0));
    }

    #[test]
    fn several_services_are_told_apart_as_the_header_says_and_columns_by_what_follows_the_word() {
        for (separator, written) in [("|", "|"), (";", ";"), ("\\x3b", ";"), (",", ",")] {
            let tsv = tsv(&["#separator \\x09", &format!("#set_separator\t{separator}"), FIELDS]);
            let (flow, _) =
                tsv.flow(ROW.replace("ssl", &format!("gssapi{written}smb")).as_bytes()).expect("a sound row");
            assert_eq!(flow.service, Service::Windows, "{separator}");
        }
        let commas = tsv(&[&FIELDS.replace('\t', ",")]).flow(ROW.replace('\t', ",").as_bytes()).map(|(flow, _)| flow);
        assert_eq!(commas.ok(), tsv(&[FIELDS]).flow(ROW.as_bytes()).map(|(flow, _)| flow).ok());
    }

    #[test]
    fn labels_apart_by_spaces_are_understood() {
        let fields =
            FIELDS.replace("resp_pkts\tlabel\tdetailedlabel", "resp_pkts\ttunnel_parents   label   detailed-label");
        let row = ROW.replace("16\tMalicious\tCC", "16\t(empty)   Malicious   PartOfAHorizontalPortScan");
        let (_, said) = tsv(&[&fields]).flow(row.as_bytes()).expect("a sound row");
        assert_eq!(said, Said::Attack("PartOfAHorizontalPortScan".into()));
    }

    #[test]
    fn broken_rows_name_the_column() {
        let tsv = tsv(&[FIELDS]);
        for (good, bad, column) in [
            ("147.32.81.167", "147.32.81", Some("id.orig_h")),
            ("\t443\t", "\t70000\t", Some("id.resp_p")),
            ("1.5", "-1.5", Some("duration")),
            ("1596", "15x6", Some("orig_bytes")),
            ("SF", "XX", Some("conn_state")),
            ("1655071198.444458", "nan", Some("ts")),
            ("\tCC", "", None),
        ] {
            let flaw = tsv.flow(ROW.replace(good, bad).as_bytes()).expect_err(bad);
            assert_eq!(flaw.column.as_deref(), column, "{bad}");
        }
    }

    #[test]
    fn a_log_of_something_else_or_without_states_is_refused() {
        let mut tsv = Tsv::default();
        assert!(matches!(tsv.header_line("f", 3, b"#path\tdns"), Err(ReadError::OtherLog { .. })));
        let missing = tsv.header_line("f", 3, b"#fields\tts\tid.orig_h\tid.resp_h\tproto");
        assert!(matches!(missing, Err(ReadError::MissingColumn { column, .. }) if column == "conn_state"));
    }
}
