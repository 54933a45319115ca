//! One exporter: the templates it announced, and what its export packets say by them.

use std::collections::BTreeMap;

use super::super::window::ByteOrder;
use super::datagram::{HEADER_5, HEADER_9, HEADER_10, IPFIX, RECORD_5, SET, VERSION_5, VERSION_9};
use super::draft::{Draft, Export};
use super::element::{Clock, Counted, Meaning, Span, Way};
use super::sampling::{Rate, Rates};
use super::template::{Form, Kind, Template, announced};

/// Most fields in all templates of one exporter.
const FIELDS_MAX: usize = 1 << 16;

/// What of an export packet is lost, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) bytes: usize,
    pub(super) expected: String,
    pub(super) found: String,
}

/// What an export packet holds, told piece by piece.
pub(super) trait Hearer {
    /// A record of data, and the rate of sampling that its exporter told.
    fn record(&mut self, draft: Draft, rate: Option<Rate>, export: Export);
    /// A record about the exporter itself.
    fn options(&mut self);
    /// So many records came before the exporter said that it samples packets.
    fn late(&mut self, records: u64);
    /// Bytes that could not be read.
    fn loss(&mut self, loss: Loss);
}

/// How the bytes of an export packet were used: together they are its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) header: usize,
    pub(super) templates: usize,
    pub(super) records: usize,
    pub(super) padding: usize,
    pub(super) lost: usize,
}

/// What one exporter said of itself so far.
#[derive(Debug, Default)]
pub(super) struct Exporter {
    templates: BTreeMap<u16, Template>,
    /// Fields in all templates.
    fields: usize,
    rates: Rates,
    /// Records whose rate of sampling was not known.
    unrated: u64,
    started_ms: Option<i64>,
}

/// The form of the records of version 5: every field that a flow needs, and its place.
const FIELDS_5: [(Meaning, usize, usize); 10] = [
    (Meaning::Source, 0, 4),
    (Meaning::Destination, 4, 4),
    (Meaning::Count(Counted::Packets(Way::Out), Span::Since), 16, 4),
    (Meaning::Count(Counted::Bytes(Way::Out), Span::Since), 20, 4),
    (Meaning::First(Clock::Uptime), 24, 4),
    (Meaning::Last(Clock::Uptime), 28, 4),
    (Meaning::SourcePort, 32, 2),
    (Meaning::DestinationPort, 34, 2),
    (Meaning::Flags(Way::Out), 37, 1),
    (Meaning::Protocol, 38, 1),
];

impl Exporter {
    /// Reads an export packet, whose header is whole.
    pub(super) fn read(&mut self, packet: &[u8], hearer: &mut impl Hearer) -> Used {
        let word = |at| ByteOrder::Big.u32(packet, at);
        let (version, seconds_ms) = (ByteOrder::Big.u16(packet, 0), |at| i64::from(word(at)) * 1_000);
        match version {
            VERSION_5 => {
                let now_ms = seconds_ms(8) + i64::from(word(12) / 1_000_000);
                let export = Export { now_ms, up_ms: Some(word(4)), started_ms: None };
                // The upper two bits say how packets were chosen.
                let rate = Rate::new(1, u64::from(ByteOrder::Big.u16(packet, 22) & 0x3fff));
                version_5(packet, rate, export, hearer)
            }
            VERSION_9 => {
                let export = Export { now_ms: seconds_ms(8), up_ms: Some(word(4)), started_ms: None };
                self.sets(packet, HEADER_9, export, hearer)
            }
            _ => {
                let export = Export { now_ms: seconds_ms(4), up_ms: None, started_ms: self.started_ms };
                self.sets(packet, HEADER_10, export, hearer)
            }
        }
    }

    fn sets(&mut self, packet: &[u8], header: usize, export: Export, hearer: &mut impl Hearer) -> Used {
        let ipfix = ByteOrder::Big.u16(packet, 0) == IPFIX;
        let mut used = Used { header: header.min(packet.len()), ..Used::default() };
        let mut rest = packet.get(header..).unwrap_or_default();
        while !rest.is_empty() {
            let (id, length) = (ByteOrder::Big.u16(rest, 0), usize::from(ByteOrder::Big.u16(rest, 2)));
            if is_padding(rest) {
                used.padding += rest.len();
                break;
            }
            let Some((set, behind)) = rest.split_at_checked(length).filter(|_| length >= SET) else {
                let found = format!("one that claims {length}");
                used.lose(hearer, rest.len(), format!("a set of 4 to {} bytes", rest.len()), found);
                break;
            };
            used.header += SET;
            self.set(id, &set[SET..], ipfix, export, &mut used, hearer);
            rest = behind;
        }
        used
    }

