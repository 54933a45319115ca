//! Reading flow logs one flow at a time, and whole.

use std::borrow::Cow;
use std::io::Read;

use crate::{Family, Flow, Label};

use super::account::Account;
use super::bytes::Bytes;
use super::lines::{Line, Lines};
use super::netflow::NetFlow;
use super::packets::Packets;
use super::tally::{ReadStats, Tally};
use super::verdict::{Families, Said};
use super::wrapping::{self, Seen, Wrapping};
use super::zeek_csv::{self, ZeekCsv};
use super::{Flaw, Format, ReadError, ReadOptions, argus, suricata, too_long, zeek, zeek_json};

/// Broken rows that logs may have where the caller says nothing, as a share.
pub(crate) const LOG_BAD_ROWS: f64 = 0.01;

/// A flow with what the log says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledFlow {
    /// The flow.
    pub flow: Flow,
    /// What the log says it is; for evaluation only.
    pub label: Label,
}

/// The flows of a log, one by one, in bounded memory whatever the size of the log.
///
/// Broken rows are left out and counted; the iterator ends with an error where there are too many, which is known
/// at once if none is allowed and at the end otherwise.
pub struct FlowReader<R> {
    format: Format,
    records: Records<R>,
    tally: Tally,
    families: Families,
    last_s: f64,
    done: bool,
}

/// What flows are made of.
enum Records<R> {
    Lines(Lines<R>, Parser),
    Packets(Box<Packets<R>>),
    NetFlow(Box<NetFlow<R>>),
}

/// How a line, or a JSON object, is understood.
enum Parser {
    Tsv(Box<zeek::Tsv>),
    ZeekCsv(Box<ZeekCsv>),
    ZeekJson(Json),
    Suricata(Json),
    Argus(Box<argus::Argus>),
}

/// Where the records of a JSON log are, and room to unpack one.
#[derive(Default)]
struct Json {
    wrapping: Wrapping,
    room: Vec<u8>,
}

impl Json {
    /// As the beginning of the log says.
    fn of(head: &[u8]) -> Self {
        let wrapping = match wrapping::recognise(head) {
            Seen::Records(_, wrapping) => wrapping,
            Seen::OtherLog(_) | Seen::Unknown | Seen::Nothing => Wrapping::default(),
        };
        Self { wrapping, room: Vec::new() }
    }
}

/// What a line is without a record of the log.
const NO_RECORD: &str = "line without a record";

