//! What lines of a log tell together: levels, causes of errors, slow phases, rates and gaps.
//!
//! Pure over `impl BufRead`, and bounded however long the log is. Reads the text and the JSON that [`log`](super) writes.
//!
//! ```
//! use dais_telemetry::log::analysis::Analysis;
//!
//! let log = "\
//! 2026-11-21T23:10:05.000000Z INFO    dais_sim: phase done  phase=vote duration_ms=12.5\n\
//! 2026-11-21T23:10:06.000000Z ERROR   dais_ledger: entry 17 refused\n\
//! 2026-11-21T23:10:07.000000Z ERROR   dais_ledger: entry 18 refused\n";
//! let mut analysis = Analysis::default();
//! analysis.read(log.as_bytes()).unwrap();
//! let report = analysis.report();
//! assert_eq!((report.causes[0].cause.as_str(), report.causes[0].count), ("entry # refused", 2));
//! assert_eq!(report.phases[0].p50_ms, 12.5);
//! ```

mod cause;
mod entry;
mod report;
mod times;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use jiff::Timestamp;

use super::Level;
pub use entry::Entry;
pub use report::{Cause, Gap, Minute, Phase, Report};
use times::Times;

/// Bytes of a line; a longer one is not read.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Causes that are told apart; those that come later are counted together.
const CAUSES_MAX: usize = 2000;
/// Phases that are told apart; later ones are not looked at.
const PHASES_MAX: usize = 256;
/// Minutes whose rates are kept, the latest: half a year.
const MINUTES_MAX: usize = 262_144;
/// Longest silences that are remembered.
const GAPS_MAX: usize = 16;

/// Gathers what lines tell.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    since: Option<Timestamp>,
    lines: u64,
    unreadable: u64,
    earlier: u64,
    left_out: u64,
    levels: BTreeMap<Level, u64>,
    causes: BTreeMap<(Level, String), Cause>,
    other_causes: u64,
    phases: BTreeMap<String, Times>,
    minutes: BTreeMap<i64, (u64, u64)>,
    gaps: Vec<Gap>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Analysis {
    /// Leaves out lines before `since`.
    pub fn since(since: Timestamp) -> Self {
        Self { since: Some(since), ..Self::default() }
    }

    /// Takes all lines of `from`; logs are given in the order of time.
    ///
    /// # Errors
    /// Where `from` cannot be read to its end; what came before counts.
    pub fn read(&mut self, mut from: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut from).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            if line.last() == Some(&b'\n') || (read as u64) < LINE_BYTES_MAX {
                self.line(&String::from_utf8_lossy(&line));
            } else {
                self.unreadable += 1;
                skip_line(&mut from)?;
            }
        }
    }

    fn line(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        match Entry::parse(line) {
            Some(entry) if self.since.is_some_and(|since| entry.at < since) => self.earlier += 1,
            Some(entry) => self.entry(&entry),
            None => self.unreadable += 1,
        }
    }

    fn entry(&mut self, entry: &Entry) {
        self.lines += 1;
        *self.levels.entry(entry.level).or_default() += 1;
        let left_out = entry.field("left_out").and_then(|count| count.parse().ok()).unwrap_or(0);
        self.left_out += left_out;
        if entry.level >= Level::Warning {
            self.cause(entry, left_out.max(1));
        }
        if let (Some(phase), Some(time)) = (entry.field("phase"), duration_ms(entry))
            && (self.phases.contains_key(phase) || self.phases.len() < PHASES_MAX)
        {
            self.phases.entry(phase.to_owned()).or_default().push(time);
        }
        let minute = self.minutes.entry(entry.at.as_second().div_euclid(60)).or_default();
        minute.0 += 1;
        minute.1 += u64::from(entry.level == Level::Error);
        if self.minutes.len() > MINUTES_MAX {
            self.minutes.pop_first();
        }
        if let Some(last) = self.last.filter(|last| *last < entry.at) {
            self.gaps.push(Gap { from: last, to: entry.at });
            if self.gaps.len() > GAPS_MAX {
                self.gaps.sort_by_key(|gap| std::cmp::Reverse(gap.length()));
                self.gaps.truncate(GAPS_MAX / 2);
            }
        }
        self.first = Some(self.first.map_or(entry.at, |first| first.min(entry.at)));
        self.last = Some(self.last.map_or(entry.at, |last| last.max(entry.at)));
    }

    fn cause(&mut self, entry: &Entry, count: u64) {
        let key = (entry.level, cause::of(entry));
        if let Some(known) = self.causes.get_mut(&key) {
            known.count += count;
            known.first = known.first.min(entry.at);
            known.last = known.last.max(entry.at);
        } else if self.causes.len() < CAUSES_MAX {
            let cause = Cause {
                level: entry.level,
                cause: key.1.clone(),
                target: entry.target.clone(),
                count,
                first: entry.at,
                last: entry.at,
                example: entry.message.clone(),
            };
            self.causes.insert(key, cause);
        } else {
            self.other_causes += count;
        }
    }
}

