//! What the fields of a record said, one after another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::direction::Direction;
use super::element::{Clock, Counted, Meaning, Rare, Span, Way};
use super::sampling::{Rate, Scope};

/// From the beginning of 1900, from which NTP counts, to that of 1970.
const NTP_S: u64 = 2_208_988_800;
/// Beyond it a time is taken for damage, as in logs: the year 5138.
const TIME_MAX_MS: i64 = 100_000_000_000_000;

/// When an export packet was sent, and since when its exporter has been running.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "names have their units")]
pub(super) struct Export {
    pub(super) now_ms: i64,
    /// Milliseconds that the exporter had been running, in 32 bits.
    pub(super) up_ms: Option<u32>,
    /// When it started, where it said that otherwise.
    pub(super) started_ms: Option<i64>,
}

impl Export {
    /// Milliseconds since 1970 of a time in milliseconds since the exporter started, which begin anew after 49 days.
    pub(super) fn since_1970(self, up_ms: u32) -> Option<i64> {
        let Some(now_up_ms) = self.up_ms else { return Some(self.started_ms?.saturating_add(i64::from(up_ms))) };
        let before = i64::from(now_up_ms) + if up_ms > now_up_ms { 1 << 32 } else { 0 };
        Some(self.now_ms - before + i64::from(up_ms))
    }
}

/// What of a record was found so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) source: Option<IpAddr>,
    pub(super) destination: Option<IpAddr>,
    pub(super) ports: (u16, u16),
    pub(super) protocol: u8,
    pub(super) first_ms: Option<i64>,
    pub(super) last_ms: Option<i64>,
    pub(super) observed_ms: Option<i64>,
    pub(super) duration_ms: Option<i64>,
    pub(super) started_ms: Option<i64>,
    up: (Option<u32>, Option<u32>),
    pub(super) out: Direction,
    pub(super) back: Direction,
    /// What left the exporter, where it says nothing of what came.
    pub(super) sent: Direction,
    /// There is a field that counts packets or bytes.
    pub(super) counted: bool,
    /// Of which time the counts are.
    pub(super) span: Span,
    pub(super) firewall_event: Option<u64>,
    pub(super) nat_event: Option<u64>,
    pub(super) connection: u64,
    interface: Option<u64>,
    sampler: Option<u64>,
    sampled: Sampled,
}

/// What was said of sampling, in one of several ways.
#[derive(Clone, Copy, Debug, Default)]
struct Sampled {
    of: Option<u64>,
    run: Option<u64>,
    skipped: Option<u64>,
    size: Option<u64>,
    population: Option<u64>,
    probability: Option<f64>,
}

/// A number of any length; `None` for no bytes, and where it needs more than 64 bits.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    let (first, rest) = value.split_at(value.len().saturating_sub(8));
    if value.is_empty() || first.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into()),
        _ => None,
    }
}

/// Keeps an address; of several the first that is one.
fn keep(known: &mut Option<IpAddr>, value: &[u8]) {
    if known.is_none_or(|known| known.is_unspecified()) {
        *known = address(value).or(*known);
    }
}

/// Milliseconds since 1970; `None` for what cannot be a time.
fn time(clock: Clock, value: &[u8], export: Export) -> Option<i64> {
    let number = number(value)?;
    let time = match clock {
        Clock::Seconds => i64::try_from(number).ok()?.checked_mul(1_000)?,
        Clock::Milliseconds => i64::try_from(number).ok()?,
        Clock::Ntp => {
            // The seconds begin anew in 2036.
            let (seconds, fraction) = (number >> 32, number & 0xffff_ffff);
            let seconds = if seconds < NTP_S { seconds + (1 << 32) } else { seconds } - NTP_S;
            (seconds * 1_000 + ((fraction * 1_000) >> 32)) as i64
        }
        Clock::Before => export.now_ms - i64::try_from(number / 1_000).ok()?,
        Clock::Uptime => export.since_1970(u32::try_from(number).ok()?)?,
    };
    (time.abs() <= TIME_MAX_MS).then_some(time)
}

impl Draft {
    /// Takes in one field.
    #[inline]
    pub(super) fn take(&mut self, meaning: Meaning, value: &[u8], export: Export) {
        match meaning {
            Meaning::Source => keep(&mut self.source, value),
            Meaning::Destination => keep(&mut self.destination, value),
            Meaning::SourcePort => self.ports.0 = number(value).unwrap_or(0) as u16,
            Meaning::DestinationPort => self.ports.1 = number(value).unwrap_or(0) as u16,
            Meaning::Protocol => self.protocol = number(value).unwrap_or(0) as u8,
            Meaning::Count(counted, span) => self.take_count(counted, span, value),
            Meaning::Flags(way) => {
                if let Some(flags) = number(value) {
                    let counted = if way == Way::Out { &mut self.out } else { &mut self.back };
                    counted.flags = Some(counted.flags.unwrap_or(0) | flags as u8);
                }
            }
            Meaning::First(Clock::Uptime) => self.up.0 = number(value).and_then(|up| u32::try_from(up).ok()),
            Meaning::Last(Clock::Uptime) => self.up.1 = number(value).and_then(|up| u32::try_from(up).ok()),
            Meaning::First(clock) => self.first_ms = time(clock, value, export).or(self.first_ms),
            Meaning::Last(clock) => self.last_ms = time(clock, value, export).or(self.last_ms),
            Meaning::Nothing => {}
            Meaning::Rare(rare) => self.take_rare(rare, value, export),
        }
    }

