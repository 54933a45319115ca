//! A verdict that may say that it cannot know.

use serde::{Deserialize, Serialize};

use crate::{Calibration, Columns, FitError};

/// What a calibrated model says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Its p-value is above the level, and the model knows rows like it.
    Ordinary,
    /// Its p-value is at most the level.
    Suspicious,
    /// The model cannot know. Who votes on the row abstains.
    Unknown(Unknown),
}

/// Why a model cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Nothing has been learned.
    NotFitted,
    /// The stream has changed, and the model has not been fitted again since.
    Drifted,
    /// No row could be suspicious: of so few calibration rows not even the strangest has a p-value at the level.
    TooFewRows {
        /// The rows there are.
        rows: usize,
        /// The rows it takes.
        needed: usize,
    },
    /// A value lies outside of the range of the baseline, and the score does not find that strange: it extrapolates.
    OutsideRange {
        /// The feature, from 0.
        feature: usize,
    },
    /// The code of a category has never been seen, and the score does not find that strange.
    Unseen {
        /// The feature, from 0.
        feature: usize,
    },
}

/// What a judgement rests on.
///
/// The level of a conformal test holds for any detector and any number of rows `n`: an ordinary row, exchangeable with
/// the calibration rows, is [`Suspicious`](Judgement::Suspicious) with probability at most `alpha`. But
///
/// * a p-value is at least `1 / (n + 1)`: below `1 / alpha - 1` rows *nothing* can be suspicious, and to call everything
///   ordinary would be a lie. At a level of 0.02 it takes 49 rows, at 0.001 999;
/// * it says nothing once rows are no longer exchangeable, after drift;
/// * it is the share of *ordinary* rows that a threshold lets through. How a detector extrapolates to where no row was
///   is nothing that calibration can show. So outside of the [`Support`] a p-value above the level is no reason to call
///   a row ordinary. One at most the level is still a reason to suspect it.
///
/// ```
/// use dais_detect::{Calibration, Columns, Judge, Judgement, Support, SupportParams, Unknown};
///
/// let baseline: Vec<f32> = (0..99).map(|row| row as f32).collect();
/// let support = SupportParams::default().fit(Columns::new(&baseline, 99, 1))?;
/// // A model that finds small values strange, and knows nothing about large ones.
/// let calibration = Calibration::new(baseline.iter().map(|value| -value).collect());
/// let judge = Judge { alpha: 0.01, calibration: Some(&calibration), support: Some(&support), has_drifted: false };
///
/// let rows = Columns::new(&[50.0, -3.0, 250.0], 3, 1);
/// let judgements = [0, 1, 2].map(|row| judge.judge(-rows.column(0)[row], rows, row));
/// let outside = Judgement::Unknown(Unknown::OutsideRange { feature: 0 });
/// assert_eq!(judgements, [Judgement::Ordinary, Judgement::Suspicious, outside]);
///
/// let strict = Judge { alpha: 0.001, ..judge };
/// let too_few = Judgement::Unknown(Unknown::TooFewRows { rows: 99, needed: 999 });
/// assert_eq!(strict.judge(-50.0, rows, 0), too_few);
/// # Ok::<(), dais_detect::FitError>(())
/// ```
///
/// Reference: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer 2005.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The level: the share of ordinary rows that may be called suspicious; above 0, below 1.
    pub alpha: f32,
    /// The scores of reference rows, if a model has been fitted.
    pub calibration: Option<&'a Calibration>,
    /// Where the baseline lies; `None` trusts the score everywhere.
    pub support: Option<&'a Support>,
    /// Whether the stream has changed since the model was fitted, as by [`Adwin`](crate::Adwin).
    pub has_drifted: bool,
}

impl Judge<'_> {
    /// Judges a row of `view` by its score.
    ///
    /// # Panics
    /// If there is no such row, or the support has another number of features.
    pub fn judge(&self, score: f32, view: Columns<'_>, row: usize) -> Judgement {
        let Some(calibration) = self.calibration else { return Judgement::Unknown(Unknown::NotFitted) };
        if self.has_drifted {
            return Judgement::Unknown(Unknown::Drifted);
        }
        let (rows, needed) = (calibration.scores().len(), rows_needed(self.alpha));
        if rows < needed {
            return Judgement::Unknown(Unknown::TooFewRows { rows, needed });
        }
        if calibration.p_value(score) <= self.alpha {
            return Judgement::Suspicious;
        }
        match self.support.and_then(|support| support.beyond(view, row)) {
            Some(why) => Judgement::Unknown(why),
            None => Judgement::Ordinary,
        }
    }
}

