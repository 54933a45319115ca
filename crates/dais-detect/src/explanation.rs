//! Why a row is strange: what each feature adds.

use thiserror::Error;

use crate::Columns;

/// What the contributions of the features of one row add up to: `base + sum(contributions) == value`, but for rounding.
///
/// What a detector adds up is its own:
///
/// | detector | contribution of a feature | base | value |
/// |---|---|---|---|
/// | isolation forest | summed changes of the expected path length at its cuts, `-d / c(subsample)` | that of the subsample | `log2` of the score |
/// | neighbours | squared distance to the `k`-th nearest point along it | 0 | the score |
/// | ECOD, COPOD | its surprise; by side, that on the side that counts | 0 | the score |
/// | HBOS | the surprise of its bin | 0 | the score |
/// | Mahalanobis | standardised value times the same of the whitened row, `z * (S^-1 z)` | 0 | the score |
/// | LODA | of each projection the part that it has in the squared terms | 0 | the score |
/// | ensembles | its [shares](shares) in the members, weighted by how strange each finds the row | 0 | the score |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Explanation {
    /// What an ordinary row has.
    pub base: f32,
    /// What the row has.
    pub value: f32,
}

/// A detector whose score is no sum over features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the score of {detector} is no sum over features")]
pub struct CannotExplain {
    /// The name of the detector.
    pub detector: &'static str,
}

/// Turns contributions into shares of what makes a row strange: what is above 0 divided by its sum; where nothing is, all
/// features alike.
///
/// ```
/// let mut contributions = [3.0, -1.0, 1.0];
/// dais_detect::shares(&mut contributions);
/// assert_eq!(contributions, [0.75, 0.0, 0.25]);
/// ```
pub fn shares(contributions: &mut [f32]) {
    // The largest first becomes 1: the sum is finite whatever the values.
    let largest = contributions.iter().copied().fold(0.0, f32::max).min(f32::MAX);
    let count = contributions.len() as f32;
    for contribution in contributions.iter_mut() {
        *contribution = if largest > 0.0 { (contribution.max(0.0) / largest).min(1.0) } else { 1.0 / count };
    }
    let sum: f32 = contributions.iter().sum();
    for contribution in contributions {
        *contribution /= sum;
    }
}

/// The shape check every [`explain`](crate::Detector::explain) begins with.
pub(crate) fn assert_explained(features: usize, view: &Columns<'_>, row: usize, contributions: &[f32]) {
    assert!(view.features() == features, "the model has {features} features, the batch {}", view.features());
    assert!(row < view.rows(), "row {row} of {}", view.rows());
    assert!(contributions.len() == features, "{} contributions for {features} features", contributions.len());
}
