//! Aggregations against small calculations of another kind, and against liars.

use dais_protocol::{Aggregation, Aggregator, Sample, aggregations};
use proptest::collection::vec;
use proptest::prelude::*;

/// Coordinates on a grid, so that comparisons can be exact enough.
fn points(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<f32>>> {
    vec(vec((-40..40_i32).prop_map(|x| x as f32 / 8.0), 2), count)
}

fn aggregate(aggregation: Aggregation, liars_share: f64, points: &[Vec<f32>], weights: &[f64]) -> Vec<f32> {
    let samples: Vec<Sample<'_>> =
        points.iter().zip(weights).map(|(point, &weight)| Sample { point, weight }).collect();
    Aggregator { aggregation, quantile: 0.33, liars_share }.of(&samples).expect("some samples count")
}

fn evenly(aggregation: Aggregation, liars_share: f64, points: &[Vec<f32>]) -> Vec<f32> {
    aggregate(aggregation, liars_share, points, &vec![1.0; points.len()])
}

fn coordinate(points: &[Vec<f32>], k: usize) -> Vec<f64> {
    let mut values: Vec<f64> = points.iter().map(|point| f64::from(point[k])).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Every way to choose `k` of `n` places, as bits.
fn choices(n: usize, k: usize) -> impl Iterator<Item = u32> {
    (0..1_u32 << n).filter(move |choice| choice.count_ones() as usize == k)
}

fn of_choice(points: &[Vec<f32>], choice: u32) -> Vec<Vec<f32>> {
    points.iter().enumerate().filter(|(i, _)| choice >> i & 1 == 1).map(|(_, point)| point.clone()).collect()
}

fn near(found: f32, expected: f64) -> bool {
    (f64::from(found) - expected).abs() < 1.0e-4
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mean_median_and_trimmed_mean_agree_with_sorted_lists(points in points(1..12)) {
        let count = points.len();
        let cut = count / 4;
        let share = cut as f64 / count as f64;
        for k in 0..2 {
            let sorted = coordinate(&points, k);
            let middle = f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]);
            prop_assert!(near(evenly(Aggregation::Mean, 0.0, &points)[k], mean(&sorted)));
            prop_assert!(near(evenly(Aggregation::Median, 0.0, &points)[k], middle));
            let kept = mean(&sorted[cut..count - cut]);
            prop_assert!(near(evenly(Aggregation::TrimmedMean, share, &points)[k], kept));
        }
    }

    /// A weight of 3 is the same as three agents that say the same.
    #[test]
    fn weights_are_repetitions(points in points(1..6), repeats in vec(1..4_usize, 6)) {
        let repeated: Vec<Vec<f32>> =
            points.iter().zip(&repeats).flat_map(|(point, &times)| vec![point.clone(); times]).collect();
        let weights: Vec<f64> = repeats.iter().map(|&times| times as f64).collect();
        for aggregation in [
            Aggregation::LowerQuantile,
            Aggregation::Mean,
            Aggregation::Median,
            Aggregation::TrimmedMean,
            Aggregation::CentredClipping,
        ] {
            let weighted = aggregate(aggregation, 0.25, &points, &weights);
            let listed = evenly(aggregation, 0.25, &repeated);
            for (weighted, listed) in weighted.iter().zip(&listed) {
                prop_assert!(near(*weighted, f64::from(*listed)), "{:?}: {} {}", aggregation, weighted, listed);
            }
        }
    }

    /// No point of a fine grid around it has a smaller sum of distances.
    #[test]
    fn nothing_is_nearer_to_all_than_the_geometric_median(points in points(3..9), weights in vec(0.5..2.0_f64, 9)) {
        let found = aggregate(Aggregation::GeometricMedian, 0.0, &points, &weights);
        let cost = |to: &[f32]| points.iter().zip(&weights).map(|(point, w)| w * distance(point, to)).sum::<f64>();
        let best = cost(&found);
        for x in -20..=20 {
            for y in -20..=20 {
                let other = [found[0] + x as f32 * 0.05, found[1] + y as f32 * 0.05];
                prop_assert!(best <= cost(&other) + 1.0e-3, "{:?} is worse than {:?}", found, other);
            }
        }
        for point in &points {
            prop_assert!(best <= cost(point) + 1.0e-3);
        }
    }

    /// The score of Krum is the smallest sum over every choice of n - f - 2 others.
    #[test]
    fn krum_takes_the_point_whose_best_company_is_nearest(points in points(5..9)) {
        let count = points.len();
        let liars = ((0.3 * count as f64) as usize).min((count - 3) / 2);
        let company = |of: usize| {
            let others: Vec<Vec<f32>> =
                points.iter().enumerate().filter(|&(i, _)| i != of).map(|(_, point)| point.clone()).collect();
            let sums = choices(others.len(), count - liars - 2)
                .map(|choice| of_choice(&others, choice).iter().map(|p| distance(p, &points[of]).powi(2)).sum::<f64>());
            sums.fold(f64::INFINITY, f64::min)
        };
        let best = (0..count).map(company).fold(f64::INFINITY, f64::min);
        let found = evenly(Aggregation::Krum, 0.3, &points);
        let chosen = points.iter().position(|point| *point == found);
        prop_assert!(chosen.is_some_and(|chosen| company(chosen) <= best + 1.0e-9), "{:?}", found);
    }

    #[test]
    fn the_order_of_the_samples_does_not_matter(
        (points, shuffled) in points(1..10).prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
    ) {
        for aggregation in Aggregation::ALL {
            prop_assert_eq!(evenly(aggregation, 0.3, &points), evenly(aggregation, 0.3, &shuffled), "{:?}", aggregation);
        }
    }

    /// Seven honest points in the unit square and three far ones, wherever those are.
    #[test]
    fn a_minority_of_liars_moves_only_the_mean(
        honest in vec(vec((0..8_i32).prop_map(|x| x as f32 / 8.0), 2), 7),
        far in vec(vec(prop_oneof![-1.0e6..-1.0e3_f32, 1.0e3..1.0e6_f32], 2), 3),
    ) {
        let all: Vec<Vec<f32>> = honest.iter().chain(&far).cloned().collect();
        for aggregation in Aggregation::ALL {
            let found = evenly(aggregation, 0.3, &all);
            let inside = found.iter().all(|value| (-3.0..=4.0).contains(value));
            prop_assert_eq!(inside, aggregation != Aggregation::Mean, "{:?}: {:?}", aggregation, found);
        }
    }
}

