//! Which format a file has, by its content.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::table::{Sample, recognises};

use super::error::quoted;
use super::netflow;
use super::packets;

/// A format of flow records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Zeek `conn.log`, tab-separated with `#` header lines.
    ZeekTsv,
    /// Zeek `conn.log`, one JSON object a line.
    ZeekJson,
    /// Suricata EVE, one JSON object a line.
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
    /// Any other table with a header line.
    Csv,
}

impl Format {
    /// What people call the formats, to be listed.
    pub(crate) const NAMES: [&'static str; 11] = [
        "Zeek conn.log (tab-separated)",
        "Zeek conn.log (JSON)",
        "Suricata EVE (JSON)",
        "Argus (binetflow)",
        "packet captures (pcap)",
        "packet captures (pcapng)",
        "NetFlow v5, v9 and IPFIX",
        "NSL-KDD",
        "npz (arrays X and y)",
        "Parquet",
        "tables with a header line and a column named label or class",
    ];

    /// Whether this is a log of flows, rather than a table with features of its own.
    #[must_use]
    pub fn is_flow_log(self) -> bool {
        matches!(
            self,
            Self::ZeekTsv
                | Self::ZeekJson
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
    if first.starts_with(b"#separator") || lines.clone().any(|line| line.starts_with(b"#fields\t")) {
        return Ok(Format::ZeekTsv);
    }
    if first.starts_with(b"{") {
        return json(first);
    }
    if super::argus::recognises(first) {
        return Ok(Format::Argus);
    }
    if super::argus::recognises_spaced(first) {
        let why = format!("is what `ra` prints in columns of spaces: print it with {}", super::argus::COMMAND);
        return Err(NotRecognised::Text(why));
    }
    let Some(sample) = Sample::cut(head) else {
        return Err(NotRecognised::Text(format!("begins with {}, which is no table", quoted(first))));
    };
    if sample.delimiter == ',' && recognises(&sample.header).is_some() {
        return Ok(Format::NslKdd);
    }
    if sample.has_header() {
        return Ok(Format::Csv);
    }
    Err(NotRecognised::Text(format!("begins with {}, a table without a header line", quoted(first))))
}

/// Keys that tell JSON formats apart; a line cut short by the size of the head cannot be told.
#[derive(Deserialize)]
struct Keys {
    event_type: Option<IgnoredAny>,
    ts: Option<IgnoredAny>,
    #[serde(rename = "id.orig_h")]
    source: Option<IgnoredAny>,
}

fn json(first: &[u8]) -> Result<Format, NotRecognised> {
    let keys: Keys = serde_json::from_slice(first)
        .map_err(|error| NotRecognised::Text(format!("begins with {}, broken JSON ({error})", quoted(first))))?;
    match keys {
        Keys { event_type: Some(_), .. } => Ok(Format::SuricataEve),
        Keys { ts: Some(_), source: Some(_), .. } => Ok(Format::ZeekJson),
        Keys { .. } => Err(NotRecognised::Text(format!("begins with {}, JSON of another kind", quoted(first)))),
    }
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
            ("\n{\"ts\":1,\"id.orig_h\":\"10.0.0.1\"}\n{\"ts\"", Format::ZeekJson),
            ("{\"timestamp\":\"x\",\"event_type\":\"dns\"}\n", Format::SuricataEve),
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
