//! A baseline that a share of bad rows cannot move.

use serde::{Deserialize, Serialize};

use crate::FitError;

/// The slowest memory.
const ROWS_MAX: u32 = 1 << 20;
/// A scale is never smaller than this share of the location's size, nor than [`SCALE_MIN`].
const SCALE_SHARE_MIN: f32 = 1.0e-4;
/// A stream that does not vary has this scale.
const SCALE_MIN: f32 = 1.0e-6;
/// Values are cut to this size.
const VALUE_MAX: f32 = 1.0e30;
/// The standard deviation of normal values in median absolute deviations.
const DEVIATION: f32 = 1.482_602_2;
/// Rows that the first location and scale are taken from.
const FIRST_ROWS: usize = 64;

/// How a [`RobustBaseline`] learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RobustBaselineParams {
    /// About how many rows the fast, the middle and the slow estimate remember; 16 to 1,048,576, rising.
    pub memory_rows: [u32; 3],
    /// A value farther than this from the consensus, in its scales, is trimmed; above 0, at most 100.
    pub band: f32,
    /// The fast location has walked away if it is farther than this from the slow one, in slow scales; above 0, below `band`.
    pub tolerance: f32,
    /// The fast estimate has to be away for this many rows in a row before that counts as an honest change; 0 waits for
    /// [`confirm`](RobustBaseline::confirm) for ever.
    pub confirm_rows: u32,
}

impl Default for RobustBaselineParams {
    /// Memories of 64, 512 and 4,096 rows, a band of 4 scales, and a change of a scale that lasts 512 rows.
    fn default() -> Self {
        Self { memory_rows: [64, 512, 4096], band: 4.0, tolerance: 1.0, confirm_rows: 512 }
    }
}

impl RobustBaselineParams {
    /// Checks every range.
    ///
    /// # Errors
    /// [`FitError::Parameter`] for the first parameter out of its range.
    pub fn check(&self) -> Result<(), FitError> {
        let parameter = |name, value: f32, expected| Err(FitError::Parameter { name, value: value.into(), expected });
        let [fast, middle, slow] = self.memory_rows;
        if !(16..=ROWS_MAX).contains(&fast)
            || !(fast..=ROWS_MAX).contains(&middle)
            || !(middle..=ROWS_MAX).contains(&slow)
        {
            return parameter("memory_rows", fast as f32, "three rising numbers, 16 to 1048576");
        }
        if !(self.band > 0.0 && self.band <= 100.0) {
            return parameter("band", self.band, "above 0, at most 100");
        }
        if !(self.tolerance > 0.0 && self.tolerance < self.band) {
            return parameter("tolerance", self.tolerance, "above 0, below band");
        }
        Ok(())
    }

    /// A baseline that has not learned.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn start(&self) -> Result<RobustBaseline, FitError> {
        self.check()?;
        Ok(RobustBaseline {
            params: self.clone(),
            first: Vec::new(),
            estimates: [Estimate::default(); 3],
            away_rows: 0,
        })
    }
}

/// What a [`RobustBaseline`] did with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Learned; may be learned from elsewhere too.
    Learned,
    /// Outside of the consensus band. Only the fast estimate learned it, and no single value moves that one far.
    Trimmed,
    /// The fast estimate has walked away from the slow ones. The drift is suspicious, and they learn nothing from it.
    Suspended,
    /// The drift has lasted: the slow estimates have moved to where the fast one is.
    Confirmed,
}

