//! Making one number, or one point, of those that several agents measured.

mod clipping;
mod geometric;
mod krum;
mod mean;
mod median;
mod mixing;
mod trimmed;

use serde::{Deserialize, Serialize};

use crate::weights;

/// How numbers that several agents measured become one, such as the radii of those who confirm a signature.
///
/// The breakdown point is the share of liars from which on they can move the result as far as they like.
///
/// | aggregation | formula | breakdown point | reference |
/// |---|---|---|---|
/// | `lower_quantile` | smallest value at which the weight reaches the share q | q downwards, 1 - q upwards | Koenker and Bassett 1978 |
/// | `mean` | Σ w x / Σ w | 0 | |
/// | `median` | half of the weight on either side, coordinate by coordinate | 1/2 | Yin et al., ICML 2018 |
/// | `trimmed_mean` | mean after the share β of the weight is cut off at both ends | β | Yin et al., ICML 2018 |
/// | `geometric_median` | argmin over y of Σ w ‖x - y‖ | 1/2 | Pillutla et al., IEEE TSP 2022 |
/// | `krum` | the point nearest to its n - f - 2 neighbours | f / n, for n ≥ 2f + 3 | Blanchard et al., NIPS 2017 |
/// | `multi_krum` | mean of the n - f points that Krum likes best | f / n, for n ≥ 2f + 3 | Blanchard et al., NIPS 2017 |
/// | `centred_clipping` | v ← v + Σ w (x - v) min(1, τ / ‖x - v‖) / Σ w | 1/2 | Karimireddy et al., ICML 2021 |
/// | `nearest_neighbour_mixing` | trimmed mean of the means of the n - f nearest neighbours of each point | f / n, below 1/2 | Allouah et al., AISTATS 2023 |
///
/// Scores of the Krum family and searches for neighbours count agents; means and medians weigh them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// A weighted quantile below the middle: a minority cannot widen it.
    #[default]
    LowerQuantile,
    /// The weighted mean.
    Mean,
    /// The weighted median of every coordinate.
    Median,
    /// The weighted mean of what remains when both ends are cut off.
    TrimmedMean,
    /// The point with the smallest sum of distances to all.
    GeometricMedian,
    /// The one point with the nearest neighbours.
    Krum,
    /// The mean of the points with the nearest neighbours.
    MultiKrum,
    /// The mean after far points were pulled towards the centre.
    CentredClipping,
    /// Every point is replaced by the mean of its neighbours, then the ends are cut off.
    NearestNeighbourMixing,
}

/// What one agent measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// The coordinates: one for a radius, one a feature for a centroid.
    pub point: &'a [f32],
    /// How much the agent weighs.
    pub weight: f64,
}

/// An aggregation with what it has to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregator {
    /// The aggregation.
    pub aggregation: Aggregation,
    /// The quantile of [`Aggregation::LowerQuantile`], 0 to 0.5.
    pub quantile: f64,
    /// The share of liars that is to be borne, 0 to below 0.5: what is trimmed at each end, and f / n of the Krum family.
    pub liars_share: f64,
}

/// The samples that count, in an order that depends on their values alone.
struct Points<'a> {
    samples: Vec<Sample<'a>>,
    dimensions: usize,
    total_weight: f64,
}

impl Points<'_> {
    /// The values of one coordinate with their weights.
    fn coordinate(&self, k: usize) -> Vec<(f32, f64)> {
        self.samples.iter().map(|sample| (sample.point[k], sample.weight)).collect()
    }

    /// One value for each coordinate.
    fn by_coordinate(&self, of: impl Fn(&mut [(f32, f64)]) -> f64) -> Vec<f64> {
        (0..self.dimensions).map(|k| of(&mut self.coordinate(k))).collect()
    }

    /// How many liars a share of them is, at most as many as `limit` allows.
    fn liars(&self, share: f64, limit: usize) -> usize {
        ((share * self.samples.len() as f64) as usize).min(limit)
    }
}

impl Aggregation {
    /// Every aggregation, in the order they are listed.
    pub const ALL: [Self; 9] = [
        Self::LowerQuantile,
        Self::Mean,
        Self::Median,
        Self::TrimmedMean,
        Self::GeometricMedian,
        Self::Krum,
        Self::MultiKrum,
        Self::CentredClipping,
        Self::NearestNeighbourMixing,
    ];