    fn set(&mut self, id: u16, body: &[u8], ipfix: bool, export: Export, used: &mut Used, hearer: &mut impl Hearer) {
        let form = match (id, ipfix) {
            (0, false) => Form::Data9,
            (1, false) => Form::Options9,
            (2, true) => Form::DataIpfix,
            (3, true) => Form::OptionsIpfix,
            (0..=255, _) => {
                return used.lose(
                    hearer,
                    body.len(),
                    "a set of templates or of data",
                    format!("a set with number {id}"),
                );
            }
            _ => return self.data(id, body, export, used, hearer),
        };
        let mut refused = None;
        let rest = announced(body, form, |one| {
            if !self.announce(one.id, one.template) {
                refused = Some(one.id);
            }
        });
        used.templates += body.len() - rest.len();
        if let Some(id) = refused {
            let found = format!("template {id}, which has more");
            used.lose(hearer, 0, format!("at most {FIELDS_MAX} fields in the templates of an exporter"), found);
        }
        // Less than the head of a template is padding, whatever it is.
        if rest.len() < SET || is_padding(rest) {
            used.padding += rest.len();
        } else {
            used.lose(hearer, rest.len(), "whole templates", format!("{} bytes that are none", rest.len()));
        }
    }

    /// Keeps a template or gives it up; `false` where there is no room for it.
    fn announce(&mut self, id: u16, template: Option<Template>) -> bool {
        if id <= 255 {
            let kind = if id == 2 { Kind::Data } else { Kind::Options };
            self.templates.retain(|_, template| template.kind != kind);
            self.fields = self.templates.values().map(Template::size).sum();
            return true;
        }
        self.fields -= self.templates.remove(&id).map_or(0, |before| before.size());
        let Some(template) = template else { return true };
        if self.fields + template.size() > FIELDS_MAX {
            return false;
        }
        self.fields += template.size();
        self.templates.insert(id, template);
        true
    }

    fn data(&mut self, id: u16, body: &[u8], export: Export, used: &mut Used, hearer: &mut impl Hearer) {
        let Some(template) = self.templates.get(&id) else {
            let expected = format!("template {id} before its data");
            return used.lose(hearer, body.len(), expected, "data that cannot be read without it");
        };
        let (mut told, mut unrated) = (Vec::new(), 0);
        let cut = template.cut(
            body,
            Draft::default,
            |draft, meaning, value| draft.take(meaning, value, export),
            |draft| {
                if template.kind == Kind::Data {
                    let (sampler, interface) = draft.sampler();
                    let rate = draft.rate().map(|(_, rate)| rate).or_else(|| self.rates.of(sampler, interface));
                    unrated += u64::from(rate.is_none());
                    hearer.record(draft, rate, export);
                } else {
                    told.push((draft.rate(), draft.started_ms));
                    hearer.options();
                }
            },
        );
        self.unrated += unrated;
        for (rate, started_ms) in told {
            if let Some((scope, rate)) = rate {
                self.rates.set(scope, rate);
                if rate.is_partial() {
                    hearer.late(std::mem::take(&mut self.unrated));
                }
            }
            self.started_ms = started_ms.or(self.started_ms);
        }
        used.records += cut.record_bytes;
        used.padding += cut.padding_bytes;
        if cut.lost_bytes > 0 {
            let found = format!("{} bytes that end within one", cut.lost_bytes);
            used.lose(hearer, cut.lost_bytes, format!("whole records of template {id}"), found);
        }
    }
}

impl Used {
    fn lose(&mut self, hearer: &mut impl Hearer, bytes: usize, expected: impl Into<String>, found: impl Into<String>) {
        self.lost += bytes;
        hearer.loss(Loss { bytes, expected: expected.into(), found: found.into() });
    }
}

/// Zeros mean nothing wherever they stand behind the last set or template.
fn is_padding(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0)
}

