//! Whether detectors differ over several data sets: mean ranks, the Friedman test and Nemenyi's critical difference
//! (Demšar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 2006).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, Normal};

use super::{DataSetSummary, EvalResult};

/// Probability of finding a difference where there is none.
const ALPHA: f64 = 0.05;

/// Detectors ranked by their area under the ROC curve on each data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// How many data sets there are.
    pub datasets: usize,
    /// The detectors, the best mean rank first.
    pub ranks: Vec<MeanRank>,
    /// Friedman's statistic, corrected for ties.
    pub friedman_chi2: f64,
    /// Probability of ranks at least this uneven if all detectors were alike, by the chi-squared distribution, which is
    /// cautious for few data sets.
    pub friedman_p: f64,
    /// Mean ranks closer than this do not differ at the level `alpha` (Nemenyi).
    pub critical_difference: f64,
    /// Probability of finding a difference where there is none.
    pub alpha: f64,
}

/// The mean rank of a detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanRank {
    /// Name of the detector.
    pub detector: String,
    /// Mean over the data sets of its place, 1 for the largest area; equal areas share the mean of their places.
    pub rank: f64,
    /// Letters of the groups it belongs to: detectors that share a letter do not differ.
    pub groups: String,
}

impl Comparison {
    /// The comparison; nothing with fewer than two data sets or detectors.
    pub(super) fn of(datasets: &[DataSetSummary], results: &[EvalResult]) -> Option<Self> {
        let mut names: Vec<&str> = results.iter().map(|result| result.detector.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let area = |dataset: &str, name: &str| {
            let mut own = results.iter().filter(|result| result.dataset == dataset && result.detector == name);
            own.next().map_or(f64::NAN, |result| result.auroc_mean)
        };
        let areas: Vec<Vec<f64>> =
            datasets.iter().map(|set| names.iter().map(|name| area(&set.name, name)).collect()).collect();
        let (sets, kinds) = (areas.len(), names.len());
        if sets < 2 || kinds < 2 {
            return None;
        }
        let places: Vec<Vec<f64>> = areas.iter().map(|areas| places(areas)).collect();
        let mean = |kind: usize| places.iter().map(|places| places[kind]).sum::<f64>() / sets as f64;
        let chi2 = friedman(&places);
        let spread = ((kinds * (kinds + 1)) as f64 / (6 * sets) as f64).sqrt();
        let critical_difference = studentized_range(kinds, 1.0 - ALPHA) / std::f64::consts::SQRT_2 * spread;
        let mut order: Vec<(&str, f64)> = names.iter().enumerate().map(|(kind, name)| (*name, mean(kind))).collect();
        order.sort_by(|a, b| a.1.total_cmp(&b.1));
        let letters = letters(&order.iter().map(|(_, rank)| *rank).collect::<Vec<_>>(), critical_difference);
        let ranks = order.into_iter().zip(letters);
        let ranks = ranks.map(|((name, rank), groups)| MeanRank { detector: name.to_owned(), rank, groups });
        let beyond = ChiSquared::new((kinds - 1) as f64).map_or(f64::NAN, |distribution| distribution.sf(chi2));
        Some(Self {
            datasets: sets,
            ranks: ranks.collect(),
            friedman_chi2: chi2,
            friedman_p: beyond,
            critical_difference,
            alpha: ALPHA,
        })
    }
}

/// The place of each value, 1 for the largest; equal values share the mean of their places.
fn places(values: &[f64]) -> Vec<f64> {
    let place = |value: &f64| {
        let above = values.iter().filter(|other| *other > value).count();
        let equal = values.iter().filter(|other| other.total_cmp(value).is_eq()).count();
        above as f64 + (equal + 1) as f64 / 2.0
    };
    values.iter().map(place).collect()
}

/// Friedman's statistic with the correction for ties; 0 where every data set has all detectors alike.
fn friedman(places: &[Vec<f64>]) -> f64 {
    let kinds = places[0].len() as f64;
    let middle = kinds.midpoint(1.0);
    let sums = (0..places[0].len()).map(|kind| places.iter().map(|places| places[kind] - middle).sum::<f64>());
    let between: f64 = sums.map(|sum| sum * sum).sum();
    let within: f64 = places.iter().flatten().map(|place| (place - middle) * (place - middle)).sum();
    if within > 0.0 { (kinds - 1.0) * between / within } else { 0.0 }
}

/// The quantile of the range of `kinds` standard normal values, the studentized range with infinite degrees of freedom.
fn studentized_range(kinds: usize, probability: f64) -> f64 {
    let normal = Normal::standard();
    // P(range ≤ q) = k ∫ φ(z) (Φ(z) − Φ(z − q))^(k−1) dz, by the trapezoid rule, exact for smooth tails to 1e-9.
    let below = |q: f64| {
        let step = 0.02;
        let height = |z: f64| normal.pdf(z) * (normal.cdf(z) - normal.cdf(z - q)).powi(kinds as i32 - 1);
        let sum: f64 = (-400..=800).map(|place| height(f64::from(place) * step)).sum();
        kinds as f64 * sum * step
    };
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if below(middle) < probability { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Letters for runs of rising ranks that lie closer together than the critical difference, each run as long as can be.
fn letters(ranks: &[f64], critical: f64) -> Vec<String> {
    let mut letters = vec![String::new(); ranks.len()];
    let (mut end, mut letter) = (0, b'a');
    for first in 0..ranks.len() {
        let last = ranks.partition_point(|rank| rank - ranks[first] < critical);
        if last > end {
            letters[first..last].iter_mut().for_each(|letters| letters.push(char::from(letter)));
            (end, letter) = (last, letter + 1);
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::Protocol;

    #[test]
    fn quantiles_are_those_of_the_published_table() {
        // Demšar 2006, table 5 a: critical values for the two-tailed Nemenyi test at 0.05.
        for (kinds, value) in [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (7, 2.949), (10, 3.164)] {
            let quantile = studentized_range(kinds, 0.95) / std::f64::consts::SQRT_2;
            assert!((quantile - value).abs() < 0.001, "{kinds}: {quantile}");
        }
    }

    #[test]
    fn equal_values_share_their_places() {
        assert_eq!(places(&[0.9, 0.7, 0.9, 0.1]), [1.5, 3.0, 1.5, 4.0]);
    }

    #[test]
    fn the_statistic_is_that_of_the_textbook() {
        // Demšar 2006, table 6: 14 data sets, 4 algorithms, mean ranks 3.143, 2.000, 2.893, 1.964; chi-squared 9.28.
        let scores = [
            [0.763, 0.768, 0.771, 0.798],
            [0.599, 0.591, 0.590, 0.569],
            [0.954, 0.971, 0.968, 0.967],
            [0.628, 0.661, 0.654, 0.657],
            [0.882, 0.888, 0.886, 0.898],
            [0.936, 0.931, 0.916, 0.931],
            [0.661, 0.668, 0.609, 0.685],
            [0.583, 0.583, 0.563, 0.625],
            [0.775, 0.838, 0.866, 0.875],
            [1.000, 1.000, 1.000, 1.000],
            [0.940, 0.962, 0.965, 0.962],
            [0.619, 0.666, 0.614, 0.669],
            [0.972, 0.981, 0.9751, 0.975],
            [0.957, 0.978, 0.946, 0.970],
        ];
        let places: Vec<Vec<f64>> = scores.iter().map(|row| places(row)).collect();
        let mean = |kind: usize| places.iter().map(|row| row[kind]).sum::<f64>() / 14.0;
        let expected = [3.143, 2.000, 2.893, 1.964];
        for (kind, rank) in expected.into_iter().enumerate() {
            assert!((mean(kind) - rank).abs() < 0.001, "{kind}: {}", mean(kind));
        }
        // The paper has 9.28 without the correction for ties, which divide 63.5 where 70 could be divided.
        let chi2 = friedman(&places) * 63.5 / 70.0;
        assert!((chi2 - 9.28).abs() < 0.01, "{chi2}");
    }

    #[test]
    fn neighbours_within_the_critical_difference_share_a_letter() {
        assert_eq!(letters(&[1.0, 1.5, 2.4, 4.0], 1.2), ["a", "ab", "b", "c"]);
        assert_eq!(letters(&[1.0, 1.1, 1.2], 5.0), ["a", "a", "a"]);
    }

    #[test]
    fn one_data_set_compares_nothing() {
        let set = |name: &str| DataSetSummary {
            name: name.to_owned(),
            files: Vec::new(),
            protocol: Protocol::Novelty,
            features: 1,
            learned: 1,
            scored: 2,
            attacks: 1,
            notes: Vec::new(),
        };
        let result = |dataset: &str, detector: &str, area: f64| EvalResult {
            dataset: dataset.to_owned(),
            detector: detector.to_owned(),
            auroc_mean: area,
            auroc_std: 0.0,
            average_precision_mean: 0.0,
            average_precision_std: 0.0,
            recall_at_fpr: Vec::new(),
            fit_ms: 0.0,
            score_ms: 0.0,
            scored_rows_per_s: 0.0,
            model_bytes: 0,
            curves: None,
        };
        let results = [result("x", "a", 0.9), result("x", "b", 0.8), result("y", "a", 0.7), result("y", "b", 0.6)];
        assert_eq!(Comparison::of(&[set("x")], &results), None);
        let comparison = Comparison::of(&[set("x"), set("y")], &results).unwrap();
        assert_eq!((comparison.ranks[0].detector.as_str(), comparison.ranks[0].rank), ("a", 1.0));
        assert!((comparison.friedman_chi2 - 2.0).abs() < 1e-12);
        assert!((comparison.friedman_p - 0.157_299).abs() < 1e-5, "{}", comparison.friedman_p);
    }
}
