//! Flow records of Argus as text: what `ra -c ,` prints, and the binetflow files of CTU-13.
//!
//! The header line names the columns (`ra(1)`, <https://openargus.org>). Argus counts whole frames and, unless told
//! otherwise, both directions together; see [`Row::traffic`] for how they are told apart here.

use crate::{ConnState, Flow, Protocol, Service};

use super::error::Flaw;
use super::fields::Fields;
use super::suricata::tcp_state;
use super::value;
use super::verdict::Said;

/// A column that a flow is made of, as a place in [`NAMES`].
#[derive(Clone, Copy)]
enum Field {
    Time,
    Duration,
    Protocol,
    Source,
    SourcePort,
    Direction,
    Destination,
    DestinationPort,
    State,
    Packets,
    Bytes,
    BytesOut,
    BytesIn,
    PacketsOut,
    PacketsIn,
    Label,
}

const NAMES: [&str; 16] = [
    "StartTime",
    "Dur",
    "Proto",
    "SrcAddr",
    "Sport",
    "Dir",
    "DstAddr",
    "Dport",
    "State",
    "TotPkts",
    "TotBytes",
    "SrcBytes",
    "DstBytes",
    "SrcPkts",
    "DstPkts",
    "Label",
];

/// Columns without which a row is no flow.
const REQUIRED: [Field; 4] = [Field::Time, Field::Protocol, Field::Source, Field::Destination];

/// The command that prints all that is read here.
pub(crate) const COMMAND: &str =
    "`ra -r FILE -n -u -c , -s stime dur proto saddr sport dir daddr dport state spkts dpkts sbytes dbytes`";

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Whether a first line names the columns of such a log.
pub(crate) fn recognises(first: &[u8]) -> bool {
    Columns::of(first).is_some()
}

/// Whether a first line names columns that only spaces keep apart, as `ra` prints them unless told otherwise.
pub(crate) fn recognises_spaced(first: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(first) else { return false };
    let mut names = text.split_ascii_whitespace();
    let known = |name: &str| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known));
    !recognises(first) && names.next().is_some_and(known) && names.filter(|name| known(name)).count() >= 3
}

/// Where each of [`NAMES`] is in a row.
struct Columns {
    places: [Option<usize>; NAMES.len()],
    width: usize,
}

impl Columns {
    /// The columns that a header line names, if it is one.
    fn of(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let names = || text.split(delimiter(line)).map(|name| name.trim().trim_matches('"'));
        let places = NAMES.map(|known| names().position(|name| name.eq_ignore_ascii_case(known)));
        let whole = REQUIRED.iter().all(|field| places[*field as usize].is_some());
        whole.then(|| Self { places, width: names().count() })
    }
}

/// The character between columns: what comes most often in the header.
fn delimiter(header: &[u8]) -> char {
    let occurrences = |delimiter: &char| header.iter().filter(|byte| char::from(**byte) == *delimiter).count();
    ['|', '\t', ';', ','].into_iter().max_by_key(occurrences).unwrap_or(',')
}

/// What one line holds.
pub(crate) enum Entry<'a> {
    /// A flow, and what its label says.
    Flow(Flow, Said<'a>),
    /// The header, or the header again where logs were joined.
    Header,
    /// A record of something else than IP traffic between two hosts: ARP, management; this names its kind.
    Other(&'a str),
}

/// Reads lines in the light of the header before them.
#[derive(Default)]
pub(crate) struct Argus {
    columns: Option<Columns>,
    fields: Option<Fields>,
    clock: Clock,
    /// Flows of which only totals of both sides are known.
    halved: u64,
}

/// Times of day without a date, which go on over midnight.
#[derive(Clone, Copy, Default)]
struct Clock {
    /// Seconds of the last time of day; `None` where times have dates.
    last_s: Option<f64>,
    days: f64,
}

impl Clock {
    /// Seconds since the first midnight.
    fn count(&mut self, time_s: f64) -> f64 {
        // What goes back a little is out of order.
        if self.last_s.is_some_and(|last_s| time_s < last_s - DAY_S / 2.0) {
            self.days += 1.0;
        }
        self.last_s = Some(time_s);
        self.days * DAY_S + time_s
    }
}

impl Argus {
    /// The record in a line.
    pub(crate) fn entry(&mut self, line: &[u8]) -> Result<Entry<'_>, Flaw> {
        if line.trim_ascii_start().get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"StartTime"))
            || self.columns.is_none()
        {
            let columns = Columns::of(line);
            let columns = columns.ok_or_else(|| Flaw::row("a header line", super::error::quoted(line)))?;
            self.columns = Some(columns);
            self.fields = Some(Fields::new(delimiter(line) as u8));
            return Ok(Entry::Header);
        }
        let (Some(columns), Some(fields)) = (&self.columns, &mut self.fields) else { return Ok(Entry::Header) };
        fields.cut(line)?;
        if fields.len() != columns.width {
            return Err(Flaw::row(format!("{} columns", columns.width), fields.len().to_string()));
        }
        let row = Row { columns, fields };
        let mut entry = row.entry()?;
        if let Entry::Flow(flow, _) = &mut entry {
            self.halved += u64::from(!row.is_split());
            if of_day(row.get(Field::Time).1).is_some() {
                flow.time_s = self.clock.count(flow.time_s);
            }
        }
        Ok(entry)
    }

    /// What there is to say about the log as a whole.
    pub(crate) fn hints(&self) -> impl Iterator<Item = String> {
        let dates = self
            .clock
            .last_s
            .map(|_| format!("times have no date and count from the first midnight: print dates with {COMMAND}"));
        let halves = (self.halved > 0).then(|| {
            format!(
                "of {} flows only totals of both sides are known, which are halved where both sent: print each side with {COMMAND}",
                self.halved
            )
        });
        dates.into_iter().chain(halves)
    }
}