/// What one line, or object, holds.
enum Entry<'a> {
    /// A flow, what the log says of it, and whether a rule raised an alert on it.
    Flow(Flow, Said<'a>, bool),
    Alert,
    /// A record of another kind, which this names.
    Other(Cow<'a, str>),
    /// The names of the columns.
    Header,
}

impl Parser {
    /// The record in a line or object.
    fn entry<'a>(&'a mut self, file: &str, number: u64, text: &'a [u8]) -> Result<Result<Entry<'a>, Flaw>, ReadError> {
        Ok(match self {
            Self::Tsv(tsv) if text[0] == b'#' => {
                tsv.header_line(file, number, text)?;
                Ok(Entry::Header)
            }
            Self::Tsv(tsv) => tsv.flow(text).map(|(flow, said)| Entry::Flow(flow, said, false)),
            Self::ZeekCsv(csv) => csv.entry(text).map(|entry| match entry {
                zeek_csv::Entry::Flow(flow, said) => Entry::Flow(flow, said, false),
                zeek_csv::Entry::Header => Entry::Header,
            }),
            Self::ZeekJson(json) => match json.wrapping.record(text, &mut json.room) {
                Ok(Some(record)) => zeek_json::entry(record).map(|entry| match entry {
                    zeek_json::Entry::Flow(flow, said) => Entry::Flow(flow, said, false),
                    zeek_json::Entry::Other(kind) => Entry::Other(kind),
                }),
                Ok(None) => Ok(Entry::Other(NO_RECORD.into())),
                Err(flaw) => Err(flaw),
            },
            Self::Suricata(json) => match json.wrapping.record(text, &mut json.room) {
                Ok(Some(record)) => suricata::entry(record).map(|entry| match entry {
                    suricata::Entry::Flow(flow, alerted) => Entry::Flow(flow, Said::Undecided, alerted),
                    suricata::Entry::Alert => Entry::Alert,
                    suricata::Entry::Other(kind) => Entry::Other(kind),
                }),
                Ok(None) => Ok(Entry::Other(NO_RECORD.into())),
                Err(flaw) => Err(flaw),
            },
            Self::Argus(argus) => argus.entry(text).map(|entry| match entry {
                argus::Entry::Flow(flow, said) => Entry::Flow(flow, said, false),
                argus::Entry::Header => Entry::Header,
                argus::Entry::Other(kind) => Entry::Other(kind.into()),
            }),
        })
    }
}

impl<R: Read> FlowReader<R> {
    /// Opens a flow log of any known format, plain or gzip.
    ///
    /// # Errors
    /// Where the input is empty, cannot be read, or is no flow log.
    pub fn open(file: &str, input: R, options: &ReadOptions) -> Result<Self, ReadError> {
        let bytes = super::open(file, input)?;
        let head = super::text(bytes.head());
        let format = super::detect(head).map_err(|what| super::not_recognised(file, head, &what))?;
        Self::new(bytes, format, options)
    }

    pub(super) fn new(bytes: Bytes<R>, format: Format, options: &ReadOptions) -> Result<Self, ReadError> {
        let tally = Tally::new(bytes.file(), options.bad_rows_max.unwrap_or(LOG_BAD_ROWS));
        let lines = |bytes, parser| Records::Lines(Lines::new(bytes, options.line_bytes_max), parser);
        let is_json = matches!(format, Format::ZeekJson | Format::SuricataEve);
        let json = if is_json { Json::of(super::text(bytes.head())) } else { Json::default() };
        let records = match format {
            Format::ZeekTsv => lines(bytes, Parser::Tsv(Box::default())),
            Format::ZeekCsv => lines(bytes, Parser::ZeekCsv(Box::default())),
            Format::ZeekJson => lines(bytes, Parser::ZeekJson(json)),
            Format::SuricataEve => lines(bytes, Parser::Suricata(json)),
            Format::Argus => lines(bytes, Parser::Argus(Box::default())),
            Format::Pcap | Format::PcapNg => Records::Packets(Box::new(Packets::open(bytes, format, options)?)),
            Format::NetFlow => Records::NetFlow(Box::new(NetFlow::new(bytes, options))),
            Format::NslKdd | Format::Npz | Format::Parquet | Format::Arff | Format::Csv => {
                let parquet = "is a Parquet file, which can be read as a whole only";
                let why = if format == Format::Parquet { parquet } else { "is a table, not a flow log" };
                return Err(ReadError::Unknown { file: bytes.file().to_owned(), why: why.to_owned() });
            }
        };
        Ok(Self { format, records, tally, families: Families::default(), last_s: f64::NEG_INFINITY, done: false })
    }

    /// What the content was recognised as.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Families seen so far; a [`crate::FamilyId`] is an index into this list.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        self.families.list()
    }

    /// What happened in the flow handed out last, one letter for each kind of packet, as Zeek's column `history` has it: of
    /// TCP flows that were made of packets. Zeek's letters for check sums, gaps, windows and retransmissions are left out.
    #[must_use]
    pub fn history(&self) -> Option<&str> {
        match &self.records {
            Records::Packets(packets) => packets.history(),
            Records::Lines(..) | Records::NetFlow(_) => None,
        }
    }

    /// What was read so far.
    #[must_use]
    pub fn stats(&self) -> &ReadStats {
        &self.tally.stats
    }

    fn next_flow(&mut self) -> Result<Option<LabelledFlow>, ReadError> {
        let (lines, parser) = match &mut self.records {
            Records::Lines(lines, parser) => (lines, parser),
            Records::NetFlow(netflow) => return unlabelled(netflow.next_flow(&mut self.tally)?, &self.tally),
            Records::Packets(packets) => return unlabelled(packets.next_flow(&mut self.tally)?, &self.tally),
        };
        loop {
            let spread = match parser {
                Parser::ZeekJson(json) | Parser::Suricata(json) => json.wrapping.spread,
                Parser::Tsv(_) | Parser::ZeekCsv(_) | Parser::Argus(_) => false,
            };
            let next = if spread { lines.next_object() } else { lines.next_numbered() };
            let Some((number, line)) = next? else {
                hint(parser, &mut self.tally);
                self.tally.check()?;
                return Ok(None);
            };
            let text = match line {
                Line::Text([]) => continue,
                Line::Text(text) => text,
                Line::TooLong => {
                    self.tally.bad(number, too_long())?;
                    continue;
                }
            };
            let said = match parser.entry(self.tally.file(), number, text)? {
                Ok(Entry::Flow(flow, said, alerted)) => {
                    self.tally.stats.alerted_flows += u64::from(alerted);
                    Ok((flow, said))
                }
                Ok(Entry::Alert) => {
                    self.tally.stats.alerts += 1;
                    continue;
                }
                Ok(Entry::Other(kind)) => {
                    self.tally.other(&kind);
                    continue;
                }
                Ok(Entry::Header) => continue,
                Err(flaw) => Err(flaw),
            };
            match labelled(said, &mut self.families) {
                Ok(flow) => {
                    self.tally.good();
                    self.tally.stats.out_of_order += u64::from(flow.flow.time_s < self.last_s);
                    self.last_s = flow.flow.time_s;
                    return Ok(Some(flow));
                }
                // A log that is still written, or was cut off, ends within a line.
                Err(flaw) if lines.is_cut() => self.tally.excuse(number, flaw),
                Err(flaw) => self.tally.bad(number, flaw)?,
            }
        }
    }
}

