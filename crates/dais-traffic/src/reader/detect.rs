//! Which format a file has, by its content.

use std::fmt;

use crate::table::{Sample, recognises};

use super::error::quoted;
use super::netflow;
use super::packets;
use super::wrapping::{self, Seen};

/// A format of flow records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Zeek `conn.log`, tab-separated with `#` header lines.
    ZeekTsv,
    /// Zeek `conn.log`, as JSON objects.
    ZeekJson,
    /// The columns of a Zeek `conn.log` as a table with a header line.
    ZeekCsv,
    /// Suricata EVE, as JSON objects.
    SuricataEve,
    /// Argus flow records as text, with a header line: binetflow.
    Argus,
    /// Packets in a classic capture file, as `tcpdump` writes it.
    Pcap,
    /// Packets in a capture file of the next generation, as Wireshark writes it.
    PcapNg,
    /// Export packets of NetFlow (versions 5 and 9) or IPFIX, one after another.
    NetFlow,
    /// NSL-KDD or KDD Cup 1999, with or without a header line.
    NslKdd,
    /// `NumPy` arrays `X` and `y` in a zip archive.
    Npz,
    /// Parquet: a labelled table with types, or a Zeek `conn.log`.
    Parquet,
    /// A labelled table in the Attribute-Relation File Format.
    Arff,
    /// Any other table with a header line.
    Csv,
}

impl Format {
    /// What people call the formats, to be listed.
    pub(crate) const NAMES: [&'static str; 13] = [
        "Zeek conn.log (tab-separated)",
        "Zeek conn.log (JSON)",
        "Zeek conn.log (CSV with a header line)",
        "Suricata EVE (JSON)",
        "Argus (binetflow)",
        "packet captures (pcap)",
        "packet captures (pcapng)",
        "NetFlow v5, v9 and IPFIX",
        "NSL-KDD",
        "npz (arrays X and y)",
        "Parquet",
        "ARFF",
        "tables with a header line and a column named label or class",
    ];

    /// Whether this is a log of flows that a schema can make a labelled table of.
    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::Argus | Self::ZeekCsv)
    }

    /// Whether this is a log of flows, rather than a table with features of its own.
    #[must_use]
    pub fn is_flow_log(self) -> bool {
        matches!(
            self,
            Self::ZeekTsv
                | Self::ZeekJson
                | Self::ZeekCsv
                | Self::SuricataEve
                | Self::Argus
                | Self::Pcap
                | Self::PcapNg
                | Self::NetFlow
        )
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize])
    }
}

/// What content looks like that is no known format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecognised {
    /// Data that no schema can help to read.
    #[error("is {0}")]
    Binary(&'static str),
    /// Text of an unknown kind.
    #[error("{0}")]
    Text(String),
}

/// The format of a file that begins with `head`, which is unpacked text: the first 64 KiB, say.
///
/// # Errors
/// Where the content is none of the known formats.
pub fn detect(head: &[u8]) -> Result<Format, NotRecognised> {
    if let Some(format) = packets::recognise(head) {
        return Ok(format);
    }
    if netflow::recognises(head) {
        return Ok(Format::NetFlow);
    }
    if super::npz::recognises(head) {
        return Ok(Format::Npz);
    }
    if cfg!(feature = "parquet") && head.starts_with(b"PAR1") {
        return Ok(Format::Parquet);
    }
    if let Some(what) = binary(head) {
        return Err(NotRecognised::Binary(what));
    }
    let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let Some(first) = lines.clone().find(|line| !line.is_empty()) else {
        return Err(NotRecognised::Text("holds blank lines only".to_owned()));
    };
    if first.starts_with(b"#separator") || lines.clone().any(super::zeek::is_fields_line) {
        return Ok(Format::ZeekTsv);
    }
    if let Some(json) = json(head, first) {
        return json;
    }
    if super::argus::recognises(first) {
        return Ok(Format::Argus);
    }
    if super::argus::recognises_spaced(first) {
        let why = format!("is what `ra` prints in columns of spaces: print it with {}", super::argus::COMMAND);
        return Err(NotRecognised::Text(why));
    }
    if super::zeek_csv::recognises(first) {
        return Ok(Format::ZeekCsv);
    }
    if super::arff::recognises(head) {
        return Ok(Format::Arff);
    }
    let Some(sample) = Sample::cut(head) else {
        return Err(NotRecognised::Text(format!("begins with {}, which is no table", quoted(first))));
    };
    if sample.delimiter == ',' && recognises(&sample.first).is_some() {
        return Ok(Format::NslKdd);
    }
    if sample.has_header() {
        return Ok(Format::Csv);
    }
    Err(NotRecognised::Text(format!("begins with {}, a table without a header line", quoted(first))))
}

/// How much of the beginning is looked at.
const HEAD_BYTES: usize = 1 << 16;

/// How much is looked at of JSON whose first lines are longer than that.
const JSON_HEAD_BYTES: usize = 1 << 21;