fn duration_ms(entry: &Entry) -> Option<f64> {
    let text = entry.field("duration_ms").or_else(|| entry.field("elapsed_ms"))?;
    text.parse().ok().filter(|time: &f64| time.is_finite())
}

/// Goes to the begin of the next line.
fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        let (taken, is_over) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        from.consume(taken);
        if is_over {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(log: &str) -> Report {
        let mut analysis = Analysis::default();
        analysis.read(log.as_bytes()).expect("memory can be read");
        analysis.report()
    }

    #[test]
    fn text_and_json_tell_the_same() {
        let text = "2026-11-21T23:10:05.000000Z WARNING dais_sim: slow step  phase=vote duration_ms=12.5\n";
        let json = "{\"timestamp\":\"2026-11-21T23:10:05.000000Z\",\"level\":\"warning\",\"target\":\"dais_sim\",\
                    \"message\":\"slow step\",\"phase\":\"vote\",\"duration_ms\":12.5}\n";
        assert_eq!(report(text), report(json));
        assert_eq!(report(text).phases[0].p50_ms.to_bits(), 12.5_f64.to_bits());
    }

    #[test]
    fn what_was_left_out_of_a_flood_counts_for_its_cause() {
        let log = "2026-11-21T23:10:05Z ERROR   a: disk 7 is gone\n\
                   2026-11-21T23:10:06Z ERROR   a: … 1,234 more like this left out: disk 9 is gone  left_out=1234\n";
        let report = report(log);
        assert_eq!((report.causes.len(), report.causes[0].count, report.left_out), (1, 1235, 1234));
        assert_eq!(report.causes[0].cause, "disk # is gone");
    }

    #[test]
    fn lines_that_cannot_be_read_are_counted_and_those_after_them_are_read() {
        let long = "x".repeat(3 << 20);
        let log = format!("{long}\nthread panicked\n\n{{\"level\":1}}\n2026-11-21T23:10:05Z INFO    a: fine\n{long}");
        let report = report(&log);
        assert_eq!((report.lines, report.unreadable), (1, 4));
    }

    #[test]
    fn silences_stand_out_of_the_usual_distance_between_lines() {
        let tick = |second| format!("{} INFO    a: tick", Timestamp::from_second(second).expect("a time"));
        let log: Vec<String> = (0..300).chain(900..1000).map(tick).collect();
        let log = log.join("\n");
        let report = report(&log);
        assert_eq!(report.gaps.iter().map(|gap| gap.length().as_secs()).collect::<Vec<_>>(), [601]);
        assert_eq!(report.minutes.iter().map(|minute| minute.lines).collect::<Vec<_>>(), [60, 60, 60, 60, 60, 60, 40]);
    }

    #[test]
    fn earlier_lines_may_be_left_out() {
        let log = "2026-11-21T23:10:05Z INFO    a: one\n2026-11-21T23:11:05Z INFO    a: two\n";
        let mut analysis = Analysis::since("2026-11-21T23:11:00Z".parse().unwrap());
        analysis.read(log.as_bytes()).unwrap();
        assert_eq!((analysis.report().lines, analysis.report().earlier), (1, 1));
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_fail(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), tail: String) {
            let mut analysis = Analysis::default();
            analysis.read(&bytes[..]).unwrap();
            analysis.read(format!("2026-11-21T23:10:05Z ERROR   a: {tail}").as_bytes()).unwrap();
            analysis.report();
        }
    }
}
