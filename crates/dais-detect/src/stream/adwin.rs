//! ADWIN: notices when the mean of a stream has changed.

use serde::{Deserialize, Serialize};

use crate::FitError;

/// Levels of buckets at most: a bucket of the last one stands for 2^47 values.
const LEVELS_MAX: usize = 48;
/// The most buckets of one level.
const BUCKETS_MAX: u8 = 64;

/// When an [`Adwin`] speaks of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdwinParams {
    /// The confidence: the chance that a check of a stream without change finds one; above 0, below 1. A smaller one
    /// makes fewer false alarms and notices later.
    pub delta: f64,
    /// Values between two checks, at least 1. More of them cost less and add up to so many values of delay.
    pub clock: u32,
    /// The fewest values on either side of a cut, at least 1.
    pub side_min: u32,
    /// Values before the first check.
    pub grace: u32,
    /// Buckets of one size before two of them become one of twice the size, 2 to 64. More see the place of a change
    /// more finely; memory grows in proportion.
    pub buckets: u8,
}

impl Default for AdwinParams {
    /// 0.002, checked every 32 values from the 10th on, 5 values a side and 5 buckets of a size, as in River.
    fn default() -> Self {
        Self { delta: 0.002, clock: 32, side_min: 5, grace: 10, buckets: 5 }
    }
}

impl AdwinParams {
    /// Checks every range.
    ///
    /// # Errors
    /// [`FitError::Parameter`] for the first parameter out of its range.
    pub fn check(&self) -> Result<(), FitError> {
        let parameter = |name, value: f64, expected| Err(FitError::Parameter { name, value, expected });
        if !(self.delta > 0.0 && self.delta < 1.0) {
            return parameter("delta", self.delta, "above 0, below 1");
        }
        if self.clock == 0 {
            return parameter("clock", 0.0, "at least 1");
        }
        if self.side_min == 0 {
            return parameter("side_min", 0.0, "at least 1");
        }
        if !(2..=BUCKETS_MAX).contains(&self.buckets) {
            return parameter("buckets", self.buckets.into(), "2 to 64");
        }
        Ok(())
    }

    /// A window without values.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn start(&self) -> Result<Adwin, FitError> {
        self.check()?;
        Ok(Adwin { params: self.clone(), ticks: 0, levels: Vec::new() })
    }
}

/// A change that an [`Adwin`] found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The values that were forgotten, all older than those kept.
    pub forgotten: u64,
    /// Their mean.
    pub mean_before: f64,
    /// The values that were kept, which begin about where the change began.
    pub kept: u64,
    /// Their mean.
    pub mean_after: f64,
}

/// A window over a stream that grows while the mean stays and shrinks when it changes.
///
/// For every cut of the window into an older part of `n0` and a newer part of `n1` values the means are compared. They
/// differ too much to be of one distribution if their distance is above
///
/// ```text
/// sqrt(2 m v l) + 2/3 m l,   m = 1 / (n0 - side_min + 1) + 1 / (n1 - side_min + 1),   l = ln(2 ln(n) / delta)
/// ```
///
/// with the variance `v` of the whole window of `n` values. Then the oldest bucket is forgotten, until no cut differs.
/// What is left is a sample of the new regime: as long as that has lasted, not as long as somebody guessed.
///
/// The bound holds for values in [0, 1]: give it p-values (uniform in an unchanged stream, whatever the detector) or
/// shares, not raw scores. Good at changes of the mean, abrupt or gradual; blind to changes that leave the mean as it
/// is, and the slower a change, the larger it is when it is noticed. It does not say whether a change is honest: see
/// [`RobustBaseline`](crate::RobustBaseline) for that.
///
/// Values are kept in buckets of 1, 2, 4, … of them with their sum and variance, at most `buckets` of each size, so
/// cuts are looked at between buckets only. Neither time nor chance plays a part: the same values give the same changes.
///
/// Cost: at most `buckets * log2(n)` buckets of 16 bytes for `n` values; a value takes a constant time on average, and a
/// check a pass over the buckets, and another for each bucket that is forgotten.
///
/// ```
/// use dais_detect::AdwinParams;
///
/// let mut window = AdwinParams::default().start()?;
/// for value in 0..1000 {
///     assert_eq!(window.add((value % 10) as f32 / 20.0), None); // mean 0.225
/// }
/// let mut kept = Vec::new();
/// for value in 0..300 {
///     kept.extend(window.add(0.5 + (value % 10) as f32 / 20.0).map(|change| change.kept)); // mean 0.725
/// }
/// // What is left of 1,300 values is nearly all of the new regime.
/// assert_eq!((kept, window.len()), (vec![320, 96, 112], 324));
/// assert_eq!(format!("{:.2}", window.mean()), "0.69");
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: A. Bifet, R. Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", SDM 2007; the bound,
/// its defaults and so the changes found are those of River 0.26.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "AdwinParts")]
pub struct Adwin {
    params: AdwinParams,
    /// Values seen, modulo the clock.
    ticks: u32,
    /// The buckets of `2^level` values by level, each level from the oldest to the newest.
    levels: Vec<Vec<Bucket>>,
}

/// Neighbouring values of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Bucket {
    sum: f64,
    /// The summed squares of the distances from the mean.
    squares: f64,
}