/// Says what there is to say of a log as a whole.
fn hint(parser: &Parser, tally: &mut Tally) {
    if let Parser::Argus(argus) = parser {
        argus.hints().for_each(|hint| tally.hint(hint));
    }
    if matches!(parser, Parser::Suricata(_))
        && tally.stats.flows == 0
        && tally.stats.other.contains_key(suricata::DIRECTIONS)
    {
        tally.hint(suricata::DIRECTIONS_HINT);
    }
}

/// A flow of a format that says nothing of attacks; at the end, whether too much was broken.
fn unlabelled(flow: Option<Flow>, tally: &Tally) -> Result<Option<LabelledFlow>, ReadError> {
    if flow.is_none() {
        tally.check()?;
    }
    Ok(flow.map(|flow| LabelledFlow { flow, label: Label::Undecided }))
}

pub(super) fn labelled(said: Result<(Flow, Said<'_>), Flaw>, families: &mut Families) -> Result<LabelledFlow, Flaw> {
    let (flow, said) = said?;
    let label = families.label("label", said)?;
    Ok(LabelledFlow { flow, label })
}

impl<R: Read> Iterator for FlowReader<R> {
    type Item = Result<LabelledFlow, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_flow().transpose();
        if let Some(Ok(LabelledFlow { flow, .. })) = &next {
            self.tally.stats.count(flow);
        }
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

/// A flow log as a whole, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowLog {
    /// Name of the file.
    pub name: String,
    /// What the content was recognised as.
    pub format: Format,
    /// The flows, by their start.
    pub flows: Vec<Flow>,
    /// What the log says each flow is; for evaluation only.
    pub labels: Vec<Label>,
    /// Families the log names, in the order of their first appearance in the file.
    pub families: Vec<Family>,
    /// Rows read, broken, out of order; alerts.
    pub stats: ReadStats,
}

impl FlowLog {
    pub(super) fn read<R: Read>(mut reader: FlowReader<R>, format: Format) -> Result<Self, ReadError> {
        let mut labelled = Vec::new();
        for flow in reader.by_ref() {
            labelled.push(flow?);
        }
        let name = reader.tally.file().to_owned();
        Self::sorted(name, format, labelled, reader.families, reader.tally.stats)
    }

    /// A log of flows in any order, of which there is at least one.
    pub(super) fn sorted(
        name: String,
        format: Format,
        mut labelled: Vec<LabelledFlow>,
        families: Families,
        stats: ReadStats,
    ) -> Result<Self, ReadError> {
        if labelled.is_empty() {
            let account = Account::of(&stats);
            let hints = account.hints.iter().fold(String::new(), |all, hint| format!("{all}; {hint}"));
            return Err(ReadError::NoRows { file: name, what: format!("{account}{hints}") });
        }
        labelled.sort_by(|a, b| a.flow.time_s.total_cmp(&b.flow.time_s));
        let (flows, labels) = labelled.into_iter().map(|LabelledFlow { flow, label }| (flow, label)).unzip();
        Ok(Self { name, format, flows, labels, families: families.into_list(), stats })
    }
}
