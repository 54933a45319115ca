//! Flows as files: the columns of a Zeek `conn.log`, which the readers of this crate and many programs understand.

#[cfg(feature = "parquet")]
mod parquet;

use std::io::{self, Write};

use serde::Serialize;

use crate::{Family, Flow, Label, Service};

/// Names of the columns, in their order in all formats; times and durations are seconds, bytes are payload.
const COLUMNS: [(&str, &str); 15] = [
    ("ts", "time"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("service", "string"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
    ("orig_pkts", "count"),
    ("resp_pkts", "count"),
    ("label", "string"),
    ("detailedlabel", "string"),
];

/// How flows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowFormat {
    /// A header line and fields with commas between them; what is unset is empty.
    Csv,
    /// One JSON object a line; what is unset is not there.
    Json,
    /// Tab-separated with the header of a Zeek log.
    Zeek,
    /// Parquet, packed with Zstandard.
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Writes flows one by one; [`FlowWriter::finish`] has to be called at the end.
pub struct FlowWriter<W: Write + Send> {
    out: Out<W>,
}

enum Out<W: Write + Send> {
    Csv(W),
    Json(W),
    Zeek(W),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::Rows<W>>),
}

/// A flow as a Zeek record.
#[derive(Serialize)]
struct Record<'a> {
    ts: f64,
    #[serde(rename = "id.orig_h")]
    source: std::net::IpAddr,
    #[serde(rename = "id.orig_p")]
    source_port: u16,
    #[serde(rename = "id.resp_h")]
    destination: std::net::IpAddr,
    #[serde(rename = "id.resp_p")]
    destination_port: u16,
    proto: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'static str>,
    duration: f64,
    orig_bytes: u64,
    resp_bytes: u64,
    conn_state: &'static str,
    orig_pkts: u64,
    resp_pkts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detailedlabel: Option<&'a str>,
}

impl<'a> Record<'a> {
    fn of(flow: &Flow, label: Label, families: &'a [Family]) -> Self {
        let family = |id: crate::FamilyId| families.get(usize::from(id.0)).map(|family| family.name.as_str());
        let (label, detailedlabel) = match label {
            Label::Benign => (Some("Benign"), None),
            Label::Attack(id) => (Some("Malicious"), family(id)),
            Label::Undecided => (None, None),
        };
        Self {
            ts: flow.time_s,
            source: flow.source,
            source_port: flow.source_port,
            destination: flow.destination,
            destination_port: flow.destination_port,
            proto: flow.protocol.name(),
            service: (flow.service != Service::None).then(|| flow.service.name()),
            duration: flow.duration_s,
            orig_bytes: flow.bytes_out,
            resp_bytes: flow.bytes_in,
            conn_state: flow.state.name(),
            orig_pkts: flow.packets_out,
            resp_pkts: flow.packets_in,
            label,
            detailedlabel,
        }
    }

    /// One line of fields; `text` writes one that came from outside.
    fn line(&self, out: &mut impl Write, between: char, unset: &str, text: impl Fn(&str) -> String) -> io::Result<()> {
        let Self { ts, source, source_port, destination, destination_port, proto, duration, .. } = self;
        let Self { orig_bytes, resp_bytes, conn_state, orig_pkts, resp_pkts, .. } = self;
        let (service, label) = (self.service.unwrap_or(unset), self.label.unwrap_or(unset));
        let details = self.detailedlabel.map_or_else(|| unset.to_owned(), text);
        let b = between;
        write!(
            out,
            "{ts:.6}{b}{source}{b}{source_port}{b}{destination}{b}{destination_port}{b}{proto}{b}{service}{b}"
        )?;
        write!(out, "{duration:.6}{b}{orig_bytes}{b}{resp_bytes}{b}{conn_state}{b}{orig_pkts}{b}{resp_pkts}{b}")?;
        writeln!(out, "{label}{b}{details}")
    }
}

/// A value of a CSV, in quotes where it has to be.
fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"', '\n', '\r']);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " ")) }
}

/// A value of a Zeek log, in which tabs and what else cannot be shown is written as Zeek does.
fn escaped(text: &str) -> String {
    let escape = |c: char| if c.is_ascii_control() { format!("\\x{:02x}", c as u32) } else { c.to_string() };
    text.chars().map(escape).collect()
}

fn names(between: &str) -> String {
    COLUMNS.map(|(name, _)| name).join(between)
}