/// The fields of one row.
struct Row<'a> {
    columns: &'a Columns,
    fields: &'a Fields,
}

impl<'a> Row<'a> {
    /// The name of a column and its value, empty where there is none.
    fn get(&self, field: Field) -> (&'static str, &'a [u8]) {
        let value = self.columns.places[field as usize].map_or(&b""[..], |at| self.fields.get(at).trim_ascii());
        (NAMES[field as usize], value)
    }

    fn text(&self, field: Field) -> Result<&'a str, Flaw> {
        let (name, value) = self.get(field);
        value::text(name, value)
    }

    /// The value of a field, or `None` where it is empty.
    fn some<T>(&self, field: Field, parse: impl Fn(&str, &[u8]) -> Result<T, Flaw>) -> Result<Option<T>, Flaw> {
        let (name, value) = self.get(field);
        if value.is_empty() { Ok(None) } else { parse(name, value).map(Some) }
    }

    fn entry(&self) -> Result<Entry<'a>, Flaw> {
        let name = self.text(Field::Protocol)?;
        let (source, destination) = (self.get(Field::Source), self.get(Field::Destination));
        if no_ip(name) || is_mac(source.1) || is_mac(destination.1) {
            return Ok(Entry::Other(name));
        }
        let protocol = protocol(name);
        let port = |field| if protocol == Protocol::Icmp { Ok(None) } else { self.some(field, port) };
        let traffic = self.traffic()?;
        let flow = Flow {
            time_s: time(self.get(Field::Time))?,
            duration_s: self.some(Field::Duration, value::amount)?.unwrap_or(0.0),
            source: value::address(source.0, source.1)?,
            source_port: port(Field::SourcePort)?.unwrap_or(0),
            destination: value::address(destination.0, destination.1)?,
            destination_port: port(Field::DestinationPort)?.unwrap_or(0),
            protocol,
            service: if is_media(name) { Service::Other } else { Service::None },
            state: ConnState::Oth,
            bytes_out: traffic.bytes[0],
            bytes_in: traffic.bytes[1],
            packets_out: traffic.packets[0],
            packets_in: traffic.packets[1],
        };
        let direction = self.text(Field::Direction)?;
        let turned = matches!(direction, "<-" | "<?");
        let flow = if turned { reversed(&flow) } else { flow };
        let state = state(self.text(Field::State)?, turned, &flow);
        Ok(Entry::Flow(Flow { state, ..flow }, said(self.text(Field::Label)?)))
    }

    /// Whether there is a count of one side by itself.
    fn is_split(&self) -> bool {
        let known = |field| self.columns.places[field as usize].is_some() && !self.get(field).1.is_empty();
        [Field::BytesOut, Field::BytesIn, Field::PacketsOut, Field::PacketsIn].into_iter().any(known)
    }

    /// Bytes and packets sent by the left and by the right side of a row.
    ///
    /// Of totals and one side the other is what is left. Where sides are known of bytes only or of packets only, the
    /// others are split in proportion; where of neither, by halves if both sides sent.
    fn traffic(&self) -> Result<Traffic, Flaw> {
        let count = |field| self.some(field, value::count);
        let bytes = self.sides([Field::BytesOut, Field::BytesIn], count(Field::Bytes)?)?;
        let packets = self.sides([Field::PacketsOut, Field::PacketsIn], count(Field::Packets)?)?;
        let all = |total| count(total).map(|all| all.unwrap_or(0));
        Ok(match (bytes, packets) {
            (Some(bytes), Some(packets)) => Traffic { bytes, packets },
            (Some(bytes), None) => Traffic { bytes, packets: split(all(Field::Packets)?, bytes) },
            (None, Some(packets)) => Traffic { bytes: split(all(Field::Bytes)?, packets), packets },
            (None, None) => {
                let packets = all(Field::Packets)?;
                let sides = if packets != 1 && self.is_answered()? { [1, 1] } else { [1, 0] };
                Traffic { bytes: split(all(Field::Bytes)?, sides), packets: split(packets, sides) }
            }
        })
    }

    /// Counts of the left and of the right side, where at least one of them is known.
    fn sides(&self, [out, back]: [Field; 2], all: Option<u64>) -> Result<Option<[u64; 2]>, Flaw> {
        let count = |field| self.some(field, value::count);
        Ok(match (count(out)?, count(back)?, all) {
            (None, None, _) => None,
            (Some(sent), None, Some(all)) => {
                let (name, found) = self.get(out);
                let left = all.checked_sub(sent);
                Some([sent, left.ok_or_else(|| Flaw::field(name, format!("at most the total of {all}"), found))?])
            }
            (None, Some(sent), Some(all)) => Some([all.saturating_sub(sent), sent]),
            (sent, received, _) => Some([sent.unwrap_or(0), received.unwrap_or(0)]),
        })
    }

    /// Whether both sides sent something, by the arrow and the state.
    fn is_answered(&self) -> Result<bool, Flaw> {
        let (direction, state) = (self.text(Field::Direction)?, self.text(Field::State)?);
        if let Some((left, right)) = state.split_once('_') {
            return Ok(!left.is_empty() && !right.is_empty());
        }
        let both = direction.starts_with('<') && direction.ends_with('>');
        Ok(both || matches!(state, "ACC" | "CON" | "EST" | "FIN" | "CLO" | "RST" | "ECR"))
    }
}

