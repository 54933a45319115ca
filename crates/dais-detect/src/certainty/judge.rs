//! What a score says about a row, and when it says nothing.

use super::{Calibration, Judgement, Support, Unknown};
use crate::Columns;

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