/// Where the values of a stream lie, told by three estimates of different memory that watch one another.
///
/// Each estimate is a running median `m` with a running median absolute deviation, as a standard deviation `s`. A value
/// `x` moves an estimate with a memory of `r` rows by
///
/// ```text
/// m <- m + s/r * 2 sign(x - m)        s <- s * exp(1/r * sign(|x - m| - s / 1.4826))
/// ```
///
/// so however large it is, it counts no more than any other. The *consensus* is the median of the three locations and
/// the median of the three scales. What lies more than `band` scales from it is trimmed: the middle and the slow estimate
/// do not learn it. The fast one does, so that it notices when everything moves. When the fast location is more than
/// `tolerance` slow scales away from the slow one, the drift is *suspicious*: middle and slow learn nothing more.
/// If it stays away for `confirm_rows` rows in a row, or somebody says so ([`confirm`](Self::confirm)), the change is taken for
/// honest and both begin anew where the fast one is.
///
/// Why it resists: slow poisoning moves a share `e` of the rows a bit further every day, each bit too small to be
/// seen, until the attack is ordinary (the "boiling frog"). A mean follows as far as the attacker likes. A median moves by at
/// most the standard normal quantile of `1 / (2 - 2e)`: 0.14 standard deviations for a tenth of the rows and 0.57
/// for three tenths, however far they go and however long it takes. That is below `tolerance`, so the slow
/// estimates are never given up. An honest change moves most rows, and with them the median; it is followed `confirm_rows`
/// rows after the fast estimate has noticed.
///
/// What it cannot know: an attacker who controls *most* of `confirm_rows` rows looks like an honest change. With `confirm_rows: 0`
/// nothing is followed that nobody has vouched for.
///
/// Use one for the scores of a model that stays the same, or one for each feature that varies. Where more than half
/// of the values are equal, the scale shrinks to a ten-thousandth of the location, and everything else is trimmed.
///
/// Cost: under 400 bytes and a few dozen operations a value; the first 64 values are kept.
///
/// ```
/// use dais_detect::{Admission, RobustBaselineParams};
///
/// let mut baseline = RobustBaselineParams::default().start()?;
/// for row in 0..2_000 {
///     baseline.learn((row % 11) as f32);
/// }
/// assert_eq!(baseline.location().round(), 5.0);
/// assert_eq!(baseline.learn(40.0), Admission::Trimmed);
/// assert!(!baseline.is_suspicious());
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// References: B. Rubinstein et al., "ANTIDOTE: Understanding and Defending against Poisoning of Anomaly Detectors", IMC
/// 2009, for the attack and the use of median and MAD against it; P. Huber, "Robust Estimation of a Location Parameter", Annals of
/// Mathematical Statistics 35 (1964), for the bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RobustBaselineParts")]
pub struct RobustBaseline {
    params: RobustBaselineParams,
    /// The first values, until there are enough of them.
    first: Vec<f32>,
    /// Fast, middle, slow.
    estimates: [Estimate; 3],
    /// Rows for which the fast estimate has been away from the slow one.
    away_rows: u32,
}

/// A running median and scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Estimate {
    location: f32,
    scale: f32,
}

impl Estimate {
    fn learn(&mut self, value: f32, memory_rows: u32) {
        let rate = 1.0 / memory_rows as f32;
        let apart = value - self.location;
        let is_far = apart.abs() * DEVIATION > self.scale;
        self.location += 2.0 * rate * self.scale * sign(apart);
        self.scale *= if is_far { 1.0 + rate } else { 1.0 / (1.0 + rate) };
        self.scale = self.scale.clamp(self.scale_min(), VALUE_MAX);
        self.location = self.location.clamp(-VALUE_MAX, VALUE_MAX);
    }

    fn scale_min(self) -> f32 {
        (SCALE_SHARE_MIN * self.location.abs()).max(SCALE_MIN)
    }
}

fn sign(value: f32) -> f32 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// A baseline as it was written, not yet checked.
#[derive(Deserialize)]
struct RobustBaselineParts {
    params: RobustBaselineParams,
    first: Vec<f32>,
    estimates: [Estimate; 3],
    away_rows: u32,
}

impl TryFrom<RobustBaselineParts> for RobustBaseline {
    type Error = &'static str;

