//! Where the rows of a baseline lie.

use serde::{Deserialize, Serialize};

use super::Unknown;
use crate::{Columns, FitError};

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