struct Traffic {
    bytes: [u64; 2],
    packets: [u64; 2],
}

/// A total of both directions, told apart in proportion to something else; a side that sent any of that sent one.
fn split(total: u64, shares: [u64; 2]) -> [u64; 2] {
    let [out, back] = shares;
    if back == 0 || total < 2 {
        return [total, 0];
    }
    if out == 0 {
        return [0, total];
    }
    let share = out as f64 / (out as f64 + back as f64);
    let first = ((total as f64 * share).round() as u64).clamp(1, total - 1);
    [first, total - first]
}

/// The flow as seen from its other end.
fn reversed(flow: &Flow) -> Flow {
    Flow {
        source: flow.destination,
        source_port: flow.destination_port,
        destination: flow.source,
        destination_port: flow.source_port,
        bytes_out: flow.bytes_in,
        bytes_in: flow.bytes_out,
        packets_out: flow.packets_in,
        packets_in: flow.packets_out,
        ..flow.clone()
    }
}

/// The state in Zeek's terms.
///
/// | Argus | state |
/// |---|---|
/// | `FSPA_FSPA` and the like: TCP flags of both sides | as the flags say: `S_` S0, `S_RA` REJ, `S_SA` S1, … |
/// | `REQ`, `INT` | S0 |
/// | `ACC`, `EST` | S1 |
/// | `FIN`, `CLO` | SF |
/// | `RST` | RSTR where both sides sent more than a packet each, else REJ |
/// | `CON`, `TIM` and whatever is not listed | both sides sent: S1 for TCP, else SF; one side: S0, SHR |
/// | of ICMP: `ECO` and `ECR` (echo) | as who sent says: S0, SHR, SF |
/// | of ICMP: `URP`, `URH`, `TXD` and other errors | OTH |
fn state(name: &str, turned: bool, flow: &Flow) -> ConnState {
    let sent = match (flow.bytes_out > 0 || flow.packets_out > 0, flow.bytes_in > 0 || flow.packets_in > 0) {
        (true, true) if flow.protocol == Protocol::Tcp => ConnState::S1,
        (true, true) => ConnState::Sf,
        (true, false) => ConnState::S0,
        (false, true) => ConnState::Shr,
        (false, false) => ConnState::Oth,
    };
    if flow.protocol == Protocol::Icmp {
        return if matches!(name, "ECO" | "ECR" | "CON" | "INT" | "") { sent } else { ConnState::Oth };
    }
    if let (Protocol::Tcp, Some((left, right))) = (flow.protocol, name.split_once('_')) {
        let (out, back) = if turned { (right, left) } else { (left, right) };
        return tcp_state(flags(out), flags(back));
    }
    match name {
        "REQ" | "INT" => ConnState::S0,
        "ACC" | "EST" => ConnState::S1,
        "FIN" | "CLO" => ConnState::Sf,
        "RST" if matches!(sent, ConnState::S1 | ConnState::Sf) && flow.packets_out + flow.packets_in != 2 => {
            ConnState::Rstr
        }
        "RST" => ConnState::Rej,
        _ => sent,
    }
}