impl<W: Write + Send> FlowWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(mut out: W, format: FlowFormat) -> io::Result<Self> {
        let out = match format {
            FlowFormat::Csv => {
                writeln!(out, "{}", names(","))?;
                Out::Csv(out)
            }
            FlowFormat::Json => Out::Json(out),
            FlowFormat::Zeek => {
                let types = COLUMNS.map(|(_, kind)| kind).join("\t");
                writeln!(
                    out,
                    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn"
                )?;
                writeln!(out, "#fields\t{}\n#types\t{types}", names("\t"))?;
                Out::Zeek(out)
            }
            #[cfg(feature = "parquet")]
            FlowFormat::Parquet => Out::Parquet(Box::new(parquet::Rows::new(out)?)),
        };
        Ok(Self { out })
    }

    /// Writes a flow with what is said of it; `families` are those of the label.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&mut self, flow: &Flow, label: Label, families: &[Family]) -> io::Result<()> {
        let record = Record::of(flow, label, families);
        match &mut self.out {
            Out::Csv(out) => record.line(out, ',', "", quoted),
            Out::Json(out) => {
                serde_json::to_writer(&mut *out, &record)?;
                out.write_all(b"\n")
            }
            Out::Zeek(out) => record.line(out, '\t', "-", escaped),
            #[cfg(feature = "parquet")]
            Out::Parquet(rows) => rows.push(&record),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        match self.out {
            Out::Csv(mut out) | Out::Json(mut out) | Out::Zeek(mut out) => out.flush(),
            #[cfg(feature = "parquet")]
            Out::Parquet(rows) => rows.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ConnState, FlowLog, Input, Protocol, ReadOptions, read};

    const FORMATS: &[FlowFormat] = &[
        FlowFormat::Csv,
        FlowFormat::Json,
        FlowFormat::Zeek,
        #[cfg(feature = "parquet")]
        FlowFormat::Parquet,
    ];

    fn written(log: &FlowLog, format: FlowFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = FlowWriter::new(&mut bytes, format).expect("memory takes bytes");
        for (flow, label) in log.flows.iter().zip(&log.labels) {
            writer.write(flow, *label, &log.families).expect("memory takes bytes");
        }
        writer.finish().expect("memory takes bytes");
        bytes
    }

    fn read_back(bytes: &[u8]) -> FlowLog {
        match read("f", bytes, &ReadOptions::default()) {
            Ok(Input::Flows(log)) => log,
            other => panic!("{other:?}"),
        }
    }

    prop_compose! {
        fn flow()(
            time_us in 0_u64..4_000_000_000_000_000, duration_us in 0_u64..100_000_000_000, ends in any::<[u8; 8]>(),
            v6 in any::<bool>(), ports in any::<[u16; 2]>(), kinds in any::<[prop::sample::Index; 3]>(),
            counts in [0_u64..1 << 62, 0_u64..1 << 62, 0_u64..1 << 40, 0_u64..1 << 40],
        ) -> Flow {
            let [a, b, c, d, e, f, g, h] = ends;
            let address = |four: [u8; 4]| -> std::net::IpAddr {
                let v4 = std::net::Ipv4Addr::from(four);
                if v6 { v4.to_ipv6_compatible().into() } else { v4.into() }
            };
            let protocol = *kinds[0].get(&Protocol::ALL);
            let ports = if protocol == Protocol::Icmp { [0, 0] } else { ports };
            Flow {
                time_s: time_us as f64 / 1e6,
                duration_s: duration_us as f64 / 1e6,
                source: address([a, b, c, d]),
                source_port: ports[0],
                destination: address([e, f, g, h]),
                destination_port: ports[1],
                protocol,
                service: *kinds[1].get(&Service::ALL),
                state: *kinds[2].get(&ConnState::ALL),
                bytes_out: counts[0],
                bytes_in: counts[1],
                packets_out: counts[2],
                packets_in: counts[3],
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn what_is_written_in_any_format_reads_back_the_same(
            mut flows in proptest::collection::vec((flow(), 0_u16..4), 1..20),
            names in ["[ -~é]{1,12}", "[a-z,\"]{1,12}"],
        ) {
            flows.sort_by(|a, b| a.0.time_s.total_cmp(&b.0.time_s));
            // A name that Zeek's marks or blanks at its ends could be taken for is none that a file can hold.
            prop_assume!(names.iter().all(|name| name.trim() == name && !matches!(name.as_str(), "-" | "(empty)")));
            prop_assume!(names[0] != names[1] && !names.iter().any(|name| name.contains("   ")));
            let families: Vec<Family> = names.iter().map(|name| Family::named(name)).collect();
            let said = |kind: u16| match kind {
                0 => Label::Benign,
                1 => Label::Undecided,
                family => Label::Attack(crate::FamilyId(family - 2)),
            };
            let labels: Vec<Label> = flows.iter().map(|(_, kind)| said(*kind)).collect();
            let flows: Vec<Flow> = flows.into_iter().map(|(flow, _)| flow).collect();
            let name = |label: &Label, families: &[Family]| match label {
                Label::Attack(id) => families[usize::from(id.0)].name.clone(),
                other => format!("{other:?}"),
            };
            let log = FlowLog {
                name: "f".into(), format: crate::Format::Csv, flows, labels, families, stats: crate::ReadStats::default(),
            };
            for format in FORMATS {
                let back = read_back(&written(&log, *format));
                prop_assert_eq!(&back.flows, &log.flows, "{:?}", format);
                let said = |log: &FlowLog| log.labels.iter().map(|label| name(label, &log.families)).collect::<Vec<_>>();
                prop_assert_eq!(said(&back), said(&log), "{:?}", format);
            }
        }
    }
}
