//! What the fields of records mean, by their numbers.
//!
//! Numbers are those of the IANA registry of IPFIX, whose first ones are those of NetFlow version 9; fields of the other
//! direction are marked by an enterprise (RFC 5103).

/// Which direction was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From source to destination.
    Out,
    Back,
}

/// Of which time a count is; of several in a record the last here decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Span {
    /// Since the record before.
    #[default]
    Since,
    /// Since the record before, but of the whole connection in its last record, as firewalls of Cisco have it.
    SinceOrWhole,
    /// Of the connection from its beginning.
    Whole,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Seconds,
    Milliseconds,
    /// Seconds since 1900 and a fraction, four bytes each.
    Ntp,
    /// Microseconds before the export.
    Before,
    /// Milliseconds since the exporter started.
    Uptime,
}

/// What one field of a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing that a flow needs.
    Nothing,
    Source,
    Destination,
    SourcePort,
    DestinationPort,
    Protocol,
    Flags(Way),
    Count(Counted, Span),
    First(Clock),
    Last(Clock),
    Rare(Rare),
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Bytes(Way),
    Packets(Way),
    /// What left the exporter, which may have changed it.
    SentBytes,
    SentPackets,
}

/// What few records say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rare {
    /// When an event was seen.
    Observed(Clock),
    /// When the exporter started.
    Started,
    DurationMs,
    DurationUs,
    FirewallEvent,
    NatEvent,
    /// What tells connections between the same ends apart.
    Connection,
    Interface,
    Sampler,
    /// One packet of so many was looked at.
    SampledOf,
    /// Packets looked at in a row, and then left out in a row.
    SampledRun,
    SkippedRun,
    /// Packets taken from so many.
    SampleSize,
    SamplePopulation,
    SampleProbability,
}

const REVERSE: u32 = 29_305;
const CERT: u32 = 6_871;

impl Meaning {
    /// By the number of the enterprise that defined the field, 0 for IANA.
    pub(super) fn of(field: u16, enterprise: u32) -> Self {
        match (enterprise, field) {
            (0, field) => Self::common(field),
            (REVERSE, 1) => Self::Count(Counted::Bytes(Way::Back), Span::Since),
            (REVERSE, 2) => Self::Count(Counted::Packets(Way::Back), Span::Since),
            (REVERSE, 85) => Self::Count(Counted::Bytes(Way::Back), Span::Whole),
            (REVERSE, 86) => Self::Count(Counted::Packets(Way::Back), Span::Whole),
            // YAF tells the flags of the first packet and of the others apart.
            (CERT, 14 | 15) => Self::Flags(Way::Out),
            (REVERSE, 6) | (CERT, 16_398 | 16_399) => Self::Flags(Way::Back),
            _ => Self::Nothing,
        }
    }

    fn common(field: u16) -> Self {
        match field {
            8 | 27 => Self::Source,
            12 | 28 => Self::Destination,
            7 | 180 | 182 => Self::SourcePort,
            11 | 181 | 183 => Self::DestinationPort,
            4 => Self::Protocol,
            6 => Self::Flags(Way::Out),
            1 => Self::Count(Counted::Bytes(Way::Out), Span::Since),
            2 => Self::Count(Counted::Packets(Way::Out), Span::Since),
            85 => Self::Count(Counted::Bytes(Way::Out), Span::Whole),
            231 => Self::Count(Counted::Bytes(Way::Out), Span::SinceOrWhole),
            86 => Self::Count(Counted::Packets(Way::Out), Span::Whole),
            298 => Self::Count(Counted::Packets(Way::Out), Span::SinceOrWhole),
            232 => Self::Count(Counted::Bytes(Way::Back), Span::SinceOrWhole),
            299 => Self::Count(Counted::Packets(Way::Back), Span::SinceOrWhole),
            23 => Self::Count(Counted::SentBytes, Span::Since),
            24 => Self::Count(Counted::SentPackets, Span::Since),
            // Older firewalls of Cisco have a number of their own.
            233 | 40_005 => Self::Rare(Rare::FirewallEvent),
            230 => Self::Rare(Rare::NatEvent),
            148 => Self::Rare(Rare::Connection),
            10 => Self::Rare(Rare::Interface),
            48 | 302 => Self::Rare(Rare::Sampler),
            34 | 50 => Self::Rare(Rare::SampledOf),
            305 => Self::Rare(Rare::SampledRun),
            306 => Self::Rare(Rare::SkippedRun),
            309 => Self::Rare(Rare::SampleSize),
            310 => Self::Rare(Rare::SamplePopulation),
            311 => Self::Rare(Rare::SampleProbability),
            _ => Self::time(field),
        }
    }

    fn time(field: u16) -> Self {
        match field {
            22 => Self::First(Clock::Uptime),
            21 => Self::Last(Clock::Uptime),
            150 => Self::First(Clock::Seconds),
            151 => Self::Last(Clock::Seconds),
            152 => Self::First(Clock::Milliseconds),
            153 => Self::Last(Clock::Milliseconds),
            154 | 156 => Self::First(Clock::Ntp),
            155 | 157 => Self::Last(Clock::Ntp),
            158 => Self::First(Clock::Before),
            159 => Self::Last(Clock::Before),
            160 => Self::Rare(Rare::Started),
            161 => Self::Rare(Rare::DurationMs),
            162 => Self::Rare(Rare::DurationUs),
            322 => Self::Rare(Rare::Observed(Clock::Seconds)),
            323 => Self::Rare(Rare::Observed(Clock::Milliseconds)),
            324 | 325 => Self::Rare(Rare::Observed(Clock::Ntp)),
            _ => Self::Nothing,
        }
    }
}