/// The fewest calibration rows among which a p-value can be as small as `alpha`: the smallest `n` with `1 / (n + 1) <= alpha`.
/// No number of rows is enough for a level of 0 or less, or NaN.
///
/// ```
/// assert_eq!([0.5, 0.1, 0.02, 0.001].map(dais_detect::rows_needed), [1, 9, 49, 999]);
/// ```
pub fn rows_needed(alpha: f32) -> usize {
    if alpha.is_nan() || alpha <= 0.0 {
        return usize::MAX;
    }
    let about = (1.0 / f64::from(alpha)) as usize;
    let reaches = |rows: usize| 1.0 / (rows.saturating_add(1) as f32) <= alpha;
    // Rounded as a p-value is, one row more or less may be enough.
    (about.saturating_sub(2)..=about).find(|&rows| reaches(rows)).unwrap_or(about)
}

/// How a [`Support`] is learned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SupportParams {
    /// How far beyond the ends of a feature a value still counts as inside, as a share of its range; 0 to 100.
    pub margin: f32,
    /// Features that are codes of categories: inside is what has been seen.
    pub codes: Vec<usize>,
}

impl SupportParams {
    /// Learns the ranges and codes of `view`.
    ///
    /// # Errors
    /// [`FitError`] for a parameter out of range, an empty view or a value that is not finite.
    pub fn fit(&self, view: Columns<'_>) -> Result<Support, FitError> {
        if !(0.0..=100.0).contains(&self.margin) {
            return Err(FitError::Parameter { name: "margin", value: self.margin.into(), expected: "0 to 100" });
        }
        if let Some(&code) = self.codes.iter().find(|&&code| code >= view.features()) {
            return Err(FitError::Parameter { name: "codes", value: code as f64, expected: "features of the view" });
        }
        view.check_learnable()?;
        let extent = |feature: usize| {
            let column = view.column(feature);
            if self.codes.contains(&feature) {
                let mut seen = column.to_vec();
                seen.sort_unstable_by(f32::total_cmp);
                seen.dedup_by(|next, last| *next <= *last);
                return Extent::Codes(seen);
            }
            let (low, high) = column.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
            let margin = self.margin * (high - low).min(f32::MAX);
            Extent::Range((low - margin).max(f32::MIN), (high + margin).min(f32::MAX))
        };
        Ok(Support { extents: (0..view.features()).map(extent).collect() })
    }
}

/// Where the rows of a baseline lie, feature by feature.
///
/// Of `n` rows and a new one that is exchangeable with them, each is the largest in a feature with probability at most `1 /
/// (n + 1)`, and the smallest likewise: with `d` features without a margin an ordinary row lies outside with probability at most
/// `2 d / (n + 1)`. A code is unseen with the probability that it stands once in all `n + 1` rows, the number of such
/// codes expected divided by `n + 1`.
///
/// Cost: 8 bytes for each feature, 4 for each code; two comparisons a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SupportParts")]
pub struct Support {
    extents: Vec<Extent>,
}

/// Where the values of a feature lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Extent {
    /// From the first to the second.
    Range(f32, f32),
    /// The codes seen, rising.
    Codes(Vec<f32>),
}

/// A support as it was written, not yet checked.
#[derive(Deserialize)]
struct SupportParts {
    extents: Vec<Extent>,
}

impl TryFrom<SupportParts> for Support {
    type Error = &'static str;

    fn try_from(SupportParts { extents }: SupportParts) -> Result<Self, Self::Error> {
        let is_sound = |extent: &Extent| match extent {
            Extent::Range(low, high) => low <= high && low.is_finite() && high.is_finite(),
            Extent::Codes(seen) => seen.is_sorted_by(|a, b| a < b),
        };
        if extents.is_empty() || !extents.iter().all(is_sound) {
            return Err("a support needs rising ranges and codes");
        }
        Ok(Self { extents })
    }
}

impl Support {
    /// The number of features.
    pub fn features(&self) -> usize {
        self.extents.len()
    }

    /// The first feature in which a row of `view` lies outside. A value that is NaN always does.
    ///
    /// # Panics
    /// If `view` has another number of features or no such row.
    pub fn beyond(&self, view: Columns<'_>, row: usize) -> Option<Unknown> {
        assert!(view.features() == self.features(), "the support has {} features", self.features());
        assert!(row < view.rows(), "row {row} of {}", view.rows());
        self.extents.iter().enumerate().find_map(|(feature, extent)| {
            let value = view.column(feature)[row];
            match extent {
                Extent::Range(low, high) => {
                    (!(*low..=*high).contains(&value)).then_some(Unknown::OutsideRange { feature })
                }
                Extent::Codes(seen) => {
                    let place = seen.partition_point(|&code| code < value);
                    let is_seen = seen.get(place).is_some_and(|&code| code <= value);
                    (!is_seen).then_some(Unknown::Unseen { feature })
                }
            }
        })
    }
}