    fn try_from(parts: RobustBaselineParts) -> Result<Self, Self::Error> {
        let RobustBaselineParts { params, first, estimates, away_rows } = parts;
        if params.check().is_err() {
            return Err("a parameter of a robust baseline is out of its range");
        }
        if first.len() > FIRST_ROWS || first.iter().any(|value| value.is_nan()) {
            return Err("a robust baseline begins with at most 64 numbers");
        }
        let is_sound = |estimate: &Estimate| {
            let is_learned = estimate.scale > 0.0 || first.len() < FIRST_ROWS;
            estimate.location.abs() <= VALUE_MAX && (0.0..=VALUE_MAX).contains(&estimate.scale) && is_learned
        };
        if !estimates.iter().all(is_sound) {
            return Err("an estimate of a robust baseline has no location or scale");
        }
        Ok(Self { params, first, estimates, away_rows })
    }
}

impl RobustBaseline {
    /// Learns a value as far as it is admitted. A value that is NaN counts as very large.
    ///
    /// The first 64 values are learned without a check: somebody should vouch for them.
    pub fn learn(&mut self, value: f32) -> Admission {
        let value = if value < VALUE_MAX { value.max(-VALUE_MAX) } else { VALUE_MAX };
        if self.first.len() < FIRST_ROWS {
            self.first.push(value);
            if self.first.len() == FIRST_ROWS {
                self.estimates = [estimate_of(&mut self.first); 3];
            }
            return Admission::Learned;
        }
        let is_outside = self.distance(value) > self.params.band;
        let [fast_rows, middle_rows, slow_rows] = self.params.memory_rows;
        self.estimates[0].learn(value, fast_rows);
        if self.is_away() {
            self.away_rows = self.away_rows.saturating_add(1);
            if self.params.confirm_rows > 0 && self.away_rows >= self.params.confirm_rows {
                self.confirm();
                return Admission::Confirmed;
            }
            return Admission::Suspended;
        }
        self.away_rows = 0;
        if is_outside {
            return Admission::Trimmed;
        }
        self.estimates[1].learn(value, middle_rows);
        self.estimates[2].learn(value, slow_rows);
        Admission::Learned
    }

    /// Accepts what the fast estimate says: the others move to where it is.
    pub fn confirm(&mut self) {
        self.estimates = [self.estimates[0]; 3];
        self.away_rows = 0;
    }

    /// Whether the fast estimate has walked away from the slow one.
    pub fn is_suspicious(&self) -> bool {
        self.away_rows > 0
    }

    /// Whether enough values have been learned to say where the others lie.
    pub fn is_ready(&self) -> bool {
        self.first.len() >= FIRST_ROWS
    }

    /// The consensus on the median; 0 until the baseline is [ready](Self::is_ready).
    pub fn location(&self) -> f32 {
        middle(self.estimates.map(|estimate| estimate.location))
    }

    /// The consensus on the standard deviation, by the median absolute deviation; 0 until the baseline is ready.
    pub fn scale(&self) -> f32 {
        middle(self.estimates.map(|estimate| estimate.scale))
    }

    /// How far a value lies from the consensus, in its scales; infinite at most, 0 until the baseline is ready.
    pub fn distance(&self, value: f32) -> f32 {
        if !self.is_ready() {
            return 0.0;
        }
        let apart = (value - self.location()).abs();
        if apart.is_nan() { f32::INFINITY } else { apart / self.scale() }
    }

    /// Whether the fast location is farther from the slow one than is tolerated.
    fn is_away(&self) -> bool {
        let [fast, _, slow] = self.estimates;
        (fast.location - slow.location).abs() > self.params.tolerance * slow.scale
    }
}

/// The median of three.
fn middle([a, b, c]: [f32; 3]) -> f32 {
    a.max(b).min(a.min(b).max(c))
}

/// Median and scale of some values, which are sorted.
fn estimate_of(values: &mut [f32]) -> Estimate {
    let median = |values: &mut [f32]| {
        values.sort_unstable_by(f32::total_cmp);
        values[values.len() / 2]
    };
    let location = median(values);
    let mut apart: Vec<f32> = values.iter().map(|value| (value - location).abs()).collect();
    let start = Estimate { location, scale: DEVIATION * median(&mut apart) };
    Estimate { scale: start.scale.clamp(start.scale_min(), VALUE_MAX), ..start }
}
