//! How long something lasts: a time, or a number of steps.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Seconds of a step where flows carry no times.
pub const STEP_S: f64 = 60.0;

/// How long something lasts: a time such as `15min`, `6h` or `2days`, or a number of steps.
///
/// A step is only how often a simulation stops, so what is learned and forgotten goes by time. Before a run its times become
/// steps once ([`Span::settle`]), and its ledger records those. Written as a number it means steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A number of steps.
    Steps(u32),
    /// A time.
    Time(Duration),
}

impl Span {
    /// So many minutes.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self::Time(Duration::from_secs(60 * minutes))
    }

    /// So many hours.
    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(60 * hours)
    }

    /// In steps of [`STEP_S`], at least 1 for a time above 0; as they are when they have been settled.
    #[must_use]
    pub fn steps(self) -> u32 {
        self.in_steps_of(STEP_S)
    }

    fn in_steps_of(self, step_s: f64) -> u32 {
        match self {
            Self::Steps(steps) => steps,
            // A step that lasts a hair longer must not cost another one.
            Self::Time(time) => (time.as_secs_f64() / step_s - 1e-6).ceil().clamp(0.0, f64::from(u32::MAX)) as u32,
        }
    }

    /// Turns a time into steps that last `step_s` seconds each ([`STEP_S`] where flows carry no times), at least `steps_min`.
    /// What is given in steps stays.
    pub fn settle(&mut self, step_s: Option<f64>, steps_min: u32) {
        if let Self::Time(_) = self {
            let step_s = step_s.filter(|step_s| *step_s > 0.0).unwrap_or(STEP_S);
            *self = Self::Steps(self.in_steps_of(step_s).max(steps_min));
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps}"),
            Self::Time(time) => humantime::format_duration(*time).fmt(f),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => serializer.serialize_u32(*steps),
            Self::Time(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 15min or 6h, or a number of steps")
            }

            fn visit_u64<E: de::Error>(self, steps: u64) -> Result<Span, E> {
                let too_many = |_| E::invalid_value(de::Unexpected::Unsigned(steps), &self);
                u32::try_from(steps).map(Span::Steps).map_err(too_many)
            }

            fn visit_i64<E: de::Error>(self, steps: i64) -> Result<Span, E> {
                let unfit = |_| E::invalid_value(de::Unexpected::Signed(steps), &self);
                u32::try_from(steps).map(Span::Steps).map_err(unfit)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                if let Ok(steps) = text.parse() {
                    return Ok(Span::Steps(steps));
                }
                let unfit = |_| E::invalid_value(de::Unexpected::Str(text), &self);
                humantime::parse_duration(text).map(Span::Time).map_err(unfit)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_steps_read_back_as_they_were_written() {
        for (span, text) in [
            (Span::Steps(20), "20"),
            (Span::minutes(15), "\"15m\""),
            (Span::hours(24), "\"1day\""),
            (Span::Time(Duration::from_millis(1_500)), "\"1s 500ms\""),
        ] {
            assert_eq!(serde_json::to_string(&span).expect("plain data"), text);
            assert_eq!(serde_json::from_str::<Span>(text).expect("own output"), span);
        }
        for (text, expected) in [("\"15min\"", Span::minutes(15)), ("\"7\"", Span::Steps(7))] {
            assert_eq!(serde_json::from_str::<Span>(text).expect("sound"), expected);
        }
        for text in ["-3", "\"soon\"", "5000000000", "1.5", "\"\""] {
            let error = serde_json::from_str::<Span>(text).expect_err(text).to_string();
            assert!(error.contains("15min"), "{error}");
        }
    }

    #[test]
    fn a_time_becomes_as_many_steps_as_it_takes() {
        let settled = |mut span: Span, step_s, least| {
            span.settle(step_s, least);
            span
        };
        assert_eq!(settled(Span::minutes(15), Some(60.0), 1), Span::Steps(15));
        assert_eq!(settled(Span::minutes(15), Some(216.0), 1), Span::Steps(5));
        assert_eq!(settled(Span::minutes(15), Some(1_728.0), 4), Span::Steps(4), "a floor holds");
        assert_eq!(settled(Span::minutes(15), None, 1), Span::Steps(15), "steps of a minute where there are no times");
        assert_eq!(settled(Span::Steps(2), Some(1.0), 9), Span::Steps(2), "steps stay");
        assert_eq!(Span::minutes(5).steps(), 5);
    }
}