/// How many bytes of the beginning are wanted to tell the format, where these are there.
pub(super) fn wanted(head: &[u8]) -> usize {
    let first = memchr::memchr2(b'\n', b'{', head).map(|at| head[at]);
    let long_line = first == Some(b'{') && memchr::memchr(b'\n', head).is_none();
    match detect(head) {
        Ok(format) if format.is_flow_log() => 0,
        Ok(_) if long_line => JSON_HEAD_BYTES,
        Err(NotRecognised::Text(_)) if memchr::memchr(b'{', head).is_some() => JSON_HEAD_BYTES,
        Ok(_) | Err(_) => HEAD_BYTES,
    }
}

/// What JSON there is in a text; `None` where there is none.
fn json(head: &[u8], first: &[u8]) -> Option<Result<Format, NotRecognised>> {
    let is_object = first.starts_with(b"{");
    let why = match wrapping::recognise(head) {
        Seen::Records(format, _) => return Some(Ok(format)),
        Seen::OtherLog(log) => {
            format!("is a Zeek log of {log}, as JSON: expected connections, which have `conn_state`")
        }
        Seen::Unknown if is_object => format!("begins with {}, JSON of another kind", quoted(first)),
        Seen::Nothing if is_object => {
            let error = serde_json::from_slice::<serde::de::IgnoredAny>(first).err();
            let error = error.map_or_else(String::new, |error| format!(" ({error})"));
            format!("begins with {}, broken JSON{error}", quoted(first))
        }
        Seen::Unknown | Seen::Nothing => return None,
    };
    Some(Err(NotRecognised::Text(why)))
}

const ARGUS: &str = "an Argus file: print it as text with `ra -r FILE -n -u -c , -s stime dur proto saddr sport dir daddr dport state spkts dpkts sbytes dbytes`";

/// What kind of binary data this is, or `None` for text.
fn binary(head: &[u8]) -> Option<&'static str> {
    const MAGICS: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "a zip archive without NumPy arrays: unpack it first"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first"),
        (b"\xfd7zXZ\x00", "compressed with xz: unpack it first"),
        (b"BZh", "compressed with bzip2: unpack it first"),
        (
            b"PAR1",
            "a Parquet file, which this build cannot read: convert it to CSV, or build with the feature `parquet`",
        ),
        (b"\xff\xfe", "UTF-16 text: convert it to UTF-8 first"),
    ];
    if let Some((_, what)) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(what);
    }
    // The first record of an Argus file tells its version by a number of four bytes.
    let argus = |at: usize| matches!(head.get(at..at + 4), Some([0xe5, 0x61 | 0x71, _, 0xcb]));
    if argus(4) || argus(8) {
        return Some(ARGUS);
    }
    let controls = head.iter().filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()).count();
    (head.contains(&0) || controls * 20 > head.len()).then_some("binary data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_content() {
        let kdd_row = format!("0,tcp,http,SF,{}normal.\n", "0,".repeat(37));
        for (head, format) in [
            ("#separator \\x09\n#fields\tts\n", Format::ZeekTsv),
            ("#fields\tts\tuid\n", Format::ZeekTsv),
            ("\n{\"ts\":1,\"id.orig_h\":\"10.0.0.1\",\"conn_state\":\"SF\"}\n{\"ts\"", Format::ZeekJson),
            ("{\"timestamp\":\"x\",\"event_type\":\"dns\"}\n", Format::SuricataEve),
            ("ts,id.orig_h,id.resp_h,proto,conn_state\n", Format::ZeekCsv),
            ("% comment\n@RELATION x\n@attribute a numeric\n", Format::Arff),
            ("StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,Label\n", Format::Argus),
            (&kdd_row, Format::NslKdd),
            ("a;b;label\n1;2;x\n", Format::Csv),
        ] {
            assert_eq!(detect(head.as_bytes()), Ok(format), "{head}");
        }
        assert_eq!(detect(b"\xa1\xb2\x3c\x4d"), Ok(Format::Pcap));
        assert_eq!(detect(b"\n\r\r\n\0\0\0\x1c\x1a\x2b\x3c\x4d"), Ok(Format::PcapNg));
    }

    #[test]
    fn everything_else_is_described() {
        for (head, part) in [
            (&b"PK\x03\x04"[..], "zip"),
            (b"a\0b", "binary"),
            (b"\x83\x10\0\x20\0\0\0\0\xe5\x71\x2d\xcb", "`ra -r FILE -n -u -c ,"),
            (b"StartTime   Flgs  Proto  SrcAddr  Sport  Dir  DstAddr  Dport  TotPkts", "`ra -r FILE -n -u -c ,"),
            (b"\n \n", "blank"),
            (b"{\"a\":1}\n", "another kind"),
            (b"{\"ts\":1,\"id.orig_h\":\"10.0.0.1\",\"query\":\"a\"}\n", "Zeek log of dns"),
            (b"{\"a\":\n", "broken JSON"),
            (b"1,2,3\n", "without a header"),
            (b"hello\n", "no table"),
        ] {
            let error = detect(head).expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[cfg(not(feature = "parquet"))]
    #[test]
    fn a_build_without_parquet_says_so() {
        let error = detect(b"PAR1\x15\x04").expect_err("a file that this build cannot read");
        assert!(error.to_string().contains("feature `parquet`"), "{error}");
    }
}