fn version_5(packet: &[u8], rate: Option<Rate>, export: Export, hearer: &mut impl Hearer) -> Used {
    let (header, body) = packet.split_at(HEADER_5.min(packet.len()));
    let records = body.chunks_exact(RECORD_5);
    let rest = records.remainder();
    let mut used = Used { header: header.len(), records: body.len() - rest.len(), ..Used::default() };
    for record in records {
        let mut draft = Draft::default();
        for (meaning, at, length) in FIELDS_5 {
            draft.take(meaning, &record[at..at + length], export);
        }
        hearer.record(draft, rate, export);
    }
    if is_padding(rest) {
        used.padding = rest.len();
    } else {
        used.lose(hearer, rest.len(), "records of 48 bytes", format!("{} bytes at the end", rest.len()));
    }
    used
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What was heard.
    #[derive(Default)]
    struct Heard {
        records: usize,
        options: usize,
        late: u64,
        losses: Vec<Loss>,
    }

    impl Hearer for Heard {
        fn record(&mut self, _: Draft, _: Option<Rate>, _: Export) {
            self.records += 1;
        }

        fn options(&mut self) {
            self.options += 1;
        }

        fn late(&mut self, records: u64) {
            self.late += records;
        }

        fn loss(&mut self, loss: Loss) {
            self.losses.push(loss);
        }
    }

    fn header(version: u16) -> Vec<u8> {
        let mut header = vec![0; if version == VERSION_9 { HEADER_9 } else { HEADER_10 }];
        header[..2].copy_from_slice(&version.to_be_bytes());
        header
    }

    fn set(id: u16, body: &[u8]) -> Vec<u8> {
        [&id.to_be_bytes()[..], &(body.len() as u16 + 4).to_be_bytes(), body].concat()
    }

    /// An address of four bytes and a value of its own length.
    const TEMPLATE: [u8; 12] = [1, 44, 0, 2, 0, 8, 0, 4, 0, 96, 0xff, 0xff];

    #[test]
    fn the_bytes_of_a_set_are_records_padding_or_a_named_loss() {
        for (body, records, padding, lost) in [
            (&[1, 2, 3, 4, 0][..], 1, 0, 0),
            (&[1, 2, 3, 4, 2, 8, 8, 1, 2, 3, 4, 0, 0, 0, 0], 2, 3, 0),
            (&[1, 2, 3, 4, 0, 1, 2, 3, 4, 9, 8], 1, 0, 6),
            (&[1, 2, 3, 4, 255, 0], 0, 0, 6),
            (&[1, 2, 3, 4, 255, 0, 1, 7], 1, 0, 0),
        ] {
            let (mut exporter, mut heard) = (Exporter::default(), Heard::default());
            let packet = [header(IPFIX), set(2, &TEMPLATE), set(300, body)].concat();
            let used = exporter.read(&packet, &mut heard);
            assert_eq!((heard.records, used.padding, used.lost), (records, padding, lost), "{body:?}");
            assert_eq!(heard.losses.iter().map(|loss| loss.bytes).sum::<usize>(), lost, "{body:?}");
            assert_eq!(used.records, body.len() - padding - lost, "{body:?}");
        }
    }

    #[test]
    fn a_template_without_bytes_and_one_too_many_are_losses() {
        let (mut exporter, mut heard) = (Exporter::default(), Heard::default());
        let empty = [&[1, 44, 0, 1, 0, 8, 0, 0][..]].concat();
        let used = exporter.read(&[header(VERSION_9), set(0, &empty), set(300, &[1; 8])].concat(), &mut heard);
        assert_eq!((heard.records, used.lost, heard.losses.len()), (0, 8, 1));
        // Fields that say something are not put together: each needs memory.
        let fields: Vec<u8> = [0, 8, 0, 4].repeat(15_000);
        for id in 0..6_u16 {
            let template = [&(400 + id).to_be_bytes()[..], &15_000_u16.to_be_bytes(), &fields].concat();
            exporter.read(&[header(VERSION_9), set(0, &template)].concat(), &mut heard);
        }
        assert!(exporter.fields <= FIELDS_MAX && exporter.templates.len() < 7, "{}", exporter.fields);
        assert!(heard.losses.len() > 1 && heard.losses[1].found.contains("template"), "{:?}", heard.losses);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_byte_of_an_export_packet_is_accounted_for(
            nine: bool,
            sets in proptest::collection::vec(
                (prop_oneof![0..4_u16, 300..302_u16], proptest::collection::vec(prop_oneof![0..4_u8, any::<u8>()], 0..40)),
                0..6,
            ),
            rest in proptest::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..9),
            claimed in proptest::option::of(any::<u16>()),
        ) {
            let version = if nine { VERSION_9 } else { IPFIX };
            let mut packet = header(version);
            packet.extend(set(if nine { 0 } else { 2 }, &TEMPLATE));
            let last = packet.len();
            for (id, body) in &sets {
                packet.extend(set(*id, body));
            }
            packet.extend(&rest);
            if let (Some(claimed), true) = (claimed, packet.len() >= last + 4) {
                packet[last + 2..last + 4].copy_from_slice(&claimed.to_be_bytes());
            }
            let (mut exporter, mut heard) = (Exporter::default(), Heard::default());
            let Used { header, templates, records, padding, lost } = exporter.read(&packet, &mut heard);
            prop_assert_eq!(header + templates + records + padding + lost, packet.len());
            prop_assert_eq!(heard.losses.iter().map(|loss| loss.bytes).sum::<usize>(), lost);
            prop_assert!(records == 0 || heard.records + heard.options > 0);
        }
    }
}