/// TCP flags by Argus's letters, as the bits of the header.
fn flags(letters: &str) -> u8 {
    let bit = |letter| match letter {
        b'F' => 0x01,
        b'S' => 0x02,
        b'R' => 0x04,
        b'P' => 0x08,
        b'A' => 0x10,
        b'U' => 0x20,
        _ => 0,
    };
    letters.bytes().fold(0, |flags, letter| flags | bit(letter))
}

/// What a label says: `flow=From-Botnet-V42-TCP-Attempt` is an attack of the family `Botnet-V42-TCP-Attempt`,
/// `flow=From-Normal-…` and `flow=Normal-…` are benign. Everything else is undecided: background, and what others sent to
/// an infected or a normal computer (`flow=To-Botnet-…`, `flow=To-Normal-…`), as the authors of CTU-13 advise.
fn said(label: &str) -> Said<'_> {
    let label = label.strip_prefix("flow=").unwrap_or(label);
    let what = label.strip_prefix("From-").unwrap_or(label);
    let starts = |words: &[&str]| {
        words.iter().any(|word| what.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
    };
    if starts(&["botnet", "malicious", "malware", "attack"]) {
        Said::Attack(what.into())
    } else if starts(&["normal", "benign", "legitimate"]) {
        Said::Benign
    } else {
        Said::Undecided
    }
}

/// Whether records of this kind are no IP traffic: address resolution, frames without network layer, management of Argus.
fn no_ip(protocol: &str) -> bool {
    ["arp", "rarp", "llc", "ipx/spx", "man", "mar"].iter().any(|name| protocol.eq_ignore_ascii_case(name))
}

/// Whether Argus names what UDP carries.
fn is_media(protocol: &str) -> bool {
    ["rtp", "rtcp", "udt"].iter().any(|name| protocol.eq_ignore_ascii_case(name))
}

fn protocol(name: &str) -> Protocol {
    if is_media(name) { Protocol::Udp } else { value::protocol(name) }
}

/// Whether a field is an address of six bytes in hexadecimal.
fn is_mac(field: &[u8]) -> bool {
    let hex = |part: &[u8]| matches!(part.len(), 1 | 2) && part.iter().all(u8::is_ascii_hexdigit);
    field.len() >= 11 && field.split(|byte| *byte == b':').count() == 6 && field.split(|byte| *byte == b':').all(hex)
}

/// A port, which Argus may write in hexadecimal.
fn port(column: &str, field: &[u8]) -> Result<u16, Flaw> {
    let Some(hex) = field.strip_prefix(b"0x") else {
        return value::port(column, field).map_err(|_| Flaw::field(column, PORT, field));
    };
    let digits = std::str::from_utf8(hex).ok().filter(|digits| !digits.starts_with('+'));
    let port = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
    port.ok_or_else(|| Flaw::field(column, PORT, field))
}

/// What a port should be, and how to get it in place of a name.
const PORT: &str = "a port from 0 to 65535 (`ra -n` prints numbers in place of names)";

/// Seconds of a time of day such as `09:46:53.047277`.
fn of_day(field: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(field).ok()?;
    let mut parts = text.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = |part: &str, limit: u32| part.parse::<u32>().ok().filter(|value| *value < limit && part.len() == 2);
    let seconds = value::amount("", second.as_bytes()).ok().filter(|seconds| *seconds < 61.0)?;
    let minutes = whole(hour, 24)? * 60 + whole(minute, 60)?;
    parts.next().is_none().then(|| f64::from(minutes) * 60.0 + seconds)
}

/// A time such as `2011/08/10 09:46:53.047277`, taken for UTC, seconds, or a time of day.
fn time((column, field): (&str, &[u8])) -> Result<f64, Flaw> {
    let wrong =
        |_| Flaw::field(column, "a time such as 2011/08/10 09:46:53.047277, or in seconds as `ra -u` prints it", field);
    if let Some(seconds) = of_day(field) {
        return Ok(seconds);
    }
    if !field.contains(&b'/') {
        return value::time(column, field).map_err(wrong);
    }
    let dashes: Vec<u8> = field.iter().map(|byte| if *byte == b'/' { b'-' } else { *byte }).collect();
    value::timestamp(column, &dashes).map_err(wrong)
}

#[cfg(test)]
mod tests;