/// By hand: n = 5 and f = 1, so each score is the sum of the two smallest squared distances to others.
#[test]
fn multi_krum_is_the_mean_of_all_but_the_worst() {
    let points = [[0.0], [1.0], [2.0], [3.0], [100.0]].map(|point| point.to_vec());
    assert_eq!(evenly(Aggregation::MultiKrum, 0.3, &points), [1.5]);
    // Scores 5, 2, 2, 5, 98² + 97²: the first of the two best is taken.
    assert_eq!(evenly(Aggregation::Krum, 0.3, &points), [1.0]);
}

/// By hand: the median is 2, the median distance from it 1; the far point pulls by 1 like its neighbour at each step.
#[test]
fn centred_clipping_bounds_the_pull_of_a_far_point() {
    let points = [[1.0], [2.0], [3.0], [1.5], [1.0e6]].map(|point| point.to_vec());
    let mut centre = 2.0;
    for _ in 0..5 {
        let pull: f64 = [1.0, 2.0, 3.0, 1.5, 1.0e6].iter().map(|x: &f64| (x - centre).clamp(-1.0, 1.0)).sum();
        centre += pull / 5.0;
    }
    let found = evenly(Aggregation::CentredClipping, 0.3, &points)[0];
    assert!(near(found, centre) && found < 3.0, "{found} not {centre}");
}

/// By hand: with f = 1 of 4, every point becomes the mean of its three nearest; the far one loses its distance.
#[test]
fn mixing_replaces_a_point_by_the_mean_of_its_neighbours() {
    let points = [[0.0], [3.0], [6.0], [99.0]].map(|point| point.to_vec());
    // Means 3, 3, 3, 36; a quarter of the weight is cut at each end.
    assert_eq!(evenly(Aggregation::NearestNeighbourMixing, 0.3, &points), [3.0]);
}

#[test]
fn what_is_no_number_or_weighs_nothing_does_not_count() {
    let points = [vec![1.0, 1.0], vec![f32::NAN, 0.0], vec![f32::INFINITY, 0.0], vec![9.0, 9.0]];
    for aggregation in Aggregation::ALL {
        assert_eq!(aggregate(aggregation, 0.3, &points, &[1.0, 1.0, 1.0, 0.0]), [1.0, 1.0], "{aggregation:?}");
    }
    let aggregator = Aggregator { aggregation: Aggregation::Mean, quantile: 0.33, liars_share: 0.3 };
    assert_eq!(aggregator.of(&[]), None);
    assert_eq!(aggregator.of_numbers(&[(f32::NAN, 1.0)]), None);
}

#[test]
fn every_aggregation_is_listed_under_its_name_in_a_scenario() {
    for aggregation in Aggregation::ALL {
        assert_eq!(serde_json::to_value(aggregation).unwrap(), aggregation.describe().0);
        assert!(aggregations().contains(&aggregation.describe()));
    }
    assert_eq!(aggregations().len(), Aggregation::ALL.len());
}
