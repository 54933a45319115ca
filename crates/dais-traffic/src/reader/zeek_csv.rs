//! Rows of a Zeek `conn.log` as a table with a header line, as several collections publish them.
//!
//! Unset fields are empty or have the marks of Zeek; columns may be in any order, others among them.

use crate::Flow;

use super::error::Flaw;
use super::fields::Fields;
use super::verdict::Said;
use super::zeek;

/// Whether a first line names the columns of such a log.
pub(crate) fn recognises(first: &[u8]) -> bool {
    Columns::of(first).is_some()
}

/// What one line holds.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// A flow, and what its labels say.
    Flow(Flow, Said<'a>),
    /// The header, or the header again where logs were joined.
    Header,
}

/// What a header line says.
struct Columns {
    /// Which column of a connection log each one is.
    known: Vec<Option<usize>>,
    /// The line itself.
    header: Vec<u8>,
}

impl Columns {
    fn of(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let names: Vec<&str> = text.split(delimiter(line)).map(|name| name.trim().trim_matches('"').trim()).collect();
        let known = zeek::recognised(&names)?;
        Some(Self { known, header: line.to_vec() })
    }
}

/// The character between columns: what comes most often in the header.
fn delimiter(header: &[u8]) -> char {
    let occurrences = |delimiter: &char| header.iter().filter(|byte| char::from(**byte) == *delimiter).count();
    ['|', '\t', ';', ','].into_iter().max_by_key(occurrences).unwrap_or(',')
}

/// Reads lines in the light of the header before them.
#[derive(Default)]
pub(crate) struct ZeekCsv {
    columns: Option<Columns>,
    fields: Option<Fields>,
}

impl ZeekCsv {
    /// The record in a line.
    pub(crate) fn entry(&mut self, line: &[u8]) -> Result<Entry<'_>, Flaw> {
        if self.columns.as_ref().is_none_or(|columns| columns.header == line) {
            let columns = Columns::of(line);
            let columns = columns.ok_or_else(|| Flaw::row("a header line", super::error::quoted(line)))?;
            self.columns = Some(columns);
            self.fields = Some(Fields::new(delimiter(line) as u8));
            return Ok(Entry::Header);
        }
        let (Some(columns), Some(fields)) = (&self.columns, &mut self.fields) else { return Ok(Entry::Header) };
        fields.cut(line)?;
        if fields.len() != columns.known.len() {
            return Err(Flaw::row(format!("{} columns", columns.known.len()), fields.len().to_string()));
        }
        let mut row = zeek::Row::default();
        for (at, known) in columns.known.iter().enumerate() {
            if let Some(known) = known {
                row.fields[*known] = zeek::unmarked(fields.get(at).trim_ascii());
            }
        }
        row.flow().map(|(flow, said)| Entry::Flow(flow, said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnState;

    const HEADER: &str = "ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,service,duration,orig_bytes,resp_bytes,conn_state,orig_pkts,resp_pkts,label,detailed-label";
    const ROW: &str = "1547150789.06,C1,192.168.1.199,59222,46.101.251.172,80,tcp,,,,,S0,3,0,Malicious,C&C";

    fn flow(header: &str, row: &str) -> (Flow, String) {
        let mut csv = ZeekCsv::default();
        assert!(matches!(csv.entry(header.as_bytes()), Ok(Entry::Header)), "{header}");
        match csv.entry(row.as_bytes()) {
            Ok(Entry::Flow(flow, said)) => (flow, format!("{said:?}")),
            other => panic!("{row}: {other:?}"),
        }
    }

    #[test]
    fn a_row_is_a_flow_whatever_stands_between_its_columns_and_for_what_is_unset() {
        let expected = flow(HEADER, ROW);
        assert_eq!((expected.0.state, expected.0.packets_out, expected.0.bytes_out), (ConnState::S0, 3, 0));
        assert_eq!(expected.1, "Attack(\"C&C\")");
        let underscores = HEADER.replace("id.", "id_").replace("detailed-label", "detailed_label");
        assert_eq!(flow(&underscores, &ROW.replace(",,,,,", ",-,-,-,-,")), expected);
        let indexed = (format!(",{HEADER}"), format!("7,{ROW}"));
        assert_eq!(flow(&indexed.0, &indexed.1), expected);
        for between in ["|", ";", "\t", "\",\""] {
            let joined = |line: &str| {
                let joined = line.replace(',', between);
                if between.len() > 1 { format!("\"{joined}\"") } else { joined }
            };
            assert!(recognises(joined(HEADER).as_bytes()), "{between}");
            assert_eq!(flow(&joined(HEADER), &joined(ROW)), expected, "{between}");
        }
    }

    #[test]
    fn a_header_that_comes_again_is_no_row_and_broken_rows_name_the_column() {
        let mut csv = ZeekCsv::default();
        for line in [HEADER, HEADER] {
            assert!(matches!(csv.entry(line.as_bytes()), Ok(Entry::Header)));
        }
        for (good, bad, column) in
            [("192.168.1.199", "192.168.1", Some("id.orig_h")), ("S0", "XX", Some("conn_state")), (",C&C", "", None)]
        {
            let flaw = csv.entry(ROW.replace(good, bad).as_bytes()).map(|_| ()).expect_err(bad);
            assert_eq!(flaw.column.as_deref(), column, "{bad}");
        }
        assert!(!recognises(b"ts,id.orig_h,id.resp_h,proto,label"), "without states it is a table");
    }
}