/// A window as it was written, not yet checked.
#[derive(Deserialize)]
struct AdwinParts {
    params: AdwinParams,
    ticks: u32,
    levels: Vec<Vec<Bucket>>,
}

impl TryFrom<AdwinParts> for Adwin {
    type Error = &'static str;

    fn try_from(AdwinParts { params, ticks, levels }: AdwinParts) -> Result<Self, Self::Error> {
        if params.check().is_err() || ticks >= params.clock {
            return Err("a parameter of an adaptive window is out of its range");
        }
        if levels.len() > LEVELS_MAX || levels.iter().any(|level| level.len() > params.buckets.into()) {
            return Err("an adaptive window has more buckets than its parameters allow");
        }
        let is_sound = |bucket: &Bucket| bucket.sum.is_finite() && bucket.squares.is_finite() && bucket.squares >= 0.0;
        if !levels.iter().flatten().all(is_sound) {
            return Err("a bucket of an adaptive window has no mean or variance");
        }
        Ok(Self { params, ticks, levels })
    }
}

/// Values with their moments.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    count: f64,
    bucket: Bucket,
}

impl Part {
    fn of(level: usize, bucket: Bucket) -> Self {
        Self { count: (1u64 << level) as f64, bucket }
    }

    /// Both together (Chan and others 1979).
    fn with(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        let apart = self.bucket.sum / self.count - other.bucket.sum / other.count;
        let count = self.count + other.count;
        let between = self.count * other.count / count * apart * apart;
        let (own, others) = (self.bucket, other.bucket);
        let bucket = Bucket { sum: own.sum + others.sum, squares: own.squares + others.squares + between };
        Self { count, bucket }
    }

    fn mean(self) -> f64 {
        if self.count > 0.0 { self.bucket.sum / self.count } else { 0.0 }
    }
}

impl Adwin {
    /// Adds a value; says if the mean has changed.
    ///
    /// A value that is not finite is left out.
    pub fn add(&mut self, value: f32) -> Option<Change> {
        if !value.is_finite() {
            return None;
        }
        self.insert(Bucket { sum: value.into(), squares: 0.0 });
        self.ticks = (self.ticks + 1) % self.params.clock;
        if self.ticks != 0 || self.len() <= self.params.grace.into() {
            return None;
        }
        let mut forgotten = Part::default();
        while self.differs() {
            let Some(oldest) = self.forget_oldest() else { break };
            forgotten = forgotten.with(oldest);
        }
        (forgotten.count > 0.0).then(|| Change {
            forgotten: forgotten.count as u64,
            mean_before: forgotten.mean(),
            kept: self.len(),
            mean_after: self.mean(),
        })
    }

    /// The number of values in the window.
    pub fn len(&self) -> u64 {
        self.levels.iter().zip(0..).map(|(level, place)| (level.len() as u64) << place).sum()
    }

    /// Whether the window has no value.
    pub fn is_empty(&self) -> bool {
        self.levels.iter().all(Vec::is_empty)
    }

    /// The mean of the window; 0 without values.
    pub fn mean(&self) -> f64 {
        self.whole().mean()
    }

    /// The population variance of the window; 0 without values.
    pub fn variance(&self) -> f64 {
        let whole = self.whole();
        if whole.count > 0.0 { whole.bucket.squares / whole.count } else { 0.0 }
    }

    /// The memory of the buckets, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<Bucket>() + size_of_val(level)).sum()
    }

    /// Puts a value in and joins the two oldest buckets of every size that has one too many.
    fn insert(&mut self, value: Bucket) {
        let mut next = value;
        for level in 0..LEVELS_MAX {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let buckets = &mut self.levels[level];
            buckets.push(next);
            if buckets.len() <= self.params.buckets.into() {
                return;
            }
            next = Part::of(level, buckets[0]).with(Part::of(level, buckets[1])).bucket;
            buckets.drain(..2);
        }
    }

    /// The buckets from the oldest to the newest.
    fn parts(&self) -> impl Iterator<Item = Part> {
        let levels = self.levels.iter().enumerate().rev();
        levels.flat_map(|(level, buckets)| buckets.iter().map(move |&bucket| Part::of(level, bucket)))
    }

    fn whole(&self) -> Part {
        self.parts().fold(Part::default(), Part::with)
    }

    /// Whether the parts before and after some cut differ too much.
    fn differs(&self) -> bool {
        let whole = self.whole();
        let side_min = f64::from(self.params.side_min);
        let logarithm = libm::log(2.0 * libm::log(whole.count) / self.params.delta);
        let spread = 2.0 * whole.bucket.squares / whole.count * logarithm;
        let (mut count, mut sum) = (0.0, 0.0);
        self.parts().any(|part| {
            count += part.count;
            sum += part.bucket.sum;
            let left = whole.count - count;
            if count < side_min || left < side_min {
                return false;
            }
            let apart = (sum / count - (whole.bucket.sum - sum) / left).abs();
            let share = 1.0 / (count - side_min + 1.0) + 1.0 / (left - side_min + 1.0);
            apart > (share * spread).sqrt() + 2.0 / 3.0 * share * logarithm
        })
    }

    fn forget_oldest(&mut self) -> Option<Part> {
        let level = self.levels.iter().rposition(|buckets| !buckets.is_empty())?;
        let oldest = self.levels[level].remove(0);
        self.levels.truncate(level + 1);
        Some(Part::of(level, oldest))
    }
}