    fn take_count(&mut self, counted: Counted, span: Span, value: &[u8]) {
        let Some(count) = number(value) else { return };
        self.counted = true;
        self.span = self.span.max(span);
        let kept = match counted {
            Counted::Bytes(Way::Out) => &mut self.out.bytes,
            Counted::Bytes(Way::Back) => &mut self.back.bytes,
            Counted::Packets(Way::Out) => &mut self.out.packets,
            Counted::Packets(Way::Back) => &mut self.back.packets,
            Counted::SentBytes => &mut self.sent.bytes,
            Counted::SentPackets => &mut self.sent.packets,
        };
        *kept = (*kept).max(count);
    }

    fn take_rare(&mut self, rare: Rare, value: &[u8], export: Export) {
        let whole = number(value);
        match rare {
            Rare::Observed(clock) => self.observed_ms = time(clock, value, export),
            Rare::Started => self.started_ms = time(Clock::Milliseconds, value, export),
            Rare::DurationMs => self.duration_ms = whole.and_then(|duration| i64::try_from(duration).ok()),
            Rare::DurationUs => self.duration_ms = whole.and_then(|duration| i64::try_from(duration / 1_000).ok()),
            Rare::FirewallEvent => self.firewall_event = whole,
            Rare::NatEvent => self.nat_event = whole,
            Rare::Connection => self.connection = whole.unwrap_or(0),
            Rare::Interface => self.interface = whole,
            Rare::Sampler => self.sampler = whole,
            Rare::SampledOf => self.sampled.of = whole.filter(|of| *of > 0).or(self.sampled.of),
            Rare::SampledRun => self.sampled.run = whole,
            Rare::SkippedRun => self.sampled.skipped = whole,
            Rare::SampleSize => self.sampled.size = whole,
            Rare::SamplePopulation => self.sampled.population = whole,
            Rare::SampleProbability => self.sampled.probability = value.try_into().ok().map(f64::from_be_bytes),
        }
    }

    /// Fits in the times since the exporter's start, once it is known when that was.
    pub(super) fn settle(&mut self, mut export: Export) {
        export.started_ms = self.started_ms.or(export.started_ms);
        let since_1970 = |up: Option<u32>| export.since_1970(up?);
        self.first_ms = self.first_ms.or_else(|| since_1970(self.up.0));
        self.last_ms = self.last_ms.or_else(|| since_1970(self.up.1));
        if let (Some(first), Some(last)) = self.up {
            // Where nobody says when the exporter started, at least the duration is known.
            self.duration_ms = self.duration_ms.or(Some(i64::from(last.wrapping_sub(first))));
        }
    }

    /// The sampler and the interface that the record is of.
    pub(super) fn sampler(&self) -> (Option<u64>, Option<u64>) {
        (self.sampler, self.interface)
    }

    /// The rate of sampling that is said, and of what.
    pub(super) fn rate(&self) -> Option<(Scope, Rate)> {
        let Sampled { of, run, skipped, size, population, probability } = self.sampled;
        let scope = match (self.sampler, self.interface) {
            (Some(sampler), _) => Scope::Sampler(sampler),
            (None, Some(interface)) => Scope::Interface(interface),
            (None, None) => Scope::Exporter,
        };
        let by_run = || Rate::new(run?, run?.saturating_add(skipped?));
        let by_size = || Rate::new(size?, population?);
        let rate = of.and_then(|of| Rate::new(1, of)).or_else(by_run).or_else(by_size);
        Some((scope, rate.or_else(|| Rate::probable(probability?))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPORT: Export = Export { now_ms: 1_700_000_000_000, up_ms: None, started_ms: None };

    #[test]
    fn numbers_have_any_length() {
        assert_eq!(number(&[1, 0]), Some(256));
        assert_eq!(number(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
        assert_eq!((number(&[]), number(&[1; 9])), (None, None));
    }

    #[test]
    fn times_are_told_in_many_ways() {
        let at = 1_700_000_000_500_i64;
        let ntp = (1_700_000_000 + NTP_S) << 32 | 1 << 31;
        for (clock, value, expected) in [
            (Clock::Seconds, &1_700_000_000_u32.to_be_bytes()[..], at - 500),
            (Clock::Milliseconds, &at.to_be_bytes(), at),
            (Clock::Ntp, &ntp.to_be_bytes(), at),
            (Clock::Before, &2_500_000_u32.to_be_bytes(), at - 3_000),
        ] {
            assert_eq!(time(clock, value, EXPORT), Some(expected), "{clock:?}");
        }
        assert_eq!(time(Clock::Milliseconds, &[0xff; 8], EXPORT), None);
        assert_eq!(time(Clock::Uptime, &[0; 4], EXPORT), None, "nobody says when the exporter started");
        let running = Export { up_ms: Some(1_000), ..EXPORT };
        assert_eq!(running.since_1970(u32::MAX), Some(EXPORT.now_ms - 1_001));
    }
}
