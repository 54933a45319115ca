use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::Analysis;
use crate::log::Level;
use crate::metric::quantile;

/// Silence that is one, however sparse the lines are.
const GAP_MIN: SignedDuration = SignedDuration::from_secs(60);
/// Silence that is one, in usual distances between lines.
const GAP_DISTANCES: f64 = 20.0;
/// Gaps that are told.
const GAPS_TOLD: usize = 8;

/// What a log tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Lines read.
    pub lines: u64,
    /// Lines that are none of a log of ours.
    pub unreadable: u64,
    /// Lines before the time that was asked for; they count for nothing else.
    pub earlier: u64,
    /// Lines left out of floods when the log was written.
    pub left_out: u64,
    /// Time of the first line.
    pub first: Option<Timestamp>,
    /// Time of the last line.
    pub last: Option<Timestamp>,
    /// Lines by level, from error down.
    pub levels: Vec<(Level, u64)>,
    /// Why there are errors and warnings, errors first, the most frequent first.
    pub causes: Vec<Cause>,
    /// Errors and warnings of causes beyond the first 2,000.
    pub other_causes: u64,
    /// Phases, those that took longest in all first.
    pub phases: Vec<Phase>,
    /// Minutes with lines, in order.
    pub minutes: Vec<Minute>,
    /// Silences much longer than usual, the longest first.
    pub gaps: Vec<Gap>,
}

/// What errors or warnings have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    /// Error or warning.
    pub level: Level,
    /// The message with `#` for numbers and ids, and `…` for what is quoted.
    pub cause: String,
    /// Part of the program that said it first.
    pub target: String,
    /// How often, with those left out of floods.
    pub count: u64,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// The first message.
    pub example: String,
}

/// How long a phase took, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phase {
    /// Its name.
    pub phase: String,
    /// How often it was timed.
    pub count: u64,
    /// Median.
    pub p50_ms: f64,
    /// What 95 % did not exceed.
    pub p95_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// In all.
    pub total_ms: f64,
}

/// Lines of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Its begin.
    pub at: Timestamp,
    /// Lines.
    pub lines: u64,
    /// Errors among them.
    pub errors: u64,
}

/// A time without lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The line before it.
    pub from: Timestamp,
    /// The line after it.
    pub to: Timestamp,
}

impl Gap {
    /// How long it is.
    pub fn length(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

impl Serialize for Gap {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut gap = to.serialize_struct("Gap", 3)?;
        gap.serialize_field("from", &self.from)?;
        gap.serialize_field("to", &self.to)?;
        gap.serialize_field("seconds", &self.length().as_secs_f64())?;
        gap.end()
    }
}

impl Analysis {
    /// What the lines so far tell.
    pub fn report(&self) -> Report {
        let mut causes: Vec<Cause> = self.causes.values().cloned().collect();
        causes.sort_by_key(|cause| std::cmp::Reverse((cause.level, cause.count)));
        let minutes = self.minutes.iter().map(|(minute, (lines, errors))| Minute {
            at: Timestamp::from_second(minute * 60).unwrap_or(Timestamp::MIN),
            lines: *lines,
            errors: *errors,
        });
        Report {
            lines: self.lines,
            unreadable: self.unreadable,
            earlier: self.earlier,
            left_out: self.left_out,
            first: self.first,
            last: self.last,
            levels: self.levels.iter().rev().map(|(level, count)| (*level, *count)).collect(),
            causes,
            other_causes: self.other_causes,
            phases: self.phase_times(),
            minutes: minutes.collect(),
            gaps: self.long_gaps(),
        }
    }

    fn phase_times(&self) -> Vec<Phase> {
        let phase = |(name, times): (&String, &super::Times)| {
            let sorted = times.sorted();
            Phase {
                phase: name.clone(),
                count: times.count,
                p50_ms: quantile(&sorted, 0.5),
                p95_ms: quantile(&sorted, 0.95),
                max_ms: times.max,
                total_ms: times.total,
            }
        };
        let mut phases: Vec<Phase> = self.phases.iter().map(phase).collect();
        phases.sort_by(|one, other| other.total_ms.total_cmp(&one.total_ms));
        phases
    }

    fn long_gaps(&self) -> Vec<Gap> {
        let (Some(first), Some(last)) = (self.first, self.last) else { return Vec::new() };
        let usual = last.duration_since(first).as_secs_f64() / self.lines.max(1) as f64;
        let is_long = |gap: &Gap| gap.length() > GAP_MIN && gap.length().as_secs_f64() > usual * GAP_DISTANCES;
        let mut gaps: Vec<Gap> = self.gaps.iter().copied().filter(is_long).collect();
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.length()));
        gaps.truncate(GAPS_TOLD);
        gaps
    }
}
