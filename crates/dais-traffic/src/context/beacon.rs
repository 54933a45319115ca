//! Contacts between the same two parties over a longer time: how evenly they follow one another, how many, how much.

use serde::{Deserialize, Serialize};

const SETS: usize = 64;
const WAYS: usize = 4;

/// A contact this soon after the one before belongs to the same visit, in seconds.
const VISIT_S: f64 = 1.0;

/// Weight of a new gap once a series is longer than its inverse.
const FORGETTING: f64 = 0.2;

/// A series is over when no contact came for this many times its usual gap.
const OVERDUE: f64 = 8.0;

/// One series of contacts of the same source, destination and port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Series {
    /// Key of the contact; 0 marks an empty place.
    key: u64,
    last_s: f64,
    /// Gaps between visits seen so far.
    gaps: u32,
    /// Mean gap in seconds.
    mean_s: f32,
    /// Mean distance of a gap from the mean before it, in seconds.
    deviation_s: f32,
    /// Seconds from the first contact to the last.
    age_s: f32,
    /// Flows, fading.
    flows: f32,
    /// Payload from the source in bytes, fading.
    bytes_out: f32,
}

/// What a series of contacts says about its newest flow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pair {
    /// How even the gaps are, in [0, 1].
    pub(crate) regularity: f32,
    /// Seconds since the first contact.
    pub(crate) age_s: f32,
    /// Flows of the last ten minutes or so, this one included.
    pub(crate) flows: f32,
    /// Their payload from the source in bytes.
    pub(crate) bytes_out: f32,
}

/// Seconds in which flows and payload of a series fade to 1 / e.
const FADING_S: f64 = 600.0;

impl Series {
    fn start(key: u64, time_s: f64) -> Self {
        Self { key, last_s: time_s, ..Self::default() }
    }

    fn extend(&mut self, time_s: f64) {
        let gap = time_s - self.last_s;
        if gap.is_nan() || gap < 0.0 {
            return;
        }
        self.last_s = time_s;
        self.age_s += gap as f32;
        let kept = libm::exp(-gap / FADING_S) as f32;
        self.flows *= kept;
        self.bytes_out *= kept;
        if gap < VISIT_S {
            return;
        }
        self.gaps = self.gaps.saturating_add(1);
        let mean = f64::from(self.mean_s);
        let weight = (1.0 / f64::from(self.gaps)).max(FORGETTING);
        self.mean_s = (mean + weight * (gap - mean)) as f32;
        if self.gaps > 1 {
            let weight = (1.0 / f64::from(self.gaps - 1)).max(FORGETTING);
            let deviation = f64::from(self.deviation_s);
            self.deviation_s = (deviation + weight * ((gap - mean).abs() - deviation)) as f32;
        }
    }

    /// Adds the flow that came last.
    fn add(&mut self, bytes_out: f32) -> Pair {
        self.flows += 1.0;
        self.bytes_out += bytes_out;
        Pair { regularity: self.regularity(), age_s: self.age_s, flows: self.flows, bytes_out: self.bytes_out }
    }

    /// 0 for the first contacts and for chaos, towards 1 for a long series with even gaps.
    fn regularity(&self) -> f32 {
        if self.gaps < 2 {
            return 0.0;
        }
        let certainty = (self.gaps - 1) as f32 / (self.gaps + 1) as f32;
        certainty * (1.0 - self.deviation_s / self.mean_s.max(VISIT_S as f32)).clamp(0.0, 1.0)
    }

    /// How much is lost when this series makes room: its length, or nothing once it is over.
    fn worth(&self, time_s: f64) -> u32 {
        let over = time_s - self.last_s > OVERDUE * f64::from(self.mean_s).max(60.0);
        if over { 0 } else { self.gaps }
    }
}

/// Series of contacts in a small table: 64 sets of four places; the least worth of a set makes room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Series>", into = "Vec<Series>")]
pub(crate) struct Beacons {
    series: [Series; SETS * WAYS],
}

impl Default for Beacons {
    fn default() -> Self {
        Self { series: [Series::default(); SETS * WAYS] }
    }
}

impl From<Beacons> for Vec<Series> {
    fn from(beacons: Beacons) -> Self {
        beacons.series.to_vec()
    }
}

impl TryFrom<Vec<Series>> for Beacons {
    type Error = String;

    fn try_from(series: Vec<Series>) -> Result<Self, String> {
        let count = series.len();
        let series = series.try_into().map_err(|_| format!("{count} series: expected {}", SETS * WAYS))?;
        Ok(Self { series })
    }
}

impl Beacons {
    /// Notes a contact with its payload and tells of its series.
    pub(crate) fn observe(&mut self, key: u64, time_s: f64, bytes_out: f32) -> Pair {
        let key = key.max(1);
        let first = (key >> 32) as usize % SETS * WAYS;
        let set = &mut self.series[first..first + WAYS];
        if let Some(series) = set.iter_mut().find(|series| series.key == key) {
            series.extend(time_s);
            return series.add(bytes_out);
        }
        let mut least = 0;
        for way in 1..WAYS {
            let (a, b) = (&set[way], &set[least]);
            if (a.worth(time_s), a.last_s) < (b.worth(time_s), b.last_s) {
                least = way;
            }
        }
        set[least] = Series::start(key, time_s);
        set[least].add(bytes_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_survives_a_crowd_of_single_contacts() {
        let mut beacons = Beacons::default();
        let mut regularity = 0.0;
        for minute in 0..30_u64 {
            let now = 60.0 * minute as f64;
            regularity = beacons.observe(0x0123_4567_89ab_cdef, now, 1.0).regularity;
            for stranger in 0..if minute < 3 { 0 } else { 1_000 } {
                beacons.observe((minute * 1_000 + stranger + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), now + 1.0, 1.0);
            }
        }
        assert!(regularity > 0.9, "regularity {regularity}");
    }

    #[test]
    fn contacts_within_a_second_are_one_visit() {
        let mut beacons = Beacons::default();
        let burst = (0..50).map(|k| beacons.observe(7, f64::from(k) * 0.1, 1.0).regularity).last();
        assert!(burst.is_some_and(|regularity| regularity < 0.5), "{burst:?}");
    }

    #[test]
    fn times_that_run_backwards_change_nothing() {
        let mut beacons = Beacons::default();
        let before = beacons.observe(7, 100.0, 10.0);
        let after = beacons.observe(7, 50.0, 10.0);
        assert_eq!((after.regularity, after.age_s), (before.regularity, before.age_s));
        assert_eq!((after.flows, after.bytes_out), (2.0, 20.0), "the flow itself counts");
    }
}
