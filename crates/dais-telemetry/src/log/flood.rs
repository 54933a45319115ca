use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::Metadata;
use tracing::callsite::Identifier;

/// Characters of a message that the line about those left out repeats.
const EXAMPLE_CHARS: usize = 120;

/// What is to be done with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Log it.
    Pass,
    /// Leave it out; the first one of its second, so that its message is wanted.
    First,
    /// Leave it out.
    More,
}

/// Events of one place in the code within one second.
#[derive(Debug)]
struct Place {
    metadata: &'static Metadata<'static>,
    second: u64,
    passed: u32,
    left_out: u64,
    example: String,
}

/// How many events were left out at a place.
#[derive(Clone, Debug)]
pub(crate) struct LeftOut {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) count: u64,
    pub(crate) example: String,
}

/// Lets at most so many events a second pass from each place in the code, and counts the rest.
///
/// Places are those in the source that log, so that there is a bound to their number.
#[derive(Debug)]
pub(crate) struct Flood {
    per_second: u32,
    places: Mutex<HashMap<Identifier, Place>>,
}

impl Flood {
    /// With 0 everything passes.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, places: Mutex::new(HashMap::new()) }
    }

    /// Judges an event at `now` since the start; tells also what was left out in an earlier second.
    pub(crate) fn judge(&self, metadata: &'static Metadata<'static>, now: Duration) -> (Verdict, Option<LeftOut>) {
        if self.per_second == 0 {
            return (Verdict::Pass, None);
        }
        let second = now.as_secs();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(metadata.callsite()).or_insert_with(|| Place {
            metadata,
            second,
            passed: 0,
            left_out: 0,
            example: String::new(),
        });
        let mut earlier = None;
        // Threads may ask in another order than their clocks were read in.
        if second > place.second {
            earlier = place.taken();
            (place.second, place.passed) = (second, 0);
        }
        if place.passed < self.per_second {
            place.passed += 1;
            return (Verdict::Pass, earlier);
        }
        place.left_out += 1;
        (if place.left_out == 1 { Verdict::First } else { Verdict::More }, earlier)
    }

    /// Remembers the message of the first event left out at a place.
    pub(crate) fn remember(&self, metadata: &'static Metadata<'static>, message: &str) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(&metadata.callsite()) {
            place.example = message.chars().take(EXAMPLE_CHARS).collect();
        }
    }

    /// What was left out before the second of `now` and not told yet; with `None` all of it.
    pub(crate) fn sweep(&self, now: Option<Duration>) -> Vec<LeftOut> {
        if self.per_second == 0 {
            return Vec::new();
        }
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |place: &&mut Place| now.is_none_or(|now| now.as_secs() > place.second);
        let mut told: Vec<LeftOut> = places.values_mut().filter(over).filter_map(Place::taken).collect();
        told.sort_by_key(|left_out| (left_out.metadata.file(), left_out.metadata.line()));
        told
    }
}

impl Place {
    fn taken(&mut self) -> Option<LeftOut> {
        let count = std::mem::take(&mut self.left_out);
        (count > 0).then(|| LeftOut { metadata: self.metadata, count, example: std::mem::take(&mut self.example) })
    }
}

impl LeftOut {
    /// The line that stands for them.
    pub(crate) fn message(&self) -> String {
        let mut text = format!("… {} more like this left out", grouped(self.count));
        if !self.example.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {}", self.example);
        }
        text
    }
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use tracing::Callsite;

    use super::*;

    fn metadata() -> &'static Metadata<'static> {
        let site = tracing::callsite! {
            name: "event",
            kind: tracing::metadata::Kind::EVENT,
            fields: message
        };
        site.metadata()
    }

    #[test]
    fn a_place_passes_its_share_each_second_and_the_rest_is_counted() {
        let flood = Flood::new(2);
        let place = metadata();
        let at = Duration::from_millis;
        let judged: Vec<_> = (0..5).map(|n| flood.judge(place, at(n)).0).collect();
        assert_eq!(judged, [Verdict::Pass, Verdict::Pass, Verdict::First, Verdict::More, Verdict::More]);
        flood.remember(place, "disk full");
        assert!(flood.sweep(Some(at(999))).is_empty(), "the second is not over");

        let (verdict, earlier) = flood.judge(place, at(1000));
        assert_eq!(verdict, Verdict::Pass);
        assert_eq!(earlier.unwrap().message(), "… 3 more like this left out: disk full");
        assert!(flood.sweep(None).is_empty(), "it was told once");
    }

    #[test]
    fn what_is_left_out_last_is_told_when_its_second_is_over() {
        let flood = Flood::new(1);
        let place = metadata();
        (0..1235).for_each(|_| drop(flood.judge(place, Duration::ZERO)));
        let told = flood.sweep(Some(Duration::from_secs(1)));
        assert_eq!(told.iter().map(LeftOut::message).collect::<Vec<_>>(), ["… 1,234 more like this left out"]);
    }

    #[test]
    fn without_a_limit_everything_passes() {
        let flood = Flood::new(0);
        let place = metadata();
        assert!((0..100_000).all(|_| flood.judge(place, Duration::ZERO).0 == Verdict::Pass));
    }
}