    /// The name in a scenario, and one line about it.
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::LowerQuantile => {
                ("lower_quantile", "a weighted quantile below the middle: a minority cannot widen it")
            }
            Self::Mean => ("mean", "the weighted mean: one liar moves it anywhere"),
            Self::Median => ("median", "the weighted median of every coordinate; breaks at half"),
            Self::TrimmedMean => ("trimmed_mean", "the mean without the ends; breaks at the share that is cut off"),
            Self::GeometricMedian => {
                ("geometric_median", "the point with the smallest sum of distances to all; breaks at half")
            }
            Self::Krum => ("krum", "the one point nearest to its neighbours; n >= 2f + 3"),
            Self::MultiKrum => ("multi_krum", "the mean of the points nearest to their neighbours; n >= 2f + 3"),
            Self::CentredClipping => {
                ("centred_clipping", "the mean after far points were pulled to the centre; breaks at half")
            }
            Self::NearestNeighbourMixing => {
                ("nearest_neighbour_mixing", "each point becomes its neighbours' mean, then the ends are cut off")
            }
        }
    }
}

/// The aggregations, each with its name in a scenario and one line.
pub fn aggregations() -> Vec<(&'static str, &'static str)> {
    Aggregation::ALL.into_iter().map(Aggregation::describe).collect()
}

impl Aggregator {
    /// One point of many; nothing when none counts. Points with a coordinate that is no finite number, and those without
    /// positive weight, do not count. The order of the samples does not matter. Cost: a sort, and for the Krum family
    /// and mixing the distances of all pairs.
    ///
    /// # Panics
    /// When the points differ in their number of coordinates.
    ///
    /// ```
    /// use dais_protocol::{Aggregation, Aggregator, Sample};
    /// let points = [[0.1, 0.1], [0.2, 0.1], [0.1, 0.2], [9.0, 9.0]];
    /// let samples: Vec<Sample> = points.iter().map(|point| Sample { point, weight: 1.0 }).collect();
    /// let median = Aggregator { aggregation: Aggregation::Median, quantile: 0.5, liars_share: 0.3 };
    /// assert_eq!(median.of(&samples), Some(vec![0.15, 0.15]));
    /// ```
    pub fn of(&self, samples: &[Sample<'_>]) -> Option<Vec<f32>> {
        let points = counting(samples)?;
        if self.aggregation == Aggregation::LowerQuantile {
            let lower = |k| weights::quantile(&mut points.coordinate(k), self.quantile);
            return (0..points.dimensions).map(lower).collect();
        }
        let found = match self.aggregation {
            Aggregation::LowerQuantile | Aggregation::Median => points.by_coordinate(median::weighted),
            Aggregation::Mean => mean::weighted(&points),
            Aggregation::TrimmedMean => points.by_coordinate(|pairs| trimmed::mean(pairs, self.liars_share)),
            Aggregation::GeometricMedian => geometric::median(&points),
            Aggregation::Krum => krum::select(&points, self.liars_share, krum::Chosen::Best),
            Aggregation::MultiKrum => krum::select(&points, self.liars_share, krum::Chosen::AllButLiars),
            Aggregation::CentredClipping => clipping::clip(&points),
            Aggregation::NearestNeighbourMixing => mixing::mix(&points, self.liars_share),
        };
        Some(found.into_iter().map(|value| value as f32).collect())
    }

    /// One number of many, each with its weight; as [`of`](Self::of) for points with one coordinate.
    pub fn of_numbers(&self, numbers: &[(f32, f64)]) -> Option<f32> {
        let points: Vec<[f32; 1]> = numbers.iter().map(|&(value, _)| [value]).collect();
        let samples: Vec<Sample<'_>> =
            points.iter().zip(numbers).map(|(point, &(_, weight))| Sample { point, weight }).collect();
        self.of(&samples)?.first().copied()
    }
}

/// The samples that count; nothing when none does.
fn counting<'a>(samples: &[Sample<'a>]) -> Option<Points<'a>> {
    let dimensions = samples.first()?.point.len();
    assert!(samples.iter().all(|sample| sample.point.len() == dimensions), "points of one space");
    let counts = |sample: &&Sample<'_>| {
        sample.weight > 0.0 && sample.weight.is_finite() && sample.point.iter().all(|value| value.is_finite())
    };
    let mut samples: Vec<Sample<'a>> = samples.iter().filter(counts).copied().collect();
    samples.sort_unstable_by(|a, b| {
        let values = a.point.iter().zip(b.point).map(|(a, b)| a.total_cmp(b));
        values.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(a.weight.total_cmp(&b.weight))
    });
    let total_weight = samples.iter().map(|sample| sample.weight).sum();
    (!samples.is_empty()).then_some(Points { samples, dimensions, total_weight })
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)) * (f64::from(*a) - f64::from(*b))).sum()
}

fn distance_to(point: &[f32], centre: &[f64]) -> f64 {
    point.iter().zip(centre).map(|(x, c)| (f64::from(*x) - c) * (f64::from(*x) - c)).sum::<f64>().sqrt()
}
