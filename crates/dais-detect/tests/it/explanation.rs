//! Explanations add up to the score and name the feature that is strange.

use dais_detect::{Algorithm, AnyDetector, CannotExplain, Columns, Explanation, Scratch, shares};

use crate::data::normal;

/// Detectors whose score is no sum over features.
const CANNOT: [Algorithm; 3] = [Algorithm::ExtendedForest, Algorithm::Lof, Algorithm::HalfSpaceTrees];

fn fitted(algorithm: Algorithm, baseline: &[f32], features: usize, seed: u64) -> AnyDetector {
    let view = Columns::new(baseline, baseline.len() / features, features);
    algorithm.fit(view, seed, &mut Scratch::default()).unwrap()
}

fn explained(model: &AnyDetector, row: &[f32]) -> Result<(Vec<f32>, Explanation), CannotExplain> {
    let mut contributions = vec![f32::NAN; row.len()];
    let view = Columns::new(row, 1, row.len());
    let explanation = model.explain(view, 0, &mut contributions, &mut Scratch::default())?;
    Ok((contributions, explanation))
}

fn explaining() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.iter().copied().filter(|algorithm| !CANNOT.contains(algorithm))
}

#[test]
fn contributions_and_base_add_up_to_the_score() {
    for algorithm in explaining() {
        for features in [1, 5, 300] {
            let (baseline, batch) = (normal(300, features, 1), normal(20, features, 2));
            let model = fitted(algorithm, &baseline, features, 3);
            let view = Columns::new(&batch, 20, features);
            let (mut scores, mut scratch) = (vec![0.0; 20], Scratch::default());
            model.score(view, &mut scores, &mut scratch);
            for (row, &score) in scores.iter().enumerate() {
                let mut contributions = vec![f32::NAN; features];
                let Explanation { base, value } = model.explain(view, row, &mut contributions, &mut scratch).unwrap();
                let sum = base + contributions.iter().sum::<f32>();
                let near = |a: f32, b: f32| (a - b).abs() <= 1e-3 * a.abs().max(1.0);
                assert!(near(sum, value), "{algorithm}, {features} features: {sum} is not {value}");
                let of_score = if algorithm == Algorithm::IsolationForest { libm::log2f(score) } else { score };
                assert!(near(value, of_score), "{algorithm}, {features} features: {value}, score {score}");
            }
        }
    }
}

#[test]
fn what_cannot_be_explained_says_so() {
    for algorithm in CANNOT {
        let model = fitted(algorithm, &normal(100, 2, 1), 2, 3);
        let error = explained(&model, &[0.0, 9.0]).unwrap_err();
        assert_eq!(error.detector, algorithm.name());
    }
}

#[test]
fn the_one_strange_feature_ranks_first() {
    const SEEDS: u64 = 100;
    const FEATURES: usize = 12;
    let mut misses = Vec::new();
    for algorithm in explaining() {
        let (mut first, mut share) = (0, 0.0);
        for seed in 0..SEEDS {
            let baseline = normal(400, FEATURES, 2 * seed);
            let model = fitted(algorithm, &baseline, FEATURES, seed);
            // Ordinary in all other features: a forest finds 2.5 deviations hardly less strange than 8.
            let mut row: Vec<f32> =
                normal(1, FEATURES, 2 * seed + 1).iter().map(|value| value.clamp(-1.0, 1.0)).collect();
            let strange = seed as usize % FEATURES;
            row[strange] = if seed % 2 == 0 { 8.0 } else { -8.0 };
            let (mut contributions, _) = explained(&model, &row).unwrap();
            shares(&mut contributions);
            let largest = (0..FEATURES).max_by(|&a, &b| contributions[a].total_cmp(&contributions[b]));
            first += u32::from(largest == Some(strange));
            share += contributions[strange] / SEEDS as f32;
        }
        println!("{algorithm}: first in {first} of {SEEDS}, mean share {share:.2}");
        misses.extend((first < 95).then_some((algorithm, first)));
    }
    assert!(misses.is_empty(), "{misses:?}");
}

#[test]
fn any_row_is_explained_by_numbers() {
    let mut baseline = normal(200, 4, 1);
    baseline[..200].fill(3.0);
    for algorithm in explaining() {
        for rows in [1, 200] {
            let view = Columns::with_stride(&baseline, rows, 4, 200);
            let model = algorithm.fit(view, 1, &mut Scratch::default()).unwrap();
            for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 3.0] {
                let (mut contributions, explanation) = explained(&model, &[3.0, strange, 0.0, strange]).unwrap();
                let sound = explanation.base.is_finite() && explanation.value.is_finite();
                assert!(sound && contributions.iter().all(|part| part.is_finite()), "{algorithm}, {strange}");
                shares(&mut contributions);
                let sum: f32 = contributions.iter().sum();
                assert!((sum - 1.0).abs() < 1e-4, "{algorithm}, {strange}: {contributions:?}");
            }
        }
    }
}

#[test]
fn a_feature_that_never_varies_and_does_not_now_tells_nothing() {
    let mut baseline = normal(300, 3, 1);
    baseline[300..600].fill(5.0);
    for algorithm in [Algorithm::IsolationForest, Algorithm::Neighbours, Algorithm::Ensemble, Algorithm::Hbos] {
        let model = fitted(algorithm, &baseline, 3, 1);
        let (contributions, _) = explained(&model, &[7.0, 5.0, 0.0]).unwrap();
        assert!(contributions[1].abs() < 1e-6 && contributions[0] > 0.0, "{algorithm}: {contributions:?}");
    }
}

#[test]
fn shapes_that_do_not_fit_panic() {
    let model = fitted(Algorithm::Ensemble, &normal(50, 2, 1), 2, 1);
    let panics = |features: usize, row: usize, contributions: usize| {
        let explain = std::panic::AssertUnwindSafe(|| {
            let values = vec![0.0; 3 * features];
            let view = Columns::new(&values, 3, features);
            model.explain(view, row, &mut vec![0.0; contributions], &mut Scratch::default())
        });
        std::panic::catch_unwind(explain).is_err()
    };
    assert!(panics(3, 0, 3) && panics(2, 3, 2) && panics(2, 0, 1) && !panics(2, 2, 2));
}

#[test]
fn shares_of_any_contributions_add_up_to_one() {
    for parts in [vec![f32::MAX; 9], vec![-1.0, -2.0], vec![1e-40, 3e-40], vec![f32::INFINITY, 1.0], vec![0.0]] {
        let mut shared = parts.clone();
        shares(&mut shared);
        assert!((shared.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{parts:?}: {shared:?}");
    }
}
